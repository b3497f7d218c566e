"""Training on image files: the built-in network, the same bits as from an array."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import datasets

from tests.support.training import settings, train_some

CNN = "tasks.models:cnn"
PARAMS = {"filters": [4], "dense": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Handwritten zeros and ones, as PNG files in folders by class, as a table, as an npz file."""
    folder = tmp_path_factory.mktemp("digits")
    digits = datasets.load_digits()
    chosen = np.flatnonzero(digits.target < 2)[:120]
    chosen = chosen[np.argsort(digits.target[chosen], kind="stable")]
    pixels = (digits.images[chosen] * 15).astype(np.uint8)
    labels = np.where(digits.target[chosen], "one", "zero")
    names = [f"images/{label}/{place:03}.png" for place, label in enumerate(labels)]
    for name, image in zip(names, pixels, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name)
    order = np.argsort(labels, kind="stable")
    pd.DataFrame({"file": names, "y": labels}).iloc[order].to_csv(folder / "t.csv", index=False)
    np.savez(folder / "all.npz", X=pixels[order][..., None], y=labels[order])
    return folder


def outcome(given, places, slots):
    records, jobs = train_some(given, places, slots)
    assert [record.error for record in records] == [None] * len(records), records[0].traceback
    return {(r.repeat, r.fold): (r.weights, r.predictions) for r in records}, jobs[0].key


def test_files_tables_and_arrays_train_to_the_same_bits(folder, tmp_path, slots):
    gray = {"channels": 1}
    sources: tuple[dict[str, Any], ...] = (
        {"source": str(folder / "images"), "images": gray},
        {"source": str(folder / "t.csv"), "target": "y", "images": gray | {"column": "file"}},
        {"source": str(folder / "all.npz")},
    )
    orders = ([(0, 0), (0, 1)], [(0, 1), (0, 0)], [(0, 0), (0, 1)])
    engines = ("compiled", "plain", "compiled")
    found = []
    for place, (data, order, engine) in enumerate(zip(sources, orders, engines, strict=True)):
        given = settings(
            tmp_path / str(place),
            CNN,
            data=data | {"positive": "one"},
            model={"builder": CNN, "params": PARAMS},
            train={"epochs": 4, "engine": engine},
            split={"n_splits": 3},
        )
        found.append(outcome(given, order, slots)[0])
    assert found[0] == found[1] == found[2]
