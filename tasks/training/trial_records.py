"""Outcomes of trials, kept in `OUT/trials/` so that the next command need not try again.

A trial proves that a kept model trains to the bits of plain Keras, or that a model can be
trained at all. What it found holds for as long as all that it depended on is the same: the
model's sources and parameters, the data, `train`, the numerics and the version of results, which
are in the name of a record; foldproof's own code, installed libraries, the machine and the
environment, which are in it as conditions. Records decide how a fold is trained, never what its
key is. Only good outcomes are kept: what was refused is tried again.
"""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.common.process.code_state import code_state
from foldproof.tasks.common.whole_files import write_whole

TRIALS = "trials"
SHAPE_CHARS = 16  # of a digest in a name
# Libraries read these when they load; what results depend on by right is in the numerics.
READ_BY_LIBRARIES = ("TF_", "KERAS_", "CUDA_", "NVIDIA_", "CUDNN_", "CUBLAS_", "XLA_")
# Other in each worker or run, and without influence: scratch folder, device, words.
OF_ONE_WORKER = ("KERAS_HOME", "CUDA_VISIBLE_DEVICES", "TF_CPP_MIN_LOG_LEVEL")


@dataclass(frozen=True)
class TrialRecords:
    """The records of trials of one folder, under the conditions of this run.

    Attributes:
        folder: where they lie.
        conditions: a digest of all that names do not tell.
    """

    folder: Path
    conditions: str

    def read(self, name: str) -> dict[str, Any] | None:
        """Return what a trial found, or None where that is unknown, damaged or held elsewhere."""
        try:
            found = json.loads((self.folder / name).read_text(encoding="utf-8"))
            outcome = dict(found["outcome"])
            is_whole = found["sha256"] == self._digest(outcome)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return outcome if is_whole else None

    def write(self, name: str, outcome: dict[str, Any]) -> None:
        """Keep what a trial found.

        Raises:
            OSError: the disk does not take it.
        """
        content = {"outcome": outcome, "sha256": self._digest(outcome)}
        write_whole(self.folder / name, json.dumps(content, indent=1))

    def forget(self, family: str) -> None:
        """Remove all records of a model with its data and settings."""
        for path in self.folder.glob(f"{family}*.json"):
            path.unlink(missing_ok=True)

    def _digest(self, outcome: dict[str, Any]) -> str:
        return digest_json([self.conditions, outcome])


def trial_records(out: Path, given: Any) -> TrialRecords:
    """Return the records below a folder of results.

    Args:
        out: the folder.
        given: as plain JSON, what a trial depends on beside what is the same for all of them.
    """
    state = [platform.node(), code_state(), _environment(), given]
    return TrialRecords(out / TRIALS, digest_json(state))


def model_name(family: str) -> str:
    """Return the name of the record of a model's trial."""
    return f"{family}-model.json"


def engine_name(family: str, shapes: Sequence[Any]) -> str:
    """Return the name of the record of the engine's trial with arrays of these shapes."""
    return f"{family}-{digest_json(list(shapes))[:SHAPE_CHARS]}.json"


def _environment() -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in sorted(os.environ.items())
        if name.startswith(READ_BY_LIBRARIES) and name not in OF_ONE_WORKER
    ]
