"""What was checked in a run, and what came of it, for the page."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from foldproof.tasks.evaluation.tables import Tables


def checks(tables: Tables, key: Mapping[str, Any]) -> dict[str, str]:
    """Return what was checked, with the outcome."""
    return dict(_checks(tables, key))


def _checks(tables: Tables, key: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "rows on both sides of a fold", "none; each fold was checked before it was trained"
    if key["data"]["settings"].get("groups") is not None:
        yield "groups", "each fold was checked as the split method promises"
    rows, tested = key["data"]["rows"], len(set(tables.predictions["row"].to_pylist()))
    yield "rows tested", f"{tested} of {rows}"
    yield "scaler and preprocessing", "fitted in each fold, to its training rows only"
    found = sorted(Counter(_certificates(tables)).items())
    started = (f"{count} of {tables.folds.num_rows} folds: {text}" for text, count in found)
    yield "start of training", " | ".join(started)
    digests = [digest for digest in tables.folds["initial_weights_sha256"].to_pylist() if digest]
    if digests:
        yield "initial weights", f"{len(set(digests))} different ones in {len(digests)} folds"
    yield "undefined values", f"{len(tables.undefined)}, left out of the means"


def _certificates(tables: Tables) -> Iterator[str]:
    return (text for text in tables.folds["certificate"].to_pylist() if text)
