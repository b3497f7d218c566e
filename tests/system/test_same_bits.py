"""The bits of plain data are those of earlier versions: weights and scores, fold by fold.

`python -m tests.system.test_same_bits FILE` writes down what this version gives.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from foldproof.tasks.common.places import ROOT
from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.machine.devices import place
from tests.support.command import cv

KNOWN = ROOT / "tests" / "data" / "digests_0_1_0.json"
COLUMNS = ["initial_weights_sha256", "weights_sha256", "predictions_sha256"]
RUNS = {
    "the default": ["--train.epochs", "10"],
    "a conv net with early stopping": [
        *("--data", "digits", "--model", "tasks.models:cnn", "--split.n_splits", "3"),
        *("--train.epochs", "6", "--train.early_stopping", '{"patience": 1}'),
    ],
    "a logistic regression": [
        *("--model", "sklearn.linear_model:LogisticRegression", "--split.n_splits", "5"),
    ],
}


def fingerprint() -> dict[str, Any]:
    """Return what bits depend on besides the code."""
    return place(ComputeSpec(device="cpu")).numerics.fingerprint()


def digests(name: str, folder: Path) -> list[dict[str, Any]]:
    """Return the digests of each fold of a run."""
    ended = cv("--quiet", "--compute.device", "cpu", *RUNS[name], folder=folder)
    assert ended.code == 0, ended.err
    table = parquet.read_table(Path(ended.out.strip()) / "folds.parquet", columns=COLUMNS)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


@pytest.mark.long
@pytest.mark.parametrize("name", RUNS)
def test_the_bits_are_those_of_0_1_0(name: str, tmp_path: Path) -> None:
    known = json.loads(KNOWN.read_text())
    if known["numerics"] != fingerprint():
        pytest.skip("the known digests are of another kind of processor, or of other libraries")
    assert digests(name, tmp_path) == known["runs"][name]


if __name__ == "__main__":
    work = Path(sys.argv[1]).absolute().with_suffix(".work")
    work.mkdir()
    found = {"numerics": fingerprint(), "runs": {name: digests(name, work) for name in RUNS}}
    Path(sys.argv[1]).write_text(json.dumps(found, indent=1) + "\n")
