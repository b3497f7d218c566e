"""Settings of the model: the builder and its parameters."""

from collections.abc import Callable
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from foldproof.tasks.config.types import ImportPath, Section, plain_values
from foldproof.tasks.user_code.objects.estimators import is_estimator
from foldproof.tasks.user_code.references import in_settings, refuse_slip


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
        value = {"builder": value} if isinstance(value, str) or _is_code(value) else value
        if isinstance(value, dict) and _is_code(value.get("builder")):
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
        return plain_values("params", value)


def _is_code(value: Any) -> bool:
    """Return whether a value is a function that builds, or an estimator to clone."""
    return callable(value) or is_estimator(value)


def _name_of(builder: Callable[..., Any]) -> str:
    from foldproof.tasks.user_code.objects.functions import register_function

    return in_settings(register_function(builder))
