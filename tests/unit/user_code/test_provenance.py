"""The source closure of a builder, on real files; nothing of the user's is ever imported."""

import importlib
import inspect
import sys
from importlib import metadata

import pytest

from foldproof.tasks import models
from foldproof.tasks.common.digest import digest_text
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.user_code.provenance import Provenance, trace_import, trace_module


@pytest.fixture
def write(tmp_path):
    """Return a function that writes modules below a folder and forgets cached listings."""

    def write_files(**files):
        for name, text in files.items():
            path = tmp_path / (name.replace("__slash__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        importlib.invalidate_caches()

    return write_files


@pytest.fixture
def trace(tmp_path):
    def trace_here(name):
        found = Provenance()
        trace_module("model.builder", name, [str(tmp_path)], found)
        return found

    return trace_here


def in_folder(tmp_path, files):
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    importlib.invalidate_caches()


def test_a_module_counts_by_its_source(write, trace):
    write(my_model="def build(): ...\n")
    found = trace("my_model")
    assert found.sources == {"my_model": digest_text("def build(): ...\n")}
    assert found.distributions == {}
    assert found.described() == {"sources": found.sources, "distributions": {}}


def test_line_endings_do_not_count(tmp_path, trace):
    in_folder(tmp_path, {"my_model.py": "x = 1\ny = 2\n"})
    unix = trace("my_model").sources
    in_folder(tmp_path, {"my_model.py": "x = 1\r\ny = 2\r\n"})
    assert trace("my_model").sources == unix


def test_imports_are_followed_to_the_last_helper(write, trace):
    write(
        my_model="import first_helper\n",
        first_helper="def f():\n    from second_helper import thing\n",
        second_helper="thing = 1\n",
        unrelated="thing = 2\n",
    )
    assert set(trace("my_model").sources) == {"my_model", "first_helper", "second_helper"}


def test_nothing_is_run(write, trace):
    write(my_model="import helper_bomb\nraise SystemExit\n", helper_bomb="raise SystemExit\n")
    trace("my_model")
    assert "helper_bomb" not in sys.modules


def test_a_change_in_a_helper_changes_the_digest_and_one_elsewhere_does_not(write, trace):
    write(my_model="import my_helper\n", my_helper="UNITS = 8\n", unrelated="x = 1\n")
    before = trace("my_model").described()
    write(unrelated="x = 1  # a comment\n")
    assert trace("my_model").described() == before
    write(my_helper="UNITS = 16\n")
    after = trace("my_model").described()
    assert after != before
    assert after["sources"]["my_model"] == before["sources"]["my_model"]


def test_modules_that_import_each_other_end(write, trace):
    write(my_model="import other_half\n", other_half="import my_model\n")
    assert set(trace("my_model").sources) == {"my_model", "other_half"}


PACKAGE = {
    "net/__init__.py": "from . import parts\n",
    "net/parts.py": "from .deep.layers import dense\nfrom . import shapes\n",
    "net/shapes.py": "",
    "net/unused.py": "",
    "net/deep/__init__.py": "",
    "net/deep/layers.py": "from ..shapes import *\nfrom ...net import shapes\n",
}


def test_relative_imports_of_a_package_are_followed(tmp_path, trace):
    in_folder(tmp_path, PACKAGE)
    expected = {"net", "net.parts", "net.shapes", "net.deep", "net.deep.layers"}
    assert set(trace("net").sources) == expected


def test_a_module_counts_with_the_packages_above_it(tmp_path, trace):
    in_folder(tmp_path, {**PACKAGE, "net/deep/own.py": ""})
    assert "net.parts" in trace("net.deep.own").sources


def test_a_package_without_init_is_followed(tmp_path, trace):
    in_folder(tmp_path, {"bare/model.py": "import bare.inner.helper\n", "bare/inner/helper.py": ""})
    assert set(trace("bare.model").sources) == {"bare.model", "bare.inner.helper"}


def test_an_imported_attribute_is_no_module(write, trace):
    write(my_model="from my_helper import build\nimport os.path\n", my_helper="build = None\n")
    assert set(trace("my_model").sources) == {"my_model", "my_helper"}


def test_an_optional_import_may_be_missing(write, trace):
    write(my_model="try:\n    import not_there_at_all\nexcept ImportError:\n    pass\n")
    assert set(trace("my_model").sources) == {"my_model"}


def test_a_missing_module_is_refused(trace):
    with pytest.raises(InputError) as caught:
        trace("no_such_module")
    assert str(caught.value) == (
        "model.builder: no module 'no_such_module'; it is looked for from the working directory"
    )


def test_a_missing_import_by_name_is_let_pass(tmp_path):
    found = Provenance()
    trace_import("model.builder", "no_such_module.thing", [str(tmp_path)], found)
    assert found.described() == {"sources": {}, "distributions": {}}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\ndef build(:\n", r"line 2 of my_model\.py is not Python"),
        (b"x = 1\0\n", r"my_model\.py is not Python"),
        (b"# coding: no-such-code\n", r"my_model\.py is not Python"),
        (b"x = '\xff'\n", r"my_model\.py is not Python"),
    ],
)
def test_what_is_not_python_is_refused_with_its_place(tmp_path, trace, source, said):
    in_folder(tmp_path, {"my_model.py": source})
    with pytest.raises(InputError, match=f"^model.builder: .*{said}") as caught:
        trace("my_model")
    assert "\n" not in str(caught.value)


def test_a_syntax_error_in_a_helper_names_the_helper(write, trace):
    write(my_model="import my_helper\n", my_helper="\n\n)\n")
    with pytest.raises(InputError, match=r"line 3 of my_helper\.py"):
        trace("my_model")


@pytest.mark.parametrize(
    "source",
    [
        "# -*- coding: latin-1 -*-\nname = 'Gr\xfc\xdfe'\nimport my_helper\n".encode("latin-1"),
        "import my_helper\n".encode("utf-8-sig"),
        b"import my_helper\nescape = '\\d'\n",  # Python warns of it, but runs it
    ],
)
def test_what_python_can_read_is_read(tmp_path, trace, source):
    in_folder(tmp_path, {"my_model.py": source, "my_helper.py": ""})
    assert set(trace("my_model").sources) == {"my_model", "my_helper"}


def test_an_extension_module_counts_by_its_bytes(tmp_path, trace):
    name = "fast" + importlib.machinery.EXTENSION_SUFFIXES[0]
    in_folder(tmp_path, {"my_model.py": "import fast\n", name: b"machine code"})
    before = trace("my_model").sources
    assert set(before) == {"my_model", "fast"}
    in_folder(tmp_path, {name: b"other machine code"})
    assert trace("my_model").sources["fast"] != before["fast"]


def test_an_installed_distribution_counts_by_version(write, trace):
    write(
        my_model="import numpy as np\nfrom sklearn.svm import SVC\nimport yaml, json, os.path\n"
        "import keras\n"
    )
    found = trace("my_model")
    assert set(found.sources) == {"my_model"}
    names = ("numpy", "scikit-learn", "PyYAML", "keras")
    assert found.distributions == {name: metadata.version(name) for name in names}


def test_an_installed_builder_has_no_source_of_the_users(trace):
    found = trace("sklearn.linear_model")
    assert found.sources == {}
    assert found.distributions == {"scikit-learn": metadata.version("scikit-learn")}


def test_a_file_beside_installed_packages_that_no_distribution_holds_counts_by_source(
    tmp_path, trace
):
    loose = tmp_path / "site-packages"
    in_folder(loose, {"copied_by_hand.py": "x = 1\n"})
    found = Provenance()
    trace_module("model.builder", "copied_by_hand", [str(loose)], found)
    assert set(found.sources) == {"copied_by_hand"}


@pytest.mark.parametrize("name", ["profile", "statistics", "code"])
def test_a_users_module_with_a_name_of_pythons_counts_by_source(write, trace, name):
    write(**{name: "def build(): ...\n"})
    assert set(trace(name).sources) == {name}


def test_our_own_builders_count_by_source(trace):
    found = trace("tasks.models")
    assert set(found.sources) == {"tasks.models"}
    assert found.notices == []


def test_what_a_module_takes_of_foldproof_counts_by_the_version_in_every_key(write, trace):
    write(my_model="from foldproof.tasks.models import mlp\nimport foldproof.tasks.config\n")
    assert set(trace("my_model").sources) == {"my_model"}


@pytest.mark.parametrize("name", ["tasks", "flows", "deployments"])
def test_a_module_of_the_users_may_have_the_name_of_a_folder_of_ours(write, trace, name):
    write(**{name: "def build(): ...\n", "my_model": f"from {name} import build\n"})
    assert set(trace(name).sources) == {name}
    assert set(trace("my_model").sources) == {name, "my_model"}


def test_the_built_in_builders_are_ours_beside_a_module_of_that_name(tmp_path, trace):
    in_folder(tmp_path, {"tasks/__init__.py": "", "tasks/models.py": "def mlp(): ...\n"})
    found = trace("tasks.models")
    assert found.sources["tasks.models"] == digest_text(inspect.getsource(models))
    assert found.notices == [
        "tasks.models is foldproof's own; your module of that name is not used"
    ]
