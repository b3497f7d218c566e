import os
import pickle
import socket
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from foldproof.tasks.common.digest import digest_arrays
from foldproof.tasks.folds.initial_state import InitialState
from foldproof.tasks.folds.paths import fold_path
from foldproof.tasks.folds.result import Execution, now
from foldproof.tasks.store.fold_file import SCHEMA, DamagedFold, put_aside, read_fold, write_fold
from tests.support.stored import KEY, finished


@pytest.fixture
def path(tmp_path):
    (tmp_path / "folds").mkdir()
    return fold_path(tmp_path, KEY)


def assert_same(fold, other):
    assert other.content_digest() == fold.content_digest()
    np.testing.assert_array_equal(other.rows, fold.rows)
    np.testing.assert_array_equal(other.raw, fold.raw)
    assert other.raw.dtype == fold.raw.dtype
    assert other.history == fold.history


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("outputs", [1, 2, 5])
def test_a_fold_comes_back_bit_for_bit(path, dtype, outputs):
    fold = finished(dtype, outputs)
    write_fold(fold, path)
    found = read_fold(path, KEY)
    assert_same(fold, found)
    assert digest_arrays([found.raw]) == fold.predictions
    assert (found.epochs_run, found.best_epoch, found.activation) == (2, 1, "sigmoid")
    assert (found.initial, found.weights) == (fold.initial, fold.weights)


def test_the_execution_names_this_process(path):
    fold = finished()
    write_fold(fold, path)
    found = read_fold(path, KEY).execution
    assert (found.host, found.pid) == (socket.gethostname(), os.getpid())
    assert replace(found, host="", pid=0) == fold.execution


def test_extreme_values_survive(path):
    raw = np.array([[-0.0], [1e-45], [3.4e38]], dtype=np.float32)
    history = ((1, "loss", float("inf")), (1, "auc", 5e-324))
    fold = finished(raw=raw, rows=np.arange(3), history=history)
    write_fold(fold, path)
    found = read_fold(path, KEY)
    assert_same(fold, found)
    assert np.signbit(found.raw[0, 0])


def test_a_value_that_is_not_a_number_survives(path):
    write_fold(finished(history=((1, "auc", float("nan")),)), path)
    assert np.isnan(read_fold(path, KEY).history[0][2])


def test_an_estimators_fold_has_no_epochs_or_weights(path):
    fold = finished(history=(), epochs_run=None, best_epoch=None, initial=None, weights=None)
    write_fold(fold, path)
    found = read_fold(path, KEY)
    assert_same(fold, found)
    assert (found.epochs_run, found.best_epoch, found.initial, found.weights) == (None,) * 4


@pytest.mark.parametrize(
    "change",
    [
        {"raw": np.ones((7, 1), np.float32)},
        {"rows": np.arange(7)},
        {"activation": "none"},
        {"history": ()},
        {"epochs_run": 3},
        {"best_epoch": 2},
        {"initial": None},
        {"weights": "d" * 64},
        {"predictions": "d" * 64},
        {"start": InitialState(1, True)},
        {"start": InitialState(0, False)},
        {"key": "b2" * 32},
    ],
)
def test_the_content_digest_covers_every_part_of_the_result(change):
    assert finished(**change).content_digest() != finished().content_digest()


def test_how_a_fold_was_trained_is_no_part_of_the_result():
    other = Execution(1, "gpu:0", now(), 9.0, 9.0, 9.0, 9.0, "elsewhere", 1)
    assert finished(execution=other).content_digest() == finished().content_digest()


def test_a_missing_fold_is_simply_not_there(path):
    with pytest.raises(FileNotFoundError):
        read_fold(path, KEY)


def test_a_file_cut_anywhere_is_damaged(path):
    write_fold(finished(), path)
    whole = path.read_bytes()
    for length in (0, 1, 4, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedFold, match=rf"^{KEY}\.parquet cannot be read \(\w+\)$"):
            read_fold(path, KEY)


def test_a_flipped_byte_is_noticed_or_leaves_the_result_as_it_was(path):
    fold = finished(outputs=3)
    write_fold(fold, path)
    whole = path.read_bytes()
    noticed = 0
    for position in range(0, len(whole), 7):
        path.write_bytes(bytes(b ^ 0x10 if i == position else b for i, b in enumerate(whole)))
        try:
            assert_same(fold, read_fold(path, KEY))
        except DamagedFold:
            noticed += 1
    assert noticed > len(whole) // 7 / 3


def rewritten(path, **changes):
    row = parquet.ParquetFile(path).read().to_pylist()[0]
    parquet.write_table(pa.Table.from_pylist([{**row, **changes}], schema=SCHEMA), path)


@pytest.mark.parametrize(
    "change",
    [
        {"raw": [0.5] * 7},
        {"weights_sha256": "e" * 64},
        {"values": [0.7, 0.3, 0.2]},
        {"values": [0.7, None, 0.2]},
        {"rows": [1, 2, 3, 4, 5, 6, 7]},
        {"raw_type": "float64"},
        {"raw": [0.5] * 6},
        {"raw_type": "no such type"},
    ],
)
def test_other_content_in_a_sound_file_is_damage(path, change):
    write_fold(finished(), path)
    rewritten(path, **change)
    with pytest.raises(DamagedFold):
        read_fold(path, KEY)


def test_another_keys_fold_is_not_taken_for_this_one(path):
    write_fold(finished(key="b2" * 32), path)
    with pytest.raises(DamagedFold, match="does not hold what its digest says"):
        read_fold(path, KEY)


def test_a_pickle_is_never_read(path, tmp_path):
    path.write_bytes(pickle.dumps(_Touches(tmp_path / "ran")))
    with pytest.raises(DamagedFold):
        read_fold(path, KEY)
    assert not (tmp_path / "ran").exists()


class _Touches:
    """When it is unpickled, it creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_writing_leaves_one_file_and_replaces_an_earlier_one(path):
    write_fold(finished(), path)
    write_fold(finished(weights="f" * 64), path)
    assert [entry.name for entry in path.parent.iterdir()] == [f"{KEY}.parquet"]
    assert read_fold(path, KEY).weights == "f" * 64


def test_a_fold_that_cannot_be_written_leaves_nothing(path):
    with pytest.raises(Exception, match=r"Unicode|surrogate|utf"):
        write_fold(finished(weights="\udcff"), path)
    assert list(path.parent.iterdir()) == []


def test_a_fold_that_cannot_be_put_in_place_leaves_nothing(path):
    path.mkdir()
    with pytest.raises(OSError, match=KEY):
        write_fold(finished(), path)
    assert list(path.parent.iterdir()) == [path]


def test_a_half_written_file_has_another_ending(path):
    """A process killed while it writes leaves a name that no reader looks for."""
    script = (
        "import os, sys; from pathlib import Path; import tests.unit.store.test_fold_file as t\n"
        "from foldproof.tasks.store import fold_file as store\n"
        "store.os.fsync = lambda _: os._exit(9)\n"
        "store.write_fold(t.finished(), Path(sys.argv[1]))\n"
    )
    import subprocess
    import sys

    assert subprocess.run([sys.executable, "-c", script, str(path)]).returncode == 9
    (left,) = path.parent.iterdir()
    assert left.suffix == ".part"
    assert left.name.startswith(f".{KEY}.")


def test_a_damaged_fold_is_kept_under_another_name(path):
    path.write_bytes(b"damaged")
    aside = put_aside(path)
    assert aside.name == f"{KEY}.damaged"
    assert aside.read_bytes() == b"damaged"
    assert not path.exists()
