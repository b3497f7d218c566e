"""What the interval methods take and give."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class ScoredFold:
    """A fold's test rows as an interval method sees them.

    Attributes:
        n_train, n_test: its sizes.
        positive: which test rows are positive, bool (n_test,), or None if not binary.
        scores: the positive class's scores, float64 (n_test,), or None.
    """

    n_train: int
    n_test: int
    positive: NDArray[Any] | None = None
    scores: NDArray[Any] | None = None

    @property
    def binary(self) -> bool:
        """Whether it has scores of a positive class."""
        return self.positive is not None


@dataclass(frozen=True)
class Interval:
    """Bounds, or None, and the method's name with the numbers it used."""

    low: float | None
    high: float | None
    method: str
