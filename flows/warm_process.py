"""The program that `--keep-warm` starts: commands that run flows, one after another."""

import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from foldproof.tasks.cli.warm.server import WarmServer
from foldproof.tasks.run.views.status_line import greet


def perform(command: str, arguments: Sequence[str]) -> NoReturn:
    """Do a command; it imports what it needs as late as a cold one, and leaves by SystemExit."""
    greet(arguments)
    if command == "compare":
        from foldproof.tasks.cli.compare import CompareCommand

        comparing = CompareCommand(arguments)
        from foldproof.flows.compare import compare

        comparing.finish(compare)
    from foldproof.tasks.cli.cv import CvCommand

    validating = CvCommand(arguments)
    from foldproof.flows.cv import cross_validate

    validating.finish(cross_validate)


if __name__ == "__main__":
    compatible, handle = sys.argv[1:]
    WarmServer(perform).serve(compatible, socket.socket(fileno=int(handle)))
