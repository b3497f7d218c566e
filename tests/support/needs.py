"""What a test needs of the machine: skipped without it, unless everything has to run."""

import os

import pytest

ALL = "FOLDPROOF_TEST_ALL"  # set where a missing program is a failure


def need(there: bool, package: str) -> None:
    """Skip the test, or fail it, where a program is missing."""
    if there:
        return
    text = f"{package} is not installed"
    if os.environ.get(ALL):
        pytest.fail(text)
    pytest.skip(text)
