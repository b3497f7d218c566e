"""Columns are found by the names that people type, and every line says what to type instead."""

import unicodedata
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from foldproof.tasks.cli.arguments import read_request
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import COLUMNS, SECTIONS, Study, parse_study
from foldproof.tasks.config.yaml_file import read_settings
from foldproof.tasks.data.dataset import prepare_data
from foldproof.tasks.data.sources.columns import find_column

NAMES = ["age", " weight ", unicodedata.normalize("NFC", "größe"), "5", "007", "0.50", "y"]


def refused(folder: Path, text: str, **settings: Any) -> str:
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8")
    spec = DataSpec(source=str(path), **{"target": "y", **settings})
    with pytest.raises(InputError) as caught:
        prepare_data(spec, None, folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("age", "age"),
        ("weight", " weight "),
        (unicodedata.normalize("NFD", "größe"), unicodedata.normalize("NFC", "größe")),
        ("5", "5"),
        ("7", "007"),
        ("0.5", "0.50"),
        ("5.0", "5"),
    ],
)
def test_a_name_in_another_form_is_the_same(typed: str, meant: str) -> None:
    assert find_column("data.drop", typed, NAMES) == meant


@pytest.mark.parametrize(
    ("setting", "typed", "problem"),
    [
        ("data.target", "Age", "no column 'Age'; did you mean 'age', in another case?"),
        ("data.target", "wieght", "no column 'wieght'; did you mean ' weight '?"),
        *(
            (
                setting,
                typed,
                f'no column {typed!r}; several are a list: --{setting} \'["age", "{second}"]\'',
            )
            for setting in ("data.drop", "data.features")
            for typed, second in (("age,5", "5"), ("[age, 5]", "5"), ("age, none", "none"))
        ),
        (
            "data.target",
            "Y",
            "no column 'Y'; did you mean 'y', in another case? use one of age, ' weight ', größe, "
            "5, 007, 0.50, y",
        ),
    ],
)
def test_a_wrong_name_gets_the_nearest(setting: str, typed: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        find_column(setting, typed, NAMES)
    assert str(caught.value) == f"{setting}: {problem}"


def test_two_columns_of_one_meaning_are_not_chosen_from() -> None:
    with pytest.raises(InputError):
        find_column("data.drop", "1", ["1.0", "01", "y"])
    with pytest.raises(InputError):
        find_column("data.drop", "a", ["a ", " a", "y"])


SETTINGS = {
    **{"target": "5", "drop": ["0"], "features": ["1", "2.5"]},
    **{"groups": "3", "weights": "4"},
}


def chosen(data: DataSpec) -> dict[str, Any]:
    return {name: getattr(data, name) for name in SETTINGS}


def test_numbers_name_columns_on_the_command_line(here: Path) -> None:
    flags = ["--data.target", "5", "--data.drop", "[0]", "--data.features", "[1, 2.5]"]
    flags += ["--data.groups", "3", "--data.weights", "4", "--split.fold_column", "6"]
    study = read_request([*flags, "--split.method", "predefined"]).study
    assert chosen(study.data) == SETTINGS
    assert study.split.fold_column == "6"
    assert read_request(["--data.drop", "0"]).study.data.drop == ["0"]


def test_numbers_name_columns_in_yaml_and_in_python(here: Path) -> None:
    text = "data: {target: 5, drop: [0], features: [1, 2.5], groups: 3, weights: 4}\n"
    (here / "study.yaml").write_text(text)
    assert chosen(parse_study(read_settings("study.yaml")).data) == SETTINGS

    in_python = DataSpec(target=np.int64(5), drop=[0], features=[1, 2.5], groups=3, weights=4)  # type: ignore[arg-type,list-item]
    assert chosen(in_python) == SETTINGS
    dated = parse_study({"data": {"drop": [pd.Timestamp("2024-05-01").date()]}})
    assert dated.data.drop == ["2024-05-01"]


WORDS = ("yes", "no", "On", "off", "true", "False")
FILE = """
data:
  source: t.csv
  target: yes
  groups: no
  weights: On
  drop: [off]
  features: [true, x]
split: {method: predefined, fold_column: False}
"""


def test_a_boolean_of_yaml_is_the_column_of_that_word(here: Path) -> None:
    rows = "".join(f"{i % 2},{i % 3},1,2,{i},{i % 3},{i % 5}\n" for i in range(12))
    (here / "t.csv").write_text(",".join((*WORDS, "x")) + "\n" + rows)
    (here / "study.yaml").write_text(FILE)
    study = parse_study(read_settings("study.yaml"))
    assert study.split.fold_column == "False"
    data = prepare_data(study.data, study.split.fold_column, here).settings
    assert (data.target, data.groups, data.weights) == ("yes", "no", "On")
    assert (data.drop, data.features) == (["off"], ["true", "x"])


@pytest.mark.parametrize(
    ("text", "names", "column"),
    [
        ("true", ["a", "yes"], "yes"),
        ("true", ["a", "TRUE", "no"], "TRUE"),
        ("true", ["true", "yes"], "true"),
        ("false", ["off", "on"], "off"),
        ("true", ["on", "yes"], "'on' and 'yes' could be meant; write the one in quotes"),
        ("true", ["a", "b"], "use one of a, b"),
    ],
)
def test_a_boolean_of_json_is_the_one_column_that_it_can_mean(
    text: str, names: list[str], column: str
) -> None:
    drop = read_request(["--data.drop", text]).study.data.drop
    assert drop == [text] == DataSpec(drop=[text == "true"]).drop  # type: ignore[list-item]
    if column in names:
        assert find_column("data.drop", text, names) == column
        return
    with pytest.raises(InputError) as caught:
        find_column("data.drop", text, names)
    assert str(caught.value) == f"data.drop: no column {text!r}; {column}"


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("groups: no", "data.groups: no column 'no'; use one of a, Yes, y"),
        (
            "drop: yes",
            "data.drop: no column 'yes'; did you mean 'Yes', in another case?",
        ),
        ("csv: {missing: off}", "data.csv.missing: must be 'auto' or a list, not False"),
    ],
)
def test_a_boolean_that_is_no_column_is_refused(here: Path, line: str, refusal: str) -> None:
    (here / "t.csv").write_text("a,Yes,y\n1,2,0\n3,4,1\n")
    (here / "study.yaml").write_text(f"data: {{source: t.csv, target: y, {line}}}\n")
    with pytest.raises(InputError) as caught:
        prepare_data(parse_study(read_settings("study.yaml")).data, None, here)
    assert str(caught.value) == refusal


