"""The target: which values are classes, which are numbers, and which are neither."""

from typing import Any

import numpy as np
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.target import Target, resolve_target


def resolve(values: Any, **settings: Any) -> Target:
    array = values if isinstance(values, np.ndarray) else np.array(values)
    return resolve_target(array, DataSpec(**settings))


def texts(*values: Any) -> Any:
    return np.array(values, dtype=object)


@pytest.mark.parametrize(
    ("values", "task", "labels"),
    [
        (["b", "a", "b"], "binary", ("a", "b")),
        (["c", "a", "b"], "multiclass", ("a", "b", "c")),
        (texts("no", "yes"), "binary", ("no", "yes")),
        (np.array([b"x", b"\xc3\xa4"]), "binary", ("x", "ä")),
        ([True, False], "binary", ("False", "True")),
        (texts(True, False), "binary", ("False", "True")),
        ([1, 0, 1], "binary", (0, 1)),
        ([-1, 1, 5], "multiclass", (-1, 1, 5)),
        (np.array([3, 7], dtype=np.uint8), "binary", (3, 7)),
        ([1.0, 0.0], "binary", (0, 1)),
        (np.array([1, 2], dtype=np.float16), "binary", (1, 2)),
        ([-0.0, 0.0, 1.0], "binary", (0, 1)),
        (list(range(20)), "multiclass", tuple(range(20))),
        (["10", "9"], "binary", ("10", "9")),
        ([str(i) for i in range(30)], "multiclass", tuple(sorted(map(str, range(30))))),
    ],
    ids=str,
)
def test_classes_are_told_from_the_values(values: Any, task: str, labels: Any) -> None:
    target = resolve(values)
    assert (target.task, target.labels) == (task, labels)
    assert [type(label) for label in target.labels] == [type(label) for label in labels]


@pytest.mark.parametrize(
    "values",
    [list(range(21)), [float(i) for i in range(21)], [0.5, 1.0], [1.0, 2.0, 1e300], [2.0**53, 1.0]],
    ids=["many whole numbers", "many integral floats", "fractions", "huge", "beyond 2**53"],
)
def test_numbers_are_a_regression(values: Any) -> None:
    target = resolve(values)
    assert (target.task, target.labels, target.positive) == ("regression", (), None)
    assert target.codes.dtype == np.float64
    np.testing.assert_array_equal(target.codes, values)


def test_codes_count_the_sorted_labels() -> None:
    target = resolve(["c", "a", "b", "a"])
    assert target.codes.dtype == np.int64
    assert target.codes.tolist() == [2, 0, 1, 0]


@pytest.mark.parametrize(
    ("values", "task", "found"),
    [
        ([0, 1, 2], "regression", "regression"),
        ([0, 1], "regression", "regression"),
        (list(range(30)), "multiclass", "multiclass"),
        ([0, 1], "multiclass", "multiclass"),
        (["a", "b"], "binary", "binary"),
        ([1.0, 3.0], "binary", "binary"),
    ],
)
def test_task_may_be_said(values: Any, task: str, found: str) -> None:
    assert resolve(values, task=task).task == found


def test_two_classes_said_to_be_multiclass_have_no_positive() -> None:
    assert resolve([0, 1], task="multiclass").positive is None


@pytest.mark.parametrize(
    ("values", "positive", "label"),
    [
        (["a", "b"], None, "b"),
        (["a", "b"], "a", "a"),
        ([0, 1], None, 1),
        ([0, 1], 0, 0),
        ([0, 1], 0.0, 0),
        ([0, 1], "0", 0),
        (["0", "1"], 0, "0"),
        ([True, False], None, "True"),
        ([True, False], False, "False"),
        ([-1, 1], -1, -1),
    ],
)
def test_positive_is_the_larger_label_unless_said(values: Any, positive: Any, label: Any) -> None:
    target = resolve(values, positive=positive)
    assert target.positive == label
    assert type(target.positive) is type(label)


def test_codes_do_not_depend_on_the_positive_label() -> None:
    one, other = (resolve(["a", "b", "a"], positive=label) for label in "ab")
    np.testing.assert_array_equal(one.codes, other.codes)


@pytest.mark.parametrize(
    ("values", "settings", "problem"),
    [
        ([1.0, np.nan, np.nan], {}, "data.target: 2 of 3 values are missing or NaN; remove"),
        ([1.0, np.inf], {}, "data.target: 1 of 2 values are infinite; remove"),
        (texts("a", None, "b"), {}, "data.target: 1 of 3 values are missing; remove"),
        (texts(True, None), {}, "data.target: 1 of 2 values are missing; remove"),
        (texts("a", float("nan")), {}, "data.target: 1 of 2 values are missing; remove"),
        (["a", "", ""], {}, "data.target: 2 of 3 values are empty; remove"),
        (texts("a", 1), {}, "data.target: holds int and str; give numbers"),
        ([1j, 2j], {}, "data.target: holds complex128; give numbers"),
        (np.array(["2020-01-01"], dtype="M8[D]"), {}, "data.target: holds datetime64"),
        (np.array([b"\xff", b"a"]), {}, "data.target: holds bytes that are not UTF-8; give text"),
        (np.array([2**64 - 1, 1], dtype=np.uint64), {}, "data.target: holds numbers above 2**63"),
        ([1, 1, 1], {}, "data.target: all rows have the one class 1; two are needed"),
        (["a"], {}, "data.target: all rows have the one class 'a'; two are needed"),
        ([0.5, 1], {"task": "binary"}, "data.task: binary needs labels, but the target has frac"),
        ([0, 1, 2], {"task": "binary"}, "data.task: binary, but the target has 3 classes (0, 1, 2"),
        (["a", "b"], {"task": "regression"}, "data.task: regression needs numbers"),
        ([True, False], {"task": "regression"}, "data.task: regression needs numbers"),
        (["a", "b"], {"positive": "c"}, "data.positive: no label 'c'; use 'a' or 'b'"),
        ([0, 1], {"positive": True}, "data.positive: no label True; use 0 or 1"),
        ([0, 1], {"positive": 0.5}, "data.positive: no label 0.5; use 0 or 1"),
        (["a", "b", "c"], {"positive": "a"}, "data.positive: only binary tasks have one"),
        ([0.5, 1.5], {"positive": 1}, "data.positive: a regression has no positive label"),
    ],
    ids=str,
)
def test_what_cannot_be_a_target_is_refused(values: Any, settings: Any, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(values, **settings)
    assert str(caught.value).startswith(problem)
    assert len(str(caught.value).splitlines()) == 1
