"""Builders given as objects: named, and identified by all that can change what they build."""

import collections
import datetime
import decimal
import functools
import itertools
import logging
import os
import pathlib
import re
import subprocess
import sys
import threading
import types
from dataclasses import dataclass

import cloudpickle
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.models import mlp
from foldproof.tasks.user_code.builder import load_builder
from foldproof.tasks.user_code.builder_call import BuilderCall
from foldproof.tasks.user_code.objects.fingerprint import identify
from foldproof.tasks.user_code.objects.functions import (
    dump_function,
    function_object,
    is_function_object,
    modules_of,
    register_function,
)
from tests.support.places import ROOT


def importable():
    """A function that a worker can import."""


class Importable:
    def method(self):
        """A method that a worker can import by its class."""


def cell(source, **given):
    """Run a notebook cell's text in a fresh namespace and return it."""
    namespace = {"__name__": "__main__", **given}
    exec(compile(source, "<cell>", "exec"), namespace)
    return namespace


def script(tmp_path, source, name="script.py"):
    """Run a script's file, so that its source can be read, and return its namespace."""
    path = tmp_path / name
    path.write_text(source)
    namespace = {"__name__": "__main__"}
    exec(compile(source, str(path), "exec"), namespace)
    return namespace


def run_both_ways(tmp_path, source):
    """Return the identity of `build`, with its source at hand and typed into an interpreter."""
    fresh = tmp_path / f"{len(list(tmp_path.iterdir()))}.py"
    return identify(script(tmp_path, source, fresh.name)["build"]), identify(cell(source)["build"])


def test_a_function_of_a_module_is_named_by_it():
    assert register_function(mlp) == "foldproof.tasks.models:mlp"
    assert register_function(importable) == "tests.unit.user_code.objects.test_functions:importable"
    assert (
        register_function(Importable.method)
        == "tests.unit.user_code.objects.test_functions:Importable.method"
    )
    assert not is_function_object("tasks.models:mlp")


def test_a_function_inside_another_is_kept_under_its_digest():
    def build():
        return 1

    name = register_function(build)
    assert name.startswith("tests.unit.user_code.objects.test_functions:test_a_function_inside")
    assert is_function_object(name)
    assert function_object(name) is build
    assert len(name.rpartition("@")[2]) == 8


def test_a_function_of_the_main_script_is_kept():
    build = cell("def build(): ...")["build"]
    name = register_function(build)
    assert name.startswith("__main__:build@")
    assert function_object(name) is build


def test_a_redefined_function_of_a_module_is_kept():
    other = types.FunctionType(importable.__code__, globals(), "importable")
    assert is_function_object(register_function(other))


def test_another_processs_function_is_refused():
    with pytest.raises(InputError, match="was a function of another process; put it in a module"):
        function_object("__main__:build@00000000")


def test_an_object_without_a_name_is_refused():
    with pytest.raises(InputError, match="has no name; wrap it in a function"):
        register_function(functools.partial(mlp, hidden=(4,)))


def test_a_function_travels_by_value(tmp_path):
    build = cell("UNITS = 8\ndef helper(): return UNITS\ndef build(): return helper()")["build"]
    assert cloudpickle.loads(dump_function(register_function(build)))() == 8


