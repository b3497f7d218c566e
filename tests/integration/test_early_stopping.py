"""Early stopping is Keras's own, setting by setting, on every engine with the same bits."""

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from tests.support.stopping_reference import train_reference
from tests.support.training import settings

CASES = [
    ("tests.support.zoo:branches", {}),
    ("tests.support.zoo:branches", {"patience": 1}),
    ("tests.support.zoo:branches", {"patience": 2, "min_delta": 0.05}),
    ("tests.support.zoo:branches", {"patience": 1, "start_from_epoch": 4}),
    ("tests.support.zoo:branches", {"patience": 1, "restore_best": False}),
    ("tests.support.zoo:branches", {"patience": 1, "monitor": "val_auc", "mode": "min"}),
    ("tests.support.zoo:branches", {"patience": 1, "monitor": "val_auc", "min_delta": 0.001}),
    ("tests.support.zoo:averaged", {"patience": 1, "monitor": "loss", "mode": "max"}),
    (
        "tests.support.unfit:own_metric",
        {"patience": 2, "monitor": "val_good_metric", "mode": "max"},
    ),
]


def trained(folder, slots, builder, stopping):
    """Train fold 0/0; return weights, best epoch, epochs run by engine, and the same of the loop.

    The loop knows no engine; it runs once, in a worker that trained before and is set up.
    """
    found = {}
    for engine in ("compiled", "plain"):
        train = {"epochs": 9, "engine": engine, "early_stopping": stopping}
        given = settings(folder / engine, builder, train=train)
        with launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run:
            run.check()
            job = run.jobs[0]
            record = train_without_prefect(run, job)
            assert record.error is None, record.traceback
            assert record.notice == ""
            fold = read_fold(job.store, job.key)
            found[engine] = (fold.weights, fold.best_epoch, fold.epochs_run)
            if engine == "plain":
                expected = looped(slots, job, stopping)
    return found, expected


def looped(slots, job, stopping):
    asked = {"patience": 5, "restore_best": True, **stopping}
    slot = slots.lease()
    try:
        return slot.run(train_reference, job, asked)
    finally:
        slots.give_back(slot)


@pytest.mark.parametrize(("builder", "stopping"), CASES)
def test_training_ends_where_kerass_early_stopping_ends_it(tmp_path, slots, builder, stopping):
    found, expected = trained(tmp_path, slots, builder, stopping)
    assert found == {"compiled": expected, "plain": expected}


def test_without_a_watched_epoch_there_is_no_best_one(tmp_path, slots):
    stopping = {"start_from_epoch": 20}
    found, expected = trained(tmp_path, slots, "tests.support.zoo:branches", stopping)
    for weights, best, epochs in found.values():
        assert (weights, epochs) == (expected[0], 9)
        assert best is None


@pytest.mark.parametrize(
    ("stopping", "line"),
    [
        ({"mode": "most"}, "train.early_stopping.mode: unknown value 'most'; use one of"),
        ({"min_delta": -1}, "train.early_stopping.min_delta: must be at least 0, not -1"),
        ({"start_from_epoch": -1}, "train.early_stopping.start_from_epoch: must be at least 0"),
        ({"restore_best": "no"}, "train.early_stopping.restore_best: must be true or false"),
        ({"restore_best_weights": True}, "train.early_stopping.restore_best_weights: unknown set"),
    ],
)
def test_a_wrong_setting_is_one_line(stopping, line):
    with pytest.raises(InputError) as caught:
        parse_study({"train": {"early_stopping": stopping}})
    assert str(caught.value).startswith(line)
