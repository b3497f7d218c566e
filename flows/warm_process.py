"""The program that `--keep-warm` starts: commands that run flows, one after another."""

import socket
import sys
from collections.abc import Sequence

from foldproof.tasks.cli.warm.process import WarmProcess
from foldproof.tasks.run.views.status_line import greet


def perform(command: str, arguments: Sequence[str]) -> int:
    """Do a command; import what it needs as late as the command itself does."""
    greet(arguments)
    if command == "compare":
        from foldproof.tasks.cli.compare import CompareCommand

        comparing = CompareCommand(arguments)
        from foldproof.flows.compare import compare

        comparing.finish(compare)
    from foldproof.tasks.cli.cv import Command

    validating = Command(arguments)
    from foldproof.flows.cv import cross_validate

    validating.finish(cross_validate)


if __name__ == "__main__":
    like, handle = sys.argv[1:]
    WarmProcess(perform).serve(like, socket.socket(fileno=int(handle)))
