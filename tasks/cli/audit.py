"""The command `foldproof audit`: its arguments."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foldproof.tasks.cli.arguments import (
    LineParser,
    add_study,
    fold_place,
    parse_flags,
    read_study,
    study_parser,
    verbosity_of,
)
from foldproof.tasks.cli.cv import exit_code_of
from foldproof.tasks.config.study import Study

if TYPE_CHECKING:
    from foldproof.tasks.run.views.progress_view import Verbosity

Place = tuple[int, int]


def main(arguments: Sequence[str]) -> int:
    """Audit a model and return the exit code."""
    return exit_code_of(lambda: _launch(arguments), "nothing was written")


def _launch(arguments: Sequence[str]) -> int:
    settings = _read(arguments)
    from foldproof.tasks.audit.audit import run_audit  # takes time, which nobody waits for in vain

    return run_audit(*settings)


def _read(arguments: Sequence[str]) -> tuple[Study, Place, "Verbosity"]:
    flags = parse_flags(audit_parser(), arguments)
    study = read_study(flags)
    return study, fold_place("--fold", flags.fold), verbosity_of(flags)


def audit_parser() -> LineParser:
    """Return the parser of an audit's command line."""
    parser = study_parser(
        "audit",
        "Show which cause makes repeated fits of a model differ: one fold is trained twice "
        "under each cause, in fresh processes.",
        "Exit codes: 0 the audit ran, 1 the fold fails or never comes back, 2 wrong input.",
    )
    parser.add_argument(
        "--fold",
        default="0/0",
        metavar="REPEAT/FOLD",
        help="the fold to train; both count from 0 [default: 0/0]",
    )
    add_study(parser, quiet="print the audit's path only")
    return parser
