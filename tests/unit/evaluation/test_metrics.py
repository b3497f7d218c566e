"""Each metric equals what scikit-learn's own function computes from labels and scores."""

import warnings
from functools import partial

import numpy as np
import pytest
from sklearn import metrics as sk

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.task import Task
from foldproof.tasks.evaluation.measure import MetricValue, _score, compute_metric
from foldproof.tasks.evaluation.metric_names import SYNONYMS, resolve_metrics
from foldproof.tasks.evaluation.metrics import BY_NAME, METRICS, usual_metrics
from foldproof.tasks.evaluation.predictions import Predictions, predict_labels

RANDOM = np.random.default_rng(0)
N = 120
TRUTH = {"binary": RANDOM.integers(0, 2, N), "multiclass": RANDOM.integers(0, 4, N)}


def made_scores(truth, classes):
    """Return probabilities that lean towards the truth, with some exact ties."""
    raw = np.round(RANDOM.random((len(truth), classes)), 1) + 0.1
    raw[np.arange(len(truth)), truth] += 0.4
    return raw / raw.sum(axis=1, keepdims=True)


SCORES = {task: made_scores(truth, truth.max() + 1) for task, truth in TRUTH.items()}
VALUES = RANDOM.gamma(2, size=N)
ESTIMATES = VALUES + np.abs(RANDOM.normal(size=N)) / 5


def class_predictions(task):
    scores = SCORES[task][:, 1:] if task == "binary" else SCORES[task]
    return Predictions(TRUTH[task], predict_labels(scores, task), scores, SCORES[task].shape[1])


BINARY = {
    "accuracy": lambda y, p, s: sk.accuracy_score(y, p),
    "balanced_accuracy": lambda y, p, s: sk.balanced_accuracy_score(y, p),
    "roc_auc": lambda y, p, s: sk.roc_auc_score(y == "yes", s),
    "average_precision": lambda y, p, s: sk.average_precision_score(y, s, pos_label="yes"),
    "neg_brier_score": lambda y, p, s: -sk.brier_score_loss(y, s, pos_label="yes"),
    "neg_log_loss": lambda y, p, s: -sk.log_loss(y == "yes", s),
    "d2_log_loss_score": lambda y, p, s: sk.d2_log_loss_score(y == "yes", s),
    "f1": lambda y, p, s: sk.f1_score(y, p, pos_label="yes"),
    "f1_macro": lambda y, p, s: sk.f1_score(y, p, average="macro"),
    "f1_weighted": lambda y, p, s: sk.f1_score(y, p, average="weighted"),
    "precision": lambda y, p, s: sk.precision_score(y, p, pos_label="yes"),
    "recall": lambda y, p, s: sk.recall_score(y, p, pos_label="yes"),
    "jaccard": lambda y, p, s: sk.jaccard_score(y, p, pos_label="yes"),
    "matthews_corrcoef": lambda y, p, s: sk.matthews_corrcoef(y, p),
    "positive_likelihood_ratio": lambda y, p, s: sk.class_likelihood_ratios(
        y, p, labels=["no", "yes"]
    )[0],
    "sensitivity": lambda y, p, s: sk.recall_score(y, p, pos_label="yes"),
    "specificity": lambda y, p, s: sk.recall_score(y, p, pos_label="no"),
    "rand_score": lambda y, p, s: sk.rand_score(y, p),
    "ppv": lambda y, p, s: sk.precision_score(y, p, pos_label="yes"),
    "npv": lambda y, p, s: sk.precision_score(y, p, pos_label="no"),
    "kappa": lambda y, p, s: sk.cohen_kappa_score(y, p),
}
MULTICLASS = {
    "accuracy": lambda y, p, s: sk.accuracy_score(y, p),
    "balanced_accuracy": lambda y, p, s: sk.balanced_accuracy_score(y, p),
    "roc_auc_ovr": lambda y, p, s: sk.roc_auc_score(y, s, multi_class="ovr"),
    "roc_auc_ovo": lambda y, p, s: sk.roc_auc_score(y, s, multi_class="ovo"),
    "roc_auc_ovr_weighted": lambda y, p, s: sk.roc_auc_score(
        y, s, multi_class="ovr", average="weighted"
    ),
    "neg_log_loss": lambda y, p, s: -sk.log_loss(y, s),
    "neg_brier_score": lambda y, p, s: -sk.brier_score_loss(y, s),
    "f1_macro": lambda y, p, s: sk.f1_score(y, p, average="macro"),
    "f1_micro": lambda y, p, s: sk.f1_score(y, p, average="micro"),
    "precision_macro": lambda y, p, s: sk.precision_score(y, p, average="macro"),
    "kappa": lambda y, p, s: sk.cohen_kappa_score(y, p),
    "recall_weighted": lambda y, p, s: sk.recall_score(y, p, average="weighted"),
    "jaccard_macro": lambda y, p, s: sk.jaccard_score(y, p, average="macro"),
    "matthews_corrcoef": lambda y, p, s: sk.matthews_corrcoef(y, p),
    "top_k_accuracy": lambda y, p, s: sk.top_k_accuracy_score(y, s, k=2),
    "adjusted_rand_score": lambda y, p, s: sk.adjusted_rand_score(y, p),
}
REGRESSION = {
    "r2": sk.r2_score,
    "explained_variance": sk.explained_variance_score,
    "neg_mean_absolute_error": sk.mean_absolute_error,
    "neg_mean_squared_error": sk.mean_squared_error,
    "neg_root_mean_squared_error": sk.root_mean_squared_error,
    "neg_mean_squared_log_error": sk.mean_squared_log_error,
    "neg_root_mean_squared_log_error": sk.root_mean_squared_log_error,
    "neg_median_absolute_error": sk.median_absolute_error,
    "neg_mean_absolute_percentage_error": sk.mean_absolute_percentage_error,
    "neg_max_error": sk.max_error,
    "neg_mean_poisson_deviance": sk.mean_poisson_deviance,
    "neg_mean_gamma_deviance": sk.mean_gamma_deviance,
    "d2_absolute_error_score": sk.d2_absolute_error_score,
}


