"""Six small models, and what each of their runs gave: digests of weights, scores and metrics.

Bits depend on the processor and on the libraries, so golden.json has one entry for each kind.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from foldproof.tasks.common.digest import digest_arrays
from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.machine.devices import place

FILE = Path("tests", "results", "golden.json")
RUNS = {
    "the default": ["--train.epochs", "10"],
    "a conv net with early stopping": [
        *("--data", "digits", "--model", "tasks.models:cnn", "--split.n_splits", "3"),
        *("--train.epochs", "6", "--train.early_stopping", '{"patience": 1}'),
    ],
    "a logistic regression": [
        *("--model", "sklearn.linear_model:LogisticRegression", "--split.n_splits", "5"),
    ],
    "a regression": [
        *("--data", "diabetes", "--split.n_splits", "3", "--train.epochs", "5"),
        *("--train.scaler", "robust", "--train.batch_size", "16"),
    ],
    "three classes": [
        *("--data", "iris", "--split.n_splits", "3", "--train.epochs", "5"),
        *("--train.optimizer", "sgd", "--train.scaler", "minmax"),
    ],
    "class weights and dropout as plain Keras": [
        *("--split.n_splits", "3", "--split.n_repeats", "2", "--train.epochs", "3"),
        *("--model.params", '{"hidden": [16], "dropout": 0.5}'),
        *("--train.class_weight", "balanced", "--train.engine", "plain"),
    ],
}
OF_FOLDS = ["initial_weights_sha256", "weights_sha256", "predictions_sha256"]
PARTS = ("scores_sha256", "metrics_sha256")  # the second is of the report, intervals and all
PATIENCE = 480  # seconds; a guard against hanging, not a measure of speed

Digests = dict[str, Any]  # of one run


@dataclass(frozen=True)
class Kind:
    """What the runs gave on one kind of processor with one set of libraries.

    Attributes:
        numerics: the fingerprint.
        runs: the digests of each run, by its name.
        report_version: of the reports that the digests of metrics were taken from.
    """

    numerics: dict[str, Any]
    runs: dict[str, Digests]
    report_version: int = 1


@dataclass(frozen=True)
class Golden:
    """What the runs gave with one version of results, on all kinds that are known."""

    results_version: str
    kinds: tuple[Kind, ...] = ()

    @classmethod
    def read(cls, root: Path) -> "Golden":
        """Read what is known in a checkout."""
        told = json.loads((root / FILE).read_text(encoding="utf-8"))
        return cls(told["results_version"], tuple(Kind(**kind) for kind in told["kinds"]))

    def write(self, root: Path) -> None:
        """Write it down."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"
        (root / FILE).write_text(text, encoding="utf-8")

    def of(self, numerics: Mapping[str, Any]) -> Kind | None:
        """Return what is known of a kind."""
        return next((kind for kind in self.kinds if kind.numerics == numerics), None)


def numerics_here() -> dict[str, Any]:
    """Return what bits depend on besides the code."""
    return place(ComputeSpec(device="cpu")).numerics.fingerprint()


def digests(root: Path, name: str, folder: Path) -> Digests:
    """Run one of the models in a folder and return the digests of its report.

    Raises:
        RuntimeError: it failed.
    """
    command = [sys.executable, str(root / "flows" / "cv.py"), "--quiet", "--compute.device", "cpu"]
    ended = subprocess.run(
        [*command, *RUNS[name]], cwd=folder, capture_output=True, text=True, timeout=PATIENCE
    )
    if ended.returncode != 0:
        raise RuntimeError(f"{name}: {ended.stderr.strip()}")
    report = folder / ended.stdout.strip()
    folds = parquet.read_table(report / "folds.parquet")
    return {
        "folds": folds.select(OF_FOLDS).to_pylist(),
        "scores_sha256": _numbers(parquet.read_table(report / "predictions.parquet")),
        "metrics_sha256": _numbers(folds, parquet.read_table(report / "summary.parquet")),
    }


def differences(before: Kind, now: Kind) -> Iterator[str]:
    """Yield what the runs give otherwise than before, a line each."""
    for name in sorted({*before.runs, *now.runs}):
        earlier, later = before.runs.get(name), now.runs.get(name)
        if earlier is None or later is None:
            yield f"{name}: {'no such run before' if earlier is None else 'not run'}"
        else:
            parts = PARTS[: 2 if before.report_version == now.report_version else 1]
            yield from (f"{name}: {what}" for what in _changed(earlier, later, parts))


def _changed(before: Digests, now: Digests, parts: Sequence[str]) -> Iterator[str]:
    if len(before["folds"]) != len(now["folds"]):
        yield f"{len(now['folds'])} folds, not {len(before['folds'])}"
        return
    for row, (earlier, later) in enumerate(zip(before["folds"], now["folds"], strict=True)):
        changed = [column for column in OF_FOLDS if earlier[column] != later[column]]
        if changed:
            yield f"{changed[0]} in row {row} of folds.parquet"
            break  # the first says where to look
    yield from (part for part in parts if before[part] != now[part])


def _numbers(*tables: pa.Table) -> str:
    """Return the SHA-256 of the bytes of all columns of doubles, by the tables' order."""
    columns = (table[f.name] for table in tables for f in table.schema if f.type == pa.float64())
    return digest_arrays(column.to_numpy() for column in columns)
