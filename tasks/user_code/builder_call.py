"""The message that tells a worker how to import and call the user's builder."""

from dataclasses import dataclass
from typing import Any

from foldproof.tasks.common.inputs import Shapes
from foldproof.tasks.common.task import Task


@dataclass(frozen=True)
class BuilderCall:
    """How to import or unpickle the user's builder, and the arguments for it.

    Attributes:
        reference: `module:function`, or the name of a function that travels by value.
        pickled: that function by value, else empty.
        params: arguments of the user's.
        input_shape: the shape of one sample; of several inputs that of each by its name.
        n_outputs: 1 for binary and regression, else the classes.
        n_classes: None for a regression.
        task: binary, multiclass or regression.
        search: folders where modules are looked for first.
        files: path and SHA-256 of each file that it opens while it builds.
        functions: name and pickle of each function that other settings name and that travels
            by value, such as one that makes callbacks.
    """

    reference: str
    pickled: bytes
    params: dict[str, Any]
    input_shape: Shapes
    n_outputs: int
    n_classes: int | None
    task: Task
    search: tuple[str, ...]
    files: tuple[tuple[str, str], ...] = ()
    functions: tuple[tuple[str, bytes], ...] = ()

    @property
    def offered(self) -> dict[str, Any]:
        """What a builder may ask for, by the names of its arguments."""
        shape: Any = self.input_shape
        several = isinstance(shape, dict)
        return {
            **({"input_shapes": dict(shape)} if several else {"input_shape": shape}),
            **{"n_outputs": self.n_outputs, "n_classes": self.n_classes, "task": self.task},
        }
