"""The form of a deployment: what it asks for, what it sends, and how wrong input ends a run."""

import pydoc
from typing import Any

import pytest
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import validate

from foldproof.flows.compare import compare
from foldproof.flows.cv import cross_validate
from foldproof.flows.verify import verify
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.task import Task
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.config.types import Section
from foldproof.tasks.evaluation.metrics import METRICS
from foldproof.tasks.prefect_flow.flow import WITHOUT_BOX
from foldproof.tasks.prefect_ui.form import from_form, shared_and_own, with_more
from foldproof.tasks.prefect_ui.form_boxes import METRIC_NAMES
from foldproof.tasks.prefect_ui.offered_builders import offered_builders
from foldproof.tasks.run.allowlist import BUILDERS

OFF = ("early_stopping", "class_weight")

MAY_BE_EMPTY = {"target", "positive", "groups", "time"}
MOST = 27  # boxes of a form

# What the form sends when nothing was touched, but for the order of names.
UNTOUCHED: dict[str, Any] = {
    "data": {"source": "breast_cancer", "drop": []},
    "split": {"method": "auto", "n_splits": 10, "n_repeats": 1},
    "model": {"builder": "tasks.models:mlp", "params": {}},
    "train": {
        **{"epochs": 50, "batch_size": 32, "optimizer": "adam", "learning_rate": 0.001},
        **{"scaler": "standard", "early_stopping": "off", "patience": 5, "class_weight": "off"},
        "callbacks": [],
    },
    "metrics": "auto",
    "compute": {"device": "auto", "workers": "auto"},
    "seed": 1337,
    "out": "reports",
    "more": {},
}
# What the form of 0.1.0 sent; its deployments stay registered.
FORM_OF_0_1_0 = {
    "data": {"source": "breast_cancer", "task": "auto", "drop": []},
    "split": {
        **{"method": "auto", "n_splits": 10, "n_repeats": 1, "shuffle": True, "test_size": 0.1},
    },
    "model": {"builder": "tasks.models:mlp", "params": {}},
    "train": {
        **{"epochs": 50, "batch_size": 32, "shuffle": True, "optimizer": "adam"},
        **{"learning_rate": 0.001, "loss": "auto", "engine": "auto", "scaler": "standard"},
        **{"early_stopping": None, "class_weight": "off"},
    },
    "metrics": "auto",
    "compute": {
        **{"engine": "local", "workers": "auto", "threads": 1, "device": "auto", "retries": 2},
    },
    "seed": 1337,
    "out": "reports",
}


@pytest.fixture(scope="module")
def schema():
    """The schema that a deployment carries."""
    return parameter_schema(cross_validate).model_dump_for_openapi()


def fields(properties, path=()):
    """Yield (path, schema) of every setting of the form."""
    for name, field in properties.items():
        yield (*path, name), field
        yield from fields(field.get("properties", {}), (*path, name))


def everything(schema):
    """Yield every object inside a schema."""
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, dict | list | tuple):
            yield from everything(part)


@pytest.mark.parametrize("flow", [cross_validate, compare, verify], ids=lambda flow: flow.name)
def test_forms_are_short_and_every_box_says_what_it_is(flow):
    properties = parameter_schema(flow).model_dump_for_openapi()["properties"]
    items = properties.get("models", {}).get("items", {}).get("properties", {})
    of_a_model = dict(fields(items))
    asked = {path: field for path, field in fields(properties) if "properties" not in field}
    assert len(asked) - len(items and ["models"]) + 2 * len(of_a_model) <= MOST
    for path, field in (asked | of_a_model).items():
        assert field["title"] not in path, "a title is words"
        assert field["description"], path
        assert isinstance(field["position"], int), path
        assert not nulls(field), f"{path}: nothing but 'None' would be drawn"
        for branch in field.get("anyOf", []):
            assert branch.get("type") != "object", f"{path}: nothing would be drawn"


def nulls(field):
    return [part for part in everything(field) if part.get("type") == "null"]


def test_each_box_is_a_setting_and_what_is_none_fits_into_more(schema):
    boxes = {".".join(p) for p, field in fields(schema["properties"]) if "properties" not in field}
    settings = {
        f"{name}.{inner}" if isinstance(field.default, Section) else name
        for name, field in Study.model_fields.items()
        for inner in getattr(type(field.default), "model_fields", [""])
    }
    assert boxes - settings == {"more", "train.patience"}
    for setting in settings - boxes:
        section, _, name = setting.partition(".")
        owner = getattr(Study(), section) if name else Study()
        value = getattr(owner, name or section)
        sent = {**UNTOUCHED, "more": {section: {name: value} if name else value}}
        assert validate(sent, schema) == []
        study = parse_study(from_form(sent))
        assert (getattr(study, section) if name else study).chosen(name or section)
        assert study == Study()


