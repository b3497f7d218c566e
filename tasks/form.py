"""The form that Prefect draws for a run: titles, order, boxes and choices; and what it sends.

The settings are those of `tasks.config`; only how they are asked for is said here. Prefect's
form draws a union as tabs named after Python types, and a text that may be null as two
tabs, so plain boxes stand in their place: an empty one means the default.
"""

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from tasks.config import METHODS, SCALERS, Section, Study
from tasks.errors import InputError
from tasks.explain import nearest
from tasks.form_choices import (
    CLASS_WEIGHTS,
    COLUMNS,
    EARLY_STOPPING,
    MEBIBYTES,
    METRICS,
    OBJECT,
    SECONDS,
    SOURCES,
    TEXT,
    WORKERS,
    Shape,
    named_or_own,
)

REFERENCE = "#/$defs/"
OFF = ("class_weight", "off")  # what the form calls a null that stands among other choices
STUDIES = "The settings of each model; data, split, metrics, seed and out must be the same in all."
PARAMS = "params"  # the builder's own arguments, which may be empty for good reason


@dataclass(frozen=True)
class Entry:
    """How a setting is asked for.

    Attributes:
        field: its dotted name.
        title: what stands above the box; the name that messages use is in brackets there.
        shape: JSON Schema in place of the one that follows from the setting's type.
    """

    field: str
    title: str
    shape: Shape | None = None


# In the order in which they are asked for.
ENTRIES = (
    Entry("data", "Data"),
    Entry("data.source", "Source", SOURCES),
    Entry("data.csv", "How the CSV file is written", OBJECT),
    Entry("data.target", "Target column", TEXT),
    Entry("data.task", "Task"),
    Entry("data.positive", "Positive class", TEXT),
    Entry("data.features", "Feature columns", COLUMNS),
    Entry("data.drop", "Columns to drop"),
    Entry("data.groups", "Column of groups", TEXT),
    Entry("data.weights", "Column of sample weights", TEXT),
    Entry("split", "Split"),
    Entry("split.method", "Method", named_or_own(METHODS, "splitter")),
    Entry("split.n_splits", "Folds"),
    Entry("split.n_repeats", "Repeats"),
    Entry("split.shuffle", "Shuffle the rows"),
    Entry("split.test_size", "Test share"),
    Entry("split.fold_column", "Column of folds", TEXT),
    Entry("model", "Model"),
    Entry("model.builder", "Builder"),
    Entry("model.params", "Arguments of the builder"),
    Entry("train", "Training"),
    Entry("train.epochs", "Epochs"),
    Entry("train.batch_size", "Batch size"),
    Entry("train.optimizer", "Optimizer"),
    Entry("train.learning_rate", "Learning rate"),
    Entry("train.loss", "Loss"),
    Entry("train.scaler", "Scaler", named_or_own(SCALERS, "transformer")),
    Entry("train.early_stopping", "Early stopping", EARLY_STOPPING),
    Entry("train.class_weight", "Class weights", CLASS_WEIGHTS),
    Entry("train.shuffle", "Shuffle the batches"),
    Entry("train.engine", "Training engine"),
    Entry("metrics", "Metrics", METRICS),
    Entry("compute", "Compute"),
    Entry("compute.device", "Device"),
    Entry("compute.workers", "Workers", WORKERS),
    Entry("compute.threads", "Threads"),
    Entry("compute.fold_timeout", "Time limit of a fold", SECONDS),
    Entry("compute.retries", "Retries of a fold"),
    Entry("compute.memory_limit", "Memory limit of a worker", MEBIBYTES),
    Entry("compute.engine", "Execution engine"),
    Entry("compute.address", "Address of the cluster", TEXT),
    Entry("compute.mixed", "Take nodes with other numerics"),
    Entry("compute.folds_per_gpu", "Folds on a GPU"),
    Entry("seed", "Seed"),
    Entry("out", "Folder of results"),
)


