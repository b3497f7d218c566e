"""Read sources as tests do: by settings, or to see what is wrong with them."""

from pathlib import Path
from typing import Any

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.dataset import prepare_data
from foldproof.tasks.data.sources.read import read


def load(source: str, fold_column: str | None = None, **settings: Any) -> Any:
    """Read a source; the features are a table, or an array where the file holds arrays."""
    return read(DataSpec(source=source, **settings), fold_column)


def refused(source: str, **settings: Any) -> str:
    with pytest.raises(InputError) as caught:
        load(source, **settings)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def write(folder: Path, text: str | bytes, name: str = "data.csv") -> str:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def digest(source: str, folder: Path, **settings: Any) -> str:
    """Return the digest of a source's samples, prepared in a new folder."""
    folder.mkdir()
    return prepare_data(DataSpec(source=source, **settings), None, folder).digest
