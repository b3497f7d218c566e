"""Where own splitters run, and how early stopping divides what they leave for training."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.folds.split.holdout import inner_rule, inner_split
from foldproof.tasks.folds.split.plan import plan_folds
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display

SPLITTERS = """
import os, sys
import numpy as np
import keras

print("NOISE of an own module")
assert "tensorflow" in sys.modules

class Forward:
    def split(self, X, y=None, groups=None):
        n = len(X)
        for start in (n // 2, 3 * n // 4):
            yield np.arange(start), np.arange(start, start + n // 4)

class Backward(Forward):
    def split(self, X, y=None, groups=None):
        for train, test in super().split(X):
            yield test, train

class Fails:
    def split(self, X, y=None, groups=None):
        raise ValueError("no idea how")

class Leaves:
    def split(self, X, y=None, groups=None):
        os._exit(9)
"""


@pytest.fixture
def project(here):
    """A working directory with splitters whose module imports Keras."""
    (here / "own.py").write_text(textwrap.dedent(SPLITTERS))
    return here


def study(name, **given):
    model = {"builder": "sklearn.linear_model:LogisticRegression", "params": {"max_iter": 5}}
    return parse_study({"split": {"method": f"own:{name}"}, "model": model, "out": "out"} | given)


LOOK = """
import sys
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run

settings = {"split": {"method": "own:Forward"}, "out": "out"}
settings["model"] = {"builder": "sklearn.linear_model:LogisticRegression"}
with launched(Run(parse_study(settings), Display("quiet"))) as run:
    assert len(run.plan.folds) == 2
print(sorted({"tensorflow", "keras", "own"} & set(sys.modules)))
"""


def test_an_own_splitter_is_not_imported_by_the_flows_process(project):
    found = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=project, capture_output=True, text=True, check=True
    )
    assert (found.stdout.strip(), found.stderr) == ("[]", "")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Fails", "own:Fails cannot divide this data (no idea how); use another one"),
        ("Nothing", "module 'own' has no class 'Nothing'; check the name"),
        (
            "Leaves",
            "own:Leaves ended the process that called it (the worker ended with exit code 9); "
            "let it raise an error instead",
        ),
    ],
)
def test_what_is_wrong_about_an_own_splitter_is_one_line(project, name, problem):
    with launched(Run(study(name), Display("quiet"))) as run, pytest.raises(InputError) as caught:
        run.check()
    assert str(caught.value) == f"split.method: {problem}"
    assert not (project / "out").exists()


def test_an_own_splitters_folds_are_those_of_the_same_class_in_this_process(project, prepare):
    with launched(Run(study("Forward"), Display("quiet"))) as run:
        plan = run.plan
        rows = run.dataset.rows
        starts = (rows // 2, 3 * rows // 4)
        for fold, start in zip(plan.folds, starts, strict=True):
            assert np.load(fold.train_path).tolist() == list(range(start))
            assert np.load(fold.test_path).tolist() == list(range(start, start + rows // 4))
    assert plan.in_order


FORWARD = """
import numpy as np

class Forward:
    def split(self, X, y=None, groups=None):
        for start in (12, 16):
            yield np.arange(start), np.arange(start, start + 4)

class Mixed(Forward):
    def split(self, X, y=None, groups=None):
        yield from super().split(X)
        yield np.arange(10, 20), np.arange(10)
"""


@pytest.fixture
def ordered(here: Path, prepare, monkeypatch):
    """Return a function that plans folds of twenty rows by a splitter of its own."""
    (here / "in_time.py").write_text(FORWARD)
    monkeypatch.syspath_prepend(str(here))

    def plan(name, groups=None):
        X, y = np.zeros((20, 1)), np.arange(20) % 2
        dataset = prepare(DataSpec.from_arrays(X, y, groups=groups))
        (here / "rows").mkdir(exist_ok=True)
        return dataset, plan_folds(dataset, SplitSpec(method=name), 0, here / "rows")

    return plan


@pytest.mark.parametrize(
    ("method", "rule"),
    [
        ("in_time:Forward", "last"),
        ("in_time:Mixed", "stratified"),
        ("kfold", "stratified"),
        ("time_series", "last"),
    ],
)
def test_early_stopping_holds_out_the_last_rows_where_tests_come_last(ordered, method, rule):
    dataset, plan = ordered(method)
    assert inner_rule(dataset, plan.method, plan.in_order) == rule


def test_whole_groups_that_end_last_are_held_out(ordered):
    sessions = np.repeat(np.arange(10), 2)
    dataset, plan = ordered("in_time:Forward", sessions)
    assert inner_rule(dataset, plan.method, plan.in_order) == "last_groups"
    train, held = inner_split("last_groups", 0.2, 0, np.zeros(12), sessions[:12])
    assert (train.tolist(), held.tolist()) == (list(range(8)), [8, 9, 10, 11])


def test_groups_that_overlap_in_time_stay_whole():
    groups = np.array([0, 1, 0, 1, 2, 1])
    train, held = inner_split("last_groups", 0.2, 0, np.zeros(6), groups)
    assert (train.tolist(), held.tolist()) == ([0, 2, 4], [1, 3, 5])


def test_one_group_alone_is_not_held_out():
    with pytest.raises(InputError) as caught:
        inner_split("last_groups", 0.2, 0, np.zeros(4), np.zeros(4, int))
    line = "train.early_stopping.fraction: cannot hold out rows (only one group)"
    assert str(caught.value) == line
