"""Which way a worker takes: all weights side by side, or Keras's step; whether kernels stay."""

import numpy as np
import pytest

from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from tests.support import engine_probe
from tests.support.training import settings

CHOICES = [
    ("dense", "FlatStep", True),
    ("regularized", "FlatStep", True),
    ("eager_draws", "FlatStep", True),
    ("counted_draws", "FlatStep", False),
    ("half_trained", "FlatStep", True),
    ("penalized", "FlatStep", True),
    ("clipped", "KerasStep", True),
    ("averaged", "KerasStep", True),
    ("own_step", "KerasStep", True),
]


@pytest.mark.parametrize(("builder", "step", "kernels_stay"), CHOICES)
def test_the_fastest_way_that_is_the_same_is_taken(tmp_path, slots, builder, step, kernels_stay):
    given = settings(tmp_path, builder, train={"epochs": 2})
    with launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run:
        job = run.jobs[0]  # whose trial call takes the slot
        slot = slots.lease()
        try:
            assert slot.run(engine_probe.chosen_step, job) == (step, kernels_stay)
        finally:
            slots.give_back(slot)


def test_nothing_is_traced_again_for_folds_of_other_sizes(tmp_path, slots):
    stopping = {"patience": 5, "monitor": "val_loss"}
    given = settings(tmp_path, "dense", train={"epochs": 2, "early_stopping": stopping})
    given["split"] = {"n_splits": 7}
    with launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run:
        jobs = list(run.jobs)
        sizes = {len(np.load(job.train_path)) for job in jobs}
        slot = slots.lease()
        try:
            found = slot.run(engine_probe.traces, jobs)
        finally:
            slots.give_back(slot)
    assert len(sizes) > 1
    assert found == {"train": 1, "predict": 1, "test": 1}


def test_seeds_give_the_same_draws_whether_kernels_stay_or_not(slots):
    slot = slots.lease()
    try:
        kept = slot.run(engine_probe.draws, True)
        thrown_away = slot.run(engine_probe.draws, False)
    finally:
        slots.give_back(slot)
    assert kept == thrown_away
    assert kept[0] == kept[2] != kept[1]
    assert kept[3] == kept[4]


def kept_after(kind, tmp_path, slots):
    given = settings(tmp_path, "dense", train={"epochs": 2})
    with launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run:
        job = run.jobs[0]
        slot = slots.lease()
        try:
            return slot.run(engine_probe.kept_after, job, kind)
        finally:
            slots.give_back(slot)


@pytest.mark.parametrize(
    ("kind", "first"),
    [("memory", "MemoryError"), ("device", "ResourceExhaustedError")],
)
def test_a_lack_of_memory_passes(tmp_path, slots, kind, first):
    assert kept_after(kind, tmp_path, slots) == (first, "CompiledModel")


def test_why_a_model_cannot_be_kept_is_remembered_in_words(tmp_path, slots):
    first, again = kept_after("users", tmp_path, slots)
    why = "ValueError: invalid literal for int() with base 10: 'seven'"
    assert first == again == f"it could not be compiled for reuse ({why})"
