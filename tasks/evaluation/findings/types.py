"""A finding, what findings are looked for in, and how a module declares its own."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foldproof.tasks.config.study import Study
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.data.stored_features import FEATURES
from foldproof.tasks.data.tables.frames import FRAME
from foldproof.tasks.evaluation.findings.side_by_side import joined
from foldproof.tasks.evaluation.tables import Tables
from foldproof.tasks.folds.split.plan import FoldPlan

Severity = Literal["info", "warning", "error"]
FEATURE = re.compile(r"\bfeature (\d+)\b")


@dataclass(frozen=True)
class Finding:
    """Something that a reader must know; nothing in it depends on the machine or a file's name.

    Attributes:
        code: such as FP101, explained in docs/findings.md.
        message: what was seen, in one line; features of an array are numbers, from 0.
        remedy: what to do, or nothing.
        where: the features, folds or labels that it is about, or nothing.
        severity: info, warning or error; none changes how a command ends.
    """

    code: str
    message: str
    remedy: str = ""
    where: str = ""
    severity: Severity = "warning"

    def text(self, names: Sequence[str] = ()) -> str:
        """Return it in a line.

        Args:
            names: of the features, where they are known; they stand behind the numbers.
        """
        line = f"{self.message}; {self.remedy}" if self.remedy else self.message
        return f"{self.code} {FEATURE.sub(lambda found: _named(found, names), line)}"


def _named(found: re.Match[str], names: Sequence[str]) -> str:
    place = int(found[1])
    return f"{found[0]} ({names[place]!r})" if place < len(names) else found[0]


@dataclass(frozen=True)
class Evidence:
    """What findings are looked for in.

    Attributes:
        study: the settings.
        dataset: the samples.
        plan: the folds.
        tables: what the folds came to.
    """

    study: Study
    dataset: Dataset
    plan: FoldPlan
    tables: Tables

    @cached_property
    def numbers(self) -> NDArray[Any] | None:
        """The features as an array (n, p), memory-mapped; None where they are something else."""
        if isinstance(self.dataset.feature_shape, dict):
            return self._joined if isinstance(self._joined, np.ndarray) else None
        found = self.dataset.array(FEATURES)
        return None if found is None else found.reshape(len(found), -1)

    @cached_property
    def frame(self) -> pa.Table | None:
        """The features as a table, memory-mapped; None where they are an array."""
        if isinstance(self.dataset.feature_shape, dict):
            return self._joined if isinstance(self._joined, pa.Table) else None
        path = self.dataset.folder / FRAME
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all() if path.exists() else None

    @property
    def is_tabular(self) -> bool:
        """Whether each feature is a number of its own: no images, no sequences."""
        shapes = self.dataset.feature_shape
        return all(
            len(each) == 1 for each in (shapes.values() if isinstance(shapes, dict) else [shapes])
        )

    @cached_property
    def _joined(self) -> Any:
        """The features of several inputs, side by side."""
        shapes = self.dataset.feature_shape
        assert isinstance(shapes, dict)
        return joined(self.dataset.folder, shapes, self.dataset.rows)

    @property
    def is_keras(self) -> bool:
        """Whether the model is one of Keras's."""
        return any(self.tables.folds["weights_sha256"].to_pylist())

    @cached_property
    def summary(self) -> dict[str, dict[str, Any]]:
        """The rows of the summary, by metric."""
        return {row["metric"]: row for row in self.tables.summary.to_pylist()}


Check = Callable[[Evidence], Iterator[Finding]]
