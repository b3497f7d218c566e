"""The frozen settings of a cross-validation: data, split, model, train, compute.

One model serves the YAML file, the command line, `cross_validate(...)` and the form
that Prefect draws. What can be said wrong without looking at the data or importing the
builder is said here.
"""

import datetime
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from foldproof.tasks.common.digest import canonical_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.messages import explain
from foldproof.tasks.user_code.references import in_settings, refuse_slip

REPEATABLE = ("kfold", "stratified_kfold", "group_kfold", "stratified_group_kfold")
SHUFFLE_SPLITS = ("shuffle_split", "stratified_shuffle_split")
SINGLE = ("time_series", "leave_one_out", "predefined")
METHODS = ("auto", *REPEATABLE, *SINGLE, *SHUFFLE_SPLITS)
MOST_PLACES = 2**15  # of repeats and of folds: their numbers are int16 in the report
MOST_STEPS = 2**31 - 1  # of what TensorFlow counts in int32
MOST_SLOTS = 1024
MOST_SECONDS = 10**9
SECTIONS = ("data", "split", "model", "train", "compute")
COLUMNS = (
    "data.target",
    "data.features",
    "data.drop",
    "data.groups",
    "data.weights",
    "split.fold_column",
)  # the settings that name columns
STORES = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs")
SCALERS = ("standard", "minmax", "robust", "none")
DELIMITERS = {"tab": "\t", "\\t": "\t", "space": " "}  # as a person may write them
THOUSANDS = (",", ".", "'", "\u2019", " ", "\u00a0", "\u202f", "_")  # the last only where said


def _plain(value: Any) -> Any:
    """Turn NumPy scalars, dates and paths into what JSON knows."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, datetime.date):
        return value.isoformat()
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _label_keys(value: Any) -> Any:
    """Write the labels of a mapping as text, as JSON would."""
    if isinstance(value, dict):
        return {str(_plain(key)): weight for key, weight in value.items()}
    return value


def _column(value: Any) -> Any:
    """Take a number or a boolean for the name of a column: `5` in JSON is the column "5"."""
    value = _plain(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bool):
        return json.dumps(value)
    return str(value) if isinstance(value, int | float) else value


def _listed(value: Any) -> Any:
    """Take a single name for a list of one, if it is one."""
    is_single = isinstance(_plain(value), str | int | float) and value != ""
    return [value] if is_single else value


def _listed_unless_auto(value: Any) -> Any:
    return value if value == "auto" or isinstance(value, bool) else _listed(value)


def _named_mark(value: Any) -> Any:
    return DELIMITERS.get(value, value) if isinstance(value, str) else value


def _writable(text: str) -> str:
    """Refuse what no file and no report can hold: lone surrogates; and what no path may."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be text that can be written as UTF-8") from None
    if "\0" in text:
        raise ValueError("must hold no NUL character")
    return text


def _has_both_parts(reference: str) -> bool:
    module, _, name = reference.partition(":")
    return bool(module and name)


