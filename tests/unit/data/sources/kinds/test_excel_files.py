"""Excel workbooks: sheets, cells of every kind, formulas."""

import sys
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec, ExcelSpec
from foldproof.tasks.data.sources.read import check_source
from tests.support.reading import load, refused, write


def workbook(folder: Path, *rows: Sequence[Any], **sheets: list[list[Any]]) -> str:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title, lines in sheets.items():
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    book.save(folder / "Data.XLSX")
    return str(folder / "Data.XLSX")


def test_cells_keep_their_kinds(tmp_path: Path) -> None:
    source = workbook(
        tmp_path,
        ["n", "x", "t", "d", "h", "b", "NA", 7, "y"],
        [1, 1, "NA", date(2024, 1, 1), time(9), True, None, 1, "no"],
        [2, 2.5, None, datetime(2024, 1, 2, 3), None, False, "#N/A", 2, "yes"],
        [None] * 9,
    )
    raw = load(source, target="y", drop=["7"])
    assert {f.name: str(f.type) for f in raw.features.schema} == {
        "n": "int64",
        "x": "double",
        "t": "string",
        "d": "timestamp[us]",
        "h": "time64[us]",
        "b": "bool",
        "NA": "null",
    }
    assert raw.features["t"].to_pylist() == ["NA", None]
    assert raw.rows == 2
    assert raw.notices == ("'Data.XLSX': left out 1 empty row at the end",)


def test_a_sheet_is_named_where_several_are_filled(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["a", "y"], [1, 0], [2, 1]]
    source = workbook(tmp_path, *rows, more=[["a", "y"], [3, 1], [4, 0]], empty=[])
    assert refused(source, target="y") == (
        "data.excel.sheet: 'Data.XLSX' has 2 sheets: 'Sheet', 'more'; name one"
    )
    assert refused(source, target="y", excel={"sheet": "mor"}) == (
        "data.excel.sheet: 'Data.XLSX' has no sheet 'mor'; did you mean more?"
    )
    assert load(source, target="y", excel={"sheet": "more"}).features["a"].to_pylist() == [3, 4]
    assert refused(source, target="y", excel={"sheet": "empty"}).startswith(
        "data.source: sheet 'empty' of 'Data.XLSX' is empty"
    )
    assert load(workbook(tmp_path, *rows, empty=[]), target="y").rows == 2


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (["=1+1", 0], "cell A2 of 'Data.XLSX' is a formula without a stored value; open the file"),
        (["#DIV/0!", 0], "cell A2 of 'Data.XLSX' holds #DIV/0!; correct or empty it"),
        (["none", 0], "column 'a' of 'Data.XLSX' holds text (row 2: none) and numbers (row 3: 1)"),
    ],
)
def test_cells_without_a_usable_value_are_named(
    tmp_path: Path, row: list[Any], problem: str
) -> None:
    source = workbook(tmp_path, ["a", "y"], row, [1, 1])
    assert refused(source, target="y").startswith(f"data.source: {problem}")


def test_headers_have_to_be_names(tmp_path: Path) -> None:
    source = workbook(tmp_path, ["a", "a", "y"], [1, 2, 0], [1, 2, 1])
    assert refused(source, target="y") == (
        "data.source: column 'a' stands there 2 times; rename one"
    )
    source = workbook(tmp_path, ["Title"], ["a", "b", "y"], [1, 2, 0])
    assert refused(source, target="y") == (
        "data.source: 2 columns of 'Data.XLSX' have no name (a title above the header? Remove it)"
    )


def test_what_is_no_workbook_is_one_line(tmp_path: Path) -> None:
    for content in (b"", b"a,y\n1,0\n", b"PK\x03\x04 and no more"):
        line = refused(write(tmp_path, content, "a.xlsx"), target="y")
        assert line.startswith("data.source: 'a.xlsx' is not a readable workbook (")
        assert line.endswith("; save it as .xlsx or CSV")
    np.savez(tmp_path / "a.npz", X=np.zeros(3))
    (tmp_path / "a.npz").rename(tmp_path / "b.xlsx")
    assert "not a readable workbook" in refused(str(tmp_path / "b.xlsx"), target="y")


def test_without_openpyxl_a_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = workbook(tmp_path, ["a", "y"], [1, 0], [2, 1])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError) as caught:
        check_source(DataSpec(source=source, target="y"))
    assert str(caught.value).startswith("data.source: openpyxl is not installed; pip install ")


def test_settings_of_other_kinds_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    source = write(tmp_path, "a,y\n1,0\n")
    with pytest.raises(InputError) as caught:
        check_source(DataSpec(source=source, excel=ExcelSpec(sheet="a")))
    assert str(caught.value) == (
        f"data.excel: '{source}' is not an .xlsx or .xlsm workbook; leave it out"
    )