def test_a_worker_restores_what_travelled(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    name = register_function(cell("def build(task): return task")["build"])
    call = BuilderCall(name, dump_function(name), {}, (3,), 1, 2, "binary", ())
    assert load_builder(call)("binary") == "binary"


BASE = """
import numpy as np
UNITS = {units}
def helper():
    return {helper}
class Net:
    units = UNITS
    def size(self):
        return UNITS
    @property
    def shape(self):
        return SHAPE
SHAPE = {shape}
def build(dropout={default}, *, rate={rate}):
    def inner():
        return {inner}
    return helper() + inner() + Net().size() + {own}
"""
PLAIN = {
    "units": "8",
    "helper": "1",
    "shape": "(3, 4)",
    "default": "0.2",
    "rate": "0.1",
    "inner": "2",
    "own": "3",
}


@pytest.mark.parametrize("part", PLAIN)
def test_every_part_of_a_function_counts(tmp_path, part):
    same, changed = BASE.format(**PLAIN), BASE.format(**{**PLAIN, part: "11"})
    assert run_both_ways(tmp_path, same) == run_both_ways(tmp_path, same)
    for one, other in zip(
        run_both_ways(tmp_path, same), run_both_ways(tmp_path, changed), strict=True
    ):
        assert one != other


def test_what_a_function_does_not_read_does_not_count(tmp_path):
    source = "UNREAD = {}\ndef build():\n    return 1\n"
    assert run_both_ways(tmp_path, source.format(1)) == run_both_ways(tmp_path, source.format(2))


@pytest.mark.parametrize(
    "read",
    [
        "input = {}\ndef build(): return input\n",  # hides a builtin
        "def build(): return {{'a': [1, ({}, 'x')]}}\n",
        "UNITS = {{'a': [1, ({}, 'x')]}}\ndef build(): return UNITS\n",
        "UNITS = {{1, {}}}\ndef build(): return UNITS\n",
        "import numpy as np\nUNITS = np.full(3, {})\ndef build(): return UNITS\n",
        "import numpy as np\nUNITS = np.float32({})\ndef build(): return UNITS\n",
        "import functools\nf = functools.partial(int, {})\ndef build(): return f()\n",
        "N = {}\nclass Net:\n    units = N\ndef build(): return Net.units\n",
        "class Base:\n    def f(self): return {}\nclass Net(Base): ...\ndef build(): return Net\n",
        "class Net:\n    @classmethod\n    def f(cls): return {}\ndef build(): return Net.f()\n",
        "class Net:\n    @staticmethod\n    def f(): return {}\ndef build(): return Net.f()\n",
        "def build(): return build.units\nbuild.units = {}\n",
        "def make(n):\n    def build(): return n\n    return build\nbuild = make({})\n",
        "def make(n):\n    class Net:\n        units = n\n    def build(): return Net\n"
        "    return build\nbuild = make({})\n",
        "f = lambda: {}\ndef build(): return f()\n",
        "import types\nconfig = types.SimpleNamespace(units={})\ndef build(): return config\n",
    ],
)
def test_every_kind_of_value_that_is_read_counts(tmp_path, read):
    one, same, other = (run_both_ways(tmp_path, read.format(number)) for number in (8, 8, 16))
    assert one == same
    assert one[0] != other[0]
    assert one[1] != other[1]


def test_what_a_decorator_wraps_around_a_function_counts(tmp_path):
    source = (
        "import functools\n"
        "def scaled(function):\n"
        "    @functools.wraps(function)\n"
        "    def wrapper():\n"
        "        return function() * {}\n"
        "    return wrapper\n"
        "@scaled\n"
        "def build():\n"
        "    return {}\n"
    )
    sides = [source.format(*numbers) for numbers in [(2, 3), (2, 3), (5, 3), (2, 5)]]
    for way in zip(*(run_both_ways(tmp_path, text) for text in sides), strict=True):
        assert way[0] == way[1]
        assert len({str(identity) for identity in way}) == 3


def test_which_of_two_functions_on_one_line_is_read_counts(tmp_path):
    text = "a, b = lambda: 1, lambda: 2\nbuild = "
    one, other = run_both_ways(tmp_path, text + "a"), run_both_ways(tmp_path, text + "b")
    assert one[0] != other[0]
    assert one[1] != other[1]


def test_functions_that_read_each_other_end(tmp_path):
    source = "def build(): return other\ndef other(): return build, TABLE\nTABLE = {'f': build}\n"
    assert run_both_ways(tmp_path, source) == run_both_ways(tmp_path, source)


def test_a_class_of_the_notebook_behind_an_object_counts(tmp_path):
    source = (
        "class Config:\n    def units(self): return {}\n"
        "config = Config()\ndef build(): return config.units()\n"
    )
    one, same, other = (run_both_ways(tmp_path, source.format(n)) for n in (8, 8, 16))
    assert one == same
    assert one[0] != other[0]
    assert one[1] != other[1]


def test_identities_agree_between_processes_that_hash_text_differently():
    source = (
        "KINDS = {'a', 'b', 'c', 'd'}\n"
        "def build(x):\n    return x in {'e', 'f', 'g', 'h'} or x in KINDS\n"
        "from foldproof.tasks.user_code.objects.functions import register_function\n"
        "print(register_function(build))\n"
    )
    names = {
        subprocess.run(
            [sys.executable, "-"],
            input=source,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(names) == 1


def test_modules_that_a_function_reads_are_known():
    build = cell(
        "import numpy as np\nfrom tasks.models import mlp\nfrom dataclasses import dataclass\n"
        "def helper(): return np\n"
        "def build(): return helper(), mlp\n"
    )["build"]
    assert {"numpy", "tasks.models"} <= modules_of(register_function(build))


def test_modules_that_a_functions_code_imports_are_known():
    build = cell(
        "def helper():\n    from sklearn import svm\n"
        "def build():\n    import keras\n    import os.path\n"
        "    def inner():\n        from scipy.stats import norm\n    return helper\n"
    )["build"]
    found = modules_of(register_function(build))
    assert {"keras", "os.path", "sklearn.svm", "scipy.stats"} <= found


def test_relative_imports_in_a_functions_code_are_resolved():
    inside = {"__name__": "x", "__package__": "tests.support"}
    source = (
        "def build():\n    from . import zoo\n    from .zoo import dense\n    return zoo, dense\n"
    )
    build = cell(source, **inside)["build"]
    assert {"tests.support.zoo", "tests.support.zoo.dense"} <= modules_of(register_function(build))


@dataclass(frozen=True)
class Units:
    count: int


def test_the_module_of_an_objects_class_is_known():
    units = Units(8)

    def build():
        return units

    assert "tests.unit.user_code.objects.test_functions" in modules_of(register_function(build))
    assert identify(units) == identify(Units(8))
    assert identify(units) != identify(Units(9))


UNKNOWN = (
    "that can neither be sent to a worker nor told from another one; make it inside of {}"
).format


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("lock = threading.Lock()\ndef build(): return lock", ("build", "lock", "_thread.lock")),
        (
            "kept = {'a': [threading.Event()]}\ndef build(): return kept",
            ("build", "kept", "threading.Event"),
        ),
        (
            "rows = (i for i in 'ab')\ndef helper(): return rows\ndef build(): return helper()",
            ("helper", "rows", "builtins.generator"),
        ),
        (
            "def build(lock=threading.Lock()): return lock",
            ("build", "a default", "_thread.lock"),
        ),
        (
            "class Net:\n    lock = threading.Lock()\ndef build(): return Net()",
            ("Net", "lock", "_thread.lock"),
        ),
        (
            "class Net:\n    def __reduce__(self): raise TypeError\n"
            "net = Net()\ndef build(): return net",
            ("build", "net", "__main__.Net"),
        ),
        (
            "def outer():\n    lock = threading.Lock()\n    return lambda: lock\nbuild = outer()",
            ("<lambda>", "lock", "_thread.lock"),
        ),
    ],
)
def test_what_cannot_be_told_from_another_is_refused(source, line):
    build = cell(source, threading=threading)["build"]
    user, variable, kind = line
    with pytest.raises(InputError) as refused:
        parse_study({"model": build})
    start = f"model.builder: {user} uses {variable!r}, which holds a {kind}: "
    assert str(refused.value) == start + UNKNOWN(user)
    assert len(str(refused.value)) <= 200


def test_two_that_would_differ_only_in_such_a_value_share_no_name():
    source = "def build(): return next(values)"
    for values in ((i for i in "a"), (i for i in "b")):
        with pytest.raises(InputError, match="build uses 'values'"):
            register_function(cell(source, values=values)["build"])


def test_the_name_of_an_attribute_is_not_a_variable():
    source = "def build(model): return model.lock"
    plain = identify(cell(source)["build"])
    assert identify(cell(source, lock=threading.Lock())["build"]) == plain


@pytest.mark.parametrize(
    "value",
    [
        logging.getLogger("net"),
        re.compile("[0-9]+"),
        np.random.default_rng(1),
        np.random.RandomState(1),
        np.random.default_rng(1).normal,
        np.add,
        np,
        os.environ,
        len,
        lambda units: units + 1,
        functools.partial(np.zeros, 3),
        collections.deque([1]),
        collections.defaultdict(list, a=[1]),
        pathlib.Path("net"),
        decimal.Decimal(1),
        datetime.date(2024, 5, 1),
        itertools.count(3),
        LogisticRegression(C=2.0),
        types.MappingProxyType({"a": 1}),
        ...,
        int | str,
        list[int],
    ],
)
def test_what_can_be_sent_to_a_worker_is_identified(value):
    source = "def build(): return value"
    name = register_function(cell(source, value=value)["build"])
    assert name == register_function(cell(source, value=value)["build"])
    assert dump_function(name)


def test_arrays_count_by_content():
    assert identify(np.zeros(3)) == identify(np.zeros(3))
    assert identify(np.zeros(3)) != identify(np.zeros(3, np.float32))
    assert identify([1]) != identify((1,))
    assert identify(1) != identify(True)
