"""The form of a deployment: what it asks for, what it sends, and how wrong input ends a run."""

import pytest
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import validate

from flows.cv import cross_validate
from tasks.config import Section, Study, parse_study
from tasks.errors import InputError
from tasks.form import from_form
from tasks.form_choices import METRIC_NAMES
from tasks.metrics import _check_fits, _scorer_names

MAY_BE_EMPTY = {
    *("target", "positive", "features", "groups", "weights", "fold_column", "fold_timeout"),
    *("memory_limit", "address"),
}

# What the form's two designs send when nothing was touched, but for the order of names.
UNTOUCHED = {
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


def test_every_setting_is_asked_for_with_a_title_a_description_and_a_default(schema):
    asked = dict(fields(schema["properties"]))
    expected = set()
    for name, field in Study.model_fields.items():
        expected.add((name,))
        if isinstance(field.default, Section):
            expected |= {(name, inner) for inner in type(field.default).model_fields}
    assert set(asked) == expected
    for path, field in asked.items():
        assert field["title"], path
        assert field["description"], path
        assert isinstance(field["position"], int), path
        assert ("default" in field) == (path[-1] not in MAY_BE_EMPTY), path


def test_sections_are_asked_for_in_the_order_of_the_work(schema):
    by_position = sorted(schema["properties"], key=lambda n: schema["properties"][n]["position"])
    assert by_position == list(Study.model_fields)
    train = schema["properties"]["train"]["properties"]
    first = sorted(train, key=lambda name: train[name]["position"])[:4]
    assert first == ["epochs", "batch_size", "optimizer", "learning_rate"]
    positions = [field["position"] for field in train.values()]
    assert len(set(positions)) == len(positions)


def test_limits_are_those_of_the_settings(schema):
    sections = {name: p.get("properties") for name, p in schema["properties"].items()}
    assert sections["split"]["n_splits"]["minimum"] == 2
    assert sections["split"]["test_size"]["exclusiveMaximum"] == 1
    assert sections["train"]["learning_rate"]["exclusiveMinimum"] == 0
    assert sections["train"]["early_stopping"]["anyOf"][1]["properties"]["patience"]["minimum"] == 0
    assert sections["compute"]["workers"]["anyOf"][1]["minimum"] == 1
    assert sections["compute"]["fold_timeout"]["exclusiveMinimum"] == 0
    assert schema["properties"]["seed"]["minimum"] == 0
    for part in everything(schema):
        assert not {"ge", "gt", "$ref", "const"} & set(part), "no form knows what this means"


def test_choices_have_readable_tabs(schema):
    for path, field in fields(schema["properties"]):
        titles = [branch["title"] for branch in field.get("anyOf", [])]
        assert len(set(titles)) == len(titles), path
        assert not {"str", "int", "null", "EarlyStopping"} & set(titles), path


def test_all_metrics_that_scikit_learn_has_for_a_task_can_be_chosen():
    def fits(name):
        for task, classes in (("binary", 2), ("multiclass", 3), ("regression", 0)):
            try:
                _check_fits(name, task, classes)
            except InputError:
                continue
            return True
        return False

    assert sorted(METRIC_NAMES) == sorted(filter(fits, _scorer_names()))
    assert len(set(METRIC_NAMES)) == len(METRIC_NAMES)


def test_an_untouched_form_means_the_defaults(schema):
    assert validate(UNTOUCHED, schema) == []
    study = parse_study(from_form(UNTOUCHED))
    assert study == Study()
    assert not study.train.chosen("optimizer"), "defaults that a form sends were not chosen"


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
        state = run_flow(cross_validate, parameters=parameters, return_type="state")
    assert state.is_failed()
    assert state.message == line
    assert list(tmp_path.iterdir()) == []


def test_a_parameter_that_does_not_exist_is_named(prefect_api):
    with temporary_settings({PREFECT_API_URL: prefect_api}):
        state = run_flow(cross_validate, parameters={"dat": {}}, return_type="state")
    assert state.is_failed()
    assert state.message.endswith("dat: unknown setting; did you mean data?")
