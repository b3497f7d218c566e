"""Any settings and any table: one line that names the field, or a report that is whole."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import csv, parquet

from foldproof.tasks.common.digest import digest_file
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.split import METHODS
from foldproof.tasks.config.study import Study
from foldproof.tasks.data.class_weights import check_class_weight
from foldproof.tasks.data.sources.read import check_source
from foldproof.tasks.evaluation.tables import Tables, reduce_folds
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.report.folder import write_report
from foldproof.tasks.run.preflight import check_early_stopping
from foldproof.tasks.run.session import Run
from foldproof.tasks.store.fold_file import write_fold
from foldproof.tasks.training.error_text import describe_failure
from foldproof.tasks.training.fold import train_fold
from foldproof.tasks.training.preprocessing.scaler import check_scaler
from foldproof.tasks.workers.in_worker import record_of
from tests.support.reports import found_in, prepared

BOUNDED = settings(
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
FIELDS = {*Study.model_fields, "X", "y", "settings", ""}
CLASSIFIERS = ("sklearn.naive_bayes:GaussianNB", "sklearn.dummy:DummyClassifier")
REGRESSORS = ("sklearn.linear_model:Ridge", "sklearn.dummy:DummyRegressor")


def outcome(given: dict[str, Any]) -> str:
    """Do what a run does, in this process; return its message, or what kind of report it has.

    Raises:
        Exception: whatever is neither.
    """
    try:
        with tempfile.TemporaryDirectory() as name, prepared({**given, "out": name}) as run:
            return _report(run)
    except InputError as error:
        refused = error
    message = str(refused)
    assert len(message.splitlines()) == 1
    assert message.isprintable()
    assert refused.field.split(".")[0] in FIELDS, message
    return message


def _report(run: Run) -> str:
    check_source(run.study.data)
    check_scaler(run.study.train.scaler)
    assert run.identity
    assert run.placement
    check_class_weight(run.study.train, run.dataset.labels)
    check_early_stopping(run.study.train, run.dataset, run.plan)
    assert run.metrics
    records = [_train(job) for job in run.jobs]
    tables = reduce_folds(run.dataset, run.plan, run.jobs, records, run.metrics)
    written = write_report(tables, found_in(run, tables), run.key, (), run.out, {"source": "any"})
    check_report(run, tables, written.path)
    return "failed" if tables.failed else "done"


def _train(job: FoldJob) -> FoldRecord:
    """Train as a worker does: what the estimator raises is the fold's failure."""
    try:
        finished = train_fold(job, 1, "cpu:0", None)
    except Exception as error:
        failure = describe_failure(error)
        return FoldRecord(job.key, job.repeat, job.fold, failure, slot="cpu:0")
    write_fold(finished, job.store)
    return record_of(finished, job, cached=False)


def check_report(run: Run, tables: Tables, path: Path) -> None:
    """Read a report back and see that it is whole."""
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    assert all(digest_file(path / name) == sha for name, sha in manifest["files"].items())
    folds = parquet.read_table(path / "folds.parquet").to_pylist()
    assert len(folds) == len(run.jobs)
    tested = sum(row["n_test"] for row in folds if row["status"] == "ok")
    assert parquet.read_table(path / "predictions.parquet").num_rows == tested
    summary = parquet.read_table(path / "summary.parquet").to_pylist()
    assert [row["metric"] for row in summary] == list(run.metrics)
    for row in folds:
        values = [row[name] for name in run.metrics]
        assert all(value is None or np.isfinite(value) for value in values)
    assert (path / "report.html").read_text(encoding="utf-8").endswith("</html>\n")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Forty rows that any estimator learns, with columns for every role."""
    rows = [f"{i % 7},{i * i % 11},{i // 4},{1 + i % 2},{i % 3},{i % 2}" for i in range(40)]
    path = tmp_path_factory.mktemp("good") / "good.csv"
    path.write_text("a,b,g,w,f,y\n" + "\n".join(rows) + "\n")
    return str(path)


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 1, 2, 3, 10**30, 0.5, 1e-300, float("nan"), "", "a", "\ud800", "a\nb"]),
    st.lists(st.sampled_from(["a", 1, None]), max_size=2),
    st.dictionaries(st.sampled_from(["a", "0", "1", 0]), st.sampled_from([1, "x", None])),
)


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw what a user means nine times of ten, else anything."""
    return st.integers(0, 9).flatmap(lambda roll: ODD if roll == 9 else usual)


