"""The names of Keras that are private or undocumented, each behind a function with a plain name.

Read from Keras 3.15.1; `test_keras_internals` fails when one of them changes. Runs in workers
only, and imports Keras no sooner than a caller has.
"""

from collections.abc import Iterator
from typing import Any

READ_FROM = "3.15.1"
LOSS_METHODS = ("train_step", "compute_loss", "_compute_loss")
_STOCK_OPTIMIZERS = "keras.src.optimizers."


def all_layers(model: Any) -> list[Any]:
    """Return the model itself and its layers, nested ones as well, each once."""
    layers: list[Any] = model._flatten_layers()
    return layers


def own_variables(layer: Any) -> Iterator[Any]:
    """Yield the variables of a layer without those of its sublayers, states of seeds included."""
    yield from layer._trainable_variables
    yield from layer._non_trainable_variables
    yield from (generator.state for generator in layer._seed_generators)


def call_in_training(model: Any, x: Any) -> Any:
    """Call a model as Keras's own `train_step` does."""
    return model(x, training=True) if model._call_has_training_arg else model(x)


def training_loss(model: Any, x: Any, y: Any, output: Any, sample_weight: Any) -> Any:
    """Return the loss of a batch as Keras's own `train_step` does, and count it in its mean."""
    import tensorflow as tf

    loss = model._compute_loss(x=x, y=y, y_pred=output, sample_weight=sample_weight, training=True)
    model._loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
    return loss


def logs_of_step(model: Any, logs: Any) -> dict[str, Any]:
    """Return the logs that Keras makes of what a step returned."""
    return dict(model._get_metrics_result_or_logs(logs))


def compiled_metrics(model: Any) -> list[Any]:
    """Return the metrics that a model was compiled with, as they were given; empty if unknown."""
    group = getattr(model, "_compile_metrics", None)
    return [
        getattr(group, "_user_metrics", None),
        getattr(group, "_user_weighted_metrics", None),
    ]


def has_own_loss(model: Any) -> bool:
    """Return whether a model's class overrides how its loss is computed."""
    import keras

    return any(
        getattr(type(model), name, None) is not getattr(keras.Model, name, None)
        for name in LOSS_METHODS
    )


def is_stock(optimizer: Any) -> bool:
    """Return whether an optimizer is one of Keras's own classes, not a user's subclass."""
    return type(optimizer).__module__.startswith(_STOCK_OPTIMIZERS)


def adds_slots_last(optimizer: Any) -> bool:
    """Return whether building an optimizer adds to the end of its variables, as Keras's own do.

    One that wraps another, as for mixed precision, has the other's variables behind its own.
    """
    return is_stock(optimizer) and not hasattr(optimizer, "inner_optimizer")


def scheduled_rate(optimizer: Any) -> Any:
    """Return an optimizer's learning rate as it was given: the variable of it, or a schedule."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return getattr(inner, "_learning_rate", None)


def replace_train_function(model: Any, step: Any) -> None:
    """Let `fit` call this in place of the step that Keras compiles."""
    model.train_function = step
