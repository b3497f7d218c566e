"""Layers that learn from data before training see a fold's training rows, and nothing else."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.workers.slots import Slots

NETS = """
import keras
import numpy as np
from keras import layers

def normalized(input_shape):
    return keras.Sequential([
        keras.Input(input_shape), layers.Normalization(), layers.Dense(4, "relu"),
        layers.Dropout(0.2), layers.Dense(1, "sigmoid"),
    ])

def by_hand(input_shape, mean, variance):
    return keras.Sequential([
        keras.Input(input_shape), layers.Normalization(mean=mean, variance=variance),
        layers.Dense(4, "relu"), layers.Dropout(0.2), layers.Dense(1, "sigmoid"),
    ])

def deeper(input_shape):
    x = keras.Input(input_shape)
    doubled = layers.Rescaling(2.0)(x)
    y = layers.Normalization()(doubled)
    return keras.Model(x, layers.Dense(1, "sigmoid")(y))

def binned(input_shape):
    x = keras.Input(input_shape)
    y = layers.Discretization(num_bins=4, output_mode="one_hot")(x)
    return keras.Model(x, layers.Dense(1, "sigmoid")(layers.Flatten()(y)))

def given(input_shape):
    layer = layers.Normalization()
    layer.adapt(np.array([[1.0, 2.0, 3.0], [5.0, 6.0, 9.0]]))
    return keras.Sequential([keras.Input(input_shape), layer, layers.Dense(1, "sigmoid")])

def within(input_shape):
    inner = keras.Sequential([keras.Input(input_shape), layers.Normalization()])
    return keras.Sequential([keras.Input(input_shape), inner, layers.Dense(1, "sigmoid")])
"""
RANDOM = np.random.default_rng(2)
X = (RANDOM.normal(size=(60, 3)) * [1, 50, 1000] + [0, 100, -7]).astype(np.float32)
Y = (X[:, 1] > 100).astype(int)


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module of builders, new for each test."""
    name = f"adapted_{tmp_path.name.translate(str.maketrans('[]-', '___'))}"
    (tmp_path / f"{name}.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


def trained(slots: Slots, out: Path, builder: str, **more: Any) -> Any:
    """Return the records of two folds."""
    train = {"epochs": 3, "scaler": "none", **more.pop("train", {})}
    given = {
        **{"data": more.pop("data", None) or DataSpec.from_arrays(X, Y), "out": str(out)},
        **{"split": {"n_splits": 2}, "model": {"builder": builder, **more}, "train": train},
    }
    with launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run:
        run.check()
        folds = [np.load(job.train_path) for job in run.jobs]
        records = [train_without_prefect(run, job) for job in run.jobs]
    assert [record.error for record in records] == [None, None]
    return records, folds


def test_a_normalization_has_the_moments_of_the_training_rows(slots, nets, tmp_path):
    records, folds = trained(slots, tmp_path / "adapted", f"{nets}:normalized")
    for fold, rows in enumerate(folds):
        moments = {"mean": X[rows].mean(0).tolist(), "variance": X[rows].var(0).tolist()}
        by_hand, _ = trained(slots, tmp_path / f"hand-{fold}", f"{nets}:by_hand", params=moments)
        assert by_hand[fold].error is None
    engines, _ = trained(slots, tmp_path / "plain", f"{nets}:normalized", train={"engine": "plain"})
    assert [r.weights for r in engines] == [r.weights for r in records]
    assert "adapted to each fold" in records[0].notice


def test_test_rows_change_nothing_of_what_is_learned(slots, nets, tmp_path):
    for name in ("normalized", "deeper", "binned"):
        records, folds = trained(slots, tmp_path / name, f"{nets}:{name}")
        far = X.copy()
        far[np.setdiff1d(np.arange(len(X)), folds[0])] *= 1000
        spec = DataSpec.from_arrays(far, Y)
        again, _ = trained(slots, tmp_path / f"{name}-far", f"{nets}:{name}", data=spec)
        assert again[0].weights == records[0].weights
        assert again[0].initial == records[0].initial


def test_streamed_rows_give_the_same_bits(slots, nets, tmp_path):
    whole, _ = trained(slots, tmp_path / "whole", f"{nets}:normalized")
    streamed, _ = trained(
        slots, tmp_path / "disk", f"{nets}:normalized", train={"stream": "always"}
    )
    assert [r.weights for r in streamed] == [r.weights for r in whole]


def test_a_layer_that_the_builder_adapted_stays_as_it_is(slots, nets, tmp_path):
    records, _ = trained(slots, tmp_path, f"{nets}:given")
    assert records[0].notice == ""


def test_a_layer_within_another_model_is_refused_in_one_line(slots, nets, tmp_path):
    with pytest.raises(
        InputError, match=r"^model.builder: layer '.*' cannot be adapted"
    ) as refused:
        trained(slots, tmp_path, f"{nets}:within")
    assert "\n" not in str(refused.value)
