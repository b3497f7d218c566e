"""The glossary: the words of the page, and of its metrics."""

from foldproof.tasks.evaluation.metrics import BY_NAME
from foldproof.tasks.report.sections.glossary import METRICS, glossary, metric_words


def test_every_metric_in_it_is_one():
    assert set(METRICS) <= set(BY_NAME)


def test_a_page_has_the_words_of_its_task_and_metrics():
    words = glossary(["roc_auc", "own.module:metric"], "binary", 1)
    assert {"fold", "roc_auc", "calibration", "threshold"} <= set(words)
    assert "repeat" not in words
    assert list(words) == sorted(words, key=str.lower)
    assert "residual" in glossary(["r2"], "regression", 2)
    assert "repeat" in glossary(["r2"], "regression", 2)
    assert "fold" in glossary([], "a task of a later version", 1)


def test_metrics_are_called_by_their_words():
    assert metric_words("roc_auc") == "area under the ROC curve (roc_auc)"
    assert metric_words("accuracy") == "accuracy"
    assert metric_words("mine@12345678") == "mine"
