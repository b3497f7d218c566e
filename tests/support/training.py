"""Train folds in real workers, without Prefect: for tests of what a fold results in."""

from collections.abc import Sequence
from typing import Any

from foldproof.tasks.config.study import parse_study
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.workers.slots import Slots


def settings(out: Any, builder: str, **sections: Any) -> dict[str, Any]:
    """Return small settings for a builder of the zoo, or of anywhere."""
    model = builder if ":" in builder else f"tests.support.zoo:{builder}"
    base: dict[str, Any] = {
        "data": {"source": "breast_cancer"},
        "split": {"n_splits": 5},
        "model": {"builder": model},
        "train": {"epochs": 3},
        "compute": {"workers": 1},
        "out": str(out),
    }
    for name, values in sections.items():
        base[name] = {**base[name], **values} if isinstance(values, dict) else values
    return base


def train_some(
    given: dict[str, Any], places: Sequence[tuple[int, int]], slots: Slots | None = None
) -> tuple[list[FoldRecord], list[FoldJob]]:
    """Train some folds in the given order, in one worker, and return records and jobs."""
    with launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run:
        run.check()
        by_place = {(job.repeat, job.fold): job for job in run.jobs}
        jobs = [by_place[place] for place in places]
        return [train_without_prefect(run, job) for job in jobs], jobs
