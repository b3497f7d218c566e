"""Where finished folds and reports lie below the folder of results."""

from pathlib import Path

FOLDS, RUNS = "folds", "runs"


def fold_path(out: Path, key: str) -> Path:
    """Return where the fold of a key is stored below the output folder."""
    return out / "folds" / f"{key}.parquet"


def is_remote(place: str) -> bool:
    """Return whether a place is a URI of object storage and not a folder."""
    return "://" in place and not place.startswith("file://")
