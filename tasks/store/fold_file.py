"""The file of a finished fold: Parquet, named by its key, written atomically, never pickled.

A file is written under a name that ends otherwise, synced and renamed. It holds the
fold's raw output and history, and the digest of both, so that damage is noticed.
"""

import json
import os
import socket
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from foldproof.tasks.common.digest import canonical_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.folds.initial_state import InitialState
from foldproof.tasks.folds.preprocess import ColumnOutcome
from foldproof.tasks.folds.result import Execution, FinishedFold
from foldproof.tasks.folds.target_scaling import TargetScaling

SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("rows", pa.list_(pa.int64())),
        ("raw", pa.list_(pa.float64())),
        ("raw_type", pa.string()),
        ("activation", pa.string()),
        ("epochs", pa.list_(pa.int32())),
        ("metrics", pa.list_(pa.string())),
        ("values", pa.list_(pa.float64())),
        ("epochs_run", pa.int32()),
        ("best_epoch", pa.int32()),
        ("initial_weights_sha256", pa.string()),
        ("weights_sha256", pa.string()),
        ("predictions_sha256", pa.string()),
        ("optimizer_step", pa.int64()),
        ("seeded", pa.bool_()),
        ("content_sha256", pa.string()),
        ("attempt", pa.int32()),
        ("device", pa.string()),
        ("host", pa.string()),
        ("pid", pa.int64()),
        ("started_at", pa.timestamp("us", tz="UTC")),
        ("seconds_build", pa.float64()),
        ("seconds_fit", pa.float64()),
        ("seconds_predict", pa.float64()),
        ("peak_rss_mib", pa.float64()),
        ("numerics", pa.string()),
        ("preprocessing", pa.string()),
        ("target_means", pa.list_(pa.float64())),
        ("target_scales", pa.list_(pa.float64())),
    ]
)


class DamagedFold(RuntimeError):
    """A stored fold does not match its name or its digest."""


def write_fold(fold: FinishedFold, path: Path) -> None:
    """Store a finished fold atomically: a reader sees all of it or nothing."""
    table = pa.Table.from_pylist([_row(fold)], schema=SCHEMA)
    temporary = path.with_name(f".{path.stem}.{socket.gethostname()}-{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            parquet.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def read_fold(path: Path, key: str) -> FinishedFold:
    """Read a stored fold and check it against its digests.

    Raises:
        FileNotFoundError: it is not stored.
        DamagedFold: the file is damaged or another key's.
    """
    try:
        row = parquet.ParquetFile(path).read().to_pylist()[0]
        fold = _fold(row)
        sound = fold.key == key and fold.content_digest() == row["content_sha256"]
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged file can break the reader anywhere
        raise DamagedFold(f"{path.name} cannot be read ({type(error).__name__})") from None
    if not sound:
        raise DamagedFold(f"{path.name} does not hold what its digest says")
    return fold


def put_aside(path: Path) -> Path:
    """Rename a damaged fold's file, so that it is kept but not used."""
    aside = path.with_suffix(".damaged")
    path.replace(aside)
    return aside


def _row(fold: FinishedFold) -> dict[str, Any]:
    epochs, metrics, values = zip(*fold.history, strict=True) if fold.history else ((), (), ())
    return {
        "key": fold.key,
        "rows": fold.rows,
        "raw": fold.raw.astype(np.float64).reshape(-1),
        "raw_type": fold.raw.dtype.name,
        "activation": fold.activation,
        "epochs": epochs,
        "metrics": metrics,
        "values": values,
        "epochs_run": fold.epochs_run,
        "best_epoch": fold.best_epoch,
        "initial_weights_sha256": fold.initial,
        "weights_sha256": fold.weights,
        "predictions_sha256": fold.predictions,
        "optimizer_step": fold.start.step,
        "seeded": fold.start.seeded,
        "content_sha256": fold.content_digest(),
        "preprocessing": canonical_json([column.plain() for column in fold.columns]),
        "target_means": fold.target_scaling and fold.target_scaling.means,
        "target_scales": fold.target_scaling and fold.target_scaling.scales,
        **asdict(fold.execution),
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }


def _fold(row: dict[str, Any]) -> FinishedFold:
    rows = np.array(row["rows"], dtype=np.int64)
    known = {field.name for field in fields(Execution)} & row.keys()  # earlier files lack some
    execution = Execution(**{name: row[name] for name in known})
    return FinishedFold(
        key=row["key"],
        rows=rows,
        raw=np.array(row["raw"], dtype=row["raw_type"]).reshape(len(rows), -1),
        activation=row["activation"],
        history=tuple(zip(row["epochs"], row["metrics"], row["values"], strict=True)),
        epochs_run=row["epochs_run"],
        best_epoch=row["best_epoch"],
        initial=row["initial_weights_sha256"],
        weights=row["weights_sha256"],
        predictions=row["predictions_sha256"],
        start=InitialState(row["optimizer_step"], row["seeded"]),
        execution=execution,
        columns=tuple(
            ColumnOutcome(**told) for told in json.loads(row.get("preprocessing") or "[]")
        ),
        target_scaling=_target_scaling(row),
    )


def _target_scaling(row: dict[str, Any]) -> TargetScaling | None:
    """Return how targets were scaled; earlier files say nothing of it."""
    means, scales = row.get("target_means"), row.get("target_scales")
    return None if means is None or scales is None else TargetScaling(tuple(means), tuple(scales))


def _sync_folder(folder: Path) -> None:
    """Sync a folder, so that a rename survives a power cut, where the file system supports it."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return
    finally:
        os.close(handle)


def make_store(out: Path) -> None:
    """Make the folder of finished folds.

    Raises:
        InputError: it cannot be made.
    """
    try:
        (out / "folds").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError("out", f"cannot make {str(out)!r} ({reason}); choose another") from None
