"""The command `foldproof`, which `python -m foldproof` is as well: one word a command.

Each is the same as the script of its name in `flows/`. Nothing is imported before it is needed:
a terminal shows at once that something goes on.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from foldproof.tasks.common.version import VERSION
from foldproof.tasks.run.views.status_line import greet

WRONG_INPUT = 2


def _cv(arguments: Sequence[str]) -> int:
    from foldproof.tasks.cli.warm.request import done_warm

    if (code := done_warm("cv", arguments)) is not None:
        return code
    greet(arguments)
    from foldproof.tasks.cli.cv import CvCommand

    command = CvCommand(arguments)  # before the seconds that Prefect takes to import
    from foldproof.flows.cv import cross_validate

    command.finish(cross_validate)


def _compare(arguments: Sequence[str]) -> int:
    from foldproof.tasks.cli.warm.request import done_warm

    if (code := done_warm("compare", arguments)) is not None:
        return code
    greet(arguments)
    from foldproof.tasks.cli.compare import CompareCommand

    command = CompareCommand(arguments)  # before the seconds that Prefect takes to import
    from foldproof.flows.compare import compare

    command.finish(compare)


def _verify(arguments: Sequence[str]) -> int:
    greet(arguments, "reading the report")
    from foldproof.tasks.cli.verify import main

    return main(arguments)


def _audit(arguments: Sequence[str]) -> int:
    greet(arguments)
    from foldproof.tasks.cli.audit import main

    return main(arguments)


def _list(arguments: Sequence[str]) -> int:
    greet(arguments, "reading the reports")
    from foldproof.tasks.cli.list_runs import main as list_runs

    return list_runs(arguments)


def _ui(arguments: Sequence[str]) -> int:
    greet(arguments, "starting Prefect's pages")
    from foldproof.deployments.ui import bring_up

    return bring_up(arguments)


def _status(arguments: Sequence[str]) -> int:
    from foldproof.tasks.cli.status import show_status

    return show_status(arguments)


def _stop(arguments: Sequence[str]) -> int:
    from foldproof.tasks.cli.status import stop_all

    return stop_all(arguments)


def _completion(arguments: Sequence[str]) -> int:
    from foldproof.tasks.cli.completion import show_script

    return show_script(arguments)


class Word(NamedTuple):
    """A command: what it does, and who does it."""

    does: str
    run: Callable[[Sequence[str]], int]


COMMANDS = {
    "cv": Word("cross-validate a model", _cv),
    "compare": Word("cross-validate several models, and test them in pairs", _compare),
    "verify": Word("check a report, and refit folds of it in fresh processes", _verify),
    "audit": Word("show what makes repeated fits of a model differ", _audit),
    "list": Word("show the runs of a folder of results, newest first", _list),
    "ui": Word("Prefect's pages with a worker and all deployments, until Ctrl-C", _ui),
    "status": Word("show what `--keep-warm` has kept for the next command", _status),
    "stop": Word("end what `--keep-warm` has kept", _stop),
    "completion": Word("print what lets bash, zsh or fish complete these commands", _completion),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what a command line says and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "_ARGCOMPLETE" in os.environ:
        from foldproof.tasks.cli.completion import complete

        complete({name: word.does for name, word in COMMANDS.items()})
    first, rest = (given[0], given[1:]) if given else ("--help", [])
    if first in COMMANDS:
        return COMMANDS[first].run(rest)
    if first in ("-h", "--help", "help"):
        print(_help())
        return 0
    if first == "--version":
        print(f"foldproof {VERSION}")
        return 0
    print(_unknown(first), file=sys.stderr)
    return WRONG_INPUT


def _help() -> str:
    width = max(map(len, COMMANDS))
    listed = [f"  {name:{width}}  {word.does}" for name, word in COMMANDS.items()]
    return "\n".join(
        [
            "usage: foldproof COMMAND [...]\n",
            "Cross-validation of Keras models that you can prove.\n",
            *listed,
            "\nfoldproof COMMAND --help shows what a command takes.",
        ]
    )


def _unknown(first: str) -> str:
    """Say in a line what is wrong about the first word, and what to type."""
    if first.startswith("-"):
        return f"command line: {first!r} before any command; write foldproof cv {first} ..."
    from foldproof.tasks.common.text import nearest, one_line

    return one_line(f"command line: unknown command {first!r}; {nearest(first, COMMANDS).strip()}")


if __name__ == "__main__":
    raise SystemExit(main())
