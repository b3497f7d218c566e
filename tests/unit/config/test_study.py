"""The settings: the contract's defaults, what they refuse, and how they say it."""

import gc
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.model import ModelSpec
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.models import mlp

DEFAULTS = """
data: {source: breast_cancer, target: null, task: auto, positive: null, features: null, drop: [],
  groups: null, weights: null}
split: {method: auto, n_splits: 10, n_repeats: 1, shuffle: true, test_size: 0.1, fold_column: null}
model: {builder: "tasks.models:mlp", params: {}}
train: {epochs: 50, batch_size: 32, shuffle: true, optimizer: adam, learning_rate: 0.001,
  loss: auto, scaler: standard, early_stopping: null, class_weight: null}
metrics: auto
compute: {engine: local, workers: auto, threads: 1, device: auto, fold_timeout: null, retries: 2,
  address: null, folds_per_gpu: 1, mixed: false}
report: {level: 0.95, intervals: auto, rope: null, ignore: []}
seed: 1337
out: reports
name: null
"""


def sections(model: type[BaseModel]) -> list[type[BaseModel]]:
    below = [type(f.default) for f in model.model_fields.values()]
    return [model, *(kind for kind in below if issubclass(kind, BaseModel))]


@pytest.mark.parametrize("name", list(Study.model_fields))
def test_defaults_are_those_of_the_contract(name: str) -> None:
    found, expected = Study().model_dump()[name], yaml.safe_load(DEFAULTS)[name]
    if isinstance(expected, dict):
        found = {key: found[key] for key in expected}
    assert found == expected


def test_early_stopping_has_the_defaults_of_the_contract() -> None:
    stopping = parse_study({"train": {"early_stopping": {}}}).train.early_stopping
    assert stopping is not None
    assert stopping.model_dump() == {
        **{"monitor": "val_loss", "mode": "auto", "patience": 5, "min_delta": 0.0},
        **{"start_from_epoch": 0, "restore_best": True, "fraction": 0.2},
    }


@pytest.mark.parametrize("section", sections(Study), ids=lambda kind: kind.__name__)
def test_every_field_is_described(section: type[BaseModel]) -> None:
    for name, field in section.model_fields.items():
        assert field.description, name


@pytest.mark.parametrize("mode", ["python", "json"])
def test_settings_survive_a_form_that_sends_every_default(mode: Any) -> None:
    assert parse_study(Study().model_dump(mode=mode)) == Study()


def test_settings_draw_a_json_schema_for_the_form() -> None:
    schema = Study.model_json_schema()
    assert schema["properties"]["seed"]["default"] == 1337
    assert schema["additionalProperties"] is False


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Study().seed = 1  # type: ignore[misc]


def test_chosen_tells_what_the_user_set() -> None:
    train = parse_study({"train": {"epochs": 50}}).train
    assert train.chosen("epochs")
    assert not train.chosen("loss")


def test_data_may_be_a_bare_source() -> None:
    assert parse_study({"data": "iris"}).data.source == "iris"
    assert parse_study({"data": Path("a") / "b.csv"}).data.source == "a/b.csv"


def test_model_may_be_a_bare_builder() -> None:
    assert parse_study({"model": "my.module:build"}).model.builder == "my.module:build"


def build_here() -> None:
    """Stand for a builder: only its name is used."""


def test_function_of_a_module_is_named() -> None:
    assert parse_study({"model": build_here}).model.builder == f"{__name__}:build_here"
    assert ModelSpec(builder=build_here).builder == f"{__name__}:build_here"  # type: ignore[arg-type]


def test_numpy_numbers_are_taken_as_plain_ones() -> None:
    given = {"seed": np.int64(3), "train": {"learning_rate": np.float32(0.5), "epochs": np.int8(2)}}
    study = parse_study(given)
    assert (type(study.seed), type(study.train.learning_rate)) == (int, float)
    assert (study.seed, study.train.learning_rate, study.train.epochs) == (3, 0.5, 2)


def test_whole_numbers_serve_as_floats() -> None:
    assert parse_study({"train": {"learning_rate": 1}}).train.learning_rate == 1.0


def test_params_are_what_a_file_would_give() -> None:
    params = parse_study({"model": {"params": {"units": (8, 4), "a": {1: None}}}}).model.params
    assert params == {"units": [8, 4], "a": {"1": None}}


def test_labels_of_class_weights_are_text() -> None:
    weights = parse_study({"train": {"class_weight": {0: 1, np.int64(1): 2.5}}}).train.class_weight
    assert weights == {"0": 1.0, "1": 2.5}
    assert parse_study({"train": {"class_weight": {True: 3}}}).train.class_weight == {"True": 3.0}


