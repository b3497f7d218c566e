"""Ours on a table with gaps and two categories, and on the same data as numbers.

Arguments: rows, epochs, how many tries. Prints seconds of a further fold in each form.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import foldproof
from tests.bench.cases import SEED, SPLITS, say
from tests.bench.processes import timed_call

NUMBERS, GAPS = 10, 0.05
WARDS, DRUGS = list("abcd"), [f"drug {i}" for i in range(8)]
MANY = 4  # repeats of the long run


def table(rows: int) -> tuple[pd.DataFrame, Any]:
    """Return features with gaps and two categories, and a binary target."""
    random = np.random.default_rng(SEED)
    values = random.normal(size=(rows, NUMBERS))
    target = (values[:, 0] + random.normal(size=rows) > 0).astype(int)
    values[random.random(values.shape) < GAPS] = np.nan
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(NUMBERS)])
    frame["ward"], frame["drug"] = random.choice(WARDS, rows), random.choice(DRUGS, rows)
    return frame, target


def as_numbers(frame: pd.DataFrame) -> Any:
    """Return the same data as numbers of the width that each fold's preprocessing gives."""
    numbers = frame.drop(columns=["ward", "drug"])
    filled = numbers.fillna(numbers.median())
    parts = [filled, numbers.isna(), pd.get_dummies(frame[["ward", "drug"]])]
    return pd.concat(parts, axis=1).to_numpy(dtype=np.float64)


def further_fold(X: Any, y: Any, epochs: int, tries: int, out: Path) -> float:
    """Return the seconds of one more fold in warm workers, the least of some tries."""

    def run(repeats: int, seed: int) -> float:
        split = {"n_splits": SPLITS, "n_repeats": repeats}
        call = partial(foldproof.cross_validate, "tasks.models:mlp", X, y, split=split)
        one = {"workers": 1}
        return timed_call(lambda: call(epochs=epochs, seed=seed, out=str(out), compute=one))

    run(1, 0)  # compiles
    found = [run(MANY, 2 * i + 1) - run(1, 2 * i + 2) for i in range(tries)]
    return min(found) / (SPLITS * (MANY - 1))


def main() -> None:
    """Measure and print."""
    rows, epochs, tries = map(int, sys.argv[2:5])
    frame, y = table(rows)
    with tempfile.TemporaryDirectory() as folder:
        numbers = further_fold(as_numbers(frame), y, epochs, tries, Path(folder) / "numbers")
        as_table = further_fold(frame, y, epochs, tries, Path(folder) / "table")
    foldproof.shutdown()
    say(table=as_table, numbers=numbers)


if __name__ == "__main__":
    main()
