"""Jobs and records travel between processes: small, frozen, and unchanged."""

import pickle
from dataclasses import FrozenInstanceError

import pytest

from tests.support.reports import prepared, settings, train


@pytest.fixture
def run(tmp_path):
    with prepared(settings(tmp_path)) as prepared_run:
        yield prepared_run


def test_a_job_arrives_as_it_was_sent(run):
    for job in run.jobs:
        assert pickle.loads(pickle.dumps(job)) == job


def test_a_job_is_small_whatever_the_data(run):
    assert max(len(pickle.dumps(job)) for job in run.jobs) < 10_000


def test_a_record_arrives_as_it_was_sent(run):
    records = train(run)
    assert pickle.loads(pickle.dumps(records)) == records


def test_neither_can_be_changed(run):
    with pytest.raises(FrozenInstanceError):
        run.jobs[0].key = "x"
    with pytest.raises(FrozenInstanceError):
        setattr(train(run)[0], "error", "x")  # noqa: B010 (the type checker would refuse it, too)


def test_a_finished_fold_lies_where_its_job_says(run):
    train(run)
    stored = sorted(path.name for path in (run.out / "folds").iterdir())
    assert stored == sorted(f"{job.key}.parquet" for job in run.jobs)
    assert {job.store for job in run.jobs} == set((run.out / "folds").iterdir())
