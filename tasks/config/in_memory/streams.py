"""Refuse generators and datasets of training loops: a fold needs rows that can be counted."""

from collections.abc import Iterator
from typing import Any

from foldproof.tasks.common.errors import InputError

# The first part of the module and the name of a class, as libraries call it, and for people.
KINDS = {
    ("tensorflow", "Dataset"): "a tf.data.Dataset",
    ("tensorflow", "DatasetV2"): "a tf.data.Dataset",
    ("keras", "PyDataset"): "a PyDataset of Keras",
    ("torch", "Dataset"): "a dataset of torch",
    ("torch", "DataLoader"): "a DataLoader of torch",
}
OTHERS = {  # of datasets, Hugging Face's library: which frame they are
    ("datasets", "Dataset"): "a dataset of Hugging Face; give dataset.to_pandas()",
    ("datasets", "DatasetDict"): 'several datasets; give one, as dataset["train"].to_pandas()',
    ("datasets", "IterableDataset"): "a stream; load it without streaming and give its frame",
}
REMEDY = (
    "give arrays X and y, a data frame, or a path: a table, an npz file, or a folder of images "
    "with one subfolder a class"
)


def refuse_stream(setting: str, value: Any) -> None:
    """Refuse what yields samples one after another; its library is not imported.

    Raises:
        InputError: with what to give.
    """
    names = [(kind.__module__.partition(".")[0], kind.__name__) for kind in type(value).__mro__]
    for name in names:
        if name in OTHERS:
            raise InputError(setting, f"is {OTHERS[name]}")
        if name in KINDS:
            raise InputError(setting, f"is {KINDS[name]}, whose rows cannot be divided; {REMEDY}")
    if isinstance(value, Iterator):
        raise InputError(setting, f"is a generator, whose rows cannot be divided; {REMEDY}")
