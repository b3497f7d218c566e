"""Verify a finished run: `python flows/verify.py RUN_DIR`, or a deployment."""

import sys

if __name__ == "__main__":
    from foldproof.tasks.run.views.status_line import greet

    greet(sys.argv[1:], "reading the report")  # before anything that takes time to import
    from foldproof.tasks.cli.verify import main

    raise SystemExit(main(sys.argv[1:]))  # before the seconds that Prefect takes to import

from prefect import State
from prefect.logging import get_run_logger
from prefect.states import Completed

from foldproof.tasks.cli.verify import FOLDS
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.prefect_flow.states import failed
from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.verification.local_copy import at_hand
from foldproof.tasks.verification.prefect_flow import (
    input_error_state,
    parse_parameters,
    verify_flow,
)
from foldproof.tasks.verification.refit import verify as verify_run


@verify_flow
def verify(
    run_dir: str, folds: int | str | None = FOLDS, level: str = "bit", source: str | None = None
) -> State:
    """Refit folds of a finished run and compare every digest.

    A report is data here: code that is neither built in nor the source that its manifest names
    is refused, and only the command line may say otherwise.

    Args:
        run_dir: a report's folder, OUT/runs/RUN_ID.
        folds: how many folds to refit; all, or null, for all.
        level: what must agree: every bit, every score but for rounding, or metrics within the
            spread of the run's folds.
        source: where the data is; needed unless it is a bundled set.

    Returns:
        A failed state with the first line that says what differs, or what is wrong about the
        input; else a completed one.
    """
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        get_run_logger().info(line)

    try:
        what = parse_parameters(
            {"run_dir": run_dir, "folds": folds, "level": level, "source": source}
        )
        with at_hand(what.run_dir) as folder:
            finished = FinishedRun.read(folder)
            agrees = verify_run(finished, what.source, what.count, what.level, say)
    except InputError as error:
        return input_error_state(error)
    if agrees:
        return Completed(message="identical" if what.level == "bit" else "agrees")
    return failed(next(line for line in lines if "DIFFERENT" in line))
