"""A method is there when its module is."""

from foldproof.tasks.common.declared import declared
from foldproof.tasks.evaluation import intervals, paired_tests


def test_each_module_of_a_method_declares_it():
    assert len(declared(intervals.__name__, "METHOD")) == 2
    assert len(declared(paired_tests.__name__, "METHOD")) == 3


def test_a_module_that_is_added_adds_its_method(tmp_path, monkeypatch):
    package = tmp_path / "added_methods"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").write_text("METHOD = 1\n")
    (package / "types.py").write_text("OTHER = 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert declared("added_methods", "METHOD") == [1]


def test_every_interval_has_one_method_for_any_metric():
    methods = declared(intervals.__name__, "METHOD")
    assert sorted(method.precedence for method in methods) == [0, 1]