@pytest.mark.parametrize("name", BINARY)
def test_binary_metrics_are_scikit_learns(name):
    predictions = class_predictions("binary")
    labels = np.array(["no", "yes"])
    expected = BINARY[name](
        labels[predictions.truth], labels[predictions.predicted], predictions.scores[:, 0]
    )
    assert compute_metric(name, predictions).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", MULTICLASS)
def test_multiclass_metrics_are_scikit_learns(name):
    predictions = class_predictions("multiclass")
    labels = np.array(["ant", "bee", "cat", "dog"])
    expected = MULTICLASS[name](
        labels[predictions.truth], labels[predictions.predicted], predictions.scores
    )
    assert compute_metric(name, predictions).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", REGRESSION)
def test_regression_metrics_are_scikit_learns(name):
    predictions = Predictions(VALUES, ESTIMATES, ESTIMATES.reshape(-1, 1), 0)
    sign = -1 if name.startswith("neg_") else 1
    expected = sign * REGRESSION[name](VALUES, ESTIMATES)
    assert compute_metric(name, predictions).value == pytest.approx(expected, rel=1e-12)


def test_every_metric_that_fits_a_task_can_be_measured():
    of_task: dict[Task, Predictions] = {
        "binary": class_predictions("binary"),
        "multiclass": class_predictions("multiclass"),
        "regression": Predictions(VALUES, ESTIMATES, ESTIMATES.reshape(-1, 1), 0),
    }
    for task, predictions in of_task.items():
        for name in sk.get_scorer_names():
            try:
                resolve_metrics([name], task, predictions.classes)
            except InputError:
                continue
            found = compute_metric(name, predictions)
            assert found.value is not None or "top_k" in name, (task, name, found.reason)


def test_positive_means_at_least_one_half():
    scores = np.array([[0.5], [np.nextafter(0.5, 0)], [1.0], [0.0]])
    np.testing.assert_array_equal(predict_labels(scores, "binary"), [1, 0, 1, 0])


def test_multiclass_takes_the_first_maximum():
    scores = np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]])
    np.testing.assert_array_equal(predict_labels(scores, "multiclass"), [0, 1])


def test_a_regression_predicts_its_score():
    np.testing.assert_array_equal(
        predict_labels(np.array([[1.5], [-2.0]]), "regression"), [1.5, -2]
    )


def of_one_class(code, task="binary"):
    codes = np.full(6, code)
    scores = np.linspace(0, 1, 6).reshape(-1, 1)
    return Predictions(codes, predict_labels(scores, task), scores, 2)


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("sensitivity", 0, "needs positive samples in the test rows"),
        ("specificity", 1, "needs negative samples in the test rows"),
        ("roc_auc", 1, "Only one class is present"),
        ("recall", 0, "Recall is ill-defined"),
    ],
)
def test_an_undefined_metric_has_no_value_but_a_reason(name, code, reason):
    found = compute_metric(name, of_one_class(code))
    assert found.value is None
    assert reason in found.reason
    assert "\n" not in found.reason


@pytest.mark.parametrize(
    ("name", "predicted", "reason"),
    [
        ("ppv", [0, 0], "needs rows that are predicted as positive"),
        ("npv", [1, 1], "needs rows that are predicted as negative"),
        ("kappa", [1, 1], "needs a second class"),
    ],
)
def test_a_ratio_of_no_rows_has_no_value_but_a_reason(name, predicted, reason):
    found = compute_metric(
        name, Predictions(np.array([1, 1]), np.array(predicted), np.zeros((2, 1)), 2)
    )
    assert found.value is None
    assert reason in found.reason


