"""Compare models on the same folds: `python flows/compare.py`, a deployment, or Python."""

import sys

if __name__ == "__main__":
    from foldproof.tasks.cli.warm.request import done_warm

    if (code := done_warm("compare", sys.argv[1:])) is not None:
        raise SystemExit(code)
    from foldproof.tasks.run.views.status_line import greet

    greet(sys.argv[1:])  # before anything that takes time to import
    from foldproof.tasks.cli.compare import CompareCommand

    command = CompareCommand(sys.argv[1:])  # before the seconds that Prefect takes to import

from collections.abc import Mapping, Sequence
from typing import Any

from foldproof.flows.cv import cross_validate
from foldproof.tasks.comparison.finished_runs import compare_finished
from foldproof.tasks.comparison.prefect_flow import (
    compare_folds,
    compared_flow,
    comparing,
    launch,
    load_compared_data,
    split_compared_rows,
    write_comparison,
)
from foldproof.tasks.comparison.result import ComparisonResult
from foldproof.tasks.comparison.studies import Comparison, studies_of
from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.config.study import Study
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.report.result import Result


@compared_flow
def compare(
    studies: Sequence[Study] = (),
    models: Sequence[Mapping[str, Any]] = (),
    data: DataSpec = DataSpec(),
    split: SplitSpec = SplitSpec(),
    train: TrainSpec = TrainSpec(),
    metrics: str | list[str] = "auto",
    compute: ComputeSpec = ComputeSpec(),
    seed: int = 1337,
    out: str = "reports",
    more: dict[str, Any] = {},  # noqa: B006 (never changed)
) -> ComparisonResult:
    """Cross-validate several models on the same folds and test them in pairs.

    Args:
        studies: the settings of each model; data, split, metrics, seed and out are the same.
        models: in place of studies, what is each model's own: builder, params, settings.
        data: what is learned from.
        split: how the rows are divided into folds.
        train: how each fold trains, unless a model's own settings say otherwise.
        metrics: auto, or scikit-learn scorer names, sensitivity, specificity.
        compute: where the folds train.
        seed: the number that all randomness is from.
        out: the folder of finished folds and reports.
        more: any other of these settings, by section.
    """
    shared = (data, split, train, metrics, compute, seed, out, more)
    with comparing(studies, models, *shared) as comparison:
        datasets = load_compared_data(comparison)
        split_compared_rows(comparison, datasets)
        results = [cross_validate.perform(run) for run in comparison.turns()]
        tables = compare_folds(results)
        result: ComparisonResult = write_comparison(comparison, results, tables)
        return result


def compare_models(
    studies: Sequence[Study | Mapping[str, Any] | Result],
) -> ComparisonResult:
    """Compare several models on the same folds, in pairs.

    Args:
        studies: the settings of each model: a mapping of the sections that `cross_validate`
            takes. Data, split, metrics, seed and out must be the same in all. Or results of
            `cross_validate`, which are compared as they are.

    Returns:
        The tables `.models` and `.pairs`, and the report's `.path`.

    Raises:
        InputError: something about the input is wrong; nothing was trained.
    """
    finished = [study.path for study in studies if isinstance(study, Result)]
    if finished and len(finished) == len(studies):
        return compare_finished(finished)
    return launch(compare, Comparison(studies_of(studies), keep=True))


if __name__ == "__main__":
    command.finish(compare)