@pytest.mark.parametrize(
    "split",
    [
        {"method": "shuffle_split", "test_size": 0.3, "n_repeats": 2},
        {"method": "stratified_shuffle_split", "test_size": 0.3},
        {"method": "own.module:Class", "test_size": 0.3},
        {"method": "kfold", "test_size": 0.1},
        {"method": "kfold", "n_repeats": 3},
        {"method": "kfold", "shuffle": False},
        {"method": "predefined", "fold_column": "fold"},
        {"method": "leave_one_out", "n_splits": 3},
        {"method": "time_series"},
    ],
    ids=str,
)
def test_splits_whose_settings_have_an_effect_pass(split: dict[str, Any]) -> None:
    assert parse_study({"split": split}).split.method == split["method"]


@pytest.mark.parametrize("method", ["time_series", "leave_one_out", "predefined"])
def test_methods_that_cannot_repeat_refuse_to(method: str) -> None:
    column = "fold" if method == "predefined" else None
    split = {"method": method, "n_repeats": 2, "fold_column": column}
    with pytest.raises(InputError, match=r"^split\.n_repeats: .* set it to 1$"):
        parse_study({"split": split})


@pytest.mark.parametrize(
    ("compute", "field"),
    [
        ({"address": "host:8786"}, "address"),
        ({"mixed": True}, "mixed"),
        ({"device": "cpu", "folds_per_gpu": 2}, "folds_per_gpu"),
    ],
)
def test_compute_settings_without_effect_are_refused(compute: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError, match=rf"^compute\.{field}: [^\n]*; set compute\."):
        parse_study({"compute": compute})
    engines = {"engine": "dask", "device": "auto"}
    assert parse_study({"compute": {**compute, **engines}}).compute.engine == "dask"


def test_all_wrong_fields_are_named_at_once() -> None:
    given = {"seed": "x", "train": {"epochs": 0}, "splits": {}}
    with pytest.raises(InputError) as caught:
        parse_study(given)
    for field in ("seed", "train.epochs", "splits"):
        assert field in str(caught.value)


def test_arrays_in_memory_have_a_source_by_content() -> None:
    X, y = np.arange(8.0).reshape(4, 2), [0, 1, 0, 1]
    first, same = DataSpec.from_arrays(X, y), DataSpec.from_arrays(X.copy(), list(y))
    assert first == same
    assert DataSpec.from_arrays(X + 1, y).source != first.source
    assert DataSpec.from_arrays(X, y, groups=y).groups == "groups"
    assert DataSpec.from_arrays(X, y, task="regression").task == "regression"


def test_arrays_are_copied_when_they_are_handed_over() -> None:
    from foldproof.tasks.data.sources.read import read

    X = np.zeros((2, 2))
    spec = DataSpec.from_arrays(X, [0, 1])
    X[:] = 9
    np.testing.assert_array_equal(read(spec, None).features, np.zeros((2, 2)))


def test_wrong_setting_beside_arrays_is_one_line() -> None:
    with pytest.raises(InputError, match=r"^task: unknown value 'words'; use one of auto, "):
        DataSpec.from_arrays([[1.0], [2.0]], [0, 1], task="words")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = st.sampled_from([*Study.model_fields, "data.source", "unknown"])


@given(st.dictionaries(NAMES, PLAIN, max_size=3))
@settings(deadline=None, max_examples=80, database=None, derandomize=True)
def test_any_top_level_values_give_a_study_or_one_line(given: dict[str, Any]) -> None:
    check_parse(given)


FIELDS = [
    (section, name)
    for section in ("data", "split", "model", "train", "compute")
    for name in type(Study.model_fields[section].default).model_fields
]


@given(st.lists(st.tuples(st.sampled_from(FIELDS), PLAIN), max_size=3))
@settings(deadline=None, max_examples=120, database=None, derandomize=True)
def test_any_values_of_fields_give_a_study_or_one_line(given: Any) -> None:
    study: dict[str, Any] = {}
    for (section, name), value in given:
        study.setdefault(section, {})[name] = value
    check_parse(study)


def check_parse(given: dict[str, Any]) -> None:
    try:
        study = parse_study(given)
    except InputError as error:
        refused = error
    else:
        assert parse_study(study.model_dump()) == study
        return
    assert refused.field
    assert len(str(refused).splitlines()) == 1


