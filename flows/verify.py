"""Verify a finished run: `python flows/verify.py RUN_DIR`, or a deployment."""

import sys

if __name__ == "__main__":
    from tasks.status_line import greet

    greet(sys.argv[1:], "reading the report")  # before anything that takes time to import
    from tasks.verify_command import main

    raise SystemExit(main(sys.argv[1:]))  # before the seconds that Prefect takes to import

from pathlib import Path

from prefect import State, flow
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from tasks.errors import InputError
from tasks.finished import FinishedRun
from tasks.outcome import named
from tasks.remote import at_hand
from tasks.verification import verify as verify_run
from tasks.verify_command import FOLDS
from tasks.verify_level import Level


@flow(flow_run_name=lambda: named(lambda given: f"verify {Path(str(given['run_dir'])).name}"))
def verify(
    run_dir: str, folds: int | None = FOLDS, level: Level = "bit", source: str | None = None
) -> State:
    """Refit folds of a finished run and compare every digest.

    Args:
        run_dir: a report's folder, OUT/runs/RUN_ID.
        folds: how many folds to refit; null for all.
        level: what must agree: every bit, every score but for rounding, or metrics within the
            spread of the run's folds.
        source: where the data is now, if it moved.

    Returns:
        A failed state with the first line that says what differs, or what is wrong about the
        input; else a completed one.
    """
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        get_run_logger().info(line)

    try:
        with at_hand(run_dir) as folder:
            agrees = verify_run(FinishedRun.read(folder), source, folds, level, say)
    except InputError as error:
        return Failed(message=" ".join(str(error).split()))
    if agrees:
        return Completed(message="identical" if level == "bit" else "agrees")
    return Failed(message=next(line for line in lines if "DIFFERENT" in line))
