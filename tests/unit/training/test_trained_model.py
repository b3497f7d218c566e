import math

import pytest

from foldproof.tasks.training.trained_model import Diverged, check_converged


def test_finite_losses_pass():
    check_converged(((1, "loss", 0.5), (2, "loss", 0.25)))
    check_converged(())


@pytest.mark.parametrize(("value", "shown"), [(math.nan, "NaN"), (math.inf, "infinite")])
def test_divergence_names_the_epoch_it_happened_in(value, shown):
    history = ((1, "loss", 0.5), (2, "loss", value), (3, "loss", math.nan))
    with pytest.raises(Diverged, match=f"^training diverged: the loss is {shown} in epoch 2$"):
        check_converged(history)


def test_another_metric_may_be_undefined():
    check_converged(((1, "loss", 0.5), (1, "auc", math.nan)))
