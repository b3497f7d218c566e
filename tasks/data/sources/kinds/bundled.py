"""The bundled data sets, as tables with a column `target`."""

from typing import Any

import numpy as np
import pyarrow as pa

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources import tables
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.raw_table import RawData

NAMES = ("breast_cancer", "iris", "wine", "digits", "diabetes", "blobs")


def load(name: str) -> pa.Table:
    """Return a bundled data set.

    breast_cancer, iris and wine have text labels; digits has 64 columns of 0 to 16;
    blobs is `make_blobs(n_samples=100, centers=2, n_features=10, random_state=1)`.
    """
    from sklearn import datasets

    if name == "blobs":
        features, target = datasets.make_blobs(
            n_samples=100, centers=2, n_features=10, random_state=1
        )
        return _table(features, [f"x{i}" for i in range(10)], target)
    bunch: Any = getattr(datasets, f"load_{name}")()
    target = bunch.target
    if name in ("breast_cancer", "iris", "wine"):
        target = np.asarray(bunch.target_names)[target]
    return _table(bunch.data, list(bunch.feature_names), target)


def _table(features: Any, names: list[str], target: Any) -> pa.Table:
    columns = {name: features[:, i] for i, name in enumerate(names)}
    return pa.table({**columns, "target": target})


def _read(spec: DataSpec, fold_column: str | None) -> RawData:
    return tables.select(load(spec.source), spec.target or "target", spec, fold_column)


SOURCE = Source(
    f"a bundled data set ({', '.join(NAMES)})",
    takes=lambda address: address in NAMES,
    read=_read,
    place="package",
    names=NAMES,
    precedence=1,
)