def form_signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return a flow's signature with the form's schema in its annotations.

    Prefect makes the form of a deployment from the signature of its flow.
    """
    parameters = inspect.signature(function).parameters.values()
    return inspect.Signature(
        [_asked_for(p) if p.name in Study.model_fields else p for p in parameters]
    )


def studies_signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a flow that asks for several studies, each by the same form."""
    items = {"title": "Model", **form_schema()}
    schema = {"type": "array", "items": items, "minItems": 2}
    told = Field(json_schema_extra={"title": "Models (studies)", "description": STUDIES})
    (parameter,) = inspect.signature(function).parameters.values()
    asked = Annotated[Any, WithJsonSchema(schema)]
    return inspect.Signature([parameter.replace(annotation=asked, default=told)])


def from_form(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form sent as settings: what was left empty is left out.

    Raises:
        InputError: there is no setting of a name.
    """
    known = Study.model_fields
    for name in parameters:
        if name not in known:
            raise InputError(name, f"unknown setting; {nearest(name, known).strip()}")
    filled = {name: _chosen(name, value) for name, value in parameters.items()}
    return {name: value for name, value in filled.items() if not _is_empty(value)}


def _chosen(name: str, value: Any) -> Any:
    """Return what was chosen of a section: forms send the defaults, too."""
    default, filled = Study.model_fields[name].default, _filled(value)
    if not isinstance(filled, dict) or not isinstance(default, Section):
        return filled
    return {
        field: entry
        for field, entry in filled.items()
        if not _is_same(entry, getattr(default, field, None)) and (field, entry) != OFF
    }


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


def _asked_for(parameter: inspect.Parameter) -> inspect.Parameter:
    """Return a parameter whose annotation is its part of the form."""
    schema = form_schema()["properties"][parameter.name]
    default = schema["default"]
    if isinstance(default, dict):  # a box that may stay empty starts so
        default = {name: value for name, value in default.items() if value is not None}
    kept = {name: schema.pop(name) for name in ("title", "description")}
    told = Field(default, description=kept["description"], json_schema_extra=kept)
    return parameter.replace(annotation=Annotated[Any, WithJsonSchema(schema)], default=told)


def form_schema() -> dict[str, Any]:
    """Return the JSON Schema of the whole form, without references."""
    generated = Study.model_json_schema()
    schema: dict[str, Any] = _resolved(generated, generated.get("$defs", {}))
    for position, entry in enumerate(ENTRIES):
        _ask(schema, entry, position)
    _place_the_rest(schema, Study)
    return schema


def _ask(schema: dict[str, Any], entry: Entry, position: int) -> None:
    section, _, name = entry.field.rpartition(".")
    fields = schema["properties"][section]["properties"] if section else schema["properties"]
    name = name or entry.field
    given, words = fields[name], entry.title.lower().replace(" ", "_")
    if entry.shape is not None:
        kept = ("description", "default")
        given = {key: given[key] for key in kept if key in given} | copy.deepcopy(entry.shape)
        if given.get("default", ...) is None and "anyOf" not in given:
            del given["default"]  # a box that may stay empty
    is_named = words == name or "properties" in given
    given["title"] = entry.title if is_named else f"{entry.title} ({name})"
    given["position"] = position
    fields[name] = given


def _place_the_rest(schema: dict[str, Any], section: type[Section]) -> None:
    """Put settings that have no entry behind those that have one."""
    for position, field in enumerate(schema.get("properties", {}).values()):
        field.setdefault("position", len(ENTRIES) + position)
        if "properties" in field:
            _place_the_rest(field, section)


def _resolved(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Put definitions where they are referred to."""
    if isinstance(schema, list):
        return [_resolved(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {
        name: _resolved(value, definitions) for name, value in schema.items() if name != "$defs"
    }
    if "$ref" not in inner:
        return inner
    name = inner.pop("$ref").removeprefix(REFERENCE)
    return _resolved(definitions[name], definitions) | inner
