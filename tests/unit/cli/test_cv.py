"""Which errors mean that somebody stopped the run, and that Prefect is not imported to know."""

import signal
import sys

import pytest
from prefect.exceptions import TerminationSignal

from foldproof.tasks.cli.cv import _is_stop
from foldproof.tasks.common.errors import Interrupted
from tests.support.command import run
from tests.support.places import ROOT


class Terminator(Exception):
    """An error of the user's whose name only sounds like one of Prefect's."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyboardInterrupt(), True),
        (Interrupted("stopped"), True),
        (TerminationSignal(signal.SIGTERM), True),
        (Terminator(), False),
        (ValueError(), False),
    ],
)
def test_what_stops_a_run(error: BaseException, expected: bool) -> None:
    assert _is_stop(error) is expected


def test_prefect_is_not_imported_to_know() -> None:
    code = (
        "import sys; from foldproof.tasks.cli.cv import _is_stop;"
        "assert not _is_stop(ValueError());"
        "assert _is_stop(KeyboardInterrupt()); print('prefect' in sys.modules)"
    )
    assert run([sys.executable, "-c", code], ROOT).out == "False\n"
