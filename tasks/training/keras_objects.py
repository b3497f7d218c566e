"""Make what the settings name of Keras's, or of the user's: optimizer, loss, metrics, callbacks.

A word is a name of Keras's. An import path, or a function given in Python, is the user's: a class
is made with the parameters; a function is called with them, but for a loss or metric without any,
which it is itself. Runs in workers only.
"""

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest
from foldproof.tasks.config.named.keras_parts import CALLBACKS, Named, parts_of
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.user_code.builder import short_error
from foldproof.tasks.user_code.builder_call import BuilderCall
from foldproof.tasks.user_code.named_parts import import_named
from foldproof.tasks.user_code.objects.functions import is_function_object
from foldproof.tasks.user_code.search_path import extend_path

RATE = "learning_rate"
NO_METRICS = ("Metric", "MeanMetricWrapper", "Mean", "Sum")  # which measure nothing by themselves

MakeCallbacks = Callable[[], list[Any]]


def no_callbacks() -> list[Any]:
    """Make no callbacks."""
    return []


def make_optimizer(train: TrainSpec, call: BuilderCall) -> Any:
    """Make the optimizer of the settings.

    Raises:
        InputError: there is none of that name, or it cannot be made so.
    """
    from keras import optimizers

    setting, (name, params) = "train.optimizer", parts_of(train.optimizer)
    if RATE in params and train.chosen(RATE):
        raise InputError(f"train.{RATE}", f"{name} has one of its own; say it once")
    rate = {} if RATE in params else {RATE: _learning_rate(train, call)}
    if not _is_own(name):
        found = _of_keras(name, optimizers, optimizers.Optimizer)
        if found is None or _needs_more(found):  # such as one around another optimizer
            every = _names(optimizers, optimizers.Optimizer)
            names = [each for each in every if not _needs_more(getattr(optimizers, each))]
            raise _none_of_keras(setting, name, names, "adam, sgd")
        return _made(setting, name, found, rate | params)
    found = _imported(setting, name, call)
    offered = rate if _takes(found, RATE) else {}
    made = _made(setting, name, found, offered | params)
    return _checked(setting, name, made, optimizers.Optimizer, "an optimizer")


def make_loss(train: TrainSpec, call: BuilderCall) -> Any:
    """Return the loss of the settings, which are not auto.

    Raises:
        InputError: there is none of that name, or it cannot be made so.
    """
    from keras import losses

    setting, (name, params) = "train.loss", parts_of(train.loss)
    if _is_own(name):
        return _function_or_made(setting, name, params, call)
    if params:
        found = _of_keras(name, losses, losses.Loss)
        if found is None:
            names = list(_names(losses, losses.Loss))
            raise _none_of_keras(setting, name, names, "BinaryFocalCrossentropy, Huber")
        return _made(setting, name, found, params)
    reason: BaseException | None = None
    try:
        if type(losses.get(name)) is not losses.Loss:
            return name
    except Exception as error:
        reason = error
    usual = [loss for loss in dir(losses) if loss.islower() and callable(getattr(losses, loss))]
    known = [loss for loss in usual if loss not in ("deserialize", "get", "serialize")]
    raise _none_of_keras(setting, name, known, "auto, mse, mae") from reason


def make_metrics(train: TrainSpec, call: BuilderCall) -> list[Any]:
    """Return what Keras is to measure in every epoch.

    Raises:
        InputError: there is no metric of a name, or it cannot be made so.
    """
    return [_metric(*parts_of(one), call) for one in train.metrics]


def make_callbacks(train: TrainSpec, call: BuilderCall) -> list[Any]:
    """Make the callbacks of the settings, fresh ones at each call.

    Raises:
        InputError: there is none of a name, or it cannot be made so.
    """
    if not train.callbacks:
        return []
    return [made for one in train.callbacks for made in _callbacks(*parts_of(one), call)]


def _callbacks(name: str, params: dict[str, Any], call: BuilderCall) -> list[Any]:
    from keras.callbacks import Callback

    setting, shown = "train.callbacks", name.removeprefix(f"{CALLBACKS}:")
    made = _made(setting, shown, _imported(setting, name, call), params)
    found = list(made) if isinstance(made, list | tuple) else [made]
    return [_checked(setting, shown, one, Callback, "a callback") for one in found]


