"""`result.verify()`: prove a result in the process that made it.

What a report from elsewhere may not name is known here: a function of a notebook, an estimator,
arrays in memory. This process ran that code already, so it is trusted.
"""

from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.report.result import Result
from foldproof.tasks.verification.level import check_level
from foldproof.tasks.verification.local_copy import at_hand
from foldproof.tasks.verification.refit import verify


def verify_result(result: Result, folds: int | None, level: str) -> bool:
    """Check a result's report and refit folds of it; print a line for each thing found.

    Args:
        result: of this process.
        folds: how many to refit; None for all.
        level: what must agree.

    Returns:
        Whether all agrees.

    Raises:
        InputError: the run cannot be done again here.
    """
    chosen = check_level(level)
    source = result.study.data.source if result.study is not None else None
    with at_hand(result.where) as folder:
        finished = FinishedRun.read(folder)
        agrees = verify(finished, source, folds, chosen, print, trusted=True)
    print(("identical" if chosen == "bit" else "agrees") if agrees else "DIFFERENT")
    return agrees
