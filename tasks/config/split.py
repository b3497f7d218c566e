"""Settings of the split: the method and its numbers."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.types import (
    MAX_FOLDS,
    Column,
    Float,
    ImportPath,
    Int,
    Section,
    refuse_unknown,
)
from foldproof.tasks.user_code.objects.functions import is_function_object

REPEATABLE = ("kfold", "stratified_kfold", "group_kfold", "stratified_group_kfold")
SHUFFLE_SPLITS = ("shuffle_split", "stratified_shuffle_split")
SINGLE = ("time_series", "leave_one_out", "predefined")
METHODS = ("auto", *REPEATABLE, *SINGLE, *SHUFFLE_SPLITS)


class SplitSpec(Section):
    """How the samples are divided into folds."""

    method: ImportPath = Field(
        "auto",
        description="auto (stratified_kfold for classes, kfold for regression), "
        + ", ".join(METHODS[1:])
        + ", or an own splitter as module:Class.",
    )
    n_splits: Int = Field(10, ge=2, le=MAX_FOLDS, description="Folds in each repeat.")
    n_repeats: Int = Field(1, ge=1, le=MAX_FOLDS, description="Repeats, each with another shuffle.")
    shuffle: bool = Field(True, description="Shuffle the rows before they are divided.")
    test_size: Annotated[Int, Field(ge=1)] | Annotated[Float, Field(gt=0, lt=1)] = Field(
        0.1,
        description="Test share, or test rows, of the shuffle splits, and of each fold of "
        "time_series where it is given.",
    )
    gap: Int = Field(
        0, ge=0, description="time_series: times left out between training and test; see docs."
    )
    window: Literal["expanding", "sliding"] | Annotated[Int, Field(ge=1)] = Field(
        "expanding",
        description="time_series: train on all earlier times, on as many as the first fold "
        "does, or on this many.",
    )
    fold_column: Column | None = Field(
        None, description="predefined: the column that holds each row's fold."
    )

    @model_validator(mode="after")
    def _settings_have_an_effect(self) -> Self:
        if not is_function_object(self.method):
            refuse_unknown("method", self.method, METHODS)
        if self.method == "predefined" and self.fold_column is None:
            raise InputError("fold_column", "missing; predefined needs the column of the folds")
        if self.method != "predefined" and self.fold_column is not None:
            raise InputError("fold_column", "only predefined reads it; set method: predefined")
        if self.method in SINGLE and self.n_repeats > 1:
            raise InputError("n_repeats", f"{self.method} is the same every time; set it to 1")
        if self.method in REPEATABLE and self.n_repeats > 1 and not self.shuffle:
            raise InputError("n_repeats", "unshuffled repeats are all the same; set shuffle: true")
        if self.method not in ("auto", "time_series"):
            refuse_settings_of_time(self, self.method)
        return self

    def is_in_time(self, time: str | None) -> bool:
        """Return whether the folds are those of a time series.

        Args:
            time: the column of the times, or None.
        """
        return self.method == "time_series" or (self.method == "auto" and time is not None)

    def given(self, time: str | None) -> list[str]:
        """Return the settings that count at their default, too, where they were given.

        Args:
            time: the column of the times, or None.
        """
        return ["test_size"] if self.is_in_time(time) and self.chosen("test_size") else []


def refuse_settings_of_time(spec: SplitSpec, method: str, within: str = "") -> None:
    """Refuse settings that only time series read; forms send the defaults, too.

    Args:
        spec: the settings of the split.
        method: what reads none of them.
        within: what stands before the name of a setting.

    Raises:
        InputError: one is not at its default.
    """
    takers = {"gap": "time_series reads it", "window": "time_series reads it"}
    if method not in SHUFFLE_SPLITS and ":" not in method and not is_function_object(method):
        takers["test_size"] = "shuffle splits take it, and time_series"
    for name, taker in takers.items():
        if getattr(spec, name) != SplitSpec.model_fields[name].default:
            raise InputError(within + name, f"{method} ignores it; only {taker}")
