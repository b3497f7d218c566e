"""`import foldproof`: what it gives, and that it costs nothing before it is used."""

import json
import subprocess
import sys
import time

import pytest

import foldproof
from foldproof.tasks.common.version import VERSION

HEAVY = ("prefect", "tensorflow", "keras", "pandas", "pyarrow", "sklearn", "numpy", "pydantic")


def in_a_fresh_process(code):
    """Run some lines of Python and return what they print, as JSON."""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return json.loads(ended.stdout)


def test_every_public_name_is_there_and_is_listed():
    for name in foldproof.__all__:
        assert getattr(foldproof, name) is not None
    assert set(foldproof.__all__) <= set(dir(foldproof))
    assert foldproof.__version__ == VERSION


def test_the_lists_of_public_names_agree():
    assert set(foldproof._HOMES) == set(foldproof.__all__)
    assert foldproof.__all__ == sorted(foldproof.__all__)


def test_an_import_loads_nothing_that_takes_time():
    loaded = in_a_fresh_process("import json, sys, foldproof; print(json.dumps(list(sys.modules)))")
    assert not {name.partition(".")[0] for name in loaded} & set(HEAVY)


def test_settings_and_errors_come_without_prefect_and_tensorflow():
    loaded = in_a_fresh_process(
        "import json, sys\n"
        "from foldproof import DataSpec, InputError, TrainSpec\n"
        "print(json.dumps(list(sys.modules)))"
    )
    assert not {name.partition(".")[0] for name in loaded} & {"prefect", "tensorflow", "keras"}


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'cross_validation'"):
        _ = foldproof.cross_validation


def test_an_import_is_quick():
    began = time.monotonic()
    in_a_fresh_process("import foldproof; print(0)")
    bare = time.monotonic()
    in_a_fresh_process("print(0)")
    assert bare - began < 2 * (time.monotonic() - bare) + 0.5
