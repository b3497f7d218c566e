"""Settings of the training: epochs, optimizer, loss, callbacks, scaler, early stopping, weights."""

from typing import Annotated, Any, Literal, Self, TypeGuard

from pydantic import BeforeValidator, Field, model_validator

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.named.keras_parts import (
    Callbacks,
    FitMetrics,
    LearningRate,
    Loss,
    Optimizer,
    parts_of,
)
from foldproof.tasks.config.named.preprocess import Step, as_step
from foldproof.tasks.config.types import (
    MAX_INT32,
    Float,
    ImportPath,
    Int,
    Section,
    Text,
    plain,
    refuse_unknown,
)

SAME_BITS = ("engine", "stream")  # settings that change no result, and are in no key
SCALERS = ("standard", "minmax", "robust", "none")
TargetScaler = Literal["none", "auto", "standard"]

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _label_keys(value: Any) -> Any:
    """Write the labels of a mapping as text, as JSON would."""
    if isinstance(value, dict):
        return {str(plain(key)): weight for key, weight in value.items()}
    return value


def is_held_out(monitor: Any) -> TypeGuard[str]:
    """Return whether a value is one of the rows that early stopping holds out."""
    return isinstance(monitor, str) and monitor.startswith("val_")


def no_rows_for(monitor: str) -> str:
    """Return why nothing can watch such a value without early stopping."""
    return f"no rows are held out for {monitor!r}; set train.early_stopping as well"


class EarlyStopping(Section):
    """Stop when a value on an inner part of the training rows no longer improves."""

    monitor: Text = Field("val_loss", description="The value to watch, as Keras names it.")
    mode: Literal["auto", "min", "max"] = Field(
        "auto",
        description="Whether that value should be low (min) or high (max); auto asks Keras, which "
        "knows its own metrics.",
    )
    patience: Int = Field(
        5, ge=0, le=MAX_INT32, description="Epochs without improvement before it stops."
    )
    min_delta: Float = Field(0.0, ge=0, description="The least change that is an improvement.")
    start_from_epoch: Int = Field(
        0, ge=0, le=MAX_INT32, description="Epochs that pass before it begins to watch."
    )
    restore_best: bool = Field(
        True, description="End with the weights of the best epoch, not with the last ones."
    )
    fraction: Float = Field(
        0.2, gt=0, lt=1, description="Share of the fold's training rows that is held out."
    )


class TrainSpec(Section):
    """How each fold trains."""

    epochs: Int = Field(50, ge=1, le=MAX_INT32, description="Passes over the training rows.")
    batch_size: Int = Field(
        32, ge=1, le=MAX_INT32, description="Rows in a batch; the last may be shorter."
    )
    shuffle: bool = Field(True, description="A new order every epoch, the same on every run.")
    optimizer: Optimizer = Field(
        "adam",
        description="A Keras optimizer or module:name, also with parameters, for a builder that "
        "did not compile its model.",
    )
    learning_rate: LearningRate = Field(
        0.001,
        description="The optimizer's learning rate: a number, or a Keras schedule or module:name "
        "with parameters.",
    )
    loss: Loss = Field(
        "auto",
        description="A Keras loss or module:name, also with parameters; auto chooses it from "
        "the task.",
    )
    metrics: FitMetrics = Field(
        [],
        description="What Keras measures in every epoch: names of its metrics or module:name, "
        "also with parameters; for a builder that did not compile its model.",
    )
    callbacks: Callbacks = Field(
        [],
        description="Keras callbacks by name, or module:name, also with parameters; made afresh "
        "for every fold.",
    )
    engine: Literal["auto", "compiled", "plain"] = Field(
        "auto",
        description="auto keeps a compiled model where that is provably the same; plain is "
        "Keras as it is. The result is the same bits.",
    )
    stream: Literal["auto", "always", "never"] = Field(
        "auto",
        description="auto leaves features on disk, and gathers each batch from there, where a "
        "fold's would not fit in a worker's memory. The result is the same bits.",
    )
    scaler: ImportPath = Field(
        "standard",
        description="standard, minmax, robust, none, or module:Class; fitted on the training rows "
        "only. Images have none unless it is set.",
    )
    target_scaler: TargetScaler = Field(
        "none",
        description="Of a regression: standard trains on targets of mean 0 and deviation 1, over "
        "the training rows, and turns predictions back; auto does so for nets only; none does not.",
    )
    early_stopping: EarlyStopping | None = Field(
        None, description="Stop when a value no longer improves; null (off) trains all epochs."
    )
    class_weight: Annotated[
        Literal["balanced"] | dict[str, Weight] | None, BeforeValidator(_label_keys)
    ] = Field(
        None, description="balanced, or a weight for each label; null (off) weighs all alike."
    )

    sampler: Annotated[Step | None, BeforeValidator(as_step)] = Field(
        None,
        description="A sampler of imbalanced-learn by name, such as SMOTE, or module:Class; it "
        "sees the training rows of each fold, preprocessed. null (off) leaves them as they are.",
    )

    @model_validator(mode="after")
    def _scaler_is_known(self) -> Self:
        refuse_unknown("scaler", self.scaler, SCALERS)
        return self

    @model_validator(mode="after")
    def _what_streams_is_plain(self) -> Self:
        if self.stream == "always" and self.engine == "compiled":
            raise InputError("stream", "always trains as plain Keras; set train.engine to auto")
        return self

    @model_validator(mode="after")
    def _what_callbacks_watch_is_measured(self) -> Self:
        for name, params in map(parts_of, self.callbacks):
            if self.early_stopping is None and is_held_out(params.get("monitor")):
                raise InputError("callbacks", f"{name}: {no_rows_for(params['monitor'])}")
        return self
