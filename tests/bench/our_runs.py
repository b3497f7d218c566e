"""Ours in warm workers: runs through Prefect and without it, and both engines' weights.

Arguments: the case, the repeats of the long run. A Prefect API must be configured.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foldproof.flows.cv import cross_validate
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.workers.slots import Slots
from tests.bench import direct
from tests.bench.cases import SPLITS, Case, case_argument, say

COMPARED = 3  # folds that both engines train


def through_prefect(case: Case, repeats: int, out: Path, slots: Slots) -> Any:
    """Run the flow."""
    study = direct.study_of(case, out, repeats)
    return cross_validate.launch(Run(study, Display("quiet"), slots=slots))


def without_prefect(case: Case, repeats: int, out: Path, slots: Slots) -> Any:
    """Do the same in plain calls."""
    return direct.cross_validate(direct.study_of(case, out, repeats), slots)


def line(case: Case, way: Callable[..., Any], many: int, folder: Path, slots: Slots) -> Any:
    """Time a short and a long run; return seconds of each, per fold, and the short result."""
    seconds, result = [], None
    for repeats in (1, many):
        started = time.perf_counter()
        found = way(case, repeats, folder / f"{way.__name__}-{repeats}", slots)
        seconds.append(time.perf_counter() - started)
        result = result or found
    return (*seconds, (seconds[1] - seconds[0]) / (SPLITS * (many - 1)), result)


def weights(case: Case, engine: str, folder: Path, slots: Slots) -> list[str | None]:
    """Return the weights' digests of a few folds as one engine trains them."""
    study = direct.study_of(case, folder / engine, engine=engine)
    with launched(Run(study, Display("quiet"), slots=slots)) as run:
        return [record.weights for record in direct.train(run, COMPARED)]


def main() -> None:
    """Measure and print."""
    case, many = case_argument(), int(sys.argv[2])
    with (
        tempfile.TemporaryDirectory() as name,
        direct.warm_slots(direct.study_of(case, Path(name))) as slots,
    ):
        folder = Path(name)
        through_prefect(case, 1, folder / "warm", slots)
        *flow, result = line(case, through_prefect, many, folder, slots)
        *plain, _ = line(case, without_prefect, many, folder, slots)
        say(
            flow=flow,
            direct=plain,
            folds=SPLITS * many,
            auc=result.folds[case.metric].tolist(),
            weights={e: weights(case, e, folder, slots) for e in ("compiled", "plain")},
        )


if __name__ == "__main__":
    main()
