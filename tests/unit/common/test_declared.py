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


def test_of_the_default_intervals_one_is_for_any_metric():
    methods = declared(intervals.__name__, "METHOD")
    ranks = [method.precedence for method in methods if method.precedence is not None]
    assert sorted(ranks) == [0, 1, 2, 2, 3]
