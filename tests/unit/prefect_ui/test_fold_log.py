"""A fold's log: epochs now and then, what it prints, each try in its turn."""

import logging
from dataclasses import replace

import pytest

from foldproof.tasks.folds.job import FoldRecord
from foldproof.tasks.prefect_ui.fold_log import FoldLog
from foldproof.tasks.training.progress import ProgressSnapshot
from foldproof.tasks.workers.output import FOLDER, output_path
from tests.support.reports import prepared, settings

START = 100.0


@pytest.fixture
def job(tmp_path):
    with prepared(settings(tmp_path / "out")) as run:
        yield run.jobs[1]


@pytest.fixture
def log(job, tmp_path, caplog):
    (tmp_path / FOLDER).mkdir()
    caplog.set_level(logging.INFO, "fold")
    return FoldLog(job, "fold 1 of 3", tmp_path, logging.getLogger("fold"), everything=False)


def seen(epoch, fold=1):
    return ProgressSnapshot(repeat=0, fold=fold, epoch=epoch, epochs=100, loss=0.5)


def test_epochs_are_said_now_and_then(log, caplog):
    for second in range(21):
        log.update(seen(second), START + second)
    assert caplog.messages == [
        "fold 1 of 3: epoch 10 of 100, loss 0.5000",
        "fold 1 of 3: epoch 20 of 100, loss 0.5000",
    ]
    assert log.share() == 0.2


def test_what_another_fold_does_on_the_slot_is_not_its_progress(log, caplog):
    for second in range(0, 60, 6):
        log.update(seen(second, fold=0), START + second)
    assert caplog.messages == []
    assert log.share() == 0.0


def test_a_short_silent_fold_leaves_no_line(log, job, caplog):
    log.update(seen(100), START)
    log.end(FoldRecord(job.key, 0, 1))
    assert [message for message in caplog.messages if "epoch" in message] == []


def test_each_try_prints_in_its_turn_and_its_files_are_removed(log, job, tmp_path, caplog):
    output_path(tmp_path, job.key, 1).write_text("first\ncut o")
    log.update(None, START)
    output_path(tmp_path, job.key, 2).write_text("UserWarning: second\n  indented\nplain\n")
    log.update(None, START + 1)
    lost = FoldRecord(job.key, 0, 1, error="the worker was killed", attempt=2)
    log.end(lost)
    assert caplog.record_tuples == [
        ("fold", logging.INFO, "first"),
        ("fold", logging.INFO, "cut o"),
        ("fold", logging.WARNING, "UserWarning: second\n  indented"),
        ("fold", logging.INFO, "plain"),
        ("fold", logging.ERROR, "the worker was killed"),
    ]
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_failure_is_logged_with_its_traceback(log, job, caplog):
    record = replace(FoldRecord(job.key, 0, 1, error="ValueError: odd"), traceback="Trace 50%\n")
    log.end(record)
    assert caplog.record_tuples == [("fold", logging.ERROR, "Trace 50%")]