def test_arrays_in_memory_go_with_the_last_settings_that_stand_for_them() -> None:
    from foldproof.tasks.config.in_memory.arrays_in_memory import find_arrays
    from foldproof.tasks.data.sources.read import read

    X, y = np.arange(8.0).reshape(4, 2), [0, 1, 0, 1]
    spec = DataSpec.from_arrays(X, y)
    source = spec.source
    study = parse_study({"data": spec})
    again = DataSpec.model_validate(spec.model_dump())
    changed = pickle.loads(pickle.dumps(spec.model_copy(update={"positive": 1})))
    assert again == spec
    held = find_arrays(source)
    assert all(find_arrays(each.source) is held for each in (study.data, again, changed))
    del spec, study, again, held
    gc.collect()
    features = read(changed, None).features
    assert isinstance(features, np.ndarray)
    assert features.tolist() == X.tolist()
    del changed
    gc.collect()
    assert find_arrays(source) is None
    with pytest.raises(InputError) as refused:
        read(DataSpec(source=source), None)
    assert str(refused.value) == (
        "data.source: these arrays are not in the memory of this process (any more); "
        "keep their DataSpec, or save them as an npz file"
    )


def test_many_arrays_after_one_another_take_the_memory_of_one() -> None:
    tracemalloc.start()
    try:
        for value in range(20):
            DataSpec.from_arrays(np.full((1000, 128), float(value)), np.arange(1000))  # 1 MB
        gc.collect()
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert left < 1_000_000
    assert peak < 8_000_000


def test_equal_arrays_are_kept_once() -> None:
    X, y = np.full((1000, 128), 1.0), np.arange(1000)  # 1 MB
    tracemalloc.start()
    try:
        specs = [DataSpec.from_arrays(X, y) for _ in range(20)]
        gc.collect()
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len({spec.source for spec in specs}) == 1
    assert left < 2_500_000


def test_settings_of_arrays_travel_without_them() -> None:
    spec = DataSpec.from_arrays(np.zeros((10_000, 10)), np.arange(10_000))
    assert len(pickle.dumps(spec)) < 2_000


def test_a_built_in_builder_has_one_name_however_it_is_given():
    for builder in (mlp, "foldproof.tasks.models:mlp", "tasks.models:mlp"):
        assert parse_study({"model": {"builder": builder}}).model.builder == "tasks.models:mlp"


WORDS = {"optimizer": "Adam", "loss": "mse", "metrics": ["AUC"], "callbacks": ["TerminateOnNaN"]}
FULL = {
    "optimizer": {"name": "adamw", "params": {"weight_decay": 0.1}},
    "learning_rate": {"name": "CosineDecay", "params": {"decay_steps": 9}},
    "loss": {"name": "my_net:Tilted", "params": {"weight": 3.0}},
    "metrics": [{"name": "AUC", "params": {"curve": "PR"}}],
    "callbacks": [{"name": "keras.callbacks:ReduceLROnPlateau", "params": {"monitor": "loss"}}],
}
SHORT = {
    "optimizer": {"adamw": {"weight_decay": 0.1}},
    "learning_rate": {"CosineDecay": {"decay_steps": 9}},
    "loss": {"my_net:Tilted": {"weight": 3.0}},
    "metrics": [{"AUC": {"curve": "PR"}}],
    "callbacks": [{"ReduceLROnPlateau": {"monitor": "loss"}}],
}


@pytest.mark.parametrize("train", [WORDS, FULL, SHORT])
def test_names_are_told_with_their_parameters_and_read_again(train: dict[str, Any]) -> None:
    study = parse_study({"train": train})
    told = study.model_dump(mode="json")
    assert parse_study(told).model_dump(mode="json") == told
    if train is not WORDS:
        assert {name: told["train"][name] for name in FULL} == FULL


def test_a_name_with_no_parameters_is_the_name() -> None:
    word, full, bare = (
        parse_study({"train": {"callbacks": [one]}})
        for one in (
            "TerminateOnNaN",
            {"name": "TerminateOnNaN", "params": {}},
            {"name": "TerminateOnNaN"},
        )
    )
    assert word == full == bare


@pytest.mark.parametrize(
    "wrong",
    [{"name": "adam", "parms": {}}, {"name": {"a": 1}}, {"params": {}}, {"name": ""}, {}],
)
def test_what_is_no_name_with_parameters_says_how_to_write_one(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        parse_study({"train": {"optimizer": wrong}})
    form = '{"name": "NAME", "params": {"PARAMETER": VALUE}}'
    problem = f"train.optimizer: must be a name, or a name with parameters as in {form}"
    assert str(caught.value) == problem
