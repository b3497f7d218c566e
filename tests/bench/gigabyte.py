"""Two workers on 1 GB of features: one copy of the source, shared."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.bench.cases import SEED, Case
from tests.bench.findings import Findings, Row
from tests.bench.processes import script

ROWS, FEATURES = 250_000, 1_000  # float32: 1 GB
CASE = Case(
    "1 GB of features",
    "",
    "mlp",
    "roc_auc",
    epochs=1,
    batch_size=1024,
    params={"hidden": [8]},
    folds=2,
    workers=2,
)
SLACK = 1.05
GB = 1e9


def measure(findings: Findings, rows: int = ROWS) -> None:
    """Compare the peaks of all processes together."""
    with tempfile.TemporaryDirectory() as folder:
        case = replace(CASE, source=str(_write(Path(folder), rows)))
        ours = script("our_gigabyte", case).found
        peer = script("own_readers", case).found
    size = rows * FEATURES * 4
    copies = ours["mapped"] / size
    findings.rows += [
        Row(
            f"memory, 2 workers, {size / GB:.2g} GB: the source",
            f"{copies:.2f} copies (mapped by {ours['mapping_processes']} processes)",
            "2 copies (features read by each worker)",
            f"{2 / max(copies, 1):.2f} x",
            "one copy in memory, shared",
            0 < copies <= SLACK,  # nothing mapped would mean: read some other way
        ),
        Row(
            f"memory, 2 workers, {size / GB:.2g} GB: peak of everything",
            f"{ours['total'] / GB:.2f} GB",
            f"{peer['total'] / GB:.2f} GB (features read by each worker)",
            f"{peer['total'] / ours['total']:.2f} x",
            "less than the peer",
            ours["total"] < peer["total"],
        ),
    ]
    rest = f"the peak without them is {ours['private'] / GB:.2f} GB, scikit-learn's scaler included"
    findings.notes.append(f"{case.name}: mapped pages are shared by their nature; {rest}")


def _write(folder: Path, rows: int) -> Path:
    """Write random features and a target that follows from the first of them."""
    generator = np.random.default_rng(SEED)
    X = generator.standard_normal((rows, FEATURES), dtype=np.float32)
    y = (X[:, 0] > 0).astype(np.int64)
    path = folder / "large.npz"
    np.savez(path, X=X, y=y)
    return path