def test_the_other_side_of_one_class_is_defined():
    assert compute_metric("sensitivity", of_one_class(1)).value == 0.5
    assert compute_metric("specificity", of_one_class(0)).value == 0.5


def test_r2_of_one_row_is_undefined():
    one = Predictions(np.array([1.5]), np.array([1.0]), np.array([[1.0]]), 0)
    found = compute_metric("r2", one)
    assert found.value is None
    assert "two samples" in found.reason


def test_a_log_of_a_negative_prediction_is_undefined():
    found = compute_metric(
        "neg_mean_squared_log_error",
        Predictions(np.array([1.0, 2.0]), np.array([-3.0, 2.0]), np.zeros((2, 1)), 0),
    )
    assert found.value is None
    assert found.reason


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_defaults_fit_their_task(task):
    classes = {"binary": 2, "multiclass": 3, "regression": 0}[task]
    assert resolve_metrics("auto", task, classes) == usual_metrics(task)
    assert resolve_metrics(list(usual_metrics(task)), task, classes) == usual_metrics(task)


def made_up(task, classes):
    codes = np.arange(4 * max(classes, 2)) % max(classes, 2)
    if task == "regression":
        values = 1 + codes / 2
        return Predictions(values, values, values.reshape(-1, 1), 0)
    columns = 1 if task == "binary" else classes
    return Predictions(codes, codes, np.full((len(codes), columns), 1 / classes), classes)


def can_score(name, task, classes, action):
    """Try a metric on a few predictions."""
    with warnings.catch_warnings(action=action):
        try:
            _score(name, made_up(task, classes))
        except (ValueError, TypeError, AttributeError, UserWarning):
            return False
    return True


# Metrics of clusters take values, too, but warn of it; errors take the codes of classes.
@pytest.mark.parametrize(
    ("task", "classes"),
    [("binary", 2), ("multiclass", 2), ("multiclass", 3), ("multiclass", 7), ("regression", 0)],
)
def test_each_metric_fits_what_scikit_learn_can_score_with_it(task, classes):
    for metric in METRICS:
        if metric.compute is None:
            numbers = can_score(metric.name, "regression", 0, "error")
            other = can_score(metric.name, task, classes, "ignore") and not numbers
            expected = numbers if task == "regression" else other
            assert metric.fits(task, classes) == expected, metric.name


def test_each_scorer_of_scikit_learn_is_known():
    with_scorer = {metric.name for metric in METRICS if metric.compute is None}
    assert with_scorer == set(sk.get_scorer_names())
    assert len(BY_NAME) == len(METRICS)


def test_an_alias_means_one_metric():
    aliases = [alias for metric in METRICS for alias in metric.aliases]
    assert len(set(aliases)) == len(aliases)
    assert {metric.several or metric.name for metric in METRICS} <= set(BY_NAME)


def test_metrics_keep_the_order_they_are_given_in():
    assert resolve_metrics(["specificity", "accuracy"], "binary", 2) == ("specificity", "accuracy")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("roc_acu", "did you mean roc_auc?"),
        (
            "qqq",
            "see sklearn.metrics.get_scorer_names, or write your own as module:function of "
            "(y_true, y_pred)",
        ),
        *(
            (typed, 'several are a list: --metrics \'["roc_auc", "accuracy"]\'')
            for typed in ("roc_auc,accuracy", "[auc, acc]", "['roc_auc', 'accuracy']")
        ),
        ("auc, qqq", 'several are a list: --metrics \'["roc_auc", "qqq"]\''),
    ],
)
def test_an_unknown_metric_is_refused_in_one_line(name, hint):
    with pytest.raises(InputError) as caught:
        resolve_metrics([name], "binary", 2)
    assert str(caught.value) == f"metrics: unknown {name!r}; {hint}"


def refused(name, task, classes):
    with pytest.raises(InputError) as caught:
        resolve_metrics([name], task, classes)
    message = str(caught.value)
    assert message.startswith(f"metrics: {name} does not fit a {task} task; the usual ones are ")
    assert "\n" not in message


@pytest.mark.parametrize(
    "name", ["sensitivity", "specificity", "roc_auc", "f1", "precision", "neg_mean_squared_error"]
)
def test_what_does_not_fit_several_classes_is_refused(name):
    refused(name, "multiclass", 3)


@pytest.mark.parametrize(
    "name", ["sensitivity", "accuracy", "roc_auc", "f1_macro", "neg_log_loss", "rand_score"]
)
def test_what_does_not_fit_a_regression_is_refused(name):
    refused(name, "regression", 0)


