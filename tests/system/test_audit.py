"""The user's own model under every cause that makes fits differ, for real."""

import signal
import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from foldproof.tasks.audit.causes import all_causes
from foldproof.tasks.audit.comparisons import first_divergence
from foldproof.tasks.audit.folder import render
from foldproof.tasks.audit.table import Comparison, audit_schema, audit_table, judge
from foldproof.tasks.audit.terminal import MAX_COLUMNS, audit_text
from foldproof.tasks.cli.audit import main
from tests.support.command import run
from tests.support.pages import Page
from tests.support.places import ROOT
from tests.support.processes import Ended, all_gone, children

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]  # an audit fits a model many times

AUDIT = [sys.executable, str(ROOT / "flows" / "audit.py")]
BLOBS = ("--data", "blobs", "--split.n_splits", "4", "--train.scaler", "none")
PATIENCE_S = 1200  # a guard against hanging
HOSTILE = "<script>net"  # a module's name is a file's name
NET = """
import keras

def build(input_shape):
    hidden = keras.layers.Dense(8, activation="relu")
    return keras.Sequential([keras.Input(input_shape), hidden, keras.layers.Dense(1, "sigmoid")])
"""
ESTIMATORS = """
import time
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state

class Random(ClassifierMixin, BaseEstimator):
    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.weights_ = check_random_state(self.random_state).normal(size=X.shape[1])
        return self

    def predict_proba(self, X):
        positive = 1 / (1 + np.exp(-X @ self.weights_))
        return np.column_stack([1 - positive, positive])

def unseeded():
    return Random(np.random.RandomState())

class Failing(Random):
    def fit(self, X, y):
        raise ValueError("no fit today")

class Slow(Random):
    def fit(self, X, y):
        time.sleep(1000)
"""


def audit(folder: Path, *arguments: str) -> Ended:
    return run([*AUDIT, *arguments], folder, PATIENCE_S)


def folder_of(ended: Ended) -> Path:
    return Path(ended.out.strip().splitlines()[-1].removeprefix("audit: "))


def rows_of(folder: Path) -> dict[tuple[str, str], Comparison]:
    rows = [Comparison(**row) for row in parquet.read_table(folder / "audit.parquet").to_pylist()]
    return {(row.cause, row.compared_with): row for row in rows}


@pytest.fixture(scope="module")
def net(tmp_path_factory) -> Ended:
    """The audit of a small Keras net."""
    folder = tmp_path_factory.mktemp("net")
    (folder / f"{HOSTILE}.py").write_text(NET)
    model = ("--model", f"{HOSTILE}:build", "--train.epochs", "3", "--fold", "0/2")
    ended = audit(folder, *BLOBS, *model)
    assert ended.code == 0, ended.err
    return ended


@pytest.fixture(scope="module")
def found(net) -> dict[tuple[str, str], Comparison]:
    """Its comparisons, from the file."""
    return rows_of(folder_of(net))


@pytest.fixture
def estimators(tmp_path) -> Path:
    """A folder with a module of estimators."""
    (tmp_path / "own.py").write_text(ESTIMATORS)
    return tmp_path


def test_foldproofs_way_comes_back_with_a_new_order_every_epoch(net, found):
    row = found["reference", "repeat"]
    assert row.bit_equal
    assert row.weights_sha256 == row.other_weights_sha256
    assert row.predictions_sha256 == row.other_predictions_sha256
    assert (row.score_difference, row.metric_difference) == (0.0, 0.0)
    assert (row.epochs_watched, row.distinct_orders) == (3, 3)
    assert net.out.startswith("foldproof's way gave the same bits twice.")
    assert "positive 1 (50 of 100)" in " ".join(net.out.split())


@pytest.mark.parametrize(
    "cause", ["same_model", "fresh_not_reseeded", "only_numpy", "only_tensorflow"]
)
def test_what_a_loop_does_wrong_differs_from_the_start(found, cause):
    row = found[cause, "repeat"]
    assert row.bit_equal is False
    assert row.first_divergent_epoch == 0
    assert row.weights_sha256 != row.other_weights_sha256
    assert row.predictions_sha256 != row.other_predictions_sha256
    assert row.score_difference > 0
    assert (row.metric, row.error) == ("roc_auc", None)


def test_a_seeded_fit_comes_back_but_repeats_one_order(found):
    row, beside = found["seeded_fit", "repeat"], found["seeded_fit", "reference"]
    assert row.bit_equal
    assert (row.epochs_watched, row.distinct_orders) == (3, 1)
    assert "one and the same order in all 3 epochs watched" in row.meaning
    assert beside.bit_equal is False
    assert beside.first_divergent_epoch == 1  # the initial weights are the same


