"""Compare models on the same folds: `python flows/compare.py`, a deployment, or Python."""

import sys

if __name__ == "__main__":
    from tasks.status_line import greet

    greet(sys.argv[1:])  # before anything that takes time to import
    from tasks.comparison.command import CompareCommand

    command = CompareCommand(sys.argv[1:])  # before the seconds that Prefect takes to import

from collections.abc import Mapping, Sequence
from typing import Any

from flows.cv import cross_validate
from tasks.comparison.result import ComparisonResult
from tasks.comparison.runs import Comparison, studies_of
from tasks.comparison.steps import compare_folds, compared_flow, comparing, launch, write_comparison
from tasks.config import Study


@compared_flow
def compare(studies: list[Study]) -> ComparisonResult:
    """Cross-validate several models on the same folds and test them in pairs.

    Args:
        studies: the settings of each model; data, split, metrics, seed and out are the same.
    """
    with comparing(studies) as comparison:
        results = [cross_validate.perform(run) for run in comparison.turns()]
        tables = compare_folds(results)
        result: ComparisonResult = write_comparison(comparison, results, tables)
        return result


def compare_models(studies: Sequence[Study | Mapping[str, Any]]) -> ComparisonResult:
    """Compare several models on the same folds, in pairs.

    Args:
        studies: the settings of each model: a mapping of the sections that `cross_validate`
            takes. Data, split, metrics, seed and out must be the same in all.

    Returns:
        The tables `.models` and `.pairs`, and the report's `.path`.

    Raises:
        InputError: something about the input is wrong; nothing was trained.
    """
    return launch(compare, Comparison(studies_of(studies)))


if __name__ == "__main__":
    command.finish(compare)
