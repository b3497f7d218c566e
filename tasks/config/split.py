"""Settings of the split: the method and its numbers."""

from typing import Self

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
    test_size: Float = Field(0.1, gt=0, lt=1, description="Test share of the shuffle splits.")
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
        unusual = self.test_size != type(self).model_fields["test_size"].default
        if unusual and self.method in METHODS[:-2]:  # forms send the defaults, too
            raise InputError("test_size", f"{self.method} ignores it; only shuffle splits take it")
        return self
