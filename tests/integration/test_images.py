"""Training on image files: the built-in network, the same bits as from an array."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import datasets

from foldproof.tasks.config.study import parse_study
from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.run.plan import RunPlan
from foldproof.tasks.run.session import UNSCALED
from foldproof.tasks.verification.refit import verify
from tests.support.reports import finish
from tests.support.training import settings, train_some

CNN = "tasks.models:cnn"
Cases = tuple[tuple[dict[str, Any], dict[str, Any]], ...]
TREE = {"builder": "tests.support.flat_tree:build"}
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
            train={"epochs": 4, "engine": engine, "scaler": "minmax"},
            split={"n_splits": 3},
        )
        found.append(outcome(given, order, slots)[0])
    assert found[0] == found[1] == found[2]


def test_pixels_stay_as_they_are_unless_a_scaler_is_set(folder, tmp_path, slots):
    images: dict[str, Any] = {"source": str(folder / "images"), "images": {"channels": 1}}
    table = {"source": str(folder / "t.csv"), "target": "y", "images": {"column": "file"}}
    table["images"] |= images["images"]
    array = {"source": str(folder / "all.npz")}
    none, minmax = {"scaler": "none"}, {"scaler": "minmax"}
    cases: Cases = ((images, {}), (table, {}), (images, none), (array, none), (images, minmax))
    found = []
    for place, (data, train) in enumerate(cases):
        given = settings(
            tmp_path / str(place),
            CNN,
            data=data | {"positive": "one"},
            model={"builder": CNN, "params": PARAMS},
            train={"epochs": 1, **train},
        )
        found.append(outcome(given, [(0, 0)], slots))
    assert found[0] == found[1] == found[2] == found[3]
    assert found[4][1] != found[0][1]


@pytest.mark.parametrize(
    ("train", "applied"),
    [({}, "none"), ({"scaler": "none"}, "none"), ({"scaler": "standard"}, "standard")],
)
def test_a_report_on_images_names_the_scaler_that_was_applied(folder, tmp_path, train, applied):
    data = {"source": str(folder / "images")}
    done = finish(tmp_path, data=data, model=TREE, train=train)
    finished = FinishedRun.read(done.path)
    assert finished.key["train"]["scaler"] == applied
    assert (UNSCALED in done.run.notices) == (not train)
    again = finished.study(None, 1)
    assert again.train.scaler == applied
    said: list[str] = []
    assert verify(finished, str(folder / "images"), 1, "bit", said.append, trusted=True), said


def test_what_a_transformer_does_to_pixels_is_not_undone(folder, tmp_path):
    data = {"source": str(folder / "images"), "preprocess": "none"}
    run = RunPlan(parse_study({"data": data}), tmp_path, tmp_path)
    assert (run.leaves_pixels, run.study.train.scaler) == (False, "standard")
