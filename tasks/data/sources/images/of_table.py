"""Tables with a column of paths: the images there take the place of the features."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import some_of
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.addresses import is_uri
from foldproof.tasks.data.sources.columns import find_column
from foldproof.tasks.data.sources.images.decode import ImageFiles, refuse_without_pillow
from foldproof.tasks.data.sources.raw_table import RawData

MOST_NAMED = 5  # columns in a note


def check_images(spec: DataSpec) -> None:
    """Refuse settings of images that cannot be those of a table.

    Raises:
        InputError: with the setting.
    """
    if not spec.reading("images"):
        return
    if spec.images.column is None:
        raise InputError("data.images.column", "missing; name the column of paths to images")
    if is_uri(spec.source):
        problem = f"{spec.source!r} is far away; copy the table and its images to this machine"
        raise InputError("data.images", problem)
    if spec.features is not None:
        problem = "the images are the features; leave one of the two out"
        raise InputError("data.features", problem)
    refuse_without_pillow()


def with_images(raw: RawData, spec: DataSpec) -> RawData:
    """Return samples whose features are the images that a column names.

    Raises:
        InputError: there is no such column, or an image is not usable.
    """
    if isinstance(raw.features, dict):
        return _with_image_inputs(raw, raw.features, spec)
    assert isinstance(raw.features, pa.Table)  # `images` is a setting of tables
    names = raw.features.column_names
    column = find_column("data.images.column", str(spec.images.column), names)
    pixels = _pixels(raw.features[column], column, spec)
    others = [repr(name) for name in names if name != column]
    told = f"images are the only features; left out: {some_of(others, MOST_NAMED)}"
    return replace(raw, features=pixels, notices=(*raw.notices, *([told] if others else [])))


def _with_image_inputs(raw: RawData, features: dict[str, Any], spec: DataSpec) -> RawData:
    """Return samples of which the inputs that are the column of paths are images.

    Their pixels reach the model as they are, unless data.preprocess says something of them.

    Raises:
        InputError: no input is that column alone, or an image is not usable.
    """
    names = list(dict.fromkeys(name for each in features.values() for name in each.column_names))
    column = find_column("data.images.column", str(spec.images.column), names)
    holding = [name for name, each in features.items() if column in each.column_names]
    for name in holding:
        if features[name].num_columns > 1:
            problem = f"column {column!r} is one of images; give it an input of its own"
            raise InputError(f"data.inputs.{name}", problem)
    pixels = _pixels(features[holding[0]][column], column, spec)
    raw = replace(raw, features=features | dict.fromkeys(holding, pixels))
    said = {} if spec.preprocess == "auto" else spec.preprocess
    if not isinstance(said, dict) or said.keys() >= {*holding}:
        return raw
    preprocess = {name: said.get(name, "none" if name in holding else "auto") for name in features}
    told = f"images are not scaled; to scale them, set data.preprocess: {{{holding[0]}: auto}}"
    return raw.with_settings(preprocess=preprocess).with_notices([told])


def _pixels(paths: pa.ChunkedArray, column: str, spec: DataSpec) -> NDArray[np.uint8]:
    folder = Path(spec.source).resolve()
    folder = folder if folder.is_dir() else folder.parent
    return ImageFiles(folder, _paths(paths, column), spec.images).decode()


def _paths(column: pa.ChunkedArray, name: str) -> list[str]:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        problem = f"column {name!r} holds {column.type}; give paths from the table's folder"
        raise InputError("data.images.column", problem)
    if column.null_count:
        problem = f"{column.null_count} of {len(column)} values are missing; remove those rows"
        raise InputError("data.images.column", problem)
    paths: list[str] = column.to_pylist()
    return paths
