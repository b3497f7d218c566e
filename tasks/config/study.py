"""The frozen settings of a cross-validation: data, split, model, train, compute, report.

One model serves the YAML file, the command line, `cross_validate(...)` and the form
that Prefect draws. What can be said wrong without looking at the data or importing the
builder is said here.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.messages import input_error
from foldproof.tasks.config.model import ModelSpec
from foldproof.tasks.config.named.inputs import preprocess_of
from foldproof.tasks.config.report import ReportSpec
from foldproof.tasks.config.split import SplitSpec, refuse_settings_of_time
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.config.types import (
    Column,
    ImportPath,
    Int,
    Section,
    Text,
    listed_unless_auto,
)

SECTIONS = ("data", "split", "model", "train", "compute", "report")
COLUMNS = (
    "data.target",
    "data.features",
    "data.drop",
    "data.inputs",
    "data.groups",
    "data.time",
    "data.id",
    "data.weights",
    "split.fold_column",
)  # the settings that name columns
STORES = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs")


class Study(Section):
    """Everything that defines and places one cross-validation."""

    data: DataSpec = Field(DataSpec(), title="Data", description="What is learned from.")
    split: SplitSpec = Field(SplitSpec(), title="Split", description="How folds are made.")
    model: ModelSpec = Field(ModelSpec(), title="Model", description="What is trained.")
    train: TrainSpec = Field(TrainSpec(), title="Train", description="How it is trained.")
    metrics: Annotated[
        Literal["auto"] | Annotated[list[ImportPath], Field(min_length=1)],
        BeforeValidator(listed_unless_auto),
    ] = Field(
        "auto",
        description="auto, or scikit-learn scorer names, sensitivity, specificity, ppv, npv, "
        "kappa, or module:function of (y_true, y_pred) or (y_true, y_score).",
    )
    compute: ComputeSpec = Field(ComputeSpec(), title="Compute", description="Where it runs.")
    report: ReportSpec = Field(
        ReportSpec(), title="Report", description="What is reported of the folds."
    )
    seed: Int = Field(1337, ge=0, lt=2**31, description="The number that all randomness is from.")
    out: Text = Field(
        "reports",
        description="The folder of finished folds and reports, or object storage, "
        "such as s3://bucket/folder.",
    )

    name: Column | None = Field(None, description="What people call the run; in no key.")

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
    def _features_are_scaled_once(self) -> Self:
        given = [preprocess_of(self.data.preprocess, name) for name in self.data.inputs or [""]]
        if "auto" not in given and self.train.chosen("scaler"):
            problem = "data.preprocess says all that is done to features"
            raise InputError("train.scaler", f"{problem}; put the scaler there, or leave it out")
        return self

    @model_validator(mode="after")
    def _sampler_gets_one_table(self) -> Self:
        if self.data.inputs is not None and self.train.sampler is not None:
            problem = "resamples one table, but data.inputs makes several"
            raise InputError("train.sampler", f"{problem}; leave one of the two out")
        return self

    @model_validator(mode="after")
    def _split_fits_the_data(self) -> Self:
        if self.split.method == "auto" and self.data.time is None:
            refuse_settings_of_time(self.split, "auto without data.time", "split.")
        return self

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
        raise input_error(error, Study) from None
