"""Each fold is certified to begin anew, and what does not is refused."""

import pytest
from pyarrow import parquet

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.evaluation.tables import reduce_folds
from foldproof.tasks.folds.initial_state import (
    FoldStart,
    InitialState,
    SharedInitialWeights,
    certificate,
    check_distinct,
)
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from tests.support.command import cv
from tests.support.reports import finish
from tests.support.training import settings, train_some

OWN, SHARED = InitialState(0, True), InitialState(0, False)


def beginning(fold, seed, initial, start=OWN):
    return FoldStart(0, fold, seed, initial, start)


def test_folds_of_different_seeds_must_differ():
    check_distinct([beginning(0, 1, "a"), beginning(1, 2, "b")])
    with pytest.raises(
        SharedInitialWeights, match="folds 0/0 and 0/2 started from the same weights"
    ):
        check_distinct([beginning(0, 1, "a"), beginning(1, 2, "b"), beginning(2, 3, "a")])


def test_equal_seeds_and_shared_weights_and_estimators_may_agree():
    check_distinct([beginning(0, 1, "a"), beginning(1, 1, "a")])
    check_distinct([beginning(0, 1, "a", SHARED), beginning(1, 2, "a", SHARED)])
    with pytest.raises(SharedInitialWeights):
        check_distinct([beginning(f, f, i, SHARED) for f, i in enumerate(["a", "b", "b"])])
    check_distinct([beginning(0, 1, None, InitialState()), beginning(1, 2, None, InitialState())])


def test_certificates_say_what_was_seen():
    assert certificate(OWN) == "own initial weights; optimizer at step 0; nothing carried over"
    assert "shared: the builder gives the same for every seed" in certificate(SHARED)
    assert certificate(InitialState()) == "new estimator; nothing carried over"


def test_an_estimators_folds_are_certified(tmp_path):
    done = finish(tmp_path, fails=lambda repeat, fold: "broken" if fold == 1 else None)
    rows = parquet.read_table(done.path / "folds.parquet")["certificate"].to_pylist()
    assert rows == [certificate(InitialState()), None, certificate(InitialState())]


@pytest.mark.parametrize("engine", ["plain", "compiled"])
@pytest.mark.parametrize(
    ("builder", "start"), [("dense", OWN), ("self_seeded", SHARED), ("frozen_base", OWN)]
)
def test_a_worker_says_how_a_fold_began(tmp_path, slots, builder, start, engine):
    given = settings(tmp_path, builder, train={"engine": engine, "epochs": 1})
    _, jobs = train_some(given, [(0, 1), (0, 0)], slots)
    assert [read_fold(job.store, job.key).start for job in jobs] == [start, start]


@pytest.mark.parametrize(
    ("builder", "problem"),
    [
        ("reused", "returned weights that it had returned before"),
        ("reused_layer", "returned weights that it had returned before"),
        ("trained_before", "whose optimizer is at step 1; compile it anew"),
    ],
)
def test_a_model_that_is_not_new_is_refused_before_anything_starts(
    tmp_path, slots, builder, problem
):
    study = parse_study(settings(tmp_path, builder))
    with (
        launched(Run(study, Display("quiet"), slots=slots)) as run,
        pytest.raises(InputError, match=problem) as caught,
    ):
        run.check()
    assert caught.value.field == "model.builder"


def test_an_estimator_that_is_not_new_is_refused(tmp_path, slots):
    (tmp_path / "one_model.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "model = LogisticRegression()\n\n\ndef build():\n    return model\n"
    )
    flags = ("--model", "one_model:build", "--split.n_splits", "3")
    ended = cv(*flags, folder=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "one_model:build returned the same estimator twice" in ended.err
    assert ended.err.count("\n") == 1


def test_folds_that_share_what_should_differ_fail_the_run(tmp_path, slots):
    given = settings(tmp_path, "few_seeds", train={"epochs": 1, "engine": "plain"})
    places = [(0, fold) for fold in range(5)]
    records, _ = train_some(given, places, slots)
    with (
        launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run,
        pytest.raises(SharedInitialWeights, match="started from the same weights"),
    ):
        reduce_folds(run.dataset, run.plan, run.jobs, records, run.metrics)
