"""The command `foldproof list`: the runs of a folder of results, newest first."""

import sys
from collections.abc import Sequence

from foldproof.tasks.cli.arguments import LineParser, called
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.exit_codes import DONE, WRONG_INPUT
from foldproof.tasks.run.views.status_line import line

HEAD = ("run", "when", "name", "model", "data", "first metric")


def main(arguments: Sequence[str]) -> int:
    """List the runs and return the exit code."""
    try:
        return _list(arguments)
    except InputError as error:
        line.clear()
        print(error, file=sys.stderr)
        return WRONG_INPUT


def _list(arguments: Sequence[str]) -> int:
    given = list_parser().parse_args(arguments)
    from pathlib import Path

    from foldproof.tasks.folds.paths import is_remote  # what follows takes time
    from foldproof.tasks.report.found_runs import count_runs, found_runs
    from foldproof.tasks.report.result import align_columns

    if is_remote(given.out):
        raise InputError("--out", f"{given.out!r} is no folder; list it with its own tools")
    out = Path(given.out)
    runs, count = found_runs(out, given.most), count_runs(out)
    line.clear()
    if not runs:
        print(f"no runs in {str(out)!r}; --out names another folder of results", file=sys.stderr)
        return DONE
    if given.quiet:
        print("\n".join(str(run.path) for run in runs))
        return DONE
    failed = {run: f" ({run.failed} failed)" if run.failed else "" for run in runs}
    rows = [(r.run_id, r.when, r.name, r.model, r.data, r.first + failed[r]) for r in runs]
    print(align_columns([HEAD, *rows], left=True))
    if count > len(runs):
        print(f"{count - len(runs)} more; --most {count} lists all")
    return DONE


def list_parser() -> LineParser:
    """Return the parser of this command line."""
    parser = LineParser(
        prog=called("list"), description="List the runs of a folder of results, newest first."
    )
    parser.add_argument("--out", default="reports", metavar="FOLDER", help="[default: reports]")
    parser.add_argument("--quiet", action="store_true", help="print the reports' folders only")
    parser.add_argument("--most", type=int, default=20, metavar="N", help="[default: 20]")
    return parser