def test_two_threads_are_a_race_and_everything_else_succeeds(found):
    row = found["two_threads", "repeat"]
    assert row.error or row.bit_equal or row.weights_sha256 != row.other_weights_sha256
    assert {key for key, row in found.items() if row.error} <= {("two_threads", "repeat")}


@pytest.mark.parametrize("cause", ["other_threads", "other_onednn"])
def test_other_surroundings_repeat_and_are_compared_with_the_reference(found, cause):
    reference = found["reference", "repeat"]
    assert found[cause, "repeat"].bit_equal
    beside = found[cause, "reference"]
    assert beside.other_weights_sha256 == reference.weights_sha256
    assert beside.bit_equal == (
        (beside.weights_sha256, beside.predictions_sha256)
        == (reference.weights_sha256, reference.predictions_sha256)
    )


def test_the_table_has_its_schema_and_every_cause(net, found):
    table = parquet.read_table(folder_of(net) / "audit.parquet")
    assert table.schema.equals(audit_schema(), check_metadata=True)
    assert list(dict.fromkeys(cause for cause, _ in found)) == [c.name for c in all_causes(1, True)]
    assert {(row.model, row.repeat, row.fold) for row in found.values()} == {
        (f"{HOSTILE}:build", 0, 2)
    }
    assert all(row.applies and row.meaning for row in found.values())


def test_what_is_printed_fits_a_terminal_and_has_every_row(net, found):
    assert max(map(len, net.out.splitlines()[:-1])) <= MAX_COLUMNS
    assert net.out.count("DIFFERENT   ") == sum(
        row.bit_equal is False and row.error is None for row in found.values()
    )
    assert folder_of(net).name.endswith("-0-2")
    assert sorted(path.name for path in folder_of(net).iterdir()) == [
        "audit.html",
        "audit.parquet",
    ]
    assert [path.name for path in folder_of(net).parent.iterdir()] == [folder_of(net).name]


def test_the_page_escapes_what_is_the_users(net, found):
    text = (folder_of(net) / "audit.html").read_text()
    page = Page(text)
    assert "script" not in page.tags
    assert f"{HOSTILE}:build: what makes fits differ" in page.text
    assert "http" not in text
    assert not {"src", "href"} & {name for name, _ in page.attributes}


def test_causes_of_an_estimator(estimators):
    ended = audit(estimators, *BLOBS, "--model", "own:Random")
    assert ended.code == 0, ended.err
    rows = rows_of(folder_of(ended))
    outcome = {cause: row.bit_equal for (cause, with_), row in rows.items() if with_ == "repeat"}
    assert outcome == {
        "reference": True,
        "same_model": True,  # fit of an estimator starts anew
        "fresh_not_reseeded": False,
        "only_numpy": True,
        "only_tensorflow": None,
        "seeded_fit": None,
        "two_threads": None,
        "other_threads": True,
        "no_determinism": None,
        "other_onednn": None,
    }
    not_applying = [row for row in rows.values() if not row.applies]
    assert len(not_applying) == 5
    assert all(row.meaning.startswith("Does not apply: ") for row in not_applying)
    assert ended.out.count("does not apply") == 5
    assert folder_of(ended).parent == estimators / "reports" / "audits"


def test_a_model_that_no_seed_reaches_is_said_loudly(estimators):
    ended = audit(estimators, *BLOBS, "--model", "own:unseeded", "--out", "elsewhere")
    assert ended.code == 1, ended.err
    assert ended.out.startswith("NOT REPRODUCIBLE: even foldproof's way")
    rows = rows_of(folder_of(ended))
    assert rows["reference", "repeat"].bit_equal is False
    assert "RandomState()" in rows["reference", "repeat"].meaning
    assert "NOT REPRODUCIBLE" in (folder_of(ended) / "audit.html").read_text()


