"""The command `foldproof compare`: arguments, output, exit codes."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foldproof.tasks.cli.arguments import (
    LineParser,
    add_study,
    called,
    unknown_flag,
    verbosity_of,
    with_flags,
)
from foldproof.tasks.cli.cv import FlowCommand, keeps, show_failures
from foldproof.tasks.common.errors import InputError, said_of
from foldproof.tasks.common.exit_codes import DONE, FAILED, INCOMPLETE
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.config.yaml_file import read_settings

if TYPE_CHECKING:
    from foldproof.tasks.comparison.result import ComparisonResult
    from foldproof.tasks.comparison.studies import Comparison
    from foldproof.tasks.report.result import Result


class CompareCommand(FlowCommand["Comparison"]):
    """One call of compare.py, from its arguments to its exit code."""

    def _read(self, arguments: Sequence[str]) -> "Comparison":
        return read_comparison(arguments)

    def _perform(self, flow: Any) -> int:
        from foldproof.tasks.comparison.prefect_flow import launch

        comparison = self._run
        return _show_all(launch(flow, comparison), comparison.names, comparison.verbosity)


def read_comparison(arguments: Sequence[str]) -> "Comparison":
    """Parse the arguments into a comparison that has not started.

    Raises:
        InputError: a flag, a file or a value is wrong.
        SystemExit: after --help, and after a comparison of finished runs.
    """
    parser = compare_parser()
    flags, unknown = parser.parse_known_intermixed_args(arguments)
    if unknown:
        raise unknown_flag(unknown[0], parser)
    if len(flags.files) < 2:
        raise InputError("command line", "give two or more files to compare; see --help")
    _compare_finished(flags)
    studies = [_study(path, flags) for path in flags.files]
    from foldproof.tasks.comparison.studies import (
        Comparison,  # takes time, which nobody waits for in vain
    )

    how = verbosity_of(flags), flags.refresh
    keep = keeps(verbosity_of(flags))
    return Comparison(studies, flags.files, *how, prints_result=True, keep=keep)


def _compare_finished(flags: argparse.Namespace) -> None:
    """Compare finished runs and leave, if it is such that the files are."""
    if not any(Path(name).is_dir() or "." not in name for name in flags.files):
        return  # nothing is imported for settings files
    from foldproof.tasks.comparison.finished_runs import compare_finished, run_folders

    out = with_flags({}, flags).get("out", Study.model_fields["out"].default)
    if folders := run_folders(flags.files, Path(out)):
        raise SystemExit(_show_all(compare_finished(folders), flags.files, verbosity_of(flags)))


def _show_all(result: "ComparisonResult", names: Sequence[str], verbosity: str) -> int:
    """Print the result, and return the exit code."""
    for name, one in zip(names, result.results, strict=True):
        _tell(name, one)
    if verbosity == "quiet":
        print(result.path)
    else:
        _show(result, names)
    if not result.n_failed:
        return DONE
    return FAILED if result.n_failed == result.n_folds else INCOMPLETE


def _study(path: str, flags: argparse.Namespace) -> Study:
    """Return the settings of a file with the flags laid over them."""
    settings = read_settings(path, field=path)
    with said_of(path):
        return parse_study(with_flags(settings, flags))


def _tell(name: str, result: "Result") -> None:
    """Print the notices and failed folds of one model's run."""
    if result.n_failed:
        print(f"{name}:", file=sys.stderr)
        show_failures(result)


def _show(result: "ComparisonResult", names: Sequence[str]) -> None:
    from foldproof.tasks.comparison.result import comparison_text

    for notice in result.notices:
        print(f"note: {notice}", file=sys.stderr)
    for name, one in zip(names, result.results, strict=True):
        for notice in one.notices:
            print(f"note: {name}: {notice}", file=sys.stderr)
    if result.positive_line:
        print(result.positive_line)
    for number, (name, one) in enumerate(zip(names, result.results, strict=True), 1):
        print(f"{number}  run {one.run_id}  {name}")
    print(f"\n{comparison_text(result.path)}\n")
    if result.coverage:
        print(result.coverage)
    print(f"report: {result.page if sys.stdout.isatty() else result.path}")


def compare_parser() -> LineParser:
    """Return the parser of a comparison's command line."""
    parser = LineParser(
        prog=called("compare"),
        description="Compare several models on the same folds, with paired tests. Flags count "
        "over all files. VALUE is JSON where it parses as JSON, else text.",
        epilog="Exit codes: 0 done, 1 the run failed, 2 wrong input, 3 some folds failed.",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files",
        metavar="FILE.yaml",
        nargs="*",
        help="the settings of each model, two or more; or finished runs: RUN_IDs or their folders",
    )
    parser.add_argument(
        "--refresh", action="store_true", help="train stored folds anew and compare"
    )
    add_study(parser, quiet="print the comparison's path only")
    return parser
