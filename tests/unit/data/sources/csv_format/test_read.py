"""CSV files as people have them: read as what they are, with a note of what is unusual."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.csv_format import dialect, parse
from foldproof.tasks.data.sources.raw_table import RawData
from foldproof.tasks.data.sources.read import read

NAME = "'t.csv'"


def load(folder: Path, text: str | bytes, name: str = "t.csv", **settings: Any) -> RawData:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(DataSpec(source=str(path), **{"target": "y", **settings}), None)


def columns(raw: RawData) -> list[list[Any]]:
    """Return the values by column, the target's last."""
    return [*raw.features.to_pydict().values(), raw.target.tolist()]  # type: ignore[union-attr]


def note(found: str, *settings: str) -> tuple[str, ...]:
    names = ", ".join(f"data.csv.{name}" for name in settings)
    return (f"{NAME} has {found}; if that is wrong, set {names}",)


ROWS = [[1, 3], [2.5, 4.0], [0, 1]]
MARKS = [
    ("a,b,y\n1,2.5,0\n3,4,1\n", ()),
    ("a;b;y\n1;2.5;0\n3;4;1\n", note("delimiter ';'", "delimiter")),
    ("a\tb\ty\n1\t2.5\t0\n3\t4\t1\n", note("delimiter tab", "delimiter")),
    ("a|b|y\n1|2.5|0\n3|4|1\n", note("delimiter '|'", "delimiter")),
    ("a;b;y\n1;2,5;0\n3;4;1\n", note("delimiter ';', decimal ','", "delimiter", "decimal")),
    ("a\tb\ty\n1\t2,5\t0\n3\t4\t1\n", note("delimiter tab, decimal ','", "delimiter", "decimal")),
    ("sep=;\na;b;y\n1;2,5;0\n3;4;1\n", note("delimiter ';', decimal ','", "delimiter", "decimal")),
    ("# of May\n\n#\na,b,y\n1,2.5,0\n3,4,1\n", note("3 comment lines", "comment")),
    ("# x\na,b,y\n1,2.5,0\n# end\n3,4,1\n", note("'#' before comments", "comment")),
    ("\ufeff# x\r\na,b,y\r\n1,2.5,0\r\n3,4,1\r\n", note("1 comment line", "comment")),
    ("\n\na,b,y\n1,2.5,0\n\n3,4,1\n\n", ()),
    ("a,b,y,\n1,2.5,0,\n3,4,1,\n", (f"{NAME}: left out column 4 without a name or a value",)),
    ("a,b,y\n1,2.5,0,\n3,4,1,\n", (f"{NAME}: left out column 4 without a name or a value",)),
    (
        '"","a","b","y"\n"1",1,2.5,0\n"2",3,4,1\n',
        (f"{NAME}: left out column 1, which has no name and counts the rows (row names)",),
    ),
    ('"a","b","y"\n"1","2.5","0"\n"3","4","1"\n', ()),
    ("a,b,y\n1,2.5,0\n3,4,1\n,,\n,,\n", (f"{NAME}: left out 2 empty rows at the end",)),
]


@pytest.mark.parametrize(("text", "notices"), MARKS, ids=lambda value: repr(value)[:40])
def test_marks_are_recognised_and_told(tmp_path: Path, text: str, notices: Any) -> None:
    raw = load(tmp_path, text)
    assert (columns(raw), raw.notices) == (ROWS, notices)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_usual_encodings_are_no_news(tmp_path: Path, encoding: str) -> None:
    raw = load(tmp_path, "größe,y\n1,ü\n2,ß\n".encode(encoding))
    assert (raw.features.column_names, raw.target.tolist()) == (["größe"], ["ü", "ß"])  # type: ignore[union-attr]
    assert raw.notices == ()


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("cp1252", "encoding cp1252 ('größe')"),
        ("utf-16", "encoding utf-16"),
        ("utf-16-le", "encoding utf-16-le"),
        ("utf-16-be", "encoding utf-16-be"),
        ("utf-32", "encoding utf-32"),
    ],
)
def test_other_encodings_are_recognised(tmp_path: Path, encoding: str, told: str) -> None:
    raw = load(tmp_path, "größe,y\n1,ü\n2,ß\n".encode(encoding))
    assert (raw.features.column_names, raw.target.tolist()) == (["größe"], ["ü", "ß"])  # type: ignore[union-attr]
    assert raw.notices == note(told, "encoding")