def test_boxes_have_the_defaults_of_the_settings(schema):
    for path, field in fields(schema["properties"]):
        if "properties" in field or path[-1] in ("more", "patience"):
            continue
        section, name = (getattr(Study(), path[0]), path[1]) if path[1:] else (Study(), path[0])
        default = getattr(section, name)
        assert field.get("default", None) == ("off" if path[-1] in OFF else default), path
        assert ("default" in field) == (path[-1] not in MAY_BE_EMPTY), path


def test_sections_are_asked_for_in_the_order_of_the_work(schema):
    by_position = sorted(schema["properties"], key=lambda n: schema["properties"][n]["position"])
    assert by_position == [
        *(name for name in Study.model_fields if name not in WITHOUT_BOX),
        "more",
    ]
    train = schema["properties"]["train"]["properties"]
    first = sorted(train, key=lambda name: train[name]["position"])[:4]
    assert first == ["epochs", "batch_size", "optimizer", "learning_rate"]
    positions = [field["position"] for field in train.values()]
    assert len(set(positions)) == len(positions)


def test_limits_are_those_of_the_settings(schema):
    sections = {name: p.get("properties") for name, p in schema["properties"].items()}
    assert sections["split"]["n_splits"]["minimum"] == 2
    assert sections["train"]["learning_rate"]["anyOf"][0]["exclusiveMinimum"] == 0
    assert sections["train"]["patience"]["minimum"] == 0
    assert sections["compute"]["workers"]["anyOf"][1]["minimum"] == 1
    assert schema["properties"]["seed"]["minimum"] == 0
    for part in everything(schema):
        assert not {"ge", "gt", "$ref", "const"} & set(part), "no form knows what this means"


def test_choices_have_readable_tabs(schema):
    for path, field in fields(schema["properties"]):
        titles = [branch["title"] for branch in field.get("anyOf", [])]
        assert len(set(titles)) == len(titles), path
        assert not {"str", "int", "null", "EarlyStopping"} & set(titles), path


def test_all_metrics_that_fit_some_task_can_be_chosen():
    tasks: tuple[tuple[Task, int], ...] = (
        *(("binary", 2), ("multiclass", 3), ("ordinal", 3), ("multilabel", 2)),
        *(("regression", 0), ("count", 0), ("array", 0)),
    )
    fit = [metric.name for metric in METRICS if any(metric.fits(*task) for task in tasks)]
    assert list(METRIC_NAMES) == fit


def test_an_untouched_form_means_the_defaults(schema):
    assert validate(UNTOUCHED, schema) == []
    study = parse_study(from_form(UNTOUCHED))
    assert study == Study()
    assert not study.train.chosen("optimizer"), "defaults that a form sends were not chosen"


def test_the_form_of_0_1_0_is_still_understood(schema):
    assert validate(FORM_OF_0_1_0, schema) == []
    assert parse_study(from_form(FORM_OF_0_1_0)) == Study()


@pytest.mark.parametrize(
    ("train", "meant"),
    [
        ({"early_stopping": "on", "patience": 5}, {"early_stopping": {}}),
        ({"early_stopping": "on", "patience": 9}, {"early_stopping": {"patience": 9}}),
        ({"early_stopping": "on"}, {"early_stopping": {}}),
        ({"early_stopping": {"patience": 3}}, {"early_stopping": {"patience": 3}}),
        (
            {"early_stopping": {"monitor": "val_accuracy"}, "patience": 5},
            {"early_stopping": {"monitor": "val_accuracy"}},
        ),
        (
            {"early_stopping": {"monitor": "val_accuracy"}, "patience": 8},
            {"early_stopping": {"monitor": "val_accuracy", "patience": 8}},
        ),
        ({"early_stopping": "off", "patience": 5}, {}),
        ({"class_weight": {"benign": 1, "malignant": 2}}, None),
        ({"class_weight": "balanced"}, None),
    ],
)
def test_early_stopping_and_class_weights_are_words_or_json(schema, train, meant):
    sent = {**UNTOUCHED, "train": {**UNTOUCHED["train"], **train}}
    assert validate(sent, schema) == []
    meant = train if meant is None else meant
    assert parse_study(from_form({"train": train})) == parse_study({"train": meant})