def test_words_for_a_missing_value_may_be_booleans_of_yaml(here: Path) -> None:
    (here / "study.yaml").write_text("data: {csv: {missing: [no, Off, NA]}}\n")
    assert parse_study(read_settings("study.yaml")).data.csv.missing == ["no", "Off", "NA"]


def test_every_setting_that_names_columns_is_known() -> None:
    """Such a setting's name in a settings file may be a word that YAML reads as a boolean."""
    named = {
        f"{section}.{name}"
        for section in SECTIONS
        for name, kind in get_type_hints(
            type(getattr(Study(), section)), include_extras=True
        ).items()
        if "column_name" in repr(kind)
    }
    assert named == set(COLUMNS)


def test_a_single_name_is_a_list_of_one(here: Path) -> None:
    study = read_request(["--data.drop", "id", "--metrics", "roc_auc"]).study
    assert (study.data.drop, study.metrics) == (["id"], ["roc_auc"])
    (here / "study.yaml").write_text("data: {features: age}\nmetrics: r2\n")
    study = parse_study(read_settings("study.yaml"))
    assert (study.data.features, study.metrics) == (["age"], ["r2"])
    assert parse_study({"metrics": "auto"}).metrics == "auto"


def test_settings_of_csv_files_on_the_command_line_stand_beside_those_of_the_file(
    here: Path,
) -> None:
    (here / "study.yaml").write_text("data: {source: x.csv, csv: {delimiter: tab, decimal: ','}}\n")
    flags = ["--config", "study.yaml", "--data.csv.header", "false", "--data.csv.decimal", "."]
    csv = read_request(flags).study.data.csv
    assert (csv.delimiter, csv.decimal, csv.header) == ("\t", ".", False)
    csv = read_request([*flags, "--data.csv", '{"missing": ["?"]}']).study.data.csv
    assert csv.missing == ["?"]
    with pytest.raises(InputError) as caught:
        read_request(["--data.csv.header", "no"])
    assert str(caught.value) == "data.csv.header: must be 'auto' or true or false, not 'no'"


