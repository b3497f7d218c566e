"""A table of Parquet files that is read in batches: it may be larger than memory.

It has the parts of Arrow's tables that giving columns their roles needs.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyarrow as pa
from pyarrow import fs, parquet

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import first_line

BUFFER_BYTES = 1 << 20  # of a column's bytes that are read ahead
COLUMNS_AT_A_TIME = 16  # each holds a page and a dictionary of about 1 MiB
ROWS_AT_A_TIME = 1 << 15


@dataclass(frozen=True)
class TableOnDisk:
    """Columns of Parquet files that all have the same ones.

    Attributes:
        source: what the user calls them.
        system, files: where they are, in order.
        schema: of the columns.
        num_rows: of all files.
        load: reads whole columns by name.
    """

    source: str
    system: fs.FileSystem
    files: tuple[str, ...]
    schema: pa.Schema
    num_rows: int
    load: Callable[[list[str]], pa.Table]

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.num_rows

    @property
    def column_names(self) -> list[str]:
        """The columns, in order."""
        return list(self.schema.names)

    @property
    def num_columns(self) -> int:
        """The number of columns."""
        return len(self.schema)

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        """Read a column."""
        return self.select([name]).read().column(0)

    def column(self, place: int) -> pa.ChunkedArray:
        """Read the column at a place."""
        return self[self.column_names[place]]

    def select(self, names: Sequence[str]) -> "TableOnDisk":
        """Return a table of some columns."""
        return replace(self, schema=pa.schema([self.schema.field(name) for name in names]))

    def read(self) -> pa.Table:
        """Read the whole table.

        Raises:
            InputError: a file is damaged.
        """
        with damage_as_input_error(self.source):
            return self.load(self.column_names)

    def batches(self) -> Iterator[tuple[int, int, pa.RecordBatch]]:
        """Yield batches of some columns with the positions of their first row and column.

        A row group after the other: its columns, a few at a time, and of these all its rows.

        Raises:
            InputError: a file is damaged.
        """
        row = 0
        with damage_as_input_error(self.source):
            for path in self.files:
                with self.system.open_input_file(path) as opened:
                    file = parquet.ParquetFile(opened, buffer_size=BUFFER_BYTES, pre_buffer=False)
                    for group in range(file.num_row_groups):
                        yield from self._batches_of(file, group, row)
                        row += file.metadata.row_group(group).num_rows

    def _batches_of(
        self, file: parquet.ParquetFile, group: int, first: int
    ) -> Iterator[tuple[int, int, pa.RecordBatch]]:
        for left in range(0, self.num_columns, COLUMNS_AT_A_TIME):
            names = self.column_names[left : left + COLUMNS_AT_A_TIME]
            row = first
            for batch in file.iter_batches(ROWS_AT_A_TIME, row_groups=[group], columns=names):
                yield row, left, batch.select(names)
                row += batch.num_rows


def table_on_disk(
    source: str,
    system: fs.FileSystem,
    dataset: parquet.ParquetDataset,
    categories: Collection[str],
    load: Callable[[list[str]], pa.Table],
) -> TableOnDisk | None:
    """Return the table of a data set; None where its files do not all have all of its columns.

    Args:
        source: what the user calls it.
        system: where it is.
        dataset: its files.
        categories: columns that are no numbers, whatever their type.
        load: reads whole columns by name.
    """
    rows = 0
    for path in dataset.files:
        with system.open_input_file(path) as opened:
            file = parquet.ParquetFile(opened)
            found = {field.name: field.type for field in file.schema_arrow}
            rows += file.metadata.num_rows
        if any(found.get(field.name) != field.type for field in dataset.schema):
            return None
    fields = [
        pa.field(field.name, pa.dictionary(pa.int32(), field.type))
        if field.name in categories and not pa.types.is_dictionary(field.type)
        else field
        for field in dataset.schema
    ]
    return TableOnDisk(source, system, tuple(dataset.files), pa.schema(fields), rows, load)


@contextmanager
def damage_as_input_error(source: str) -> Iterator[None]:
    """Turn errors of reading a table's file into one line.

    Raises:
        InputError: it cannot be read.
    """
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        problem = f"cannot read {source!r}: {first_line(error)}; check that the file is whole"
        raise InputError("data.source", problem) from None