Text = Annotated[str, BeforeValidator(_plain), Field(min_length=1), AfterValidator(_writable)]
Column = Annotated[Text, BeforeValidator(_column)]
Int = Annotated[int, BeforeValidator(_plain)]
Float = Annotated[float, BeforeValidator(_plain), Field(allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Importable:
    """Mark a setting whose text may be an import path: it counts wherever code is guarded."""


ImportPath = Annotated[Text, Importable()]


class Section(BaseModel):
    """A frozen group of settings; unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)

    def chosen(self, name: str) -> bool:
        """Tell whether the user set this field rather than took its default."""
        return name in self.model_fields_set


class CsvSpec(Section):
    """How a CSV file is written; auto finds it out and says what is unusual."""

    delimiter: Annotated[str, BeforeValidator(_named_mark)] = Field(
        "auto", description="One character, tab or space; auto knows , ; | and tab."
    )
    decimal: str = Field("auto", description="The mark before decimals: a point or a comma.")
    thousands: str = Field(
        "auto",
        description="The mark between groups of three digits: a comma, point, blank or "
        "apostrophe; or none.",
    )
    encoding: Text = Field(
        "auto", description="Of the text, as Python names it: utf-8, utf-16, cp1252, latin-1."
    )
    comment: Text = Field(
        "auto", description="What lines to leave out begin with, or none; auto knows # on top."
    )
    header: Literal["auto"] | bool = Field(
        "auto",
        description="Whether the first row names the columns; false names them 0, 1, 2 and so on.",
    )
    missing: Annotated[
        Literal["auto"] | list[Annotated[str, BeforeValidator(_column)]],
        BeforeValidator(_listed_unless_auto),
    ] = Field(
        "auto",
        description="The words for a missing value, besides nothing at all; auto takes NA, NaN, "
        "N/A, null and the like.",
    )

    @model_validator(mode="after")
    def _marks_are_usable(self) -> Self:
        known = self.delimiter == "auto" or (len(self.delimiter) == 1 and self.delimiter.isascii())
        if not known or self.delimiter in '"\n\r\0':
            problem = f"{self.delimiter!r} is none; use one character, such as ; or tab"
            raise InputError("delimiter", problem)
        if self.decimal not in ("auto", ".", ","):
            raise InputError("decimal", f"{self.decimal!r} is none; use . or , or auto")
        if self.thousands not in ("auto", "none", *THOUSANDS):
            problem = f"{self.thousands!r} is none; use one character such as , or none, or auto"
            raise InputError("thousands", problem)
        if self.decimal != "auto" and self.decimal == self.thousands:
            raise InputError("thousands", f"{self.decimal!r} is the decimal mark; use another")
        return self

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, value: str) -> str:
        try:
            "".encode("utf-8" if value == "auto" else value)
        except (LookupError, ValueError):
            problem = f"unknown {value!r}; use utf-8, utf-16, cp1252 or latin-1"
            raise InputError("encoding", problem) from None
        return value


class DataSpec(Section):
    """Where the samples come from and what is predicted from what."""

    source: Text = Field(
        "breast_cancer",
        description="A bundled data set (breast_cancer, iris, wine, digits, diabetes, blobs), "
        "or a path to a CSV file, a Parquet file or folder, or an npz file.",
    )
    csv: CsvSpec = Field(CsvSpec(), description="How the CSV file is written; in no key.")
    target: Column | None = Field(
        None, description="The column to predict (CSV and Parquet; npz files predict array y)."
    )
    task: Literal["auto", "binary", "multiclass", "regression"] = Field(
        "auto", description="The kind of task; auto tells it from the target."
    )
    positive: Annotated[str | int | float | bool | None, BeforeValidator(_plain)] = Field(
        None, description="Binary tasks: the label that counts as positive; default the larger."
    )
    features: Annotated[list[Column] | None, BeforeValidator(_listed)] = Field(
        None,
        description="The feature columns; default every column that has no other use.",
        min_length=1,
    )
    drop: Annotated[list[Column], BeforeValidator(_listed)] = Field(
        [], description="Columns to leave out."
    )
    groups: Column | None = Field(
        None, description="A column; samples of one group never stand on both sides of a fold."
    )
    weights: Column | None = Field(
        None, description="A column of sample weights, used in training only."
    )
    _arrays: Any = PrivateAttr(None)

    def model_post_init(self, context: Any, /) -> None:
        """Keep the arrays in memory that these settings stand for, if they do."""
        if self.source.startswith("memory:"):
            from foldproof.tasks.config.arrays_in_memory import kept

            self._arrays = kept(self.source)

    @classmethod
    def from_arrays(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        **settings: Any,
    ) -> Self:
        """Describe arrays in memory as data, as if they had been read from an npz file.

        Args:
            X: features of shape (n, ...); they become float32.
            y: target of shape (n,): strings, booleans or numbers.
            groups: one value a sample; no group stands on both sides of a fold.
            weights: one number a sample, used in training only.
            **settings: `task` or `positive`.

        Raises:
            InputError: an array has an unusable type, or a setting is wrong.
        """
        from foldproof.tasks.config.arrays_in_memory import remember

        named = {"groups": groups, "weights": weights}
        present = {name: array for name, array in named.items() if array is not None}
        arrays = remember({"X": X, "y": y, **present})
        given = {"source": arrays.source, **{name: name for name in present}, **settings}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise explain(error, cls) from None


class SplitSpec(Section):
    """How the samples are divided into folds."""

    method: ImportPath = Field(
        "auto",
        description="auto (stratified_kfold for classes, kfold for regression), "
        + ", ".join(METHODS[1:])
        + ", or an own splitter as module:Class.",
    )
    n_splits: Int = Field(10, ge=2, le=MOST_PLACES, description="Folds in each repeat.")
    n_repeats: Int = Field(
        1, ge=1, le=MOST_PLACES, description="Repeats, each with another shuffle."
    )
    shuffle: bool = Field(True, description="Shuffle the rows before they are divided.")
    test_size: Float = Field(0.1, gt=0, lt=1, description="Test share of the shuffle splits.")
    fold_column: Column | None = Field(
        None, description="predefined: the column that holds each row's fold."
    )

    @model_validator(mode="after")
    def _settings_have_an_effect(self) -> Self:
        if self.method not in METHODS:
            _refuse_slip("method", self.method, "Class")
        if self.method not in METHODS and not _has_both_parts(self.method):
            raise InputError("method", f"unknown {self.method!r}; " + _one_of(METHODS, self.method))
        if self.method == "predefined" and self.fold_column is None:
            raise InputError("fold_column", "missing; predefined needs the column of the folds")
        if self.method != "predefined" and self.fold_column is not None:
            raise InputError("fold_column", "only predefined reads it; set method: predefined")
        if self.method in SINGLE and self.n_repeats > 1:
            raise InputError("n_repeats", f"{self.method} is the same every time; set it to 1")
        if self.method in REPEATABLE and self.n_repeats > 1 and not self.shuffle:
            raise InputError("n_repeats", "unshuffled repeats are all the same; set shuffle: true")
        unusual = self.test_size != type(self).model_fields["test_size"].default
        if unusual and self.method in METHODS[:-2]:  # forms send the defaults, too
            raise InputError("test_size", f"{self.method} ignores it; only shuffle splits take it")
        return self


class ModelSpec(Section):
    """The model that every fold builds afresh."""

    builder: ImportPath = Field(
        "tasks.models:mlp",
        description="module:function, found from the working directory; returns a fresh "
        "keras.Model or an unfitted scikit-learn estimator.",
    )
    params: dict[str, Any] = Field({}, description="Arguments for the builder.")

    @model_validator(mode="before")
    @classmethod
    def _function_by_name(cls, value: Any) -> Any:
        value = {"builder": value} if isinstance(value, str) or callable(value) else value
        if isinstance(value, dict) and callable(value.get("builder")):
            return {**value, "builder": _name_of(value["builder"])}
        return value

    @field_validator("builder", mode="after")
    @classmethod
    def _one_name_for_what_is_built_in(cls, builder: str) -> str:
        return in_settings(builder)

    @model_validator(mode="after")
    def _names_a_function(self) -> Self:
        if "@" not in self.builder:  # the mark of a function that travels by value
            refuse_slip("builder", self.builder, "function")
        return self

    @field_validator("params", mode="before")
    @classmethod
    def _params_are_plain(cls, value: Any) -> Any:
        """Take what JSON can hold, in the form that a YAML file would give it."""
        try:
            if not isinstance(value, dict):
                return value
            return json.loads(canonical_json(value).encode())
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError("params", f"must hold plain values ({error})") from None


class EarlyStopping(Section):
    """Stop when a value on an inner part of the training rows no longer improves."""

    monitor: Text = Field("val_loss", description="The value to watch, as Keras names it.")
    mode: Literal["auto", "min", "max"] = Field(
        "auto",
        description="Whether that value should be low (min) or high (max); auto asks Keras, which "
        "knows its own metrics.",
    )
    patience: Int = Field(
        5, ge=0, le=MOST_STEPS, description="Epochs without improvement before it stops."
    )
    min_delta: Float = Field(0.0, ge=0, description="The least change that is an improvement.")
    start_from_epoch: Int = Field(
        0, ge=0, le=MOST_STEPS, description="Epochs that pass before it begins to watch."
    )
    restore_best: bool = Field(
        True, description="End with the weights of the best epoch, not with the last ones."
    )
    fraction: Float = Field(
        0.2, gt=0, lt=1, description="Share of the fold's training rows that is held out."
    )


class TrainSpec(Section):
    """How each fold trains."""

    epochs: Int = Field(50, ge=1, le=MOST_STEPS, description="Passes over the training rows.")
    batch_size: Int = Field(
        32, ge=1, le=MOST_STEPS, description="Rows in a batch; the last may be shorter."
    )
    shuffle: bool = Field(True, description="A new order every epoch, the same on every run.")
    optimizer: Text = Field(
        "adam", description="A Keras optimizer, for a builder that did not compile its model."
    )
    learning_rate: Float = Field(0.001, gt=0, description="The optimizer's learning rate.")
    loss: Text = Field("auto", description="A Keras loss; auto chooses it from the task.")
    engine: Literal["auto", "compiled", "plain"] = Field(
        "auto",
        description="auto keeps a compiled model where that is provably the same; plain is "
        "Keras as it is. The result is the same bits.",
    )
    scaler: ImportPath = Field(
        "standard",
        description="standard, minmax, robust, none, or module:Class; "
        "fitted on the training rows only.",
    )
    early_stopping: EarlyStopping | None = Field(
        None, description="Stop when a value no longer improves; null (off) trains all epochs."
    )
    class_weight: Annotated[
        Literal["balanced"] | dict[str, Weight] | None, BeforeValidator(_label_keys)
    ] = Field(
        None, description="balanced, or a weight for each label; null (off) weighs all alike."
    )

    @model_validator(mode="after")
    def _scaler_is_known(self) -> Self:
        if self.scaler not in SCALERS:
            _refuse_slip("scaler", self.scaler, "Class")
        if self.scaler not in SCALERS and not _has_both_parts(self.scaler):
            raise InputError("scaler", f"unknown {self.scaler!r}; " + _one_of(SCALERS, self.scaler))
        return self


class ComputeSpec(Section):
    """Where the folds train. Only threads and device can change a result."""

    engine: Literal["local", "dask", "ray"] = Field("local", description="What runs the folds.")
    address: Text | None = Field(
        None,
        description="host:port of a Dask scheduler or of a Ray head; default a cluster of that "
        "engine on this machine, for the run.",
    )
    workers: Literal["auto"] | Annotated[Int, Field(ge=1, le=MOST_SLOTS)] = Field(
        "auto", description="Worker processes; auto is one per device slot."
    )
    threads: Int = Field(
        1, ge=1, le=MOST_SLOTS, description="TensorFlow and BLAS threads per worker."
    )
    device: Literal["auto", "cpu", "gpu"] = Field("auto", description="auto takes GPUs if any.")
    folds_per_gpu: Int = Field(
        1,
        ge=1,
        le=MOST_SLOTS,
        description="Folds that share a GPU; each gets an equal part of its memory.",
    )
    mixed: bool = Field(
        False,
        description="Take nodes whose numerics differ from this machine's; bits may then differ "
        "by node, which the report says.",
    )
    fold_timeout: Annotated[Float, Field(gt=0, le=MOST_SECONDS)] | None = Field(
        None, description="Seconds that one try of a fold may take."
    )
    retries: Int = Field(2, ge=0, description="Further tries of a fold whose worker was lost.")
    memory_limit: Annotated[Int, Field(ge=256)] | None = Field(
        None, description="MiB of private memory that a worker may take; null sets no limit."
    )

    @model_validator(mode="after")
    def _settings_have_an_effect(self) -> Self:
        if self.engine == "local" and self.address is not None:
            raise InputError("address", "local has no cluster; set compute.engine to dask or ray")
        if self.engine == "local" and self.mixed:
            raise InputError("mixed", "local has no nodes; set compute.engine to dask or ray")
        if self.device == "cpu" and self.folds_per_gpu > 1:
            raise InputError("folds_per_gpu", "no GPU is used; set compute.device to gpu or auto")
        return self


class Study(Section):
    """Everything that defines and places one cross-validation."""

    data: DataSpec = Field(DataSpec(), title="Data", description="What is learned from.")
    split: SplitSpec = Field(SplitSpec(), title="Split", description="How folds are made.")
    model: ModelSpec = Field(ModelSpec(), title="Model", description="What is trained.")
    train: TrainSpec = Field(TrainSpec(), title="Train", description="How it is trained.")
    metrics: Annotated[
        Literal["auto"] | Annotated[list[Text], Field(min_length=1)],
        BeforeValidator(_listed_unless_auto),
    ] = Field("auto", description="auto, or scikit-learn scorer names, sensitivity, specificity.")
    compute: ComputeSpec = Field(ComputeSpec(), title="Compute", description="Where it runs.")
    seed: Int = Field(1337, ge=0, lt=2**31, description="The number that all randomness is from.")
    out: Text = Field(
        "reports",
        description="The folder of finished folds and reports, or object storage, "
        "such as s3://bucket/folder.",
    )

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("data"), str | os.PathLike):
            return {**value, "data": {"source": value["data"]}}
        return value

    @field_validator("out")
    @classmethod
    def _out_can_be_written_to(cls, value: str) -> str:
        scheme = value.partition("://")[0] if "://" in value else ""
        if scheme in STORES:
            return value
        if scheme:
            known = ", ".join(f"{name}://" for name in STORES)
            raise InputError("out", f"{scheme}:// is unknown; choose a folder, or one of {known}")
        try:
            Path(value).resolve()
        except (OSError, RuntimeError) as error:  # a loop of links
            raise InputError("out", f"cannot be found ({error}); choose another folder") from None
        return value

    @model_validator(mode="after")
    def _metrics_are_distinct(self) -> Self:
        if len(set(self.metrics)) < len(self.metrics) and self.metrics != "auto":
            raise InputError("metrics", "a name stands there twice; name each metric once")
        return self


def parse_study(settings: dict[str, Any]) -> Study:
    """Make a study from nested plain settings.

    Raises:
        InputError: with one line that names the field and the remedy.
    """
    try:
        return Study.model_validate(settings)
    except ValidationError as error:
        raise explain(error, Study) from None


def _refuse_slip(setting: str, text: str, kind: str) -> None:
    """Refuse a slip in a reference where one can be meant; a bare word is some other name."""
    if any(mark in text.strip(":") for mark in ":./\\"):
        refuse_slip(setting, text, kind)


def _one_of(names: tuple[str, ...], given: str) -> str:
    from foldproof.tasks.common.text import nearest

    return nearest(given, names) + "or module:Class"


def _name_of(builder: Callable[..., Any]) -> str:
    from foldproof.tasks.user_code.functions import name_function

    return in_settings(name_function(builder))
