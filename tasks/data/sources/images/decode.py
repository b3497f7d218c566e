"""Decode image files to one array: upright, of one size, with one number of channels."""

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.extras import refuse_missing
from foldproof.tasks.common.text import first_line
from foldproof.tasks.config.data import ImagesSpec

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")  # no others: some run programs
ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
DEEP = ("I", "F")  # modes of Pillow with more than 8 bits a channel
OF_FRAMES = ("GIF", "TIFF", "WEBP", "PNG")


def refuse_without_pillow() -> None:
    """Refuse images where Pillow is not installed.

    Raises:
        InputError: with the command that installs it.
    """
    refuse_missing("data.source", "PIL", "images")


@dataclass(frozen=True)
class ImageFiles:
    """Image files below a folder.

    Attributes:
        folder: where they lie; none may lead out of it.
        names: their paths from there.
        spec: the size and channels that they get.
    """

    folder: Path
    names: Sequence[str]
    spec: ImagesSpec

    def decode(self) -> NDArray[np.uint8]:
        """Return all pixels, (n, height, width, channels).

        Raises:
            InputError: an image is missing, damaged, elsewhere, or of another size.
        """
        from PIL.Image import DecompressionBombWarning

        with warnings.catch_warnings():
            warnings.simplefilter("error", DecompressionBombWarning)
            first = self._pixels(self.names[0])
            found = np.empty((len(self.names), *first.shape), np.uint8)

            def fill(place: int) -> None:
                pixels = self._pixels(self.names[place])
                self._check_size(pixels, first, self.names[place])
                found[place] = pixels

            pool = ThreadPoolExecutor(os.cpu_count())
            try:
                for _ in pool.map(fill, range(len(self.names))):
                    pass
            finally:
                pool.shutdown(cancel_futures=True)
        return found

    def _pixels(self, name: str) -> NDArray[np.uint8]:
        path = _below(self.folder, name)
        try:
            return _decoded(path, self.spec)
        except InputError as error:
            raise InputError(error.field, f"image {name!r} {error.problem}") from None
        except Exception as error:  # a damaged file can raise anything: SyntaxError, struct.error
            reason = first_line(error).replace(str(path), path.name)
            problem = f"cannot read image {name!r} ({reason}); replace it, or leave it out"
            raise InputError("data.source", problem) from None

    def _check_size(self, pixels: NDArray[np.uint8], first: NDArray[np.uint8], name: str) -> None:
        if pixels.shape == first.shape:
            return
        (height, width), (other_height, other_width) = first.shape[:2], pixels.shape[:2]
        sizes = f"{self.names[0]!r} is {height} x {width}, {name!r} {other_height} x {other_width}"
        remedy = f"set it, such as [{height}, {width}]"
        raise InputError("data.images.size", f"images differ: {sizes}; {remedy}")


def _below(folder: Path, name: str) -> Path:
    """Return the path of a file, its links followed; it must lie below the folder."""
    root = folder.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        problem = f"{name!r} leads out of the folder of the data; copy the images into it"
        raise InputError("data.source", problem)
    if not path.is_file():
        raise InputError("data.source", f"no image {name!r} in the folder of the data")
    return path


def _decoded(path: Path, spec: ImagesSpec) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        opened = Image.open(path, formats=FORMATS)
    except UnidentifiedImageError:
        raise ValueError(f"none of {', '.join(FORMATS)}") from None
    with opened as image:
        frames = getattr(image, "n_frames", 1) if image.format in OF_FRAMES else 1
        if frames > 1:
            raise InputError("data.source", f"holds {frames} images; save one a file")
        upright = ImageOps.exif_transpose(image)
    converted = _converted(upright, MODES[spec.channels])
    if spec.size is not None:
        height, width = spec.size
        converted = converted.resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(converted)
    return pixels.reshape(*pixels.shape[:2], spec.channels)


def _converted(image: "Image", mode: str) -> "Image":
    """Return an image in a mode: its gray is repeated, its transparency dropped, as Keras does."""
    if image.mode.partition(";")[0] in DEEP:
        problem = "has more than 8 bits a channel; give 8, or all pixels as an array in an npz file"
        raise InputError("data.source", problem)
    if image.mode == "P":  # colors of a table, some of which may be transparent
        image = image.convert("RGBA")
    return image if image.mode == mode else image.convert(mode)
