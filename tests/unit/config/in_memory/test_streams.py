"""Datasets of training loops are refused with what to give instead; frames are taken."""

from types import new_class

import numpy as np
import pandas as pd
import polars as pl
import pytest
import tensorflow as tf
from keras.utils import PyDataset

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.from_python.call import settings_of_call
from foldproof.tasks.config.study import parse_study

X, Y = np.zeros((4, 2), np.float32), np.array([0, 1, 0, 1])
REMEDY = "give arrays X and y, a data frame, or a path: a table, an npz file, or a folder of images"


class Batches(PyDataset):
    """As users write them."""

    def __len__(self):
        return 1

    def __getitem__(self, place):
        return X, Y


def of_library(module, name):
    """An object of a subclass of a library's class, which is not installed here."""
    base = new_class(name, exec_body=lambda body: body.update(__module__=module))
    return new_class("Mine", (base,))()


STREAMS = [
    (lambda: tf.data.Dataset.from_tensor_slices((X, Y)).batch(2), "a tf.data.Dataset"),
    (Batches, "a PyDataset of Keras"),
    (lambda: ((X, Y) for _ in range(2)), "a generator"),
    (lambda: iter([X, Y]), "a generator"),
    (lambda: of_library("torch.utils.data.dataset", "Dataset"), "a dataset of torch"),
    (lambda: of_library("torch.utils.data.dataloader", "DataLoader"), "a DataLoader of torch"),
]


@pytest.mark.parametrize(("make", "kind"), STREAMS, ids=[kind for _, kind in STREAMS])
def test_a_stream_is_refused_wherever_it_is_given(make, kind):
    calls = {
        "X": lambda: settings_of_call("a:b", make()),
        "data.source": lambda: parse_study(settings_of_call("a:b", data=make())),
        "y": lambda: settings_of_call("a:b", X, make()),
    }
    for setting, call in calls.items():
        with pytest.raises(InputError) as caught:
            call()
        line = f"{setting}: is {kind}, whose rows cannot be divided; {REMEDY}"
        assert str(caught.value).startswith(line)
    with pytest.raises(InputError, match=r"^X: is "):
        DataSpec.from_arrays(make(), Y)


def test_a_dataset_of_hugging_face_is_a_frame_away():
    with pytest.raises(InputError) as caught:
        settings_of_call("a:b", of_library("datasets.arrow_dataset", "Dataset"))
    assert str(caught.value) == "X: is a dataset of Hugging Face; give dataset.to_pandas()"


def test_frames_are_taken_and_lazy_ones_are_to_be_collected():
    frame = pd.DataFrame({"a": [1, 2], "y": [0, 1]})
    for given in (frame, pl.from_pandas(frame)):
        study = parse_study(settings_of_call("tasks.models:mlp", data=given, target="y"))
        assert study.data.source.startswith("memory:")
    for call in (
        lambda lazy: parse_study(settings_of_call("a:b", data=lazy, target="y")),
        lambda lazy: parse_study(settings_of_call("a:b", lazy, "y")),
        lambda lazy: settings_of_call("a:b", lazy, Y),
    ):
        with pytest.raises(InputError, match=r"is a lazy frame; give frame\.collect\(\)$"):
            call(pl.from_pandas(frame).lazy())
