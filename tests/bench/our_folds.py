"""Ours without Prefect: wall time of each fold of a case, one after the other."""

import tempfile
import time
from pathlib import Path

from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from tests.bench import direct
from tests.bench.cases import case_argument, say


def main() -> None:
    """Train the case's folds in turn and print the mean seconds of all but the first."""
    case = case_argument()
    with tempfile.TemporaryDirectory() as name:
        study = direct.study_of(case, Path(name))
        with launched(Run(study, Display("quiet"))) as run:
            run.check()
            seconds = []
            for job in run.jobs[: case.folds]:
                started = time.perf_counter()
                record = train_without_prefect(run, job)
                seconds.append(time.perf_counter() - started)
                if record.error:
                    raise RuntimeError(record.error)
    say(later=sum(seconds[1:]) / len(seconds[1:]), first=seconds[0])


if __name__ == "__main__":
    main()
