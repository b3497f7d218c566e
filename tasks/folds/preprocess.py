"""How a fold preprocesses its features: the message to the worker, and what came of it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from foldproof.tasks.config.named.preprocess import Preprocess, Step

Way = Literal["scaler", "auto", "none", "own"]


@dataclass(frozen=True)
class PreprocessCall:
    """How to preprocess the features of a fold.

    Attributes:
        way: scaler (an array of complete numbers), auto (a table), none, or own.
        given: the setting, where it is the user's own.
        pickled: an object of the user's by value, else empty.
        search: folders where modules are looked for first.
    """

    way: Way = "scaler"
    given: Preprocess = "auto"
    pickled: bytes = b""
    search: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it in a message."""
        if isinstance(self.given, str):
            return self.given
        uses = [step.name for step in self.given if isinstance(step, Step)]
        return f"a list of steps ({', '.join(uses)})" if uses else "a list of parts"


@dataclass(frozen=True)
class ColumnOutcome:
    """What a fold's preprocessing did to a column.

    Attributes:
        column: its name.
        kind: numbers, booleans, categories, texts, dates or times.
        gaps: training rows without a value.
        step: what was done, in words.
        outputs: how many features became of it; -1 if only its maker knows.
    """

    column: str
    kind: str
    gaps: int
    step: str
    outputs: int

    def plain(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self)
