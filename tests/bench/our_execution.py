"""Ours through Prefect: what execution.parquet says of each fold, in the order of training."""

import sys
import tempfile
from pathlib import Path

from pyarrow import parquet

from foldproof.flows.cv import cross_validate
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from tests.bench import direct
from tests.bench.cases import case_argument, say


def main() -> None:
    """Run the flow with the given number of repeats and print its folds."""
    case, repeats = case_argument(), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        study = direct.study_of(case, Path(name), repeats)
        result = cross_validate.launch(Run(study, Display("quiet")))
        if result.n_failed:
            raise RuntimeError(f"{result.n_failed} folds failed")
        rows = parquet.read_table(result.path / "execution.parquet").to_pylist()
    rows.sort(key=lambda row: row["started_at"])
    parts = ("seconds_build", "seconds_fit", "seconds_predict")
    folds = [
        {
            "seconds": sum(row[part] for part in parts),
            "device": row["device"],
            "peak": row["peak_rss_mib"],
        }
        for row in rows
    ]
    say(folds=folds, workers=len({row["pid"] for row in rows}))


if __name__ == "__main__":
    main()
