"""Arrays and data frames in memory, which were given in Python."""

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.in_memory.arrays_in_memory import TABLE, get_arrays, is_in_memory
from foldproof.tasks.data.sources import tables
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.kinds import npz
from foldproof.tasks.data.sources.raw_table import RawData


def _read(spec: DataSpec, fold_column: str | None) -> RawData:
    found = get_arrays(spec.source)
    if TABLE in found.named:
        return tables.select(found.named[TABLE], spec.target, spec, fold_column)
    return npz.select(found.named, spec, fold_column)


SOURCE = Source(
    "",
    takes=is_in_memory,
    read=_read,
    place="memory",
    shown=lambda _: "",
    precedence=1,
)
