"""Paths of finished folds and reports below the output folder."""

from pathlib import Path

FOLDS, RUNS = "folds", "runs"


def fold_path(out: Path, key: str) -> Path:
    """Return the path of a fold's file below the output folder."""
    return out / "folds" / f"{key}.parquet"


def is_remote(place: str) -> bool:
    """Return whether an output location is a URI of object storage rather than a folder."""
    return "://" in place and not place.startswith("file://")
