"""Ordinary files, whatever wrote them, are read as the same data."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.dataset import Dataset, prepare_data
from foldproof.tasks.data.sources.kinds import bundled
from foldproof.tasks.data.stored_features import FEATURES
from tests.support.corpus import FOREIGN, NAMES, frame, write_forms
from tests.support.inputs import Prepare

OF_0_1_0 = {  # of the same tables as pandas writes them, read by version 0.1.0
    "breast_cancer": "d8a904f0206c5178df8f25f9545eb4c5fed287616aef36fe094b73947f39965d",
    "iris": "d766be1c90a9cd16f1e15be9511bff5c8b4367934e664276fc1a0ca6757970e5",
    "wine": "e625be4168eca1579d4b467c037956c89f1bcdc98065f2eb7aa1d562a899f50d",
    "digits": "85a0a1e05eade7ff34290efb004ed47d3f8f7885edbd283bd99e010de03a7079",
    "diabetes": "927be670284e2db076f368855b45f25e22378e69c9c93553928186ddb3f8ec87",
    "blobs": "55a132904eedb3ed87bb7ab6469de51eb1d09b612746fe6fb0b7ee84725233c1",
}
LETTERS = "Größe (µm)"  # one column's name, in the sets where text may need an encoding


@pytest.mark.parametrize("name", NAMES)
def test_every_form_of_a_table_is_the_same_data(
    prepare: Prepare, tmp_path: Path, name: str
) -> None:
    table = frame(name)
    table = table.rename(columns={table.columns[0]: LETTERS})
    expected = prepare(DataSpec.from_arrays(table.drop(columns="target"), table["target"])).digest
    found = {}
    for form, path in write_forms(table, tmp_path):
        found[form] = prepare(source=str(path), target="target").digest
    assert expected == OF_0_1_0[name]
    assert {form for form, digest in found.items() if digest != expected} == set()
    assert len(found) > 25


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_text_is_the_bundled_data(prepare: Prepare, tmp_path: Path, name: str) -> None:
    path = tmp_path / "table.csv"
    bundled.load(name).to_pandas().to_csv(path, index=False)
    assert prepare(source=str(path), target="target").digest == prepare(source=name).digest


@pytest.mark.parametrize("name", ["diabetes", "blobs"])
def test_more_digits_come_to_the_same_features(prepare: Prepare, tmp_path: Path, name: str) -> None:
    table = bundled.load(name).to_pandas()
    expected = features(prepare(source=name))
    for form, path in write_forms(table, tmp_path):
        found = features(prepare(source=str(path), target="target"))
        np.testing.assert_array_equal(found, expected, err_msg=form)


@pytest.mark.parametrize("path", sorted(FOREIGN.glob("*-*")), ids=lambda path: path.name)
def test_files_of_polars_and_fastparquet_are_the_bundled_data(prepare: Prepare, path: Path) -> None:
    name = path.stem.rpartition("-")[2]
    assert prepare(source=str(path), target="target").digest == prepare(source=name).digest


def test_nothing_usual_is_worth_a_note(tmp_path: Path) -> None:
    table = frame("breast_cancer")
    usual = {"pandas", "pandas, all quoted", "pandas, byte order mark", "pandas, gzip", "pyarrow"}
    for form, path in write_forms(table, tmp_path):
        notices = prepared(path, tmp_path).notices
        assert (form in usual) <= (notices == ()), form


def prepared(path: Path, folder: Path, **settings: Any) -> Dataset:
    return prepare_data(DataSpec(source=str(path), target="target", **settings), None, folder)


def features(dataset: Dataset) -> Any:
    return np.asarray(dataset.array(FEATURES))


def test_numbers_of_columns_are_their_names(prepare: Prepare, tmp_path: Path) -> None:
    table = pd.DataFrame(np.arange(24.0).reshape(8, 3)).assign(**{"3": list("abababab")})
    table.to_csv(tmp_path / "numbers.csv", index=False)
    data = prepare(source=str(tmp_path / "numbers.csv"), target=3, drop=[0])
    assert data.feature_shape == (2,)
    assert data.labels == ("a", "b")
