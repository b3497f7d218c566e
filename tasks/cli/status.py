"""The commands `foldproof status` and `foldproof stop`: what is kept warm, and its end."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

from foldproof.tasks.cli.arguments import LineParser, called
from foldproof.tasks.cli.warm.sockets import STATUS, STOP, connections
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.exit_codes import DONE, WRONG_INPUT


def show_status(arguments: Sequence[str]) -> int:
    """Show the warm processes of this user, and return the exit code."""
    return _ask_all(status_parser, arguments, STATUS, _state)


def stop_all(arguments: Sequence[str]) -> int:
    """End the warm processes of this user, and return the exit code."""
    return _ask_all(stop_parser, arguments, STOP, _end)


def status_parser() -> LineParser:
    """Return the parser of `foldproof status`."""
    return LineParser(prog=called("status"), description="Show what is kept warm.")


def stop_parser() -> LineParser:
    """Return the parser of `foldproof stop`."""
    return LineParser(prog=called("stop"), description="End what is kept warm.")


def _ask_all(
    parser: Callable[[], LineParser],
    arguments: Sequence[str],
    question: str,
    in_words: Callable[[dict[str, Any]], str],
) -> int:
    """Ask each process, and print what it says."""
    try:
        parser().parse_args(arguments)
        answers = [answer for connection in connections() if (answer := connection.ask(question))]
    except InputError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return WRONG_INPUT
    for answer in answers:
        print(in_words(answer))
    if not answers:
        print("nothing is kept warm", file=sys.stderr)
    return DONE


def _state(answer: dict[str, Any]) -> str:
    kept = ", ".join(answer["kept"]) or "no processes of its own"
    if answer["busy"]:
        return f"{_name(answer)}: at work"
    return f"{_name(answer)}: idle, ends in {_duration(answer['ends_in_s'])}; keeps {kept}"


def _end(answer: dict[str, Any]) -> str:
    return f"{_name(answer)}: {'ends after its command' if answer['busy'] else 'ended'}"


def _name(answer: dict[str, Any]) -> str:
    return f"process {answer['pid']}, foldproof {answer['version']}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
