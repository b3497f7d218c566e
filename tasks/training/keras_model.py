"""Create one fresh Keras model: call the builder, build and compile. Runs in workers only."""

import difflib
import functools
import sys
from collections.abc import Callable
from typing import Any

from foldproof.tasks.common.digest import digest_arrays
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.task import Task
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.folds.outputs import Activation
from foldproof.tasks.training.freshness import refuse_used_model
from foldproof.tasks.training.internals.keras_internals import all_layers
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
        _compile(model, call.task, train)
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
    if task == "regression":
        return "mse"
    if task == "multiclass" or outputs == 2:
        return "sparse_categorical_crossentropy"
    return "binary_crossentropy"


def _build(model: Any, shape: tuple[int, ...]) -> None:
    import keras

    try:
        # build() alone leaves the layers of a subclassed model without weights.
        model(keras.Input(shape))
    except Exception as error:
        problem = (
            f"the model cannot be built on {shape} ({short_error(error)}); --verbose shows where"
        )
        raise InputError("model.builder", problem) from error


def _compile(model: Any, task: Task, train: TrainSpec) -> None:
    loss = train.loss
    if loss == "auto":
        loss = loss_for(task, int(model.output_shape[-1]) if _has_output(model) else 1)
    model.compile(optimizer=_optimizer(train), loss=_loss(loss))


def _optimizer(train: TrainSpec) -> Any:
    """Make the optimizer of the settings.

    Raises:
        InputError: Keras has none of that name, or it cannot be made of a learning rate.
    """
    from keras import optimizers

    try:
        # Keras writes into what it is handed.
        config = {"class_name": train.optimizer, "config": {"learning_rate": train.learning_rate}}
        made = optimizers.deserialize(config)
        if isinstance(made, optimizers.Optimizer) and type(made) is not optimizers.Optimizer:
            return made
        reason: BaseException | None = None
    except Exception as error:  # some names are marks of Keras's own, and raise KeyError
        reason = error
    names = [name for name in dir(optimizers) if _is_made_by_name(optimizers, name)]
    raise _none_of_keras("train.optimizer", train.optimizer, names, "adam, sgd") from reason


def _is_made_by_name(optimizers: Any, name: str) -> bool:
    try:
        return name != "Optimizer" and isinstance(optimizers.get(name), optimizers.Optimizer)
    except Exception:  # not an optimizer, or one that needs arguments
        return False


def _loss(name: str) -> str:
    """Return the name of a loss if Keras has it.

    Raises:
        InputError: it has not.
    """
    from keras import losses

    try:
        if type(losses.get(name)) is not losses.Loss:
            return name
        reason: BaseException | None = None
    except Exception as error:
        reason = error
    names = [loss for loss in dir(losses) if loss.islower() and callable(getattr(losses, loss))]
    known = [loss for loss in names if loss not in ("deserialize", "get", "serialize")]
    raise _none_of_keras("train.loss", name, known, "auto, mse, mae") from reason


def _none_of_keras(setting: str, given: str, names: list[str], usual: str) -> InputError:
    """Return the error for an unknown Keras name, with the nearest known one."""
    words = given.lower().rpartition(".")[2].replace("-", "_").replace(" ", "_")
    close = difflib.get_close_matches(words, [name.lower() for name in names], n=1)
    hint = f"did you mean {close[0]}?" if close else f"use one of its names, such as {usual}"
    return InputError(setting, f"{given!r} is none of Keras's; {hint}")


def _has_output(model: Any) -> bool:
    """Return whether a model knows its output's shape; subclassed ones do not."""
    try:
        return isinstance(model.output_shape, tuple)
    except (AttributeError, ValueError):
        return False
