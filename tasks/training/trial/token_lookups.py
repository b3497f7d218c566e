"""Detect scalers that destroy tokens: whole numbers that a model looks up in a table.

What an Embedding is called with is watched while the model sees one batch, scaled and as it is.
Where that is a column of the data, however it came there, the scaler must leave it alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.training.fold_data import FoldData, inner_rows, unscaled_features

LAYERS = ("Embedding", "IntegerLookup", "CategoryEncoding")


@dataclass(frozen=True)
class Lookup:
    """A call of a lookup layer with the values that it got, (rows, numbers)."""

    layer: Any
    values: NDArray[np.float64]


@contextmanager
def recorded_lookups() -> Iterator[list[Lookup]]:
    """Record the calls of all lookup layers within the block."""
    import keras

    seen: list[Lookup] = []
    classes = [getattr(keras.layers, name) for name in LAYERS]
    originals = [cls.call for cls in classes]
    for cls, original in zip(classes, originals, strict=True):
        cls.call = _recording(original, seen)
    try:
        yield seen
    finally:
        for cls, original in zip(classes, originals, strict=True):
            cls.call = original


def _recording(original: Callable[..., Any], seen: list[Lookup]) -> Callable[..., Any]:
    @wraps(original)
    def call(self: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        with suppress(Exception):  # inside a graph there are no values to look at
            values = np.asarray(inputs, np.float64)
            seen.append(Lookup(self, values.reshape(len(values), -1)))
        return original(self, inputs, *args, **kwargs)

    return call


def check_lookups(
    model: Any, scaled: list[Lookup], job: FoldJob, fold_data: FoldData, places: NDArray[np.int64]
) -> tuple[str, ...]:
    """Refuse a scaler that changes whole numbers before a layer looks them up.

    Args:
        model: called with a scaled batch before.
        scaled: what its layers looked up then.
        job: the fold.
        fold_data: its training rows.
        places: of the batch's rows in that.

    Returns:
        What the user should be told where he chose the scaler himself.

    Raises:
        InputError: nobody chose it, or a layer has no place for a number.
    """
    rows, parts = inner_rows(job)[0], job.parts
    raw = {
        name: unscaled_features(part, rows)
        for name, part in parts.items()
        if part.preprocess.way == "scaler"
    }
    table = np.hstack([each.reshape(len(rows), -1) for each in raw.values()])
    batch = _unscaled_batch(job, raw, fold_data, places)
    with (
        recorded_lookups() as plain,
        suppress(Exception, SystemExit),
    ):  # may fail later, with tokens seen
        model(batch, training=False)
    columns = {table[places, i].astype(np.float64).tobytes(): i for i in range(table.shape[1])}
    notices: list[str] = []
    for found, given in zip(plain, scaled, strict=False):
        fed = [columns.get(column.tobytes()) for column in np.ascontiguousarray(found.values.T)]
        direct = [place for place in fed if place is not None]
        if len(direct) < len(fed) or not _are_whole(found.values):
            continue  # what it looks up was made inside the model
        if np.array_equal(found.values, given.values):
            _refuse_small_vocabulary(found.layer, table[:, direct])
        else:
            notices.append(_changed(found.layer, job))
    return tuple(dict.fromkeys(notices))


def _unscaled_batch(
    job: FoldJob, raw: dict[str, Any], fold_data: FoldData, places: NDArray[np.int64]
) -> Any:
    """Return the batch with what only a scaler changes as it is in the data."""
    plain = {name: np.ascontiguousarray(each[places], np.float32) for name, each in raw.items()}
    if not job.inputs:
        return plain[""]
    return {name: each[places] for name, each in fold_data.train.features.items()} | plain


def _are_whole(values: NDArray[np.float64]) -> bool:
    return bool(np.all(values == np.floor(values)))


def _changed(layer: Any, job: FoldJob) -> str:
    """Refuse a scaler that the user left at its default, or return what to say of his own."""
    scaler = job.train.scaler
    problem = f"{scaler} changes the whole numbers that layer {layer.name!r} looks up"
    none = "data.preprocess: {NAME: none} for its input" if job.inputs else "--train.scaler none"
    if not job.train.chosen("scaler"):
        raise InputError("train.scaler", f"{problem}; add {none}")
    return f"train.scaler: {problem}; without it: {none}"


def _refuse_small_vocabulary(layer: Any, tokens: NDArray[Any]) -> None:
    """Refuse a lookup layer that is too small for the highest token in the training rows."""
    places, highest = getattr(layer, "input_dim", None), int(tokens.max())
    if isinstance(places, int) and highest >= places:
        problem = f"layer {layer.name!r} has places for 0 to {places - 1}, but the data go up to"
        raise InputError("model.builder", f"{problem} {highest}; give it input_dim {highest + 1}")