# Errors between class codes can be computed, but mean nothing for labels that are text.
@pytest.mark.parametrize("name", ["r2", "neg_mean_absolute_error", "f1_samples"])
def test_what_does_not_fit_two_classes_is_refused(name):
    refused(name, "binary", 2)


def test_measuring_needs_no_more_than_stored_predictions():
    predictions = class_predictions("binary")
    again = partial(compute_metric, predictions=predictions)
    assert again("roc_auc") == again("roc_auc")


TASKS: dict[Task, int] = {"binary": 2, "multiclass": 3, "regression": 0}
USUAL = {task: f"the usual ones are {', '.join(usual_metrics(task))}" for task in TASKS}


@pytest.mark.parametrize(
    ("name", "task", "remedy"),
    [
        ("AUC", "binary", "use roc_auc"),
        ("auc", "multiclass", "use roc_auc_ovr"),
        ("ROC-AUC", "binary", "use roc_auc"),
        ("roc_auc_score", "binary", "use roc_auc"),
        ("acc", "binary", "use accuracy"),
        ("Accuracy", "multiclass", "use accuracy"),
        ("f1-score", "binary", "use f1"),
        ("f1_score", "multiclass", "use f1_macro"),
        ("positive_predictive_value", "binary", "use ppv"),
        ("positive_predictive_value", "multiclass", "use precision_macro"),
        ("NPV", "binary", "use npv"),
        ("cohen_kappa_score", "binary", "use kappa"),
        (
            "qwk",
            "multiclass",
            "kappa counts all errors alike; for weights write your own, as module:function",
        ),
        ("BinaryAccuracy", "binary", "use accuracy"),
        ("SparseTopKCategoricalAccuracy", "multiclass", "use top_k_accuracy"),
        ("MeanIoU", "multiclass", "use jaccard_macro"),
        ("MeanSquaredLogarithmicError", "regression", "use neg_mean_squared_log_error"),
        ("FalsePositives", "binary", "count them in predictions.parquet"),
        ("tpr", "binary", "use sensitivity"),
        ("recall_malignant", "binary", "use recall"),
        ("mae", "regression", "use neg_mean_absolute_error"),
        ("MSE", "regression", "use neg_mean_squared_error"),
        ("rmse", "regression", "use neg_root_mean_squared_error"),
        ("mean_absolute_error", "regression", "use neg_mean_absolute_error"),
        ("r2_score", "regression", "use r2"),
        ("log_loss", "binary", "use neg_log_loss"),
        ("brier", "binary", "use neg_brier_score"),
        ("brier_score", "binary", "use neg_brier_score"),
        ("mae", "binary", f"neg_mean_absolute_error does not fit a binary task; {USUAL['binary']}"),
        ("auc", "regression", f"roc_auc does not fit a regression task; {USUAL['regression']}"),
    ],
)
def test_the_names_that_people_have_are_met_with_what_to_type(name, task, remedy):
    with pytest.raises(InputError) as caught:
        resolve_metrics([name], task, TASKS[task])
    assert str(caught.value) == f"metrics: unknown {name!r}; {remedy}"


@pytest.mark.parametrize("task", TASKS)
def test_what_is_to_be_typed_is_known(task):
    for name in SYNONYMS:
        with pytest.raises(InputError) as caught:
            resolve_metrics([name], task, TASKS[task])
        remedy = caught.value.problem.partition("; ")[2]
        if remedy.startswith("use "):
            named = remedy.removeprefix("use ")
            assert resolve_metrics([named], task, TASKS[task]) == (named,)
        else:
            assert USUAL[task] in remedy


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_a_metric_of_two_classes_names_the_one_of_several(name):
    with pytest.raises(InputError) as caught:
        resolve_metrics([name], "multiclass", 3)
    assert str(caught.value).endswith(f"{USUAL['multiclass']}; for {name} take {name}_macro")


@pytest.mark.parametrize(
    ("name", "truth", "predicted", "reason"),
    [
        (
            "precision",
            [0, 1],
            [0, 0],
            "Precision is ill-defined: no test row was predicted as the positive class",
        ),
        ("recall", [0, 0], [0, 1], "Recall is ill-defined: no test row is of the positive class"),
        (
            "precision_macro",
            [0, 1, 2],
            [0, 1, 1],
            "Precision is ill-defined: no test row was predicted as one of the classes",
        ),
    ],
)
def test_an_undefined_value_is_told_in_our_words(name, truth, predicted, reason):
    classes = max(truth) + 1 if len(truth) > 2 else 2
    scores = np.zeros((len(truth), 1 if classes == 2 else classes))
    found = compute_metric(name, Predictions(np.array(truth), np.array(predicted), scores, classes))
    assert found == MetricValue(None, reason)
