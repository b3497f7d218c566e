"""Cross-validate a model: `python flows/cv.py`, a deployment, or `cross_validate(...)`."""

import sys
from typing import Any

if __name__ == "__main__":
    from foldproof.tasks.cli.warm.request import done_warm

    if (code := done_warm("cv", sys.argv[1:])) is not None:
        raise SystemExit(code)
    from foldproof.tasks.run.views.status_line import greet

    greet(sys.argv[1:])  # before anything that takes time to import
    from foldproof.tasks.cli.cv import CvCommand

    command = CvCommand(sys.argv[1:])  # before the seconds that Prefect takes to import

from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.model import ModelSpec
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.prefect_flow.flow import launched_flow
from foldproof.tasks.prefect_flow.fold_task import train_folds
from foldproof.tasks.prefect_flow.steps import (
    load_data,
    reduce_folds,
    running,
    split_rows,
    write_report,
)
from foldproof.tasks.report.result import Result


@launched_flow
def cross_validate(
    data: DataSpec = DataSpec(),
    split: SplitSpec = SplitSpec(),
    model: ModelSpec = ModelSpec(),
    train: TrainSpec = TrainSpec(),
    metrics: str | list[str] = "auto",
    compute: ComputeSpec = ComputeSpec(),
    seed: int = 1337,
    out: str = "reports",
    more: dict[str, Any] = {},  # noqa: B006 (never changed)
) -> Result:
    """Cross-validate a model so that the result comes back bit for bit.

    Args:
        data: what is learned from.
        split: how the rows are divided into folds.
        model: what is trained.
        train: how each fold trains.
        metrics: auto, or scikit-learn scorer names, sensitivity, specificity.
        compute: where the folds train.
        seed: the number that all randomness is from.
        out: the folder of finished folds and reports.
        more: any other of these settings, by section, as a form has one box for them.
    """
    with running(data, split, model, train, metrics, compute, seed, out, more) as run:
        dataset = load_data(run)
        folds = split_rows(run, dataset)
        records = train_folds(run, folds)
        tables = reduce_folds(run, records)
        result: Result = write_report(run, tables)
        return result


if __name__ == "__main__":
    command.finish(cross_validate)