def test_packed_files_and_files_of_tabs_are_read_alike(tmp_path: Path) -> None:
    text = "a\tb\ty\n1\t2,5\t0\n3\t4\t1\n"
    for name in ("t.tsv", "t.TAB"):
        assert columns(load(tmp_path, text, name)) == ROWS
    assert columns(load(tmp_path, gzip.compress(text.encode("utf-16")), "t.tsv.gz")) == ROWS


NUMBERS = [
    ("1.234,5 2", [1234.5, 2], "decimal ',', thousands '.'"),
    ("1.234.567 2,5", [1234567, 2.5], "decimal ',', thousands '.'"),
    ("1,234.5 2", [1234.5, 2], "thousands ','"),
    ("1,234,567 2.5", [1234567, 2.5], "thousands ','"),
    ("1'234.5 2", [1234.5, 2], 'thousands "\'"'),
    ("1\u00a0234,5 2", [1234.5, 2], "decimal ',', thousands '\\xa0'"),
    ("1\u202f234 2", [1234, 2], "thousands '\\u202f'"),
    ("0,123 1,234", [0.123, 1.234], "decimal ','"),
    (",5 -1,25", [0.5, -1.25], "decimal ','"),
    ("1,5e-3 +2E+05", [0.0015, 2e5], "decimal ','"),
    ("1234,567 2", [1234.567, 2], "decimal ','"),
    ("1.5 1234", [1.5, 1234], ""),
    ("5. +2", [5, 2], ""),
]


@pytest.mark.parametrize(("written", "meant", "told"), NUMBERS, ids=lambda value: str(value))
def test_numbers_mean_what_they_look_like(
    tmp_path: Path, written: str, meant: list[float], told: str
) -> None:
    first, second = written.split(" ")
    raw = load(tmp_path, f"a;y\n{first};no\n{second};yes\n")
    assert columns(raw)[0] == meant
    found = ", ".join(filter(None, ["delimiter ';'", told]))
    assert raw.notices[0].startswith(f"{NAME} has {found}; ")


def test_other_columns_say_what_a_comma_means(tmp_path: Path) -> None:
    raw = load(tmp_path, 'a,b,y\n"1,234",0.5,no\n"3,400",4,yes\n')
    assert columns(raw)[0] == [1234, 3400]
    assert raw.notices == note("thousands ','", "thousands")
    raw = load(tmp_path, "a;b;y\n1,234;0,5;no\n3,400;4;yes\n")
    assert columns(raw)[0] == [1.234, 3.4]


def test_text_is_left_alone(tmp_path: Path) -> None:
    text = 'a,t,y\n1,"x;y;z, 1,5",0\n2,"2;3\n4",1\n3,"1,5",0\n'
    raw = load(tmp_path, text)
    assert columns(raw)[1] == ["x;y;z, 1,5", "2;3\n4", "1,5"]
    assert raw.notices == ()


def test_groups_keep_their_names(tmp_path: Path) -> None:
    raw = load(tmp_path, "a,g,y\n1,12 345,0\n2,12 346,1\n", groups="g")
    assert raw.groups is not None
    assert (raw.groups.tolist(), raw.notices) == (["12 345", "12 346"], ())


def test_line_breaks_in_quotes_are_read_wherever_they_stand(tmp_path: Path) -> None:
    """Where pyarrow divides a file into blocks, too: without being told, it misreads those."""
    text = "x" * 99 + "\n" + "y" * 99
    rows = "".join(f'{i},"{text}",{i % 2}\n' for i in range(20_000))
    raw = load(tmp_path, "a,t,y\n" + rows)
    assert columns(raw)[0] == list(range(20_000))
    assert set(columns(raw)[1]) == {text}


