"""Settings of the data: the source, how a CSV file is written, which column is what."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from numpy.typing import ArrayLike
from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.in_memory.frames import is_frame
from foldproof.tasks.config.in_memory.streams import refuse_stream
from foldproof.tasks.config.keyed import keyed_settings
from foldproof.tasks.config.messages import input_error
from foldproof.tasks.config.named.inputs import (
    Inputs,
    Preprocessing,
    by_input,
    check_inputs,
    of_each,
)
from foldproof.tasks.config.named.preprocess import check_preprocess
from foldproof.tasks.config.types import (
    Column,
    Int,
    Section,
    Text,
    column_name,
    listed,
    listed_unless_auto,
    plain,
)

DELIMITERS = {"tab": "\t", "\\t": "\t", "space": " "}  # as a person may write them
THOUSANDS = (",", ".", "'", "\u2019", " ", "\u00a0", "\u202f", "_")  # the last only where said


def _named_mark(value: Any) -> Any:
    return DELIMITERS.get(value, value) if isinstance(value, str) else value


def _one_or_several(value: Any) -> Any:
    """Take a list of one column for that column."""
    is_list = isinstance(value, list | tuple)
    return value[0] if is_list and len(value) == 1 else list(value) if is_list else value


class Reading(Section):
    """How the bytes of one kind of source are read; in no key, as what was read is."""


class CsvSpec(Reading):
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
        Literal["auto"] | list[Annotated[str, BeforeValidator(column_name)]],
        BeforeValidator(listed_unless_auto),
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


class NpySpec(Reading):
    """Which files beside an npy file of features hold what belongs to it."""

    y: Text = Field("y.npy", description="Beside the file of features: the values to predict.")
    groups: Text | None = Field(
        None, description="Beside it: one value a row; rows of a group never stand on both sides."
    )
    weights: Text | None = Field(None, description="Beside it: one weight a row, for training.")

    @field_validator("*")
    @classmethod
    def _stands_beside(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and (set(value) & set("/\\?#") or not value.endswith(".npy")):
            problem = f"{value!r} is no name of an .npy file beside data.source; move it there"
            raise InputError(str(info.field_name), problem)
        return value


class ExcelSpec(Reading):
    """Which part of an Excel workbook is the table."""

    sheet: Column | None = Field(
        None, description="The sheet's name; needed where more than one holds something."
    )


class ImagesSpec(Reading):
    """How images become features; in no key, as their pixels are."""

    column: Column | None = Field(
        None, description="Of a table: the column of paths, from the table's folder."
    )
    size: list[Int] | None = Field(
        None, description="Height and width that all get; null: they have one size already."
    )
    channels: Literal[1, 3, 4] = Field(3, description="1 (gray), 3 (RGB) or 4 (RGBA).")

    @field_validator("size", mode="before")
    @classmethod
    def _size_is_two_numbers(cls, value: Any) -> Any:
        sides = value if isinstance(value, list | tuple) else []
        is_size = len(sides) == 2 and all(type(side) is int and side > 0 for side in sides)
        if value is None or is_size:
            return value if value is None else list(value)
        raise InputError("size", f"must be [height, width] in pixels, not {value!r:.60}")


class DataSpec(Section):
    """Where the samples come from and what is predicted from what."""

    source: Text = Field(
        "breast_cancer",
        description="A bundled data set (breast_cancer, iris, wine, digits, diabetes, blobs), or "
        "the path or URI of a .csv, .tsv or .tab file (also with .gz), a .parquet or .pq file, or "
        "a folder of Parquet files, a .feather, .arrow or .ipc file, an .xlsx or .xlsm workbook, "
        "an .npz file, an .npy file with y.npy beside it, a folder of images with "
        "one subfolder a class, or a database with data.query: sqlite:///FILE or postgresql://HOST/NAME.",
    )
    query: Text | None = Field(
        None,
        description="Of a database: the SQL query whose rows are the samples; it is only read "
        "with, and in no key.",
    )
    csv: CsvSpec = Field(CsvSpec(), description="How the CSV file is written; in no key.")
    excel: ExcelSpec = Field(
        ExcelSpec(), description="What of an Excel workbook is read; in no key."
    )
    images: ImagesSpec = Field(ImagesSpec(), description="How images become features; in no key.")
    npy: NpySpec = Field(NpySpec(), description="The files beside an npy file; in no key.")
    target: Annotated[
        Column | Annotated[list[Column], Field(min_length=1)] | None,
        BeforeValidator(_one_or_several),
    ] = Field(
        None,
        description="The column to predict, or a list of several: labels that may be true "
        "together, or numbers (of tables; arrays predict array y).",
    )
    task: Literal[
        "auto", "binary", "multiclass", "regression", "multilabel", "ordinal", "count", "array"
    ] = Field(
        "auto",
        description="The kind of task; auto tells it from the target, but for ordinal (whole "
        "numbers in an order) and count (numbers of events).",
    )
    positive: Annotated[str | int | float | bool | None, BeforeValidator(plain)] = Field(
        None, description="Binary tasks: the label that counts as positive; default the larger."
    )
    features: Annotated[list[Column] | None, BeforeValidator(listed)] = Field(
        None,
        description="The feature columns; default every column that has no other use.",
        min_length=1,
    )
    drop: Annotated[list[Column], BeforeValidator(listed)] = Field(
        [], description="Columns to leave out."
    )
    groups: Column | None = Field(
        None, description="A column; samples of one group never stand on both sides of a fold."
    )
    time: Column | None = Field(
        None,
        description="A column of times, dates or numbers; rows are put in its order, and no fold "
        "trains on a time that it tests.",
    )
    id: Column | None = Field(
        None, description="A column that names the rows in predictions.parquet; no feature."
    )
    weights: Column | None = Field(
        None, description="A column of sample weights, used in training only."
    )
    inputs: Inputs | None = Field(
        None,
        description="Of a model with several inputs: the column or columns of each, by its name; "
        "of an npz file, the array.",
    )
    preprocess: Preprocessing = Field(
        "auto",
        description="Fitted on the training rows of each fold: auto fills gaps, encodes "
        "categories, texts and dates, and scales numbers; none hands the table on as it is; or a "
        "transformer as module:object, or a list of steps. With data.inputs also a mapping of "
        "their names to these.",
    )
    _arrays: Any = PrivateAttr(None)

    @field_validator("source")
    @classmethod
    def _no_password(cls, value: str) -> str:
        """Refuse a password before anything could record or show it."""
        rest = value.partition("://")[2]
        user = rest.rpartition("@")[0] if value.lower().startswith("postgres") else ""
        if ":" in user or (user + rest and "password=" in rest.partition("?")[2]):
            raise InputError("source", "holds a password; leave it out and set PGPASSWORD")
        return value

    @field_validator("preprocess", mode="before")
    @classmethod
    def _may_be_by_input(cls, value: Any, info: ValidationInfo) -> Any:
        return by_input(value, info.data.get("inputs"))

    @model_validator(mode="after")
    def _inputs_have_columns(self) -> Self:
        if self.inputs is None:
            return self
        check_inputs(self.inputs)
        if self.features is not None:
            raise InputError("features", "data.inputs names the columns; leave one of the two out")
        return self

    @model_validator(mode="after")
    def _preprocess_is_known(self) -> Self:
        for name, each in of_each(self.preprocess).items():
            check_preprocess(each, f"preprocess.{name}" if name else "preprocess")
        return self

    def reading(self, name: str) -> Any:
        """Return one of `READINGS`, of a section what is not at its default; else nothing."""
        value = getattr(self, name)
        if isinstance(value, Reading):
            return value.model_dump(mode="json", exclude_defaults=True)
        return value

    def without_place(self) -> dict[str, Any]:
        """Return what the settings say of the samples, wherever these lie and are read from."""
        return keyed_settings(self, without=("source", *READINGS))

    @model_validator(mode="wrap")
    @classmethod
    def _frames_are_kept(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Take a data frame as the source, or in place of all settings."""
        refuse_stream("source", value.get("source") if isinstance(value, dict) else value)
        given = {"source": value} if is_frame(value) else value
        if not (isinstance(given, dict) and is_frame(given.get("source"))):
            return handler(given)
        from foldproof.tasks.config.in_memory.arrays_in_memory import remember_frame

        arrays = remember_frame(given["source"])  # is kept by this variable until it is by `made`
        made = handler({**given, "source": arrays.source})
        return made

    def model_post_init(self, context: Any, /) -> None:
        """Keep the arrays in memory that these settings stand for, if they do."""
        if self.source.startswith("memory:"):
            from foldproof.tasks.config.in_memory.arrays_in_memory import find_arrays

            self._arrays = find_arrays(self.source)

    def with_preprocess(self, preprocess: Any) -> Self:
        """Return the same data with another preprocessing.

        Raises:
            InputError: it is none.
        """
        given = self.model_dump(exclude_unset=True) | {"preprocess": preprocess}
        try:
            return type(self).model_validate(given)
        except ValidationError as error:
            raise input_error(error, type(self)) from None

    @classmethod
    def from_arrays(
        cls,
        X: ArrayLike | Mapping[str, Any],
        y: ArrayLike,
        groups: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        time: ArrayLike | None = None,
        id: ArrayLike | None = None,
        **settings: Any,
    ) -> Self:
        """Describe arrays in memory as data, as if they had been read from an npz file.

        Args:
            X: features of shape (n, ...), or a data frame; they become float32. For a model with
                several inputs, a dict of these by the names of the inputs.
            y: target of shape (n,): strings, booleans or numbers; several of shape (n, k), or
                of any shape (n, ...).
            groups: one value a sample; no group stands on both sides of a fold.
            weights: one number a sample, used in training only.
            time: one time a sample, by which they are put in order.
            id: one name a sample, for predictions.parquet.
            **settings: `task` or `positive`.

        Raises:
            InputError: an array has an unusable type, or a setting is wrong.
        """
        from foldproof.tasks.config.in_memory.arrays_in_memory import named_features, store_arrays

        named = {"groups": groups, "weights": weights, "time": time, "id": id}
        present = {name: array for name, array in named.items() if array is not None}
        features = named_features(X, (*named, "y"))
        several = {"inputs": {name: name for name in X}} if isinstance(X, Mapping) else {}
        arrays = store_arrays({**features, "y": y, **present}, tuple(features))
        given = {
            **{"source": arrays.source, **several},
            **{name: name for name in present},
            **settings,
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise input_error(error, cls) from None


READING_SECTIONS = tuple(
    name for name, field in DataSpec.model_fields.items() if isinstance(field.default, Reading)
)
READINGS = (*READING_SECTIONS, "query")  # how a source is read, which is in no key
