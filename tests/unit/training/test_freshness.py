"""No state goes from one fold to another: estimators are new, and shared parts are copied."""

import sys

import numpy as np
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.training.fold import train_fold
from foldproof.tasks.training.freshness import set_apart
from foldproof.tasks.training.trial.model_trial import build_model
from tests.support.reports import finish, prepared, settings

SOURCE = """
import functools
import itertools
import threading

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline

two = itertools.cycle([LogisticRegression(), LogisticRegression(C=2.0)])
three = itertools.cycle([LogisticRegression(C=float(c)) for c in (1, 2, 3)])
warm = SGDClassifier(loss="log_loss", warm_start=True, max_iter=3, tol=None, random_state=0)
rng = np.random.RandomState(0)


def alternating():
    return next(two)


def in_turn():
    return next(three)


@functools.cache
def by_size(units):
    return LogisticRegression(C=units)


def cached():
    return by_size(2.0)


def shared_part():
    return make_pipeline(PCA(2), warm)


def shared_draws():
    return RandomForestClassifier(5, random_state=rng)


def preset():
    model = LogisticRegression(warm_start=True, max_iter=1000)
    model.coef_, model.intercept_ = np.full((3, 4), 0.5), np.zeros(3)
    model.classes_ = np.arange(3)
    return model


class Locked(LogisticRegression):
    def __init__(self, C=1.0):
        super().__init__(C=C)
        self.lock_ = threading.Lock()


def locked():
    return Locked()
"""


@pytest.fixture
def builders(tmp_path, monkeypatch):
    """The folder of a module of builders, new for each test."""
    (tmp_path / "fresh_builders.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    sys.modules.pop("fresh_builders", None)
    yield tmp_path
    sys.modules.pop("fresh_builders", None)


def of(builder, folder):
    return settings(folder, model={"builder": f"fresh_builders:{builder}"})


@pytest.mark.parametrize("builder", ["alternating", "cached"])
def test_estimators_that_come_back_are_refused_before_anything_trains(builders, light, builder):
    with prepared(of(builder, builders), light) as run:
        job = run.jobs[0]
        with pytest.raises(InputError) as refused:
            build_model(job, weighted=False)
    name = f"fresh_builders:{builder}"
    assert str(refused.value) == (
        f"model.builder: {name} returned the same estimator twice; make a new one in it"
    )


def test_one_that_comes_back_later_is_refused_then(builders, light):
    with prepared(of("in_turn", builders), light) as run:
        for job in run.jobs:
            train_fold(job, 1, "cpu:0", None)
        with pytest.raises(InputError, match="returned the same estimator twice"):
            train_fold(run.jobs[0], 1, "cpu:0", None)


@pytest.mark.parametrize("builder", ["shared_part", "shared_draws"])
def test_a_fold_does_not_depend_on_which_ran_before(builders, light, builder):
    with prepared(of(builder, builders), light) as run:
        first, *rest = run.jobs
        alone = train_fold(first, 1, "cpu:0", None).predictions
        for job in rest:
            train_fold(job, 1, "cpu:0", None)
        assert train_fold(first, 1, "cpu:0", None).predictions == alone


def test_what_a_builder_has_fitted_is_kept(builders, light):
    import fresh_builders

    copied = set_apart(fresh_builders.preset())
    assert np.array_equal(copied.coef_, np.full((3, 4), 0.5))
    done = finish(builders, slots=light, model={"builder": "fresh_builders:preset"})
    assert done.tables.failed == 0


def test_copying_draws_nothing_and_what_cannot_be_copied_is_used_as_it_is(builders, light):
    import fresh_builders

    np.random.seed(3)
    expected = np.random.random(4)
    np.random.seed(3)
    model = fresh_builders.shared_draws()
    assert set_apart(model) is not model
    assert np.array_equal(np.random.random(4), expected)
    locked = fresh_builders.locked()
    assert set_apart(locked) is locked
    done = finish(builders, slots=light, model={"builder": "fresh_builders:locked"})
    assert done.tables.failed == 0
