"""Ids go from any source into predictions.parquet as they are written, and into nothing else."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.ids import digest_ids, id_column
from tests.support.inputs import Prepare

X, Y = np.arange(4.0), ["a", "b", "a", "b"]

IDS: dict[str, tuple[list[Any], list[Any]]] = {
    "whole numbers": ([7, 5, 6, 4], [7, 5, 6, 4]),
    "zeros in front": (["007", "005", "6", "04"], ["007", "005", "6", "04"]),
    "names": (["P1", "P2", "P 3", "ä"], ["P1", "P2", "P 3", "ä"]),
    "numbers as text": (["7", "5", "-6", "0"], [7, 5, -6, 0]),
    "marks": (["1,234", "5,678", "1.234", "0"], ["1,234", "5,678", "1.234", "0"]),
    "long numbers": (["9" * 25] * 4, ["9" * 25] * 4),
}


@pytest.mark.parametrize("kind", IDS)
def test_ids_are_the_same_from_any_source(kind: str, prepare: Prepare, tmp_path: Path) -> None:
    written, expected = IDS[kind]
    table = pa.table({"x": X, "who": written, "y": Y})
    csv.write_csv(table, tmp_path / "d.csv")
    parquet.write_table(table, tmp_path / "d.parquet")
    frame: Any = {"source": table.to_pandas(), "target": "y", "id": "who"}
    np.savez(tmp_path / "d.npz", X=X.reshape(-1, 1), y=Y, who=np.array(written))
    made = [
        prepare(source=str(tmp_path / "d.csv"), target="y", id="who"),
        prepare(source=str(tmp_path / "d.parquet"), target="y", id="who"),
        prepare(source=str(tmp_path / "d.npz"), id="who"),
        prepare(DataSpec.model_validate(frame)),
        prepare(DataSpec.from_arrays(X.reshape(-1, 1), Y, id=written)),
    ]
    for data in made:
        ids = data.ids()
        assert ids is not None
        assert ids.to_pylist() == expected
        assert data.feature_shape == (1,)
    plain = prepare(DataSpec.from_arrays(X.reshape(-1, 1), Y))
    assert {data.digest for data in made} == {plain.digest}
    assert len({data.ids_digest for data in made}) == 1
    assert (plain.ids(), plain.ids_digest) == (None, "")


def test_a_csv_file_without_a_header_keeps_the_zeros(prepare: Prepare, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("001;0.5;a\n002;1.5;b\n010;2.5;a\n")
    spec = {"source": str(tmp_path / "d.csv"), "csv": {"header": False}, "target": 2, "id": 0}
    ids = prepare(DataSpec.model_validate(spec)).ids()
    assert ids is not None
    assert ids.to_pylist() == ["001", "002", "010"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.0], [1, 2]),
        ([1.5, 2.0], ["1.5", "2"]),
        (np.array(["2024-01-01", "2024-01-02"], "M8[D]"), ["2024-01-01", "2024-01-02"]),
        ([True, False], ["true", "false"]),
    ],
    ids=str,
)
def test_what_is_no_whole_number_is_text(values: Any, expected: Any) -> None:
    assert id_column(np.array(values)).to_pylist() == expected


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (["a", None, None], "2 of 3 values are missing; give each row one, or remove those rows"),
        ([1.0, np.nan], "1 of 2 values are missing; give each row one, or remove those rows"),
        (["a", 5], "mixes text and numbers; make all of one kind"),
        ([b"\xff", b"\xfe"], "holds binary; give text or whole numbers"),
    ],
    ids=str,
)
def test_what_is_no_id_is_refused_in_one_line(values: Any, problem: str) -> None:
    numbers = all(isinstance(value, float) for value in values)
    with pytest.raises(InputError) as caught:
        id_column(np.array(values, dtype=float if numbers else object))
    assert str(caught.value) == f"data.id: {problem}"


def test_ids_need_not_be_unique_but_that_is_said(prepare: Prepare, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": X, "who": ["P1", "P2", "P1", "P1"], "y": Y})
    frame.to_csv(tmp_path / "d.csv", index=False)
    given: Any = {"source": str(tmp_path / "d.csv"), "target": "y", "id": "who"}
    assert prepare(**given).notices == (
        "ids repeat: 'P1' names 3 rows, which may stand on both sides of a fold; if those belong "
        "together, set data.groups to 'who', too",
    )
    assert prepare(**given, groups="who").notices == ()


def test_a_column_of_groups_or_times_may_name_the_rows_and_no_other(
    prepare: Prepare, tmp_path: Path
) -> None:
    pd.DataFrame({"x": X, "t": [1, 2, 3, 4], "y": Y}).to_csv(tmp_path / "d.csv", index=False)
    source = str(tmp_path / "d.csv")
    data = prepare(source=source, target="y", time="t", id="t")
    ids = data.ids()
    assert ids is not None
    assert (ids.to_pylist(), data.feature_shape) == ([1, 2, 3, 4], (1,))
    for other in ({"target": "y", "id": "y"}, {"target": "y", "id": "x", "features": ["x"]}):
        with pytest.raises(InputError, match="give it one role"):
            prepare(source=source, **other)


def test_digests_tell_text_from_numbers_and_one_order_from_another() -> None:
    columns = [pa.array([1, 2]), pa.array([2, 1]), pa.array(["1", "2"]), pa.array(["12", ""])]
    assert len({digest_ids(column) for column in columns}) == 4
