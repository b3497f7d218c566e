"""A method is there when its module is."""

from foldproof.tasks.common.declared import declared
from foldproof.tasks.evaluation import findings, intervals, paired_tests


def test_each_module_of_a_method_declares_it():
    assert len(declared(intervals.__name__, "METHOD")) == 8
    assert len(declared(findings.__name__, "CHECKS")) == 8
    assert len(declared(paired_tests.__name__, "METHOD")) == 6


def test_a_module_that_is_added_adds_its_method(tmp_path, monkeypatch):
    package = tmp_path / "added_methods"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").write_text("METHOD = 1\n")
    (package / "types.py").write_text("OTHER = 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert declared("added_methods", "METHOD") == [1]


def test_every_interval_has_a_name_of_its_own():
    names = [method.name for method in declared(intervals.__name__, "METHOD")]
    assert len(set(names)) == len(names)
