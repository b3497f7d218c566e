"""What a builder takes: what it is handed, what the user gives, and what is none of both."""

from collections.abc import Callable
from typing import Any

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.user_code.builder import call_builder
from foldproof.tasks.user_code.builder_call import BuilderCall


def shape(input_shape: Any) -> None: ...


def nothing() -> None: ...


def several(*layers: int, n_outputs: int) -> None: ...


def units(input_shape: Any, task: str, units: int = 1) -> None: ...


def squeezed(inputshape: Any) -> None: ...


def keras_like(num_classes: int) -> None: ...


def width(width: int) -> None: ...


def call(**params: Any) -> BuilderCall:
    return BuilderCall("nets:build", b"", params, (4,), 3, 3, "multiclass", ())


@pytest.mark.parametrize(
    ("builder", "params", "line"),
    [
        *(
            (builder, {"unit": 3}, "model.params.unit: the builder does not take it; it takes none")
            for builder in (shape, nothing, several)
        ),
        (
            units,
            {"unit": 3},
            "model.params.unit: the builder does not take it; did you mean units?",
        ),
        (units, {"x": 3}, "model.params.x: the builder does not take it; use one of units"),
        (
            squeezed,
            {},
            "model.params.inputshape: missing; the builder needs it; did you mean input_shape, "
            "which it is handed? Else --model.params '{\"inputshape\": ...}'",
        ),
        (
            keras_like,
            {},
            "model.params.num_classes: missing; the builder needs it; did you mean n_classes, "
            "which it is handed? Else --model.params '{\"num_classes\": ...}'",
        ),
        (
            width,
            {},
            "model.params.width: missing; the builder needs it; "
            "give --model.params '{\"width\": ...}'",
        ),
    ],
)
def test_a_wrong_parameter_is_one_line(
    builder: Callable[..., Any], params: dict[str, Any], line: str
) -> None:
    with pytest.raises(InputError) as caught:
        call_builder(builder, call(**params))
    assert str(caught.value) == line
    assert len(line) <= 200


def test_what_a_builder_is_handed_may_still_be_given() -> None:
    def build(input_shape: Any, n_outputs: int, n_classes: int, task: str) -> tuple[Any, ...]:
        return input_shape, n_outputs, n_classes, task

    assert call_builder(build, call()) == ((4,), 3, 3, "multiclass")
    assert call_builder(build, call(n_outputs=5)) == ((4,), 5, 3, "multiclass")
