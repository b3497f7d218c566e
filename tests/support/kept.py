"""What tests of kept workers train, and what it came to."""

from pathlib import Path

from pyarrow import parquet

NETS = """
import importlib
import keras
hidden = importlib.import_module("hid" + "den")

def build(input_shape, n_outputs):
    return keras.Sequential([
        keras.Input(input_shape),
        keras.layers.Dense(hidden.UNITS, "relu"),
        keras.layers.Dense(n_outputs, "sigmoid"),
    ])
"""


def digests(report: str | Path) -> list[tuple[str, str]]:
    """Return what each fold of a report came to."""
    table = parquet.read_table(Path(report) / "folds.parquet")
    names = ("weights_sha256", "predictions_sha256")
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))
