"""Arrow's own files: Feather and IPC, as pandas, polars, R and Hugging Face datasets write them."""

import pyarrow as pa
from pyarrow import feather

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources import tables
from foldproof.tasks.data.sources.addresses import ends_in
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.images.of_table import check_images
from foldproof.tasks.data.sources.open_file import open_source
from foldproof.tasks.data.sources.raw_table import RawData

ENDINGS = (".feather", ".arrow", ".ipc")
FILE, FIRST_FEATHER = b"ARROW1", b"FEA1"  # what they begin with; a stream begins with neither


def _read(spec: DataSpec, fold_column: str | None) -> RawData:
    table, _ = tables.checked_table(spec.source, lambda: (_read_arrow(spec.source), ()))
    return tables.select(table, spec.target, spec, fold_column)


def _read_arrow(source: str) -> pa.Table:
    with open_source(source) as file:
        start = file.read(len(FILE))
        file.seek(0)
        if start.startswith(FIRST_FEATHER):
            table = feather.read_table(file)
        elif start == FILE:
            table = pa.ipc.open_file(file).read_all()
        else:
            table = pa.ipc.open_stream(file).read_all()
    table.validate(full=True)  # its offsets are used unchecked
    return table


SOURCE = Source(
    "a .feather, .arrow or .ipc file",
    takes=lambda address: ends_in(address, ENDINGS),
    read=_read,
    settings=("images",),
    check=check_images,
)
