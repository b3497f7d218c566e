"""The command `foldproof verify`: arguments, output, exit codes."""

import argparse
import sys
from collections.abc import Sequence

from foldproof.tasks.cli.arguments import LineParser, called
from foldproof.tasks.cli.cv import exit_code_of
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.run.views.status_line import line
from foldproof.tasks.verification.level import check_level

IDENTICAL, DIFFERENT = 0, 1
FOLDS = 3


def main(arguments: Sequence[str]) -> int:
    """Verify a run and return the exit code."""
    return exit_code_of(lambda: _verify(arguments), "nothing was proved")


def _verify(arguments: Sequence[str]) -> int:
    given = verify_parser().parse_args(arguments)
    count = None if given.all else _count(given.folds)
    level = check_level(given.level)
    from foldproof.tasks.report.finished import FinishedRun  # what follows takes time
    from foldproof.tasks.verification.local_copy import at_hand
    from foldproof.tasks.verification.refit import verify

    with at_hand(given.run_dir) as folder:
        finished = FinishedRun.read(folder)
        agrees = verify(finished, given.source, count, level, _say, given.trust_builder, _show)
    line.clear()
    print(("identical" if level == "bit" else "agrees") if agrees else "DIFFERENT")
    return IDENTICAL if agrees else DIFFERENT


def _say(text: str) -> None:
    with line.aside():
        print(text, flush=True)
    line.show("verifying")


def _show(text: str) -> bool:
    """Show a text on the terminal, if somebody may see it there."""
    stream = next((each for each in (sys.stderr, sys.stdout) if each.isatty()), None)
    if stream is not None:
        with line.aside():
            print(text, file=stream, flush=True)
    return stream is not None


def _count(text: str) -> int:
    if not text.isdecimal():
        raise InputError("--folds", f"{text!r} is no number of folds; give 0 or more, or --all")
    return int(text)


def verify_parser() -> LineParser:
    """Return the parser of a verification's command line."""
    parser = LineParser(
        prog=called("verify"),
        description="Check a report against its manifest, its metrics against its predictions, "
        "and refit folds in fresh processes as plain Keras.",
        epilog="Exit codes: 0 identical, 1 a difference, 2 wrong input.",
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "run_dir", metavar="RUN_DIR", help="a report's folder or URI, OUT/runs/RUN_ID"
    )
    how_many = parser.add_mutually_exclusive_group()
    how_many.add_argument("--folds", default=str(FOLDS), metavar="N", help="folds to refit")
    how_many.add_argument("--all", action="store_true", help="refit all folds")
    parser.add_argument(
        "--level",
        default="bit",
        help="what must agree: bit, every digest; numeric, scores but for rounding; "
        "statistical, metrics within the spread of the run's folds",
    )
    parser.add_argument(
        "--data.source",
        dest="source",
        metavar="VALUE",
        help="where the data is now; needed if it moved, if it is no single file, and where "
        "there is no terminal to show which file the report names",
    )
    parser.add_argument(
        "--trust-builder",
        action="store_true",
        help="run the code that the report names: needed where it is neither built in nor the "
        "source that the manifest names",
    )
    return parser
