"""Labels and YAML's booleans, numbers taken for classes or for amounts, and rare classes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.config.yaml_file import read_settings
from foldproof.tasks.data.class_weights import check_class_weight
from foldproof.tasks.data.dataset import Dataset, prepare_data
from foldproof.tasks.data.labels import find_label, weights_of
from foldproof.tasks.data.target import resolve_target
from foldproof.tasks.folds.split.plan import plan_folds
from foldproof.tasks.training.sample_weights import sample_weights
from tests.support.inputs import Prepare

PAIRS = [("no", "yes"), ("No", "Yes"), ("NO", "YES"), ("off", "on"), ("False", "True")]


def write(folder: Path, labels: list[Any], rows: int = 12) -> str:
    path = folder / "t.csv"
    path.write_text("a,y\n" + "".join(f"{i},{labels[i % len(labels)]}\n" for i in range(rows)))
    return str(path)


@pytest.mark.parametrize(("no", "yes"), [*PAIRS, ("false", "true"), ("FALSE", "TRUE")])
@pytest.mark.parametrize("written", ["yes", "Yes", "on", "true", "True"])
def test_booleans_of_yaml_are_labels(here: Path, no: str, yes: str, written: str) -> None:
    write(here, [no, yes])
    opposite = {"yes": "no", "Yes": "No", "on": "off", "true": "false", "True": "False"}[written]
    (here / "study.yaml").write_text(
        f"data: {{source: t.csv, target: y, positive: {opposite}}}\n"
        f"train: {{class_weight: {{{written}: 2, {opposite}: 1}}}}\n"
    )
    study = parse_study(read_settings("study.yaml"))
    data = prepare_data(study.data, None, here)
    assert str(data.positive).casefold() == no.casefold()
    check_class_weight(study.train, data.labels)
    weights = sample_weights(study.train, data.labels, data.codes(), None)
    assert weights is not None
    positive_last = [label == data.positive for label in data.labels]
    assert weights.tolist() == [1 if positive_last[code] else 2 for code in data.codes()]


@pytest.mark.parametrize(
    ("given", "labels", "found"),
    [
        (True, ("no", "yes"), "yes"),
        (False, ("off", "on"), "off"),
        (True, ("True", "yes"), "True"),
        ("true", ("False", "True"), "True"),
        ("yes", ("no", "yes"), "yes"),
        (True, ("on", "yes"), None),
        (True, (0, 1), None),
        (True, ("a", "b"), None),
        ("Yes", ("no", "yes"), None),
        (1.0, (0, 1), 1),
        ("1.0", (0, 1), 1),
        (1.5, (1, 2), None),
        ("x", (0, 1), None),
    ],
)
def test_a_label_is_found_only_where_one_is_meant(given: Any, labels: Any, found: Any) -> None:
    assert find_label(given, labels) == found


def test_a_label_has_one_weight() -> None:
    assert weights_of({"True": 2, "no": 1}, ("no", "yes")) == {"yes": 2, "no": 1}
    with pytest.raises(InputError) as caught:
        weights_of({"True": 2, "yes": 3, "no": 1}, ("no", "yes"))
    assert str(caught.value) == "train.class_weight: label 'yes' has two weights; give it one"


def test_dates_of_yaml_are_labels(here: Path) -> None:
    write(here, ["2024-01-01", "2024-02-01"])
    (here / "study.yaml").write_text("data: {source: t.csv, target: y, positive: 2024-01-01}\n")
    study = parse_study(read_settings("study.yaml"))
    assert study.data.positive == "2024-01-01"


def test_booleans_that_mean_no_label_are_refused(tmp_path: Path) -> None:
    spec = DataSpec(source=write(tmp_path, ["case", "control"]), target="y", positive=True)
    with pytest.raises(InputError) as caught:
        prepare_data(spec, None, tmp_path)
    assert str(caught.value) == "data.positive: no label True; use 'case' or 'control'"


SCORES = "target: 10 different whole numbers (1 to 10) are taken for classes; if they are amounts: "
LETTERS = (
    "target: 26 different whole numbers (0 to 25) are taken for amounts; if they are classes: "
)


@pytest.mark.parametrize(
    ("labels", "settings", "notes"),
    [
        (list(range(1, 11)), {}, (SCORES + "--data.task regression",)),
        ([float(i) for i in range(1, 11)], {}, (SCORES + "--data.task regression",)),
        (list(range(26)), {}, (LETTERS + "--data.task multiclass",)),
        (list(range(1, 11)), {"task": "multiclass"}, ()),
        (list(range(1, 11)), {"task": "regression"}, ()),
        (list(range(26)), {"task": "regression"}, ()),
        ([0, 1], {}, ()),
        (list("abcd"), {}, ()),
        ([0.5, 1.5, 2.5], {}, ()),
        (list(range(100)), {}, ()),
    ],
    ids=str,
)
def test_what_whole_numbers_were_taken_for_is_told(
    prepare: Prepare, tmp_path: Path, labels: list[Any], settings: Any, notes: Any
) -> None:
    data = prepare(source=write(tmp_path, labels, 104), target="y", **settings)
    assert data.notices == notes


def test_bundled_sets_are_what_they_are(prepare: Prepare) -> None:
    for name in ("digits", "diabetes", "blobs", "iris"):
        assert prepare(source=name).notices == ()


def rare(prepare: Prepare, first: int) -> Dataset:
    """Return 100 rows whose class c begins in a row."""
    y = ["a", "b"] * 50
    y[first:] = ["c"] * (100 - first)
    return prepare(DataSpec.from_arrays(np.arange(100.0).reshape(-1, 1), y))


def test_a_class_that_begins_late_in_a_time_series_is_said(
    prepare: Prepare, tmp_path: Path
) -> None:
    spec = SplitSpec(method="time_series", n_splits=5)
    with pytest.raises(InputError) as caught:
        plan_folds(rare(prepare, 30), spec, 0, tmp_path)
    assert str(caught.value) == (
        "split.method: fold 0 has no training row of class 'c'; it begins in row 30 of 100; set "
        "split.n_splits to 2 or fewer"
    )
    assert plan_folds(rare(prepare, 30), SplitSpec(method="time_series", n_splits=2), 0, tmp_path)
    with pytest.raises(InputError) as caught:
        plan_folds(rare(prepare, 90), spec, 0, tmp_path)
    assert str(caught.value) == (
        "split.method: fold 0 has no training row of class 'c'; it begins in row 90 of 100; leave "
        "the class out, or join it with another"
    )


def test_labels_that_look_alike_keep_their_own_codes() -> None:
    target = resolve_target(np.array(["yes", "Yes", "no"], dtype=object), DataSpec())
    assert target.labels == ("Yes", "no", "yes")
