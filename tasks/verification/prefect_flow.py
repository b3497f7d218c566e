"""The Prefect flow object of `verify`, and the parameters that its form sends."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from prefect import Flow, State
from pydantic import Field, ValidationError

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.messages import input_error
from foldproof.tasks.config.types import Int, Section, Text
from foldproof.tasks.prefect_flow.names import named
from foldproof.tasks.prefect_flow.states import failed
from foldproof.tasks.prefect_ui.form import verification_signature
from foldproof.tasks.verification.level import Level


class Verification(Section):
    """What is verified, and how closely."""

    run_dir: Text = Field(description="A report's folder, OUT/runs/RUN_ID.")
    folds: Int | Literal["all"] | None = Field(None, description="Folds to refit; null for all.")
    level: Level = Field("bit", description="What must agree.")
    source: Text | None = Field(None, description="Where the data is now, if it moved.")

    @property
    def count(self) -> int | None:
        """How many folds to refit; None for all."""
        return self.folds if isinstance(self.folds, int) else None


def parse_parameters(parameters: Mapping[str, Any]) -> Verification:
    """Parse the parameters of a form or a schedule; an empty box means the default.

    Raises:
        InputError: with what is wrong about it.
    """
    texts = {name: v.strip() if isinstance(v, str) else v for name, v in parameters.items()}
    filled = {name: value for name, value in texts.items() if value not in (None, "")}
    try:
        made = Verification.model_validate(filled)
    except ValidationError as error:
        raise input_error(error, Verification) from None
    if made.count is not None and made.count < 0:
        raise InputError("folds", f"must be at least 0, or all, not {made.count}")
    return made


class VerifyFlow(Flow[..., State]):
    """The flow object of `verify`: wrong input ends in a Failed state, too."""

    def __init__(self, fn: Callable[..., State], **options: Any) -> None:
        """Make a flow of a function that takes the parts of a `Verification`."""
        super().__init__(fn, **{"flow_run_name": _flow_run_name, **options})
        self.__signature__ = verification_signature(fn)  # of the form alone

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Accept the form's parameters unchecked; the flow's body validates them."""
        return parameters


def verify_flow(function: Callable[..., State]) -> VerifyFlow:
    """Make a flow of a function, under the function's name."""
    return VerifyFlow(function, name=function.__name__)


def input_error_state(error: InputError) -> State:
    """Return the state of a run whose input is wrong."""
    return failed(" ".join(str(error).split()))


def _flow_run_name() -> str:
    return named(lambda given: f"verify {Path(str(given['run_dir'])).name}")
