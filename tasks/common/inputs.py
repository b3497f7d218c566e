"""Features of a model with one input, or of several by name, seen as one thing.

Those of one input are an array or a table; those of several are a dict of these.
"""

from collections.abc import Callable, Mapping
from typing import Any

Shape = tuple[int, ...]
Shapes = Shape | dict[str, Shape]


def map_inputs(function: Callable[[Any], Any], features: Any) -> Any:
    """Apply a function to the features of each input."""
    if isinstance(features, dict):
        return {name: function(each) for name, each in features.items()}
    return function(features)


def any_input(features: Any) -> Any:
    """Return the features of one of the inputs."""
    return next(iter(features.values())) if isinstance(features, dict) else features


def count_rows(features: Any) -> int:
    """Return the number of samples."""
    return int(any_input(features).shape[0])


def sample_shapes(features: Any) -> Shapes:
    """Return the shape of a sample, of several inputs by name."""
    shapes: Shapes = map_inputs(lambda each: tuple(each.shape[1:]), features)
    return shapes


def plain_shapes(shapes: Shapes) -> Any:
    """Return shapes as JSON has them."""
    return map_inputs(list, shapes)


def shown_shapes(shapes: Any) -> str:
    """Return shapes for people, such as `28 x 28 x 1`, or `age: 2, image: 28 x 28 x 1`."""
    if isinstance(shapes, Mapping):
        return ", ".join(f"{name}: {shown_shapes(shape)}" for name, shape in shapes.items())
    return " x ".join(map(str, shapes))
