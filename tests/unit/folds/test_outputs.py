import numpy as np
import pytest
from scipy.special import expit, softmax

from foldproof.tasks.folds.outputs import UnfitOutput, check_width, class_scores

LOGITS = np.array([[-800.0, 0.5], [3.0, -2.0], [0.0, 0.0], [900.0, 899.0]], dtype=np.float32)


@pytest.mark.parametrize(
    ("width", "task", "outputs"),
    [(1, "binary", 1), (2, "binary", 1), (5, "multiclass", 5), (1, "regression", 1)],
)
def test_widths_that_a_task_allows(width, task, outputs):
    check_width(width, task, outputs)


@pytest.mark.parametrize(
    ("width", "task", "outputs", "needs", "end"),
    [
        (3, "binary", 1, "1 or 2", 'Dense(1, "sigmoid")'),
        (1, "multiclass", 3, "3", 'Dense(n_outputs, "softmax")'),
        (4, "multiclass", 3, "3", 'Dense(n_outputs, "softmax")'),
        (2, "regression", 1, "1", "Dense(1)"),
        (2, "regression", 3, "3", "Dense(n_outputs)"),
        (2, "multilabel", 3, "3", 'Dense(n_outputs, "sigmoid")'),
    ],
)
def test_other_widths_are_refused_with_what_is_needed(width, task, outputs, needs, end):
    with pytest.raises(UnfitOutput) as caught:
        check_width(width, task, outputs)
    count = "1 output" if width == 1 else f"{width} outputs"
    assert str(caught.value) == (
        f"the model has {count}, but a {task} task needs {needs}; end it in {end}"
    )


def test_a_sigmoid_unit_is_the_positive_class():
    raw = np.array([[0.1], [0.75]], dtype=np.float32)
    scores = class_scores(raw, "none", "binary")
    assert scores.dtype == np.float64
    np.testing.assert_array_equal(scores, raw.astype(np.float64))


def test_the_second_of_two_units_is_the_positive_class():
    raw = np.array([[0.25, 0.75], [1.0, 0.0]], dtype=np.float32)
    np.testing.assert_array_equal(class_scores(raw, "none", "binary"), [[0.75], [0.0]])


def test_multiclass_keeps_all_columns():
    raw = np.array([[0.2, 0.3, 0.5]], dtype=np.float32)
    np.testing.assert_array_equal(class_scores(raw, "none", "multiclass"), raw.astype(np.float64))


def test_sigmoid_is_scipys_also_far_out():
    scores = class_scores(LOGITS[:, :1], "sigmoid", "binary")
    np.testing.assert_allclose(scores, expit(LOGITS[:, :1].astype(np.float64)), rtol=1e-15)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_softmax_is_scipys_also_far_out(task):
    expected = softmax(LOGITS.astype(np.float64), axis=1)
    expected = expected[:, 1:] if task == "binary" else expected
    np.testing.assert_allclose(class_scores(LOGITS, "softmax", task), expected, rtol=1e-14)


def test_a_regression_may_predict_anything_finite():
    raw = np.array([[-3.5], [1e6]], dtype=np.float32)
    np.testing.assert_array_equal(class_scores(raw, "none", "regression"), raw)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_output_that_is_not_finite_is_refused(task, value):
    raw = np.array([[0.5, value]]) if task == "multiclass" else np.array([[0.5], [value]])
    with pytest.raises(UnfitOutput, match="not finite"):
        class_scores(raw, "none", task)


@pytest.mark.parametrize("value", [-0.001, 1.001])
def test_probabilities_outside_the_unit_interval_are_refused_with_the_remedy(value):
    with pytest.raises(UnfitOutput, match=r"not in \[0, 1\]; .*from_logits=True"):
        class_scores(np.array([[0.5], [value]]), "none", "binary")


def test_the_bounds_themselves_are_allowed():
    np.testing.assert_array_equal(
        class_scores(np.array([[0.0], [1.0]]), "none", "binary"), [[0.0], [1.0]]
    )
