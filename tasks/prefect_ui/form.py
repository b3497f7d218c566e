"""The form that Prefect shows for a run: its JSON Schema, and parsing what it sends.

The settings are those of `tasks.config`; only how they are asked for is said here. A box
stands for a setting that people change often; all others go into one box of JSON, `more`.
Prefect's form draws nothing for a null among other choices, so an empty box or the word
`off` stand for it.
"""

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import WithJsonSchema
from pydantic.fields import FieldInfo

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest
from foldproof.tasks.config.named.preprocess import WORDS as PREPROCESS_WORDS
from foldproof.tasks.config.split import METHODS
from foldproof.tasks.config.study import Study
from foldproof.tasks.config.train import SCALERS, EarlyStopping
from foldproof.tasks.config.types import Section
from foldproof.tasks.prefect_ui.form_boxes import (
    CALLBACKS,
    CLASS_WEIGHTS,
    EARLY_STOPPING,
    LEARNING_RATE,
    METRICS,
    MODELS,
    MORE,
    OPTIMIZER,
    PATIENCE,
    SOURCES,
    TEXT,
    VERIFICATION,
    WORKERS,
    Shape,
    builders,
    named_or_own,
)

# What the form calls a null that stands among other choices.
OFF = {("early_stopping", "off"), ("class_weight", "off")}
PARAMS = "params"  # the builder's own arguments, which may be empty for good reason


@dataclass(frozen=True)
class Box:
    """A form field: how a setting is asked for.

    Attributes:
        field: its dotted name.
        title: what stands above the box; the name that messages use is in brackets there.
        shape: JSON Schema in place of the one that follows from the setting's type.
    """

    field: str
    title: str
    shape: Shape | None = None


# In the order in which they are asked for.
BOXES = (
    Box("data.source", "Source", SOURCES),
    Box("data.target", "Target column", TEXT),
    Box("data.positive", "Positive class", TEXT),
    Box("data.drop", "Columns to leave out"),
    Box("data.preprocess", "Preprocessing", named_or_own(PREPROCESS_WORDS, "transformer")),
    Box("data.groups", "Column of groups", TEXT),
    Box("data.time", "Column of times", TEXT),
    Box("split.method", "Method", named_or_own(METHODS, "splitter")),
    Box("split.n_splits", "Folds"),
    Box("split.n_repeats", "Repeats"),
    Box("model.builder", "Builder", builders()),
    Box("model.params", "Arguments of the builder"),
    Box("train.epochs", "Epochs"),
    Box("train.batch_size", "Batch size"),
    Box("train.optimizer", "Optimizer", OPTIMIZER),
    Box("train.learning_rate", "Learning rate", LEARNING_RATE),
    Box("train.scaler", "Scaler", named_or_own(SCALERS, "transformer")),
    Box("train.early_stopping", "Early stopping", EARLY_STOPPING),
    Box("train.patience", "Patience of early stopping", PATIENCE),
    Box("train.callbacks", "Callbacks", CALLBACKS),
    Box("train.class_weight", "Class weights", CLASS_WEIGHTS),
    Box("metrics", "Metrics", METRICS),
    Box("compute.device", "Device"),
    Box("compute.workers", "Workers", WORKERS),
    Box("seed", "Seed"),
    Box("out", "Folder of results"),
    Box("more", "More settings", MORE),
)
NOT_IN_COMPARISONS = ("data.drop", "train.batch_size", "train.optimizer", "train.class_weight")


def study_signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a flow of one study with the form's schema in its annotations.

    Prefect makes the form of a deployment from the signature of its flow.
    """
    return _signature(form_schema(BOXES))


def studies_signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a flow of several studies: a list of models, shared settings."""
    kept = [box for box in BOXES if box.field not in NOT_IN_COMPARISONS]
    schema = form_schema([box for box in kept if not box.field.startswith("model.")])
    models = MODELS | {"position": 0}
    return _signature({"models": models, **schema})


def verification_signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a flow that verifies a run."""
    return _signature(VERIFICATION)


def _signature(boxes: Mapping[str, Shape]) -> inspect.Signature:
    return inspect.Signature([_parameter(name, schema) for name, schema in boxes.items()])


def _parameter(name: str, schema: Shape) -> inspect.Parameter:
    """Return a parameter whose annotation is its part of the form."""
    rest = dict(schema)
    kept = ("title", "description", "position")
    told: dict[str, Any] = {key: rest.pop(key) for key in kept if key in rest}
    default = rest.get("default", ...)
    field = _Asked(default=default, description=told["description"], json_schema_extra=told)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    asked = Annotated[Any, _Drawn(rest)]
    return inspect.Parameter(name, kind, annotation=asked, default=field)


class _Drawn(WithJsonSchema):
    """A part of the form, which the help of a flow shows as a word."""

    def __repr__(self) -> str:
        return "form"


class _Asked(FieldInfo):  # type: ignore[misc]  # only its repr is another
    """What a part of the form is asked for, which the help of a flow leaves out."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "..."


def form_schema(boxes: Sequence[Box] = BOXES) -> dict[str, Shape]:
    """Return the JSON Schema of each parameter of a form, without references."""
    settings = Study.model_json_schema()
    schema: dict[str, Shape] = {}
    for position, box in enumerate(boxes, 1):
        section, _, name = box.field.rpartition(".")
        described = settings["properties"].get(section or name, {})
        fields = settings["$defs"][_type_name(section)]["properties"] if section else {}
        drawn = _drawn(box, name, fields.get(name, {}) if section else described)
        if not section:
            schema[name] = drawn | {"position": position}
            continue
        told = {key: described[key] for key in ("title", "description")}
        empty = {"type": "object", "properties": {}, "default": {}, "position": position, **told}
        group = schema.setdefault(section, empty)
        group["properties"][name] = drawn | {"position": position}
        if "default" in drawn:
            group["default"][name] = drawn["default"]
    return schema