def _metric(name: str, params: dict[str, Any], call: BuilderCall) -> Any:
    from keras import metrics

    setting = "train.metrics"
    if _is_own(name):
        return _function_or_made(setting, name, params, call)
    if name.lower() in ("accuracy", "acc", "crossentropy", "ce") and not params:
        return name  # of which `compile` makes what fits the loss
    found = None if name in NO_METRICS else _of_keras(name, metrics, metrics.Metric)
    if found is not None:
        return _made(setting, name, found, params)
    try:
        if not params and callable(metrics.get(name)) and name not in NO_METRICS:
            return name
        reason: BaseException | None = None
    except Exception as error:
        reason = error
    names = [one for one in _names(metrics, metrics.Metric) if one not in NO_METRICS]
    raise _none_of_keras(setting, name, names, "accuracy, AUC") from reason


def _learning_rate(train: TrainSpec, call: BuilderCall) -> Any:
    """Return the learning rate: a number, or a schedule."""
    from keras.optimizers import schedules

    if not isinstance(train.learning_rate, Named):
        return train.learning_rate
    setting, (name, params) = f"train.{RATE}", parts_of(train.learning_rate)
    own = _is_own(name)
    made = _made(
        setting, name, _imported(setting, name, call) if own else getattr(schedules, name), params
    )
    return _checked(setting, name, made, schedules.LearningRateSchedule, "a schedule")


def _is_own(name: str) -> bool:
    return ":" in name


def _imported(setting: str, name: str, call: BuilderCall) -> Any:
    """Return what an import path names, or a function that was sent by value."""
    if is_function_object(name):
        import cloudpickle

        return cloudpickle.loads(dict(call.functions)[name])
    extend_path(call.search)
    return import_named(setting, name)


def _function_or_made(setting: str, name: str, params: dict[str, Any], call: BuilderCall) -> Any:
    """Return a function of true and predicted values, or what is made with parameters."""
    found = _imported(setting, name, call)
    return _made(setting, name, found, params) if params or isinstance(found, type) else found


def _of_keras(name: str, module: Any, kind: type) -> Any:
    """Return the class of Keras's with a name, whose case does not count."""
    names = {each.lower(): each for each in _names(module, kind)}
    found = names.get(name.lower().replace("_", ""))
    return getattr(module, found) if found else None


def _names(module: Any, kind: type) -> Iterable[str]:
    for name in dir(module):
        found = getattr(module, name)
        if isinstance(found, type) and issubclass(found, kind) and found is not kind:
            yield name


def _needs_more(found: Any) -> bool:
    """Return whether a class needs an argument to be made."""
    parameters = inspect.signature(found).parameters.values()
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return any(p.default is p.empty and p.kind not in variadic for p in parameters)


def _made(setting: str, name: str, found: Any, params: dict[str, Any]) -> Any:
    """Call a class or function with parameters.

    Raises:
        InputError: it does not take them, or fails.
    """
    for param in params:
        if not _takes(found, param):
            takes = [each for each in _parameters(found) if each not in ("self", "args", "kwargs")]
            hint = nearest(param, takes).strip() if takes else "it takes none"
            raise InputError(setting, f"{name} takes no {param!r}; {hint}")
    try:
        return found(**params)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # the user's own code: anything can come out
        raise InputError(setting, f"{name} cannot be made ({short_error(error)})") from error


def _takes(found: Any, param: str) -> bool:
    """Return whether a parameter is one; Keras's own classes ignore what they do not know."""
    parameters = _parameters(found)
    is_keras = str(getattr(found, "__module__", "")).split(".")[0] == "keras"
    variadic = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    return param in parameters or (variadic and not is_keras)


def _parameters(found: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function, or of a class and what it derives from."""
    makers = (
        [vars(cls)["__init__"] for cls in found.__mro__ if "__init__" in vars(cls)]
        if (isinstance(found, type))
        else [found]
    )
    named: dict[str, inspect.Parameter] = {}
    for maker in makers:
        try:
            own = inspect.signature(maker).parameters
        except (TypeError, ValueError):  # such as of object
            continue
        named = {**own, **named}
        if not any(each.kind is each.VAR_KEYWORD for each in own.values()):
            break  # it hands no further ones to what it derives from
    return named


def _checked(setting: str, name: str, made: Any, kind: type, what: str) -> Any:
    if isinstance(made, kind):
        return made
    given = "nothing" if made is None else f"a {type(made).__name__}"
    raise InputError(setting, f"{name} gives {given}; it must be {what} of Keras's")


def _none_of_keras(setting: str, given: str, names: list[str], usual: str) -> InputError:
    """Return the error for an unknown Keras name, with the nearest known one."""
    words = given.lower().rpartition(".")[2].replace("-", "_").replace(" ", "_")
    close = difflib.get_close_matches(words, [name.lower() for name in names], n=1)
    hint = f"did you mean {close[0]}?" if close else f"use one of its names, such as {usual}"
    return InputError(setting, f"{given!r} is none of Keras's; {hint}")
