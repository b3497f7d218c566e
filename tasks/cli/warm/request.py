"""Whether a command is to be kept warm: the flag `--keep-warm`, or an environment variable.

Every command passes here, so this imports nothing that takes time.
"""

import os
import re
import sys
from collections.abc import Sequence

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.exit_codes import WRONG_INPUT
from foldproof.tasks.common.process.kept import WISH

FLAG = "--keep-warm"
HELP = "keep what took seconds to start for the next command, such as 10m; see foldproof status"
ALONE = frozenset(("-h", "--help", "--version"))  # these need nothing that is worth keeping

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_TIME = re.compile(r"([0-9]{1,7}) ?([smh]?)", re.ASCII)
_LONGEST_S = 7 * 24 * 3600


def done_warm(command: str, arguments: Sequence[str]) -> int | None:
    """Have a command done by a warm process if that is wished; return its exit code, or None.

    Args:
        command: its name, such as cv.
        arguments: what follows it.
    """
    try:
        idle_s = wished_s(arguments)
        if idle_s is None:
            return None
        from foldproof.tasks.cli.warm.client import done_by_process

        return done_by_process(command, arguments, idle_s)
    except InputError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return WRONG_INPUT


def wished_s(arguments: Sequence[str]) -> float | None:
    """Return for how many idle seconds a command line asks, or None if it does not ask.

    Raises:
        InputError: what it gives is no time.
    """
    after = dict(enumerate(arguments[1:]))
    given = [
        (FLAG, word.removeprefix(f"{FLAG}=") if word != FLAG else after[place])
        for place, word in enumerate(arguments)
        if word.startswith(f"{FLAG}=") or (word == FLAG and place in after)
    ]
    given = given[-1:] or [(WISH, os.environ.get(WISH, ""))]
    field, text = given[0]
    if ALONE & set(arguments) or (field == WISH and text in ("", "0")):
        return None
    return idle_seconds(field, text)


def idle_seconds(field: str, text: str) -> float:
    """Return the seconds that a text such as 90s, 10m or 1h stands for.

    Raises:
        InputError: it stands for none, or for more than a week.
    """
    found = _TIME.fullmatch(text.strip())
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= _LONGEST_S:
        raise InputError(field, f"{text!r} is no time; write 90s, 10m or 1h, up to 168h")
    return float(seconds)
