"""Learning curves hold the history, and a mean over the folds that got so far."""

from typing import Any

import numpy as np

from foldproof.tasks.evaluation.curves.learning import learning_curves
from tests.support.scored import history_table


def test_each_fold_and_name_has_a_curve_and_each_name_a_mean():
    found: dict[Any, Any] = {(c.label, c.fold): c for c in learning_curves(history_table())}
    assert set(found) == {(n, f) for n in ("loss", "val_loss") for f in (0, 1, 2, None)}
    np.testing.assert_allclose(found["loss", 1].y, 1 / np.arange(1, 6) + 1)
    np.testing.assert_array_equal(found["loss", 2].x, [1, 2, 3, 4])
    mean = found["val_loss", None]
    np.testing.assert_allclose(mean.y[:4], 1 / np.arange(1, 5) + 11)
    assert mean.y[4] == 1 / 5 + 10.5
    np.testing.assert_allclose(mean.high[:4] - mean.y[:4], 1.0)


def test_one_fold_has_no_mean():
    assert [c.fold for c in learning_curves(history_table(folds=1, names=("loss",)))] == [0]


def test_no_history_has_none():
    assert list(learning_curves(history_table(folds=0))) == []
