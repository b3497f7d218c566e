"""Each finding speaks where it should, in one line, and not elsewhere."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet
from sklearn import datasets

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.evaluation.findings.types import Finding
from tests.support.places import ROOT
from tests.support.reports import CLASSIFIER, REGRESSOR, Finished, finish

RANDOM = np.random.default_rng(0)
N = 120
X = RANDOM.normal(size=(N, 4))
Y = (X[:, 0] + RANDOM.normal(size=N) > 0).astype(int)
FRAME = pd.DataFrame(X, columns=list("abcd"))
WORDS = np.where(Y, "yes", "no")
DATES = pd.date_range("2024-01-01", periods=N)
TREE = {"builder": "sklearn.tree:DecisionTreeClassifier"}


def of(data: Any, target: Any = Y, **sides: Any) -> dict[str, Any]:
    return {"data": DataSpec.from_arrays(data, target, **sides)}


def twice(rows: int) -> dict[str, Any]:
    """Return data whose last rows are the first ones again."""
    return of(np.vstack([X[:-rows], X[:rows]]), np.concatenate([Y[:-rows], Y[:rows]]))


def near(rows: int) -> dict[str, Any]:
    again = X[:rows] + 1e-5
    return of(np.vstack([X[:-rows], again]), np.concatenate([Y[:-rows], Y[:rows]]))


def with_column(values: Any) -> dict[str, Any]:
    return of(np.column_stack([X, values]))


def with_named(name: str, values: Any) -> dict[str, Any]:
    return {"data": DataSpec.from_arrays(FRAME.assign(**{name: values}), Y)}


PLAIN = of(X)
GROUPS = np.array([f"p{i}" for i in np.arange(N) // 6])
OUTLYING = np.where(np.arange(N) < 12, 1 - Y, (X[:, 0] > 0).astype(int))
RARE = (np.arange(N) % 10 == 0).astype(int)
CASES: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {
    "FP101": [(twice(6), PLAIN), (twice(3), of(np.round(X[:, :1] > 0)))],
    "FP102": [(near(6), PLAIN), (near(6), near(1))],
    "FP103": [
        (with_column(np.arange(N)), with_column(RANDOM.permutation(N))),
        (with_column(1000 - 2 * np.arange(N)), with_column(np.arange(N) / 7)),
        (
            with_named("code", [f"p{i}" for i in range(N)]),
            with_named("code", [f"p{i % 7}" for i in range(N)]),
        ),
    ],
    "FP104": [
        (with_column(Y * 2.0 + X[:, 1] / 10), with_column(Y + X[:, 1])),
        (with_column(-Y + X[:, 1] / 100), of(X[:20], Y[:20])),
        (
            with_named("ward", np.where(Y, "a", "b")),
            with_named("ward", np.where(X[:, 0] > 0, "a", "b")),
        ),
        (
            of(X, X[:, 2] ** 3) | {"model": REGRESSOR},
            of(X, X[:, 0] + X[:, 1]) | {"model": REGRESSOR},
        ),
        (
            of(np.column_stack([X, np.arange(N) % 3]), np.arange(N) % 3),
            of(X, np.arange(N) % 3),
        ),
    ],
    "FP105": [
        (with_column(np.full(N, 3.0)), PLAIN),
        (with_named("e", 1.0), with_named("e", X[:, 0])),
    ],
    "FP106": [
        (of(X, np.array(["Case", "case ", "control"])[np.arange(N) % 3]), of(X, WORDS)),
    ],
    "FP107": [
        (of(X, np.where(Y, "female", "male")), of(X, WORDS)),
        (
            of(X, np.where(Y, "female", "male")),
            of(X, np.where(Y, "female", "male"), positive="female"),
        ),
    ],
    "FP108": [
        (of(X, RARE) | {"metrics": ["accuracy"]}, of(X) | {"metrics": ["accuracy"]}),
        (of(X, RARE) | {"metrics": ["accuracy"]}, of(X, RARE) | {"metrics": ["roc_auc"]}),
    ],
    "FP109": [(of(X, RARE), PLAIN), (of(X, RARE), of(X, RARE) | {"metrics": ["accuracy"]})],
    "FP111": [
        (
            of(X, RANDOM.normal(size=N)) | {"model": REGRESSOR},
            of(X, X[:, 0]) | {"model": REGRESSOR},
        ),
    ],
    "FP113": [
        (
            of(X, OUTLYING) | {"split": {"method": "kfold", "n_splits": 10, "shuffle": False}},
            of(X) | {"split": {"n_splits": 10}},
        ),
    ],
    "FP116": [
        (with_named("patient", GROUPS), with_named("count", GROUPS)),
        (
            with_named("patient", GROUPS),
            {"data": DataSpec.from_arrays(FRAME, Y, groups=GROUPS)},
        ),
    ],
    "FP117": [
        (with_named("day", DATES), with_named("day", RANDOM.permutation(DATES))),
        (with_named("day", DATES), {"data": {"source": "iris"}}),
    ],
}
ORDINARY = {
    "iris": {"data": {"source": "iris"}},
    "wine": {"data": {"source": "wine"}},
    "breast cancer": {"data": {"source": "breast_cancer"}},
    "digits": {"data": {"source": "digits"}},
    "diabetes": {"data": {"source": "diabetes"}, "model": REGRESSOR},
    "two moons": of(*datasets.make_moons(200, noise=0.3, random_state=0)),
    "circles": of(*datasets.make_circles(200, noise=0.2, random_state=0)) | {"model": TREE},
    "classes": of(*datasets.make_classification(300, random_state=0)),
    "friedman": of(*datasets.make_friedman1(200, noise=1, random_state=0)) | {"model": REGRESSOR},
    "few values": of(RANDOM.integers(0, 3, size=(300, 3)), RANDOM.integers(0, 2, 300)),
}
WITH_REASON = {  # what is so in these data
    "iris": {"FP101"},  # rows 101 and 142
    "digits": {"FP105"},  # pixels in corners
    "few values": {"FP111"},  # there is nothing to learn
}


def codes(finished: Finished) -> set[str]:
    return {finding.code for finding in finished.findings}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], Finished]:
    """Return a function that finishes a run, once for each settings."""
    known: dict[int, Finished] = {}

    def finished(given: dict[str, Any]) -> Finished:
        if id(given) not in known:
            model = {"model": given.get("model", CLASSIFIER)}
            known[id(given)] = finish(tmp_path_factory.mktemp("out"), **{**given, **model})
        return known[id(given)]

    return finished


CASE_LIST = [(code, *pair) for code, pairs in CASES.items() for pair in pairs]


@pytest.mark.parametrize(("code", "speaks", "silent"), CASE_LIST)
def test_it_speaks_where_it_should_and_not_elsewhere(
    run: Callable[..., Finished], code: str, speaks: dict[str, Any], silent: dict[str, Any]
) -> None:
    finished = run(speaks)
    (found,) = (finding for finding in finished.findings if finding.code == code)
    assert "\n" not in found.text()
    assert len(found.text()) <= 220
    stored = parquet.read_table(finished.path / "findings.parquet").to_pylist()
    assert vars(found) in stored
    assert found.message.partition("'")[0] in (finished.path / "report.html").read_text()
    assert code not in codes(run(silent))


@pytest.mark.parametrize("name", ORDINARY)
def test_nothing_is_said_of_ordinary_data_without_reason(
    run: Callable[..., Finished], name: str
) -> None:
    assert codes(run(ORDINARY[name])) <= WITH_REASON.get(name, set())


def test_a_finding_may_be_silenced_and_the_report_says_so(run: Callable[..., Finished]) -> None:
    given = with_column(np.arange(N))
    loud = run(given)
    quiet = run(given | {"report": {"ignore": "FP103"}})
    assert codes(loud) == {"FP103"}
    assert codes(quiet) == {"FP100"}
    assert "report.ignore silences FP103" in (quiet.path / "report.html").read_text()
    assert loud.run_id != quiet.run_id


def test_names_of_features_stand_behind_their_numbers() -> None:
    finding = Finding("FP105", "feature 1 and feature 12 have one value in all rows")
    assert finding.text(["a", "age"]) == (
        "FP105 feature 1 ('age') and feature 12 have one value in all rows"
    )


def test_every_code_is_explained() -> None:
    sources = (ROOT / "tasks" / "evaluation" / "findings").glob("*.py")
    named = {code for path in sources for code in re.findall(r"FP\d{3}", path.read_text())}
    explained = set(
        re.findall(r"^### (FP\d{3})", (ROOT / "docs" / "findings.md").read_text(), re.M)
    )
    assert named == explained
