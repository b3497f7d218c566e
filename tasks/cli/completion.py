"""Completion in a shell: `eval "$(foldproof completion bash)"`.

argcomplete asks this program what may come next, so the words are those of the parsers.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import argcomplete
from argcomplete.completers import FilesCompleter
from argcomplete.shell_integration import shellcode

from foldproof.tasks.cli.arguments import cv_parser
from foldproof.tasks.cli.audit import audit_parser
from foldproof.tasks.cli.compare import compare_parser
from foldproof.tasks.cli.list_runs import list_parser
from foldproof.tasks.cli.status import status_parser, stop_parser
from foldproof.tasks.cli.verify import verify_parser
from foldproof.tasks.common.exit_codes import DONE, WRONG_INPUT

SHELLS = ("bash", "zsh", "fish")
PARSERS: dict[str, Callable[[], argparse.ArgumentParser]] = {
    "cv": cv_parser,
    "compare": compare_parser,
    "verify": verify_parser,
    "audit": audit_parser,
    "list": list_parser,
    "status": status_parser,
    "stop": stop_parser,
}


def show_script(arguments: Sequence[str]) -> int:
    """Print what a shell is to run once, and return the exit code."""
    shell = arguments[0] if arguments else ""
    if len(arguments) != 1 or shell not in SHELLS:
        use = f"usage: foldproof completion {' | '.join(SHELLS)}"
        if shell in ("-h", "--help"):
            print(f'{use}\n\nFor this shell: eval "$(foldproof completion bash)"')
            return DONE
        print(f"command line: give one of {', '.join(SHELLS)}; {use}", file=sys.stderr)
        return WRONG_INPUT
    print(shellcode(["foldproof"], shell=shell))
    return DONE


def complete(commands: Mapping[str, str]) -> None:
    """Answer a shell that asks what may come next, and end.

    Args:
        commands: what each does, by its name.
    """
    argcomplete.autocomplete(whole_parser(commands), default_completer=FilesCompleter())


def whole_parser(commands: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return one parser of all commands; only completion needs it."""
    parser = argparse.ArgumentParser(prog="foldproof")
    parser.add_argument("--version", action="store_true", help="show the version")
    words = parser.add_subparsers(parser_class=cast(type[argparse.ArgumentParser], _parser_of))
    for name, does in commands.items():
        words.add_parser(name, help=does)
    return parser


def _parser_of(prog: str) -> argparse.ArgumentParser:
    """Return the parser of the command that the last word names."""
    name = prog.rpartition(" ")[2]
    if name == "completion":
        parser = argparse.ArgumentParser(prog=prog)
        parser.add_argument("shell", choices=SHELLS)
        return parser
    return PARSERS[name]() if name in PARSERS else argparse.ArgumentParser(prog=prog)