@pytest.mark.parametrize(
    "train",
    [
        {"optimizer": {"adamw": {"weight_decay": 0.01}}},
        {"learning_rate": {"CosineDecay": {"decay_steps": 100}}},
        {"callbacks": ["TerminateOnNaN", "EarlyStopping"]},
        {"callbacks": [{"ReduceLROnPlateau": {"patience": 3}}, "TerminateOnNaN"]},
    ],
)
def test_what_has_parameters_is_a_name_or_json(schema, train):
    sent = {**UNTOUCHED, "train": {**UNTOUCHED["train"], **train}}
    assert validate(sent, schema) == []
    assert parse_study(from_form({"train": train})) == parse_study({"train": train})


def test_metrics_of_ones_own_are_json(schema):
    sent = {**UNTOUCHED, "metrics": ["roc_auc", "scores:lift"]}
    assert validate(sent, schema) == []
    assert parse_study(from_form(sent)).metrics == ["roc_auc", "scores:lift"]


def test_more_adds_to_the_boxes_and_to_what_they_began():
    train = {**UNTOUCHED["train"], "early_stopping": "on"}
    more = {
        "data": {"task": "binary"},
        "train": {"loss": "mse", "early_stopping": {"monitor": "val_accuracy"}, "epochs": 50},
    }
    study = parse_study(from_form({**UNTOUCHED, "train": train, "more": more}))
    stopping = {"monitor": "val_accuracy", "patience": 5}
    given = {"loss": "mse", "early_stopping": stopping, "epochs": 50}
    assert study == parse_study({"data": {"task": "binary"}, "train": given})
    assert parse_study(from_form({"more": {"train": {"epochs": 3}}})).train.epochs == 3


CLASHES = [
    (
        {"train": {"epochs": 50}, "more": {"train": {"epochs": 3}}},
        "more.train.epochs: 3 clashes with train.epochs: 50; say it once",
    ),
    (
        {"train": {"early_stopping": "off"}, "more": {"train": {"early_stopping": {}}}},
        "more.train.early_stopping: {} clashes with train.early_stopping: 'off'; say it once",
    ),
    (
        {"metrics": "auto", "more": {"metrics": ["f1"]}},
        "more.metrics: ['f1'] clashes with metrics: 'auto'; say it once",
    ),
    (
        {"more": [1]},
        'more: must hold settings by section, such as {"train": {"loss": "mse"}}, not [1]',
    ),
    ({"more": {"trian": {}}}, "trian: unknown setting; did you mean train?"),
    ({"more": {"train": {"los": "mse"}}}, "train.los: unknown setting; did you mean loss?"),
    (
        {"train": {"early_stopping": "off", "patience": 9}},
        "train.patience: 9 has no effect without it; set early_stopping to on",
    ),
]


@pytest.mark.parametrize(("sent", "line"), CLASHES)
def test_what_is_said_twice_or_makes_no_sense_is_one_line(sent, line):
    with pytest.raises(InputError) as refused:
        parse_study(from_form(sent))
    assert str(refused.value) == line


def test_a_caller_in_python_may_use_more_as_well():
    given = {"train": {"epochs": 2}, "more": {"train": {"loss": "mse"}}}
    assert parse_study(with_more(given)) == parse_study({"train": {"epochs": 2, "loss": "mse"}})
    assert with_more({"data": DataSpec(source="iris")}) == {"data": DataSpec(source="iris")}
    given = {"data": DataSpec(source="iris"), "more": {"data": {"task": "multiclass"}}}
    made = parse_study(with_more(given))
    assert made.data == DataSpec(source="iris", task="multiclass")


def test_a_comparison_asks_for_what_is_shared_once():
    shared = {**UNTOUCHED, "data": {"source": "iris"}}
    del shared["model"]
    models = [
        {"builder": "tasks.models:mlp", "params": {}, "settings": {"train": {"epochs": 3}}},
        {"builder": "sklearn.linear_model:LogisticRegression", "params": {"max_iter": 9}},
    ]
    first, second = map(parse_study, shared_and_own(shared, models))
    assert (first.data, first.split, first.seed) == (second.data, second.split, second.seed)
    assert (first.train.epochs, second.train.epochs) == (3, 50)
    assert second.model.params == {"max_iter": 9}


