"""How the targets of a regression were scaled for training, and back to their own unit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TargetScaling:
    """A standard scaling of targets: one mean and scale for each.

    Attributes:
        means, scales: float64, of the rows that a fold computes gradients from.
    """

    means: tuple[float, ...]
    scales: tuple[float, ...]

    def scaled(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return targets as training sees them, (n, ...) as they came."""
        wide = values.reshape(len(values), -1).astype(np.float64)
        apart = (wide - np.array(self.means)) / np.array(self.scales)
        return np.asarray(apart, np.float64).reshape(values.shape)

    def undone(self, output: NDArray[Any]) -> NDArray[np.float64]:
        """Return a model's output (n, k) in the unit of the targets, float64."""
        wide = output.astype(np.float64)
        return np.asarray(wide * np.array(self.scales) + np.array(self.means))

    def plain(self) -> list[list[str]]:
        """Return it as text that holds every bit."""
        return [[value.hex() for value in part] for part in (self.means, self.scales)]
