"""Objects of Keras's, or of the user's, by name: a word, an import path, or either with parameters.

`adam`, `{name: adamw, params: {weight_decay: 0.01}}`, `my_module:make_optimizer`; short,
`{adamw: {weight_decay: 0.01}}`. Keras's own have one name in settings, however they are written,
so that keys do not depend on that.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest
from foldproof.tasks.config.types import ImportPath, Section, plain, plain_values
from foldproof.tasks.user_code.objects.functions import register_function
from foldproof.tasks.user_code.references import refuse_slip

KERAS = ("keras", "tensorflow", "tf")  # packages that Keras is imported from
CALLBACKS = "keras.callbacks"
FIELDS = {"name", "params"}
CALLBACK_NAMES = (
    *("EarlyStopping", "ReduceLROnPlateau", "TerminateOnNaN", "LearningRateScheduler"),
    *("ModelCheckpoint", "BackupAndRestore", "CSVLogger", "TensorBoard", "RemoteMonitor"),
    *("LambdaCallback", "SwapEMAWeights", "OrbaxCheckpoint", "ProgbarLogger"),
)
# They neither write, connect nor call what they are given, so anybody may name them.
HARMLESS_CALLBACKS = tuple(
    f"{CALLBACKS}:{name}" for name in ("EarlyStopping", "ReduceLROnPlateau", "TerminateOnNaN")
)
SCHEDULES = (
    *("CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay"),
    *("PiecewiseConstantDecay", "PolynomialDecay"),
)


class Named(Section):
    """Something to make or take, by its name, with parameters."""

    name: ImportPath
    params: dict[str, Any] = Field({})


def _branch(value: Any) -> str:
    return "named" if isinstance(value, Named | dict) else "plain"


def parts_of(value: Any) -> tuple[str, dict[str, Any]]:
    """Return the name and the parameters of a setting that may have some."""
    return (value.name, value.params) if isinstance(value, Named) else (value, {})


def _read(setting: str, known: Callable[[str], str], value: Any) -> Any:
    """Return a setting as a name, or as a name with parameters.

    Raises:
        InputError: it is neither.
    """
    value = plain(value)
    if isinstance(value, str):
        return known(_path(setting, value))
    if isinstance(value, Named):
        value = {"name": value.name, "params": value.params}
    if isinstance(value, Mapping):
        name, params = name_and_params(setting, value)
        found = known(_path(setting, name))
        return Named(name=found, params=plain_params(setting, found, params)) if params else found
    return known(_name_of(setting, value)) if _is_object(value) else value


def _is_object(value: Any) -> bool:
    return callable(value) or hasattr(value, "get_config") or hasattr(value, "set_model")


def name_and_params(setting: str, value: Mapping[Any, Any]) -> tuple[str, Any]:
    """Read `{name: NAME, params: {...}}`, or short `{NAME: {...}}`."""
    form = '{"name": "NAME", "params": {"PARAMETER": VALUE}}'
    name, params = value.get("name"), value.get("params")
    if len(value) == 1 and not value.keys() & {*FIELDS, "class_name"}:
        [(name, params)] = value.items()
    elif not value.keys() <= FIELDS:
        name = None
    if not isinstance(name, str) or not name:
        raise InputError(setting, f"must be a name, or a name with parameters as in {form}")
    if not isinstance(params, Mapping | None):
        problem = f"{params!r} are no parameters of {name!r}"
        raise InputError(setting, f"{problem}; write them as in {form}")
    return name, params


def plain_params(setting: str, name: str, params: Any) -> dict[str, Any]:
    """Take what JSON can hold, in the form that a YAML file would give it."""
    try:
        made: dict[str, Any] = plain_values(setting, dict(params or {}))
    except InputError as error:
        raise InputError(setting, f"{name} {error.problem}") from None
    return made


def _path(setting: str, text: str) -> str:
    """Return a name; of what is Keras's, without its module."""
    if not text or ("/" not in text and ":" not in text and "." not in text):
        return text
    if ":" not in text and text.split(".")[0] in KERAS:
        text = ":".join(text.rpartition(".")[::2])
    if "@" not in text:  # the mark of a function that travels by value
        refuse_slip(setting, text, "name")
    module, _, name = text.partition(":")
    return name if _is_keras(module) else text


def _is_keras(module: str) -> bool:
    parts = module.split(".")
    return parts[0] == "keras" or (parts[0] in KERAS and parts[1:2] == ["keras"])


def _name_of(setting: str, value: Any) -> str:
    """Return the name of a function or class that was given in Python."""
    if not hasattr(value, "__qualname__"):
        problem = f"is an object of class {type(value).__name__}, which every fold would share"
        raise InputError(
            setting, f"{problem}; give its class's name with parameters, or a function"
        )
    try:
        return _path(setting, register_function(value))
    except InputError as error:
        raise InputError(setting, error.problem) from None


def _any_name(name: str) -> str:
    return name


def _callback(name: str) -> str:
    """Return the import path of a callback.

    Raises:
        InputError: Keras has none of that name.
    """
    if ":" in name or not name:
        return name
    if name not in CALLBACK_NAMES:
        hint = nearest(name, CALLBACK_NAMES).strip().rstrip(";")
        raise InputError("callbacks", f"Keras has no {name!r}; {hint} or module:Class")
    return f"{CALLBACKS}:{name}"


def _schedule(name: str) -> str:
    """Return the name of a learning rate schedule.

    Raises:
        InputError: Keras has none of that name.
    """
    if ":" not in name and name not in SCHEDULES:
        hint = nearest(name, SCHEDULES).strip()
        problem = f"{name!r} is neither a number nor a schedule of Keras's"
        raise InputError("learning_rate", f"{problem}; {hint} or module:Class")
    return name


def _rate(value: Any) -> Any:
    """Return a learning rate: a number, or a schedule with its parameters."""
    if isinstance(value, str) and not any(map(str.isalpha, value.lower().replace("e", ""))):
        return value  # a number in quotes
    found = _read("learning_rate", _schedule, value)
    return Named(name=found) if isinstance(found, str) else found


def _each(setting: str, known: Callable[[str], str]) -> Callable[[Any], Any]:
    def read(values: Any) -> Any:
        single = isinstance(values, str | Mapping | Named) or _is_object(values)
        if not single and not (isinstance(values, Iterable) and not isinstance(values, bytes)):
            return values
        listed: Sequence[Any] = [values] if single else list(values)
        return [_read(setting, known, value) for value in listed]

    return read


_Word = Annotated[
    Annotated[ImportPath, Tag("plain")] | Annotated[Named, Tag("named")], Discriminator(_branch)
]
_Number = Annotated[float, Field(gt=0, allow_inf_nan=False)]

Optimizer = Annotated[_Word, BeforeValidator(lambda value: _read("optimizer", _any_name, value))]
Loss = Annotated[_Word, BeforeValidator(lambda value: _read("loss", _any_name, value))]
LearningRate = Annotated[
    Annotated[
        Annotated[_Number, Tag("plain")] | Annotated[Named, Tag("named")], Discriminator(_branch)
    ],
    BeforeValidator(_rate),
]
FitMetrics = Annotated[list[_Word], BeforeValidator(_each("metrics", _any_name))]
Callbacks = Annotated[list[_Word], BeforeValidator(_each("callbacks", _callback))]
