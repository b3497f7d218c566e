"""Create one fresh Keras model: call the builder, build and compile. Runs in workers only."""

import functools
import sys
from collections.abc import Callable
from typing import Any

from foldproof.tasks.common.digest import digest_arrays
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.inputs import Shapes, shown_shapes
from foldproof.tasks.common.task import Task
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.folds.outputs import Activation
from foldproof.tasks.training.freshness import refuse_used_model
from foldproof.tasks.training.internals.keras_internals import all_layers
from foldproof.tasks.training.keras_objects import make_loss, make_metrics, make_optimizer
from foldproof.tasks.training.seeding import seed_everything
from foldproof.tasks.user_code.builder import call_builder, short_error
from foldproof.tasks.user_code.builder_call import BuilderCall


def is_keras(model: Any) -> bool:
    """Return whether a model is Keras's, without importing Keras to find out."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(model, keras.Model)


def fresh_model(
    builder: Callable[..., Any],
    call: BuilderCall,
    train: TrainSpec,
    seed: int,
    keep_kernels: bool = False,
) -> Any:
    """Return a new model, compiled and built, as it is before the first batch.

    Args:
        builder: the user's function.
        call: what it is handed.
        train: the settings for a model that it does not compile.
        seed: for everything random.
        keep_kernels: as in `seed_everything`.

    Raises:
        InputError: it cannot be compiled as configured or built on the data's shape.
    """
    seed_everything(seed, keras_loaded=True, keep_kernels=keep_kernels)
    return complete(call_builder(builder, call), call, train)


def complete(model: Any, call: BuilderCall, train: TrainSpec) -> Any:
    """Compile a model that is not compiled, and build one that is not built.

    Raises:
        InputError: it cannot be, or it is not new.
    """
    if not all(layer.built for layer in all_layers(model)):
        _build(model, call.input_shape)
    if not model.compiled:
        _compile(model, call, train)
    refuse_used_model(model, call.reference)
    return model


def weights_digest(model: Any) -> str:
    """Return the SHA-256 over the bytes of `model.get_weights()`, in order."""
    return digest_arrays(model.get_weights())


def output_activation(model: Any) -> Activation:
    """Return the activation that turns the model's output into probabilities, by its loss."""
    loss = getattr(model, "loss", None)
    while isinstance(loss, list | tuple | dict) and len(loss) == 1:
        loss = next(iter(loss.values() if isinstance(loss, dict) else loss))
    logits = getattr(loss, "from_logits", False)
    if isinstance(loss, functools.partial):
        logits = loss.keywords.get("from_logits", False)
    if not logits:
        return "none"
    name = getattr(loss, "name", "") or getattr(getattr(loss, "func", None), "__name__", "")
    return "sigmoid" if "binary" in name else "softmax"


def loss_for(task: Task, outputs: int) -> str:
    """Return the loss that `auto` stands for; two softmax units need the sparse one."""
    if task in ("regression", "array"):
        return "mse"
    if task == "count":
        return "poisson"
    if task == "multilabel":
        return "binary_crossentropy"
    if task in ("multiclass", "ordinal") or outputs == 2:
        return "sparse_categorical_crossentropy"
    return "binary_crossentropy"


def _build(model: Any, shape: Shapes) -> None:
    try:
        # build() alone leaves the layers of a subclassed model without weights.
        model(_symbolic(shape))
    except Exception as error:
        shown = shape if isinstance(shape, tuple) else shown_shapes(shape)
        problem = (
            f"the model cannot be built on {shown} ({short_error(error)}); --verbose shows where"
        )
        raise InputError("model.builder", problem) from error


def _symbolic(shapes: Shapes) -> Any:
    """Return what a model is called with to build it: an input, or some by their names."""
    import keras

    if not isinstance(shapes, dict):
        return keras.Input(shapes)
    return {name: keras.Input(shape, name=name) for name, shape in shapes.items()}


def _compile(model: Any, call: BuilderCall, train: TrainSpec) -> None:
    if train.loss == "auto":
        outputs = int(model.output_shape[-1]) if _has_output(model) else 1
        loss: Any = loss_for(call.task, outputs)
    else:
        loss = make_loss(train, call)
    metrics = make_metrics(train, call) or None
    model.compile(optimizer=make_optimizer(train, call), loss=loss, metrics=metrics)


def _has_output(model: Any) -> bool:
    """Return whether a model knows its output's shape; subclassed ones do not."""
    try:
        return isinstance(model.output_shape, tuple)
    except (AttributeError, ValueError):
        return False