AGES = "".join(f"{age},1,{i % 2}\n" for i, age in enumerate(["31", "?", "44", "n.a.", "27", "50"]))
LINES = [
    (
        "age,b,y\n" + AGES,
        "data.features: column 'age': 2 of 6 values are text, such as '?'; if that is a missing "
        "value, add it to data.csv.missing, else correct or drop it",
    ),
    *(
        (
            f"a,b,y\n{one},1,0\n" + "".join(f"{row}{unit},2,1\n" for row in range(20, 32)),
            f"data.features: column 'a' holds more than numbers, such as {one!r}; write the "
            "numbers alone, or drop it (data.drop)",
        )
        for one, unit in (("12%", " %"), ("5 kg", ".5 kg"), ("<0.1", ".5"), ("$5", "€"))
    ),
    (
        'a,b,y\n"1,234",1,0\n"3,400",2,1\n',
        "data.features: column 'a': '1,234' may have a decimal comma or not; set data.csv.decimal "
        "to , or data.csv.thousands to ,",
    ),
    (
        'a,b,y\n"1,5",1.5,0\n"3",2,1\n',
        "data.features: column 'a': '1,5' has a decimal comma; set data.csv.decimal to ,",
    ),
    (
        "a,b,y\n,,0\n,,1\n",
        "data.features: no column has a value; give some numbers or text to learn from",
    ),
    (
        "a,y\n1,NA\n2,no\n3,NA\n",
        "data.target: 2 of 3 values are missing, such as 'NA'; if that is a label, set "
        "data.csv.missing to [], else remove those rows",
    ),
    (
        'a,y\n1,"1,234"\n2,"5,678"\n',
        "data.target: '1,234' may have a decimal comma or not; set data.csv.decimal to , or "
        "data.csv.thousands to ,",
    ),
]


@pytest.mark.parametrize(("text", "line"), LINES, ids=lambda value: value[:30])
def test_a_column_that_cannot_be_learnt_from_is_described(
    tmp_path: Path, text: str, line: str
) -> None:
    assert refused(tmp_path, text) == line


def test_numbers_stored_as_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    numbers = [f"{row / 2}" for row in range(3, 15)]
    parquet.write_table(pa.table({"a": numbers, "y": [0, 1] * 6}), path)
    with pytest.raises(InputError) as caught:
        prepare_data(DataSpec(source=str(path), target="y"), None, tmp_path)
    line = "data.features: column 'a' holds numbers as text, such as '1.5'"
    assert str(caught.value) == f"{line}; store numbers, or categories"


KINDS = [
    ("day,b,y\n2024-05-01,1,0\n2024-05-02,2,1\n", [("day", "dates", 0), ("b", "numbers", 0)]),
    ("city,b,y\nRome,1,0\nOslo,2,1\n", [("city", "texts", 0), ("b", "numbers", 0)]),
    ("a,b,y\n1,,0\n2,2,1\n", [("a", "numbers", 0), ("b", "numbers", 1)]),
    ("class,b,y\n1st,1,0\n2nd,2,1\n", [("class", "texts", 0), ("b", "numbers", 0)]),
]


@pytest.mark.parametrize(("text", "kinds"), KINDS)
def test_gaps_texts_and_dates_are_kept_for_preprocessing(
    tmp_path: Path, text: str, kinds: list[tuple[str, str, int]]
) -> None:
    (tmp_path / "t.csv").write_text(text)
    data = prepare_data(DataSpec(source=str(tmp_path / "t.csv"), target="y"), None, tmp_path)
    assert [(column.name, column.kind, column.gaps) for column in data.columns] == kinds


