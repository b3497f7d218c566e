"""Inputs by name in the settings, and what is fitted to each."""

from typing import Any

import pytest
from sklearn.preprocessing import StandardScaler

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.named.inputs import completed, preprocess_of
from foldproof.tasks.config.study import Study, parse_study

NAMED = {"lab": ["crp", "wbc"], "clinical": "age"}
SCALED = [{"name": "StandardScaler", "params": {}}]


def study(train: Any = None, **data: Any) -> Study:
    given = {"source": "a.csv", "target": "y", "inputs": NAMED} | data
    return parse_study({"data": given, "train": train or {}})


def test_inputs_have_columns_and_one_order() -> None:
    data = study().data
    assert data.inputs == {"clinical": ["age"], "lab": ["crp", "wbc"]}
    assert list(data.inputs) == ["clinical", "lab"]
    assert parse_study({"data": data.model_dump()}).data == data


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("none", "none"),
        ({"StandardScaler": {}}, SCALED),
        ({"name": "StandardScaler"}, SCALED),
        ({"lab": "none"}, {"lab": "none"}),
        ({"lab": "StandardScaler:x"}, {"lab": "StandardScaler:x"}),
        (
            {"lab": {"StandardScaler": {}}, "clinical": "auto"},
            {"clinical": "auto", "lab": SCALED},
        ),
    ],
)
def test_preprocessing_is_for_all_inputs_or_for_each(given: Any, made: Any) -> None:
    data = study(preprocess=given).data
    written = data.model_dump(mode="json")
    assert written["preprocess"] == made
    assert study(preprocess=written["preprocess"]).data.preprocess == data.preprocess


def test_an_object_may_be_fitted_to_an_input() -> None:
    preprocess = study(preprocess={"lab": StandardScaler()}).data.preprocess
    assert ":StandardScaler@" in preprocess_of(preprocess, "lab")
    assert preprocess_of(preprocess, "clinical") == "auto"
    everything = {"clinical": "auto", "lab": preprocess_of(preprocess, "lab")}
    assert completed(preprocess, ["clinical", "lab"]) == everything


LINES = [
    ({"inputs": {}}, "data.inputs: names no input; give some, as {name: [columns]}"),
    ({"inputs": {"a": []}}, "data.inputs.a: names no column; give some, or leave it out"),
    ({"inputs": {"a": ["x", "x"]}}, "data.inputs.a: column 'x' stands there twice; name it once"),
    ({"inputs": {"a/b": "x"}}, "data.inputs: 'a/b' is no name of an input; use letters, digits"),
    ({"inputs": {"..": "x"}}, "data.inputs: '..' is no name of an input; use letters, digits"),
    ({"inputs": {"a": "x", "A": "z"}}, "data.inputs: 'A' has another's name in another case"),
    ({"inputs": ["a"]}, "data.inputs: must be a mapping of names to values, not ['a']"),
    ({"features": ["crp"]}, "data.features: data.inputs names the columns; leave one of the two"),
    ({"preprocess": {"lb": "none"}}, "data.preprocess: no input 'lb'; did you mean lab?"),
    ({"preprocess": {"lab": "nine"}}, "data.preprocess.lab: unknown 'nine'; did you mean none?"),
    ({"preprocess": {"lab": "none", "x": "auto"}}, "data.preprocess: no input 'x'; use one of"),
    ({"train": {"sampler": "SMOTE"}}, "train.sampler: resamples one table, but data.inputs makes"),
    (
        {"preprocess": "none", "train": {"scaler": "minmax"}},
        "train.scaler: data.preprocess says all that is done to features",
    ),
    (
        {"preprocess": {"lab": "none", "clinical": "none"}, "train": {"scaler": "minmax"}},
        "train.scaler: data.preprocess says all that is done to features",
    ),
]


@pytest.mark.parametrize(("given", "problem"), LINES)
def test_what_is_wrong_is_said_in_one_line(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError) as caught:
        study(**given)
    assert str(caught.value).startswith(problem)
    assert "\n" not in str(caught.value)


def test_a_scaler_is_for_the_inputs_under_auto() -> None:
    made = study(preprocess={"lab": "none"}, train={"scaler": "minmax"})
    assert made.train.scaler == "minmax"