def _type_name(section: str) -> str:
    return type(Study.model_fields[section].default).__name__


def _drawn(box: Box, name: str, setting: Shape) -> Shape:
    """Return the JSON Schema of a box."""
    shape = setting if box.shape is None else _kept(setting) | copy.deepcopy(box.shape)
    if shape.get("default", ...) is None:
        shape = {key: value for key, value in shape.items() if key != "default"}
    is_named = box.title.lower().replace(" ", "_") == name
    return shape | {"title": box.title if is_named else f"{box.title} ({name})"}


def _kept(setting: Shape) -> Shape:
    return {key: setting[key] for key in ("description", "default") if key in setting}


def from_form(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a form or a schedule sent, without empty fields.

    Raises:
        InputError: there is no setting of a name, or `more` says something else than a box.
    """
    known = Study.model_fields
    for name in parameters:
        if name not in known and name != "more":
            raise InputError(name, f"unknown setting; {nearest(name, known).strip()}")
    sent = {name: _filled(value) for name, value in parameters.items() if name != "more"}
    sent = {name: value for name, value in sent.items() if not _is_empty(value)}
    if isinstance(train := sent.get("train"), dict):
        sent["train"] = _with_patience(train)
    chosen = {name: _chosen(name, value) for name, value in sent.items()}
    return _with_more(chosen, parameters.get("more"), sent)


def with_more(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings given in Python with those of `more` among them.

    Raises:
        InputError: a setting is given twice.
    """
    rest = {name: value for name, value in given.items() if name != "more"}
    return _with_more(rest, given["more"], rest) if given.get("more") else rest


def shared_and_own(shared: Mapping[str, Any], models: Any) -> list[dict[str, Any]]:
    """Return the settings of each model of a comparison's form.

    Args:
        shared: what all models have in common, as the form sent it.
        models: of each, its builder, the builder's arguments, and settings of its own.

    Raises:
        InputError: something is no mapping, or clashes.
    """
    common = from_form(shared)
    return [_one_model(common, model) for model in models]


def _one_model(common: Mapping[str, Any], model: Any) -> dict[str, Any]:
    given = _filled(model)
    if not isinstance(given, dict) or (unknown := given.keys() - {"builder", PARAMS, "settings"}):
        known = "builder, params, settings"
        problem = f"{model!r} is none" if not isinstance(given, dict) else f"no {min(unknown)!r}"
        raise InputError("models", f"{problem}; give each model as {known}")
    own = _mapping("settings", given.pop("settings", {}))
    return _over({**common, "model": given}, own)


def _over(settings: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Merge a model's own settings into the shared ones."""
    merged = dict(settings)
    for name, value in own.items():
        below = merged.get(name)
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[name] = _over(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _with_more(chosen: Any, more: Any, sent: Any, path: str = "more") -> dict[str, Any]:
    """Merge the settings of the box `more`."""
    result = dict(_plain(chosen))
    for name, value in _mapping(path, {} if more is None else more).items():
        box, place = _plain(sent).get(name), f"{path}.{name}"
        if isinstance(value, Mapping) and (box is None or isinstance(_plain(box), Mapping)):
            result[name] = _with_more(result.get(name, {}), value, box or {}, place)
        elif box is not None and box != value:
            own = place.removeprefix("more.")
            raise InputError(place, f"{value!r} clashes with {own}: {box!r}; say it once")
        else:
            result[name] = value
    return result


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        example = '{"train": {"loss": "mse"}}'
        raise InputError(name, f"must hold settings by section, such as {example}, not {value!r}")
    return value


def _plain(value: Any) -> Any:
    return value.model_dump(exclude_unset=True) if isinstance(value, Section) else value


def _with_patience(train: dict[str, Any]) -> dict[str, Any]:
    """Put the patience where early stopping has it, if that is on."""
    rest = {name: value for name, value in train.items() if name != "patience"}
    patience, stopping = train.get("patience"), train.get("early_stopping")
    usual = EarlyStopping.model_fields["patience"].default
    if stopping == "on":
        return rest | {"early_stopping": {} if patience is None else {"patience": patience}}
    if patience in (None, usual):
        return rest
    if isinstance(stopping, dict):
        return rest | {"early_stopping": _with_more(stopping, {"patience": patience}, stopping)}
    remedy = "set early_stopping to on"
    raise InputError("train.patience", f"{patience!r} has no effect without it; {remedy}")


def _chosen(name: str, value: Any) -> Any:
    """Return the settings of a section that differ from their defaults: forms send all."""
    default = Study.model_fields[name].default
    if not isinstance(value, dict) or not isinstance(default, Section):
        return value
    return {
        field: entry
        for field, entry in value.items()
        if not _is_same(entry, getattr(default, field, None)) and not _is_off(field, entry)
    }


def _is_off(field: str, entry: Any) -> bool:
    return isinstance(entry, str) and (field, entry) in OFF


def _filled(value: Any) -> Any:
    """Take empty boxes out of a section, and blanks off the ends of texts."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [item for item in map(_filled, value) if not _is_empty(item)]
    if isinstance(value, dict):
        filled = {
            name: entry if name == PARAMS else _filled(entry) for name, entry in value.items()
        }
        return {name: entry for name, entry in filled.items() if not _is_empty(entry)}
    return value


def _is_same(entry: Any, default: Any) -> bool:
    return type(entry) is type(default) and bool(entry == default)


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == []
