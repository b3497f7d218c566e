"""What was checked in a run, with the outcome."""

from foldproof.tasks.report.sections.checks import checks
from tests.support.reports import ALONE, finish


def test_the_checks_say_what_came_of_them(tmp_path):
    done = finish(tmp_path, lambda _, fold: "ValueError: no" if fold == 1 else None)
    found = checks(done.tables, done.run.key)
    assert found["rows tested"] == "100 of 150"
    assert found["start of training"] == "2 of 3 folds: new estimator; nothing carried over"
    assert found["undefined values"] == "0, left out of the means"
    assert "groups" not in found


def test_undefined_values_are_counted(tmp_path):
    done = finish(tmp_path, **ALONE, metrics=["roc_auc"])
    assert checks(done.tables, done.run.key)["undefined values"].startswith("12,")