def test_a_model_that_fails_ends_with_its_traceback(estimators):
    ended = audit(estimators, *BLOBS, "--model", "own:Failing")
    assert ended.code == 1
    assert "fold 0/0 failed: ValueError: no fit today" in ended.err
    assert "own.py" in ended.err
    assert not (estimators / "reports" / "audits").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_behind_when_it_is_stopped(start, estimators, number):
    process = start([*AUDIT, *BLOBS, "--model", "own:Slow"], estimators)
    scratch = Path(tempfile.gettempdir())
    pattern = f"foldproof-{process.pid}-*"
    process.wait_for(lambda: any(scratch.glob(f"{pattern}/audit/*")))
    workers = children(process.pid)
    assert workers
    process.send(number)
    assert process.ended().code == 128 + number
    assert all_gone(workers)
    assert not list(scratch.glob(pattern))
    assert not (estimators / "reports" / "audits").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fold", "third"], "--fold: 'third' is not REPEAT/FOLD; both count from 0"),
        (["--folds", "0/1"], "--folds: unknown flag; did you mean --fold?"),
        (["--only", "0/1"], "--only: unknown flag; "),
        (["--data", "nowhere.csv", "--data.target", "y"], "data.source: "),
        (["--train.epochs", "0"], "train.epochs: "),
        (["--config", "none.yaml"], "--config: cannot read 'none.yaml'"),
        ([*BLOBS, "--model", "own:Random", "--fold", "0/4"], "--fold: no fold 0/4; the last one"),
    ],
)
def test_wrong_input_is_refused_in_one_line(estimators, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(estimators)
    monkeypatch.setattr(sys, "path", list(sys.path))
    handler = signal.getsignal(signal.SIGTERM)
    try:
        assert main(arguments) == 2
    finally:
        signal.signal(signal.SIGTERM, handler)
    printed_ = capsys.readouterr()
    assert printed_.err.startswith(said)
    assert printed_.err.count("\n") == 1
    assert not printed_.out


def test_help_shows_every_option_with_its_default(tmp_path):
    ended = audit(tmp_path, "--help")
    assert ended.code == 0
    assert "[default: 0/0]" in " ".join(ended.out.split())
    assert "--train.batch_size" in ended.out
    assert "[default: 32]" in " ".join(ended.out.split())


@pytest.mark.parametrize(
    ("epochs", "other", "first"),
    [
        (("a", "b", "c"), ("a", "b", "c"), None),
        (("a", "b", "c"), ("x", "b", "c"), 0),
        (("a", "b", "c"), ("a", "b", "x"), 2),
        (("a", "b", "c"), ("a", "b"), 2),  # one stopped early
        ((), (), None),
    ],
)
def test_the_first_divergence_counts_epochs_from_1(epochs, other, first):
    assert first_divergence(epochs, other) == first


def comparison(cause="same_model", **values) -> Comparison:
    given = {"title": cause, "done": "d.", "compared_with": "repeat", "metric": "m"} | values
    return Comparison("a:b", 0, 0, cause, **given)


def test_the_verdict_names_what_differs():
    reference = comparison("reference", bit_equal=True)
    again = comparison("again", bit_equal=False)
    none = comparison("none", applies=False)
    other = comparison("other", bit_equal=False, compared_with="reference")
    verdict = judge([reference, again, none, other])
    assert verdict.reproducible
    assert "differ, or fail, under: again." in verdict.sentence
    assert "under: other." in verdict.sentence
    assert "No cause" in judge([reference, none]).sentence
    assert not judge([replace(reference, bit_equal=False)]).reproducible


def test_a_long_failure_is_wrapped_and_columns_are_those_of_the_table():
    rows = [comparison("reference", bit_equal=True), comparison(bit_equal=False, error="e" * 40)]
    rows[1] = replace(rows[1], meaning="word " * 60)
    text = audit_text(rows, "a fold")
    assert "FAILED" in text
    assert max(map(len, text.splitlines())) <= MAX_COLUMNS
    assert sorted(field.name for field in fields(Comparison)) == sorted(audit_schema().names)
    assert isinstance(audit_table(rows), pa.Table)


@pytest.mark.parametrize(("threads", "other", "several"), [(1, 2, 2), (4, 1, 4)])
def test_the_other_surroundings_are_other_ones(threads, other, several):
    causes = {cause.name: cause.conditions for cause in all_causes(threads, onednn=True)}
    assert causes["reference"].threads == threads
    assert causes["other_threads"].threads == other
    assert (causes["no_determinism"].threads, causes["no_determinism"].determinism) == (
        several,
        False,
    )
    assert causes["other_onednn"].onednn is False
    assert all_causes(threads, onednn=False)[-1].conditions.onednn is True


def test_an_error_of_the_users_is_escaped_too():
    given = {"title": "<i>", "done": "<q>", "metric": "<em>", "meaning": "<img src=x>"}
    rows = [comparison("reference", bit_equal=True), comparison(error="<img>", **given)]
    rows = [replace(row, model="<h6>", metric="<em>") for row in rows]
    key: dict[str, Any] = {"numerics": {"libraries": {"<u>": "1"}, "device": "<s>", "threads": 1}}
    key |= {"data": {"sha256": ""}, "split": {"sha256": ""}, "foldproof": ""}
    page = Page(render(rows, "<hr>", key))
    assert not {"img", "i", "q", "em", "h6", "hr", "u", "s"} & set(page.tags)
    for text in ("<img src=x>", "<i>", "<q>", "<em>", "<h6>", "<hr>", "<u>", "<s>"):
        assert text in page.text