@pytest.mark.parametrize(
    ("models", "line"),
    [
        ([{"build": "a:b"}], "models: no 'build'; give each model as builder, params, settings"),
        (["a:b"], "models: 'a:b' is none; give each model as builder, params, settings"),
    ],
)
def test_a_model_that_is_none_is_one_line(models, line):
    with pytest.raises(InputError) as refused:
        shared_and_own({}, models)
    assert str(refused.value) == line


def test_the_form_offers_builders_of_the_modules_that_are_allowed(here, monkeypatch):
    (here / "nets.py").write_text(
        "import nothing_that_exists\n"
        "def deep(input_shape, units):\n    return 1\n"
        "def plain():\n    return 1\n"
        "def reads(path):\n    return 1\n"
        "def says(task):\n    print(task)\n"
        "def _own(task):\n    return 1\n"
    )
    (here / "broken.py").write_text("def (")
    monkeypatch.setenv(BUILDERS, "tasks.models, sklearn,nets,broken,absent.part")
    offered = offered_builders()
    assert offered == ["tasks.models:mlp", "tasks.models:cnn", "nets:deep", "nets:plain"]


def test_what_a_file_may_say_a_deployment_may_too(schema):
    assert validate(Study().model_dump(mode="json"), schema) == []
    given = {
        "data": {"source": "table.csv", "target": "ill", "positive": "ja", "drop": ["id"]},
        "split": {"method": "my.splits:ByYear", "n_repeats": 1},
        "train": {"early_stopping": {"patience": 3}, "class_weight": {"ja": 2, "nein": 0.5}},
        "metrics": ["f1", "roc_auc"],
        "compute": {"workers": 3, "fold_timeout": 60},
    }
    assert validate(given, schema) == []
    assert parse_study(from_form(given)) == parse_study(given)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({"data": {"target": "", "positive": None, "features": [], "drop": [None, " "]}}, {}),
        ({"data": {"target": " ill ", "source": "a.csv\n"}}, {"target": "ill", "source": "a.csv"}),
        ({"data": {"target": "off"}}, {"target": "off"}),
        ({"data": None, "metrics": [], "out": "", "seed": None}, {}),
        ({"compute": {"workers": None, "fold_timeout": None}}, {}),
        ({"train": {"class_weight": "off", "learning_rate": 1}}, {"learning_rate": 1}),
        ({"train": {"early_stopping": {}}}, {"early_stopping": {}}),
        ({"train": {"epochs": None, "early_stopping": {"patience": ""}}}, {"early_stopping": {}}),
        (
            {"model": {"params": {"name": "", "units": None}}},
            {"params": {"name": "", "units": None}},
        ),
    ],
)
def test_what_is_left_empty_is_left_to_its_default(sent, meant):
    (section,) = {"data", "compute", "train", "model"} & set(sent)
    assert parse_study(from_form(sent)) == parse_study({section: meant})


@pytest.mark.parametrize(
    ("sent", "line"),
    [
        (
            {"data": {"source": "breast_cancr"}},
            "data.source: no file or folder 'breast_cancr'; did you mean breast_cancer?",
        ),
        ({"train": {"epochs": 0}}, "train.epochs: must be at least 1, not 0"),
        (
            {"split": {"method": "predefined"}},
            "split.fold_column: missing; predefined needs the column of the folds",
        ),
        (
            {"data": {"source": "iris"}, "metrics": ["roc_auc"]},
            "metrics: roc_auc does not fit a multiclass task; the usual ones are accuracy, "
            "balanced_accuracy, roc_auc_ovr",
        ),
    ],
)
def test_wrong_input_ends_a_run_with_its_one_line(prefect_api, tmp_path, monkeypatch, sent, line):
    monkeypatch.chdir(tmp_path)
    parameters = {**sent, "out": str(tmp_path)}
    with temporary_settings({PREFECT_API_URL: prefect_api}):
        state: Any = run_flow(cross_validate, parameters=parameters, return_type="state")
    assert state.is_failed()
    assert state.message == line
    assert list(tmp_path.iterdir()) == []


def test_a_parameter_that_does_not_exist_is_named(prefect_api):
    with temporary_settings({PREFECT_API_URL: prefect_api}):
        state: Any = run_flow(cross_validate, parameters={"dat": {}}, return_type="state")
    assert state.is_failed()
    assert state.message.endswith("dat: unknown setting; did you mean data?")


def test_the_help_of_a_flow_fits_a_screen():
    from foldproof.flows.cv import cross_validate

    shown = pydoc.plain(pydoc.render_doc(cross_validate))
    assert "data: Annotated[Any, form] = ..." in shown
    assert len(shown) < 2000
