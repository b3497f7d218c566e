"""The tree of tests mirrors that of the modules, and no test leans on another."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.places import ROOT

TESTS = ROOT / "tests"
UNIT = TESTS / "unit"
FOLDERS = ("unit", "integration", "system")  # of tests; the others help or measure
OF_THE_TREE = {Path("test_tree.py")}


def modules_of_tests(folder: Path) -> list[Path]:
    return sorted(folder.rglob("test_*.py"))


def mirrored(test: Path) -> Path:
    """Return the module that a unit test is about, without its ending."""
    below = test.relative_to(UNIT)
    return ROOT / "tasks" / below.with_name(below.stem.removeprefix("test_"))


def imported(source: Path) -> Iterator[str]:
    """Yield the names of all modules that a file imports, or imports something from."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_unit_test_mirrors_a_module_or_package():
    tests = [test for test in modules_of_tests(UNIT) if test.relative_to(UNIT) not in OF_THE_TREE]
    assert len(tests) > 50
    homeless = [
        str(test.relative_to(ROOT))
        for test in tests
        if not mirrored(test).with_suffix(".py").is_file()
        and not (mirrored(test) / "__init__.py").is_file()
    ]
    assert homeless == []


def test_every_test_lies_in_one_of_the_folders():
    outside = [
        str(test.relative_to(ROOT))
        for test in modules_of_tests(TESTS)
        if test.relative_to(TESTS).parts[0] not in FOLDERS
    ]
    assert outside == []


def test_what_has_a_command_of_its_own_lies_where_that_looks():
    """`make test-server` and its kin collect tests/system alone."""
    marks = re.compile(r"\bmark\.(server|browser|clusters|gpu)\b")
    elsewhere = [
        str(test.relative_to(ROOT))
        for folder in ("unit", "integration")
        for test in modules_of_tests(TESTS / folder)
        if marks.search(test.read_text(encoding="utf-8"))
    ]
    assert elsewhere == []


@pytest.mark.parametrize("folder", [*FOLDERS, "support", "bench"])
def test_no_module_imports_a_test(folder):
    prefixes = (*(f"tests.{name}." for name in FOLDERS), "tests.conftest")
    found = [
        f"{source.relative_to(ROOT)} imports {name}"
        for source in sorted((TESTS / folder).rglob("*.py"))
        for name in imported(source)
        if name.startswith(prefixes)
    ]
    assert found == []


def test_every_test_has_a_time_after_which_it_fails(pytestconfig):
    assert 0 < float(pytestconfig.getini("timeout")) <= 600


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_of_tests_is_a_package(folder):
    """Modules of the same name in two folders need packages to be told apart."""
    folders = {test.parent for test in modules_of_tests(TESTS / folder)}
    assert [each for each in folders if not (each / "__init__.py").is_file()] == []