def test_categories_that_are_numbers_are_categories(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": pd.Categorical([10, 9, 10]), "y": [0, 1, 0]})
    table.to_parquet(tmp_path / "t.parquet")
    table.to_feather(tmp_path / "t.feather")
    sources = (str(tmp_path / "t.parquet"), str(tmp_path / "t.feather"), table)
    specs = [DataSpec.model_validate({"source": source, "target": "y"}) for source in sources]
    found = [prepare_data(spec, None, tmp_path) for spec in specs]
    assert {data.digest for data in found} == {found[0].digest}
    assert [column.kind for column in found[0].columns] == ["categories"]


def test_a_gap_in_a_target_is_named_and_one_in_features_is_kept(tmp_path: Path) -> None:
    gapped = pd.DataFrame({"b": [1, 2, 3], "a": pd.array([1, None, 3], dtype="Int64")})
    target = pd.Series(["a", None, "b"], dtype="object").where([True, False, True], pd.NA)
    with pytest.raises(InputError) as caught:
        DataSpec.from_arrays(gapped, target)
    assert str(caught.value) == "y: 1 of 3 values are missing (NA); remove those rows"
    data = prepare_data(DataSpec.from_arrays(gapped, [0, 1, 0]), None, tmp_path)
    assert [(column.name, column.gaps) for column in data.columns] == [("b", 0), ("a", 1)]


@pytest.mark.parametrize("kind", [int, float, bool])
def test_one_hot_targets_are_recognised(tmp_path: Path, kind: type) -> None:

    spec = DataSpec.from_arrays(np.ones((4, 2)), np.eye(3)[[0, 1, 2, 1]].astype(kind))
    with pytest.raises(InputError) as caught:
        prepare_data(spec, None, tmp_path)
    assert str(caught.value) == (
        "y: needs one value for each of the 4 rows of X, but has shape (4, 3); it is one-hot: "
        "give y.argmax(axis=1) (or data.task multilabel, where several may be true)"
    )


DATES = [
    ("d\n01.02.2024\n03.04.2024\n", "holds dates, but '01.02.2024' is not written as 2024-01-31"),
    ("d\n2024-01-05\n2024-02-07\nunknown\n", "but 'unknown' is not written as 2024-01-31"),
    ("d\n2024-01-05\n0000-00-00\n2024-02-07\n", "but '0000-00-00' is not written as 2024-01-31"),
]


@pytest.mark.parametrize(("text", "problem"), DATES)
def test_dates_that_no_reader_takes_for_that_are_named(
    tmp_path: Path, text: str, problem: str
) -> None:
    rows = text.splitlines()
    filled = [f"{rows[0]},y", *(f"{row},{place % 2}" for place, row in enumerate(rows[1:]))]
    line = refused(tmp_path, "\n".join(filled) + "\n")
    assert line.startswith("data.features: column 'd' ")
    assert problem in line


@pytest.mark.parametrize("zone", ["", "Z", "+01:00"])
def test_dates_as_text_in_a_frame_are_dates_as_in_a_file(tmp_path: Path, zone: str) -> None:
    frame = pd.DataFrame({"d": [f"2024-01-0{day}T10:00:00{zone}" for day in (1, 2, 3)]})
    data = prepare_data(DataSpec.from_arrays(frame, [0, 1, 0]), None, tmp_path)
    assert [column.kind for column in data.columns] == ["dates"]
    versions = pd.DataFrame({"d": ["1.2.3", "1.10.2", "2.0.1"]})
    data = prepare_data(DataSpec.from_arrays(versions, [0, 1, 0]), None, tmp_path)
    assert [column.kind for column in data.columns] == ["texts"]


def test_names_of_columns_may_be_anything(tmp_path: Path) -> None:
    numbers = np.arange(12.0).reshape(4, 3)
    named = [pd.DataFrame(numbers), pd.DataFrame(numbers, columns=[0.5, True, None])]
    named.append(pd.DataFrame(numbers, columns=pd.MultiIndex.from_product([["a"], [1, 2, 3]])))
    digests = {
        prepare_data(DataSpec.from_arrays(frame, [0, 1, 0, 1]), None, tmp_path).digest
        for frame in (*named, numbers)
    }
    assert len(digests) == 1
    whole = pd.DataFrame(numbers).assign(target=[0, 1, 0, 1])
    data = prepare_data(
        DataSpec.model_validate({"source": whole, "target": "target"}), None, tmp_path
    )
    assert data.digest in digests


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ([2**70, 1, 2], "column 'a' holds int; give numbers, booleans, text or dates, of one kind"),
        ([1, "a", 2.5], "column 'a' holds float and int and str; give numbers"),
        ([1j, 2j, 3j], "column 'a' holds complex; give numbers"),
    ],
)
def test_what_no_column_can_hold_is_named(column: list[Any], problem: str) -> None:
    with pytest.raises(InputError) as caught:
        DataSpec.from_arrays(pd.DataFrame({"a": column, "b": 1.0}), [0, 1, 0])
    assert str(caught.value).startswith(f"data: {problem}")


def test_categories_of_intervals_are_refused_in_a_line(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": pd.cut([1.0, 2.0, 3.0], 2), "b": 1.0})
    with pytest.raises(InputError, match=r"holds categories of .*; write them as text"):
        prepare_data(DataSpec.from_arrays(frame, [0, 1, 0]), None, tmp_path)
