"""Ours on large features: the peak memory of all processes while two workers train."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from foldproof.tasks.data.stored_features import FEATURES
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from tests.bench import direct
from tests.bench.cases import case_argument, say
from tests.bench.memory import watched


def main() -> None:
    """Load, then train the case's folds at the same time, one in each worker."""
    case = case_argument()
    with tempfile.TemporaryDirectory() as name:
        study = direct.study_of(case, Path(name))
        with launched(Run(study, Display("quiet"))) as run:
            run.check()
            with watched(FEATURES) as peaks, ThreadPoolExecutor(case.folds) as threads:
                jobs = run.jobs[: case.folds]
                records = list(threads.map(lambda job: train_without_prefect(run, job), jobs))
    for record in records:
        if record.error:
            raise RuntimeError(record.error)
    say(**asdict(peaks))


if __name__ == "__main__":
    main()