def test_rows_may_be_longer_than_a_block(tmp_path: Path) -> None:
    text = "x" * 3_000_000
    raw = load(tmp_path, f"a,t,y\n1,{text},0\n2,{text},1\n")
    assert columns(raw)[1] == [text, text]


@pytest.fixture
def short_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the dialect be told from 20 bytes."""
    monkeypatch.setattr(parse, "SAMPLE_BYTES", 20)


@pytest.mark.usefixtures("short_look")
def test_what_comes_late_counts_as_well(tmp_path: Path) -> None:
    start = "a;b;y\n" + "1;2;no\n" * 20
    raw = load(tmp_path, start + "1,5;2;no\n1.234,5;2;no\n")
    assert columns(raw)[0][-2:] == [1.5, 1234.5]
    raw = load(tmp_path, (start + "1;2;größe\n").encode("cp1252"))
    assert columns(raw)[2][-1] == "größe"
    assert raw.notices == note("delimiter ';', encoding cp1252", "delimiter", "encoding")


def test_a_header_of_numpy_savetxt_is_none_of_the_comments(tmp_path: Path) -> None:
    raw = load(tmp_path, "# made by us\n# a,y\n1.0,0.0\n2.0,1.0\n")
    assert columns(raw) == [[1, 2], [0, 1]]
    raw = load(tmp_path, "#id,y\ns1,0\ns2,1\n")
    assert columns(raw) == [["s1", "s2"], [0, 1]]


def test_columns_without_a_header_are_named_by_their_place(tmp_path: Path) -> None:
    text = "5.1,3.5,setosa\n4.9,3,setosa\n7,3.2,versicolor\n"
    raw = load(tmp_path, text, csv={"header": False}, target=2)
    assert raw.features.column_names == ["0", "1"]  # type: ignore[union-attr]
    assert (raw.target.tolist()[-1], raw.notices) == ("versicolor", ())
    assert raw.settings.target == "2"


def test_numbers_that_count_the_columns_are_names(tmp_path: Path) -> None:
    raw = load(tmp_path, "0,1,2\n5,3,0\n4,3,1\n", target=2)
    assert columns(raw) == [[5, 4], [3, 3], [0, 1]]
    assert raw.notices == note("a header of numbers, which are the columns' names", "header")


def test_a_header_with_some_numbers_is_a_header(tmp_path: Path) -> None:
    assert load(tmp_path, "400.5,401,y\n1,2,0\n3,4,1\n").notices == ()


SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"delimiter": "space"}, "a b y\n1 2.5 0\n3 4 1\n"),
    ({"delimiter": "\\t"}, "a\tb\ty\n1\t2.5\t0\n3\t4\t1\n"),
    ({"delimiter": ":"}, "a:b:y\n1:2.5:0\n3:4:1\n"),
    ({"decimal": ","}, 'a,b,y\n1,"2,5",0\n3,4,1\n'),
    ({"thousands": "_"}, "a,b,y\n1,2.5,0\n3,4,1\n"),
    ({"encoding": "cp437"}, "a,b,y\n1,2.5,0\n3,4,1\n"),
    ({"comment": "//"}, "// x\na,b,y\n1,2.5,0\n// y\n3,4,1\n"),
    ({"comment": "Report"}, "Report of May\na,b,y\n1,2.5,0\n3,4,1\n"),
    ({"header": True}, "a,b,y\n1,2.5,0\n3,4,1\n"),
]


@pytest.mark.parametrize(("given", "text"), SETTINGS, ids=lambda value: repr(value)[:40])
def test_what_is_said_is_done_without_a_note(
    tmp_path: Path, given: dict[str, Any], text: str
) -> None:
    raw = load(tmp_path, text, csv=given)
    assert (columns(raw), raw.notices) == (ROWS, ())


def test_said_marks_count_over_what_the_file_looks_like(tmp_path: Path) -> None:
    text = 'a;y\n"1,234";no\n"3,400";yes\n'
    for given, meant in (({"thousands": ","}, [1234, 3400]), ({"decimal": ","}, [1.234, 3.4])):
        assert columns(load(tmp_path, text, csv=given))[0] == meant
    text = "a,y\n12_345,no\n3_400,yes\n"
    assert columns(load(tmp_path, text, csv={"thousands": "_"}))[0] == [12345, 3400]
    assert columns(load(tmp_path, "a,y\n1 234,x\n", csv={"thousands": "none"}))[0] == ["1 234"]


@pytest.mark.parametrize(
    ("missing", "values"),
    [
        ("auto", [None, "?", -999]),
        ("?", ["NA", None, -999]),
        (-999, ["NA", "?", None]),
        (["NA", "?", -999], [None, None, None]),
        ([], ["NA", "?", -999]),
    ],
    ids=str,
)
def test_missing_words_may_be_said(tmp_path: Path, missing: Any, values: list[Any]) -> None:
    raw = load(tmp_path, "a,b,c,y\nNA,?,-999,0\n", csv={"missing": missing})
    assert [column[0] for column in columns(raw)[:3]] == values


def test_a_sample_is_a_megabyte() -> None:
    assert dialect.SAMPLE_BYTES == 1 << 20


REFUSED: list[tuple[str | bytes, dict[str, Any], str]] = [
    (
        "17.99,10.38,122.8,0\n20.57,17.77,132.9,1\n",
        {},
        f"data.csv.header: the first row of {NAME} is data ('17.99', '10.38', '122.8', ...), not "
        "names; set --data.csv.header false, which names the columns 0, 1, 2, ..., or true",
    ),
    (
        "5.1,3.5,setosa\n4.9,3,setosa\n7,3.2,versicolor\n",
        {},
        f"data.csv.header: the first row of {NAME} is data ('5.1', '3.5', 'setosa'), not names; "
        "set --data.csv.header false, which names the columns 0, 1, 2, ..., or true",
    ),
    (
        "a;b;y\n1.234;2;0\n3.400;4;1\n",
        {},
        f"data.csv.decimal: numbers such as 1.234 in {NAME} may be 1.234 or 1234; set it to . or "
        "to ,",
    ),
    (
        "a\ty\n1.234\t0\n-3.400\t1\n",
        {},
        f"data.csv.decimal: numbers such as 1.234 in {NAME} may be 1.234 or 1234; set it to . or "
        "to ,",
    ),
    (
        "größe,ähnlich,y\n1,2,0\n".encode() + b"1,\xe4,1\n",
        {},
        f"data.csv.encoding: {NAME} is UTF-8 but for 1 bytes; correct them, or set it to cp1252",
    ),
    (
        b"a,y\n1,\xe4\n2,b\n",
        {"csv": {"encoding": "utf-8"}},
        f"data.csv.encoding: {NAME} is not utf-8 text; set it to the file's, such as cp1252 or "
        "utf-8",
    ),
    (
        "a;b;y\n1;2;0\n3;1;2;" + "x" * 50 + "\n",
        {"csv": {"delimiter": ";"}},
        f"data.source: cannot read {NAME}: Expected 3 columns, got 4, in '3;1;2;"
        + "x" * 34
        + "...'"
        "; quote what holds a ';', or set data.csv.delimiter",
    ),
    (
        "s1,0.5,no\ns2,0.25,yes\ns3,1,no\n",
        {},
        f"data.csv.header: the first row of {NAME} is data ('s1', '0.5', 'no'), not names; "
        "set --data.csv.header false, which names the columns 0, 1, 2, ..., or true",
    ),
    (
        "a,b,y\n1,2,0\nTotal: 1 row\n",
        {},
        f"data.source: cannot read {NAME}: Expected 3 columns, got 1, in 'Total: 1 row'; complete "
        "or remove that row, or set data.csv.delimiter",
    ),
    (
        b"PK\x03\x04\x14\x00\n",
        {},
        f"data.source: {NAME} is an Excel workbook or zip file; save it as CSV",
    ),
    (
        gzip.compress(b"a,y\n1,0\n", mtime=0),
        {},
        f"data.source: {NAME} is packed with gzip; name it .csv.gz",
    ),
    (
        "a b y\n1 2 0\n3 4 1\n",
        {},
        "data.target: no column 'y'; use one of a b y (if columns are divided by it, set "
        "data.csv.delimiter to space)",
    ),
    (
        "a;y\n1;0\n",
        {"csv": {"delimiter": ","}},
        "data.target: no column 'y'; use one of a;y (if columns are divided by it, set "
        "data.csv.delimiter to ';')",
    ),
]


@pytest.mark.parametrize(("text", "settings", "line"), REFUSED, ids=lambda value: repr(value)[:40])
def test_what_cannot_be_told_is_asked_for(
    tmp_path: Path, text: str | bytes, settings: dict[str, Any], line: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text, **settings)
    assert str(caught.value) == line


ABOVE = "if the first line, '{}', is no header, remove it, or set data.csv.comment to what it "
COMMENTS = [
    ("% May\na,b,y\n1,2.5,0\n3,4,1\n", "%", ABOVE.format("% May") + "begins with"),
    ("// May\na,b,y\n1,2.5,0\n3,4,1\n", "//", ABOVE.format("// May") + "begins with"),
    ("; May\n\na,b,y\n1,2.5,0\n3,4,1\n", ";", ABOVE.format("; May") + "begins with"),
    ("Of May\na,b,y\n1,2.5,0\n3,4,1\n", "Of", ABOVE.format("Of May") + "begins with"),
    (
        "Of May,,\na,b,y\n1,2.5,0\n3,4,1\n",
        "Of",
        "2 columns have no name (a title above the header? Remove it, or set data.csv.comment to "
        "how it begins)",
    ),
    (
        "a,b,y\n1,2.5,0\n# half\n3,4,1\n",
        "#",
        "in '# half'; if that is a comment, set data.csv.comment to '#'",
    ),
    (
        "a,b,y\n1,2.5,0\n3,4,1\n!end\n",
        "!",
        "in '!end'; if that is a comment, set data.csv.comment to '!'",
    ),
]


@pytest.mark.parametrize(("text", "comment", "remedy"), COMMENTS, ids=lambda value: value[:20])
def test_a_line_that_is_no_row_is_named_and_what_is_said_of_it_helps(
    tmp_path: Path, text: str, comment: str, remedy: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith("data.source: ")
    assert str(caught.value).endswith(remedy)
    raw = load(tmp_path, text, csv={"comment": comment})
    assert (columns(raw), raw.notices) == (ROWS, ())


def test_settings_of_csv_files_are_for_csv_files(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(DataSpec(source="iris", csv={"header": False}), None)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "data.csv: 'iris' is not a .csv, .tsv or .tab file (also with .gz); leave it out"
    )


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {"delimiter": ";;"},
            "data.csv.delimiter: ';;' is none; use one character, such as ; or tab",
        ),
        (
            {"delimiter": '"'},
            "data.csv.delimiter: '\"' is none; use one character, such as ; or tab",
        ),
        ({"decimal": "x"}, "data.csv.decimal: 'x' is none; use . or , or auto"),
        (
            {"thousands": "x"},
            "data.csv.thousands: 'x' is none; use one character such as , or none, or auto",
        ),
        (
            {"thousands": ",", "decimal": ","},
            "data.csv.thousands: ',' is the decimal mark; use another",
        ),
        (
            {"encoding": "latin-0"},
            "data.csv.encoding: unknown 'latin-0'; use utf-8, utf-16, cp1252 or latin-1",
        ),
        (
            {"encoding": "rot13"},
            "data.csv.encoding: unknown 'rot13'; use utf-8, utf-16, cp1252 or latin-1",
        ),
        ({"header": "no"}, "data.csv.header: must be 'auto' or true or false, not 'no'"),
        ({"delim": ";"}, "data.csv.delim: unknown setting; did you mean delimiter?"),
        (";", "data.csv: must be a mapping of names to values, not ';'"),
    ],
    ids=str,
)
def test_wrong_settings_are_one_line(given: Any, line: str) -> None:
    from foldproof.tasks.config.study import parse_study

    with pytest.raises(InputError) as caught:
        parse_study({"data": {"csv": given}})
    assert str(caught.value) == line
