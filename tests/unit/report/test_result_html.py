"""What a result gives in Python: arrays, scikit-learn's dictionary, a page, a proof."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate as theirs

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.report.result import Result
from tests.support.reports import finish


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("reports"))


@pytest.fixture
def result(finished):
    return Result(finished.path, finished.run_id, 3, 0)


def test_scores_are_an_array_a_metric(result):
    assert list(result.scores) == ["accuracy", "balanced_accuracy", "roc_auc_ovr"]
    for name, values in result.scores.items():
        assert values.dtype == np.float64
        np.testing.assert_array_equal(values, result.folds[name])


def test_a_failed_fold_has_no_score(tmp_path):
    failing = finish(tmp_path, lambda _, fold: "ValueError: boom" if fold == 1 else None)
    scores = Result(failing.path, failing.run_id, 3, 1).scores
    assert np.isnan(scores["accuracy"]).tolist() == [False, True, False]


def test_it_is_what_scikit_learn_returns(result):
    X = np.random.default_rng(0).normal(size=(60, 2))
    names = ["accuracy", "balanced_accuracy", "roc_auc_ovr"]
    expected = theirs(LogisticRegression(), X, X[:, 0] > 0, cv=3, scoring=names)
    found = result.to_sklearn()
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert (found[name].shape, found[name].dtype) == (values.shape, values.dtype)
    assert (found["fit_time"] > 0).all()
    assert (found["score_time"] > 0).all()


def test_a_notebook_shows_its_table_and_a_link(finished, result):
    shown = result._repr_html_()
    assert shown.count("<tr>") == 4
    assert f'href="{(finished.path / "report.html").as_uri()}"' in shown
    assert "roc_auc_ovr" in shown


def test_what_must_be_known_is_shown_escaped(finished):
    shown = Result(finished.path, finished.run_id, 3, 1, notices=("a <b> & c",))._repr_html_()
    assert "INCOMPLETE: 1 of 3 folds failed" in shown
    assert "a &lt;b&gt; &amp; c" in shown


def test_it_opens_its_page_in_a_browser(finished, result, monkeypatch, tmp_path):
    """A real command in the browser's place, as the variable BROWSER names one."""
    import webbrowser

    told = tmp_path / "told"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {told}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    monkeypatch.setattr(webbrowser, "_browsers", {})
    assert result.open()
    assert told.read_text().strip() == (finished.path / "report.html").as_uri()


def test_a_report_in_object_storage_is_not_opened(finished):
    stored = Result(finished.path, finished.run_id, 3, 0, address="s3://bucket/runs/1")
    with pytest.raises(InputError, match=r"fetch s3://bucket/runs/1/report\.html"):
        stored.open()
