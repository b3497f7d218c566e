"""Read the samples of any source, by the kind that takes its address."""

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.choose import source_of, sources
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.images.of_table import with_images
from foldproof.tasks.data.sources.raw_table import RawData


def check_source(spec: DataSpec) -> None:
    """Refuse what cannot be a source before anything is loaded.

    Raises:
        InputError: the source is unknown, missing or of an unknown kind.
    """
    source = source_of(spec.source)
    _refuse_settings_of_others(spec, source)
    source.check(spec)


def read(spec: DataSpec, fold_column: str | None) -> RawData:
    """Read the samples of a source.

    Args:
        spec: what to read.
        fold_column: the column that holds the folds of a predefined split.

    Raises:
        InputError: the source cannot be read or lacks a column.
    """
    check_source(spec)
    source = source_of(spec.source)
    raw = source.read(spec, fold_column)
    return raw if spec.images.column is None else with_images(raw, spec)


def _refuse_settings_of_others(spec: DataSpec, source: Source) -> None:
    """Refuse reading settings that another kind of source has."""
    for other in sources():
        for name in other.settings:
            if name not in source.settings and spec.reading(name):
                shown = source.shown(spec.source)
                problem = f"{shown!r} is not {other.written}; leave it out"
                raise InputError(f"data.{name}", problem)
