"""CSV and Parquet: a table, and the roles of its columns."""

import codecs
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet

from tasks.config import DataSpec
from tasks.errors import InputError
from tasks.explain import nearest
from tasks.sources.files import locate, one_line, open_source
from tasks.sources.raw import RawData, values

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def load(source: str) -> pa.Table:
    """Read a CSV file, a Parquet file or a folder of Parquet files (in the order of names).

    Raises:
        InputError: it is empty, damaged, or its header is not usable.
    """
    try:
        table = _read_csv(source) if _is_csv(source) else _read_parquet(source)
        _check_header(table, source)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        problem = f"cannot read {source!r}: {one_line(error)}; check that the file is whole"
        raise InputError("data.source", problem) from None
    if table.num_rows == 0:
        raise InputError("data.source", f"{source!r} has no rows; give some samples")
    return table


def select(table: pa.Table, target: str | None, spec: DataSpec, fold_column: str | None) -> RawData:
    """Give the columns their roles; all that have none are features.

    Raises:
        InputError: a column is missing or has two roles.
    """
    if target is None:
        raise InputError("data.target", "missing; name the column to predict" + _separator(table))
    roles = {"data.target": target, "data.groups": spec.groups, "data.weights": spec.weights}
    roles["split.fold_column"] = fold_column
    taken = {setting: column for setting, column in roles.items() if column is not None}
    _check_columns(table, taken, spec)
    other = {*taken.values(), *spec.drop}
    names = spec.features or [name for name in table.column_names if name not in other]
    if not names:
        raise InputError("data.features", "no column is left to learn from; drop fewer columns")
    _refuse_index(names, spec)
    side = {setting: _side(table, setting, column) for setting, column in taken.items()}
    return RawData(
        features=table.select(names),
        target=side["data.target"],
        settings=spec.model_copy(update={"target": target}),
        groups=side.get("data.groups"),
        weights=side.get("data.weights"),
        folds=side.get("split.fold_column"),
    )


def _refuse_index(names: list[str], spec: DataSpec) -> None:
    """Refuse the row numbers that pandas saves beside the columns, unless asked for."""
    for name in names:
        if name.startswith("__index_level_") and not spec.features:
            remedy = "put it in data.drop, or list data.features"
            raise InputError("data.features", f"{name!r} is the index of a pandas table; {remedy}")


def _side(table: pa.Table, setting: str, name: str) -> NDArray[Any]:
    kind = table[name].type
    if pa.types.is_nested(kind):
        raise InputError(setting, f"column {name!r} holds {kind}; give numbers or text")
    return values(table[name])


def _is_csv(source: str) -> bool:
    return source.lower().endswith((".csv", ".csv.gz"))


def _read_csv(source: str) -> pa.Table:
    convert = csv.ConvertOptions(strings_can_be_null=True)
    zipped = source.lower().endswith(".gz")
    with open_source(source) as file:
        if not zipped and file.read(2) in UTF_16:
            raise InputError("data.source", f"{source!r} is UTF-16 text; save it as UTF-8")
        file.seek(0)
        stream = pa.input_stream(file, compression="gzip" if zipped else None)
        return _utf8(csv.read_csv(stream, convert_options=convert))


def _utf8(table: pa.Table) -> pa.Table:
    """Refuse what the reader could only take as bytes."""
    for field in table.schema:
        if pa.types.is_binary(field.type):
            raise InputError("data.source", f"{field.name!r} is not UTF-8 text; save it as UTF-8")
    return table


def _read_parquet(source: str) -> pa.Table:
    system, path = locate(source)
    if "://" not in source and Path(source).is_dir() and not any(Path(source).rglob("*.parquet")):
        raise InputError("data.source", f"{source!r} holds no .parquet file; check the path")
    return parquet.read_table(path, filesystem=system)


def _check_header(table: pa.Table, source: str) -> None:
    counts = Counter(table.column_names)
    double = [name for name, count in counts.items() if count > 1]
    if double:
        raise InputError(
            "data.source",
            f"column {double[0]!r} stands there {counts[double[0]]} times; rename one",
        )
    if "" in counts:
        position = table.column_names.index("") + 1
        remedy = "an index? Save the file without it, or give it a name and drop it"
        raise InputError("data.source", f"column {position} of {source!r} has no name ({remedy})")


def _check_columns(table: pa.Table, taken: dict[str, str], spec: DataSpec) -> None:
    named = [*taken.items(), *(("data.drop", name) for name in spec.drop)]
    named += [("data.features", name) for name in spec.features or []]
    for setting, name in named:
        if name not in table.column_names:
            hint = nearest(name, table.column_names).strip() + _separator(table)
            raise InputError(setting, f"no column {name!r}; {hint}")
    roles = Counter(name for _, name in [*taken.items(), *named[len(taken) :]])
    for setting, name in reversed(named):
        if roles[name] > 1:
            others = sorted({other for other, column in named if column == name} - {setting})
            also = f"is also {' and '.join(others)}" if others else "is named twice"
            raise InputError(setting, f"column {name!r} {also}; give it one role")


def _separator(table: pa.Table) -> str:
    if len(table.column_names) == 1 and ";" in table.column_names[0]:
        return " (the file seems to be separated by semicolons; save it with commas)"
    return ""