COLUMN = st.sampled_from(["a", "b", "g", "w", "f", "y", "missing", None])
METRICS = ("roc_auc", "accuracy", "r2", "sensitivity", "neg_log_loss", "neg_max_error", "jaccard")
PLAUSIBLE: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("data", "target"): COLUMN,
    ("data", "task"): st.sampled_from(["auto", "binary", "multiclass", "regression"]),
    ("data", "positive"): st.sampled_from([0, 1, "1", True, 2.0]),
    ("data", "features"): st.lists(COLUMN, max_size=3),
    ("data", "drop"): st.lists(COLUMN, max_size=2),
    ("data", "groups"): COLUMN,
    ("data", "weights"): COLUMN,
    ("split", "method"): st.sampled_from(METHODS),
    ("split", "n_splits"): st.integers(2, 45),
    ("split", "n_repeats"): st.integers(1, 3),
    ("split", "shuffle"): st.booleans(),
    ("split", "test_size"): st.sampled_from([0.01, 0.5, 0.99]),
    ("split", "fold_column"): COLUMN,
    ("model", "builder"): st.sampled_from([*CLASSIFIERS, *REGRESSORS, "nothing:build"]),
    ("model", "params"): st.sampled_from([{"alpha": 2.0}, {"strategy": "prior"}, {}]),
    ("train", "scaler"): st.sampled_from(["minmax", "none", "sklearn.preprocessing:MaxAbsScaler"]),
    ("train", "early_stopping"): st.sampled_from([{}, {"fraction": 0.9}, {"fraction": 1e-9}]),
    ("train", "class_weight"): st.sampled_from(["balanced", {"0": 1, "1": 2}, {"0": 0, "1": 0}]),
    ("train", "batch_size"): st.integers(1, 50),
    ("compute", "threads"): st.sampled_from([1, 2]),
    ("compute", "workers"): st.sampled_from(["auto", 1, 3]),
}
CHANGES = st.lists(
    st.sampled_from(sorted(PLAUSIBLE)).flatmap(
        lambda place: st.tuples(st.just(place), mostly(PLAUSIBLE[place]))
    ),
    max_size=3,
)
METRIC_LISTS = st.lists(st.sampled_from(METRICS), min_size=1, max_size=3)


ANY_METRICS = mostly(st.just("auto") | METRIC_LISTS)
ANY_SEED = mostly(st.integers(0, 2**31 - 1))


@given(changes=CHANGES, metrics=ANY_METRICS, seed=ANY_SEED)
@settings(BOUNDED, max_examples=60)
def test_any_settings(good: str, changes: Any, metrics: Any, seed: Any) -> None:
    study: dict[str, Any] = {
        "data": {"source": good, "target": "y"},
        "model": {"builder": CLASSIFIERS[0]},
        "split": {"n_splits": 2},
        "metrics": metrics,
        "seed": seed,
    }
    for (section, name), value in changes:
        study.setdefault(section, {})[name] = value
    outcome(study)


NAMES = st.sampled_from(["a", "b", "<b>", "a\nb", " ", "\x00", "größe", "a,b", '"', "y ", "="])
NUMBERS = st.sampled_from([0, 1, 2, -3, 0.5, 1e-300, 1e39, 1e300, float("inf"), float("nan"), None])
VALUES: list[st.SearchStrategy[Any]] = [
    st.integers(0, 2),
    st.integers(0, 2),
    st.floats(-9, 9),
    NUMBERS,
    st.booleans(),
    st.sampled_from([True, None]),
    st.sampled_from(["no", "yes"]),
    st.sampled_from(["no", "<script>", "a\nb", "", "NA", None, "größe", "1"]),
    st.sampled_from([2**63 - 1, -(2**63), 0]),
]


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Return columns of 0 to 24 rows, among them y, each with values of one kind."""
    n = draw(st.sampled_from([12, 24, 16, 12, 24, 16, 0, 1, 3]))
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    kinds = {name: draw(st.sampled_from(VALUES[:3] * 5 + VALUES)) for name in names}
    kinds["y"] = draw(st.sampled_from([*VALUES, VALUES[0], VALUES[2], VALUES[6]]))
    return {name: draw(st.lists(kind, min_size=n, max_size=n)) for name, kind in kinds.items()}


def write_table(columns: dict[str, list[Any]], kind: str, folder: Path) -> dict[str, Any]:
    """Write a table as a file; return the data settings for it."""
    path = folder / f"any.{kind}"
    if kind == "npz":
        features = {name: values for name, values in columns.items() if name != "y"}
        X = np.column_stack([np.array(values) for values in features.values()])
        y = np.array(columns["y"])
        np.savez(path, X=X.astype(object) if X.dtype == object else X, y=y)
        return {"source": str(path)}
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    _ = csv.write_csv(table, path) if kind == "csv" else parquet.write_table(table, path)
    return {"source": str(path), "target": "y"}


KINDS = st.sampled_from(["csv", "parquet", "npz"])


@given(columns=tables(), kind=KINDS, scaler=st.sampled_from(["none", "standard", "robust"]))
@settings(BOUNDED, max_examples=100)
def test_any_table(columns: dict[str, list[Any]], kind: str, scaler: str) -> None:
    fractions = any(isinstance(value, float) for value in columns["y"])
    model = (REGRESSORS if fractions else CLASSIFIERS)[0]
    with tempfile.TemporaryDirectory() as name:
        data = write_table(columns, kind, Path(name))
        given = {"data": data, "model": model, "split": {"n_splits": 2}}
        outcome({**given, "train": {"scaler": scaler}})


JUNK = st.binary(max_size=60) | st.text(alphabet='ab,;\n"\r\t01.', max_size=60).map(str.encode)


@given(content=JUNK, kind=st.sampled_from(["csv", "csv.gz", "parquet", "npz"]))
@settings(BOUNDED, max_examples=60)
def test_any_bytes(content: bytes, kind: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"any.{kind}"
        path.write_bytes(content)
        outcome({"data": {"source": str(path), "target": "y"}, "model": CLASSIFIERS[0]})


def test_the_same_steps_end_in_a_report(good: str) -> None:
    data = {"source": good, "target": "y", "groups": "g", "weights": "w"}
    assert outcome({"data": data, "model": CLASSIFIERS[0], "split": {"n_splits": 3}}) == "done"
    params = {"builder": CLASSIFIERS[1], "params": {"strategy": "constant", "constant": "z"}}
    assert outcome({"data": data, "model": params, "split": {"n_splits": 3}}) == "failed"
