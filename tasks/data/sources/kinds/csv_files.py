"""CSV files: tables whose words for a missing value and decimal marks may mean two things."""

import pyarrow as pa

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources import tables
from foldproof.tasks.data.sources.csv_format.numerals import is_ambiguous
from foldproof.tasks.data.sources.csv_format.read import is_csv, missing_word, read_csv
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.images.of_table import check_images
from foldproof.tasks.data.sources.raw_table import RawData


def _read(spec: DataSpec, fold_column: str | None) -> RawData:
    names = {str(name) for name in (spec.groups, spec.id, fold_column) if name is not None}
    texts = [spec.id] if spec.id is not None else []
    table, notices = tables.checked_table(
        spec.source, lambda: read_csv(spec.source, spec.csv, names, texts)
    )
    raw = tables.select(table, spec.target, spec, fold_column).with_notices(notices)
    for name in raw.target_names or (str(raw.settings.target),):
        _refuse_two_readings(table[name])
    _refuse_lost_labels(raw)
    return raw


def _refuse_two_readings(target: pa.ChunkedArray) -> None:
    """Refuse a target such as 1,234; of features, only those that are learnt from."""
    if pa.types.is_string(target.type) and is_ambiguous(target):
        problem = f"{target.drop_null()[0].as_py()!r} may have a decimal comma or not"
        remedy = "set data.csv.decimal to , or data.csv.thousands to ,"
        raise InputError("data.target", f"{problem}; {remedy}")


def _refuse_lost_labels(raw: RawData) -> None:
    """Refuse a label such as NA that was taken for a missing value, and say how to keep it."""
    settings = raw.settings
    gaps = sum(value is None for value in raw.target) if raw.target.dtype == object else 0
    if gaps and (word := missing_word(settings.source, settings.csv, str(settings.target))):
        count = f"{gaps} of {raw.rows} values are missing, such as {word!r}"
        remedy = "if that is a label, set data.csv.missing to [], else remove those rows"
        raise InputError("data.target", f"{count}; {remedy}")


SOURCE = Source(
    "a .csv, .tsv or .tab file (also with .gz)",
    takes=is_csv,
    read=_read,
    settings=("csv", "images"),
    check=check_images,
)
