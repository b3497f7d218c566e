"""Metrics of the user's by import path: given labels or scores, never imported for a report."""

import sys

import numpy as np
import pytest
from sklearn import metrics as sk

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.evaluation.measure import compute_metric, greater_is_better, is_computable
from foldproof.tasks.evaluation.metric_names import resolve_metrics
from foldproof.tasks.evaluation.predictions import Predictions, predict_labels

OWN = '''
import numpy as np

open("imported", "a").close()


def right(y_true, y_pred):
    return float(np.mean(y_true == y_pred))


def top(y_true, y_score, share=0.5):
    """Of shape (n,) for two classes, and (n, classes) for more."""
    best = y_score if y_score.ndim == 1 else y_score.max(axis=1)
    return float(best.max() * y_score.ndim)


def loss(y_true, y_pred):
    return float(np.mean(y_true != y_pred))


loss.greater_is_better = False


def vague(y_true, y_pred):
    return 1.0


vague.greater_is_better = "no"


def scorer(estimator, X, y):
    return float(np.mean(estimator.predict(X) == y))


def alone(y_true):
    return 1.0


def fails(y_true, y_pred):
    raise RuntimeError("no")


def text(y_true, y_pred):
    return "high"


number = 3
'''
RANDOM = np.random.default_rng(1)


@pytest.fixture
def module(here):
    """A module of metrics in the working directory, of another name in every test."""
    name = f"scores_{RANDOM.integers(10**9)}"
    (here / f"{name}.py").write_text(OWN)
    yield name
    sys.modules.pop(name, None)


def binary():
    truth = RANDOM.integers(0, 2, 40)
    scores = RANDOM.random((40, 1))
    return Predictions(truth, predict_labels(scores, "binary"), scores, 2)


def test_a_function_is_given_labels_or_scores_by_its_second_argument(module):
    names = [f"{module}:{name}" for name in ("right", "top", "scorer")]
    assert resolve_metrics(names, "binary", 2) == tuple(names)
    made = binary()
    accuracy = sk.accuracy_score(made.truth, made.predicted)
    values = [compute_metric(name, made).value for name in names]
    assert values == [accuracy, made.scores.max(), accuracy]
    scores = RANDOM.dirichlet(np.ones(3), 40)
    several = Predictions(
        RANDOM.integers(0, 3, 40), predict_labels(scores, "multiclass"), scores, 3
    )
    assert compute_metric(names[1], several).value == 2 * scores.max()


def test_a_function_of_values_measures_a_regression(module):
    [name] = resolve_metrics([f"{module}:right"], "regression", 0)
    values = np.array([1.0, 2.0])
    assert compute_metric(name, Predictions(values, values, values.reshape(-1, 1), 0)).value == 1


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("alone", "alone takes 1 arguments; let it take (y_true, y_pred), (y_true, y_score)"),
        ("fails", "fails on a binary task (RuntimeError: no)"),
        ("text", "fails on a binary task (ValueError"),
        ("vague", "states greater_is_better = 'no'; state True or False"),
        ("number", "has no class 'number'; check the name"),
        ("missing", "check the name"),
    ],
)
def test_what_is_no_metric_is_one_line(module, name, problem):
    with pytest.raises(InputError) as caught:
        resolve_metrics([f"{module}:{name}"], "binary", 2)
    assert str(caught.value).startswith("metrics: ")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_function_states_which_values_are_better_and_keeps_them(module):
    names = [f"{module}:{name}" for name in ("loss", "right", "scorer")]
    resolve_metrics(names, "binary", 2)
    assert [greater_is_better(name) for name in names] == [False, True, True]
    assert greater_is_better("neg_log_loss")
    made = binary()
    assert compute_metric(names[0], made).value == np.mean(made.truth != made.predicted)


def test_a_name_in_a_report_imports_nothing(module, here):
    name = f"{module}:right"
    assert not is_computable(name)
    with pytest.raises(InputError, match="was not imported"):
        compute_metric(name, binary())
    assert not (here / "imported").exists()


def test_a_module_that_changed_is_not_taken_for_the_new_one(module, here):
    resolve_metrics([f"{module}:right"], "binary", 2)
    (here / f"{module}.py").write_text(OWN + "\n# other\n")
    with pytest.raises(InputError, match="changed since it was imported; restart Python"):
        resolve_metrics([f"{module}:right"], "binary", 2)
