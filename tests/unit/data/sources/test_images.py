"""Folders of images and tables of paths to them: real files, written with Pillow."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import datasets

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.data.dataset import Dataset, prepare_data
from foldproof.tasks.data.sources.choose import content_digest
from foldproof.tasks.data.sources.read import check_source
from tests.support.reading import load, refused

RANDOM = np.random.default_rng(3)
PIXELS = RANDOM.integers(0, 256, (8, 6, 5, 3), dtype=np.uint8)
CLASSES = ["no", "yes"] * 4


def save(pixels: Any, path: Path, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight images of two classes, and a table of them."""
    for place, (pixels, label) in enumerate(zip(PIXELS, CLASSES, strict=True)):
        save(pixels, tmp_path / "images" / label / f"{place}.png")
    paths = [f"images/{label}/{place}.png" for place, label in enumerate(CLASSES)]
    table = pd.DataFrame(
        {"file": paths, "age": range(8), "patient": [0, 0, 1, 1] * 2, "y": CLASSES}
    )
    table.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path


def prepared(source: Path, out: Path, **settings: Any) -> Dataset:
    out.mkdir()
    return prepare_data(DataSpec.model_validate({"source": str(source), **settings}), None, out)


def test_the_folder_is_read_class_by_class(folder: Path) -> None:
    raw = load(str(folder / "images"))
    order = [0, 2, 4, 6, 1, 3, 5, 7]
    np.testing.assert_array_equal(raw.features, PIXELS[order])
    assert raw.target.tolist() == ["no"] * 4 + ["yes"] * 4
    assert raw.notices == ()


def test_a_table_names_images_and_says_the_rest(folder: Path) -> None:
    raw = load(str(folder / "table.csv"), target="y", groups="patient", images={"column": "file"})
    np.testing.assert_array_equal(raw.features, PIXELS)
    assert raw.groups.tolist() == [0, 0, 1, 1] * 2
    assert raw.notices == ("images are the only features; left out: 'age'",)


def test_data_are_known_by_pixels_not_by_files(folder: Path) -> None:
    png = prepared(folder / "images", folder / "1")
    for path in (folder / "images").rglob("*.png"):
        Image.open(path).save(path.with_suffix(".bmp"))
        path.unlink()
    bmp = prepared(folder / "images", folder / "2")
    assert (png.digest, png.feature_shape) == (bmp.digest, (6, 5, 3))
    np.savez(folder / "a.npz", X=PIXELS[[0, 2, 4, 6, 1, 3, 5, 7]], y=["no"] * 4 + ["yes"] * 4)
    assert prepared(folder / "a.npz", folder / "3").digest == png.digest


def test_what_lies_beside_a_table_is_not_known_by_its_bytes(folder: Path) -> None:
    given = {"source": str(folder / "table.csv"), "target": "y"}
    assert content_digest(DataSpec.model_validate(given)) is not None
    spec = DataSpec.model_validate(given | {"images": {"column": "file"}})
    assert content_digest(spec) is None
    before = content_digest(DataSpec(source=str(folder / "images")))
    save(PIXELS[1], folder / "images" / "no" / "0.png")
    assert before != content_digest(DataSpec(source=str(folder / "images"))) is not None


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_mode_becomes_the_channels_that_are_asked_for(tmp_path: Path, channels: int) -> None:
    gray = PIXELS[0, ..., 0]
    image = Image.fromarray(gray)
    for place, mode in enumerate(("L", "RGB", "RGBA", "LA", "P", "1")):
        (tmp_path / "i" / "a").mkdir(parents=True, exist_ok=True)
        image.convert(mode).save(tmp_path / "i" / "a" / f"{place}.png")
    found = load(str(tmp_path / "i"), images={"channels": channels}).features
    assert found.shape == (6, 6, 5, channels)
    for pixels in found[:5]:
        np.testing.assert_array_equal(pixels[..., 0], gray)
    if channels == 4:
        assert (found[..., 3] == 255).all()


def test_photos_stand_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    save(PIXELS[0], tmp_path / "i" / "a" / "1.png", exif=exif)
    np.testing.assert_array_equal(load(str(tmp_path / "i")).features[0], np.rot90(PIXELS[0], k=-1))


def test_photos_of_any_size_get_one(tmp_path: Path) -> None:
    for name, pixels in zip("ab", datasets.load_sample_images().images, strict=True):
        save(pixels, tmp_path / "i" / name / "photo.jpg", quality=90)
    save(pixels[:200, :100], tmp_path / "i" / "b" / "part.JPEG")
    found = load(str(tmp_path / "i"), images={"size": [64, 96]}).features
    assert found.shape == (3, 64, 96, 3)
    assert 40 < found[0].mean() < 220
    assert refused(str(tmp_path / "i")) == (
        "data.images.size: images differ: 'a/photo.jpg' is 427 x 640, 'b/part.JPEG' 200 x 100; "
        "set it, such as [427, 640]"
    )


def damage(path: Path, kind: str) -> None:
    whole = path.read_bytes()
    if kind == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "deep":
        save(np.full((6, 5), 999, np.uint16), path)
    elif kind == "moving":
        frames = [Image.fromarray(pixels) for pixels in PIXELS[:2]]
        frames[0].save(path, save_all=True, append_images=frames[1:])
    elif kind == "away":
        outside = path.parents[2] / "secret.png"
        path.rename(outside)
        path.symlink_to(outside)
    else:
        path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("cut", "cannot read image 'yes/3.png' (image file is truncated"),
        ("program", "cannot read image 'yes/3.png' (none of PNG, JPEG, GIF, BMP, TIFF, WEBP); rep"),
        ("deep", "image 'yes/3.png' has more than 8 bits a channel; give 8, or all"),
        ("moving", "image 'yes/3.png' holds 2 images; save one a file"),
        ("away", "'yes/3.png' leads out of the folder of the data; copy the images into it"),
    ],
)
def test_an_unusable_image_is_named(folder: Path, kind: str, problem: str) -> None:
    damage(folder / "images" / "yes" / "3.png", kind)
    assert refused(str(folder / "images")).startswith(f"data.source: {problem}")


def test_paths_stay_below_the_table(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    table = pd.read_csv(folder / "table.csv")
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    save(PIXELS[0], outside)
    images = {"column": "file"}
    for name, problem in (
        (str(outside), f"data.source: '{outside}' leads out of the folder of the data"),
        ("images/../../secret.png", "data.source: 'images/../../secret.png' leads out of"),
        ("images/none.png", "data.source: no image 'images/none.png' in the folder of the data"),
        (None, "data.images.column: 1 of 8 values are missing; remove those rows"),
    ):
        table.loc[5, "file"] = name
        table.to_parquet(folder / "other.parquet", index=False)
        line = refused(str(folder / "other.parquet"), target="y", images=images)
        assert line.startswith(problem)
    table.loc[5, "file"] = str(folder / "images" / "yes" / "5.png")
    table.to_parquet(folder / "other.parquet", index=False)
    assert load(str(folder / "other.parquet"), target="y", images=images).rows == 8


@pytest.mark.parametrize(
    ("source", "settings", "problem"),
    [
        ("table.csv", {"images": {"size": [9, 9]}}, "data.images.column: missing; name the"),
        ("table.csv", {"images": {"column": "fil"}}, "data.images.column: no column 'fil'; did"),
        ("table.csv", {"images": {"column": "age"}}, "data.images.column: column 'age' holds int"),
        (
            "table.csv",
            {"images": {"column": "file"}, "features": ["age"]},
            "data.features: the images are the features; leave one of the two out",
        ),
        ("images", {"images": {"column": "file"}}, "data.images.column: a folder of images has no"),
        ("images", {"target": None, "drop": ["a"]}, "data.drop: arrays have no columns; leave"),
        ("iris", {"images": {"size": [9, 9]}}, "data.images: 'iris' is not "),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, settings: Any, problem: str
) -> None:
    monkeypatch.chdir(folder)
    assert refused(source, **{"target": "y", **settings}).startswith(problem)


@pytest.mark.parametrize("size", [8, [8], [8, 8, 3], [8, 0], [8, 8.5], "8x8", [True, 1]])
def test_a_size_is_two_numbers(size: Any) -> None:
    with pytest.raises(InputError) as caught:
        parse_study({"data": {"source": "images", "images": {"size": size}}})
    assert str(caught.value) == (
        f"data.images.size: must be [height, width] in pixels, not {size!r}"
    )
    study = parse_study({"data": {"source": "images", "images": {"size": (8, 9)}}})
    assert study.data.images.size == [8, 9]


def test_images_outside_of_class_folders_and_other_files_are_named(folder: Path) -> None:
    (folder / "images" / "yes" / "notes.txt").touch()
    (folder / "images" / ".DS_Store").touch()
    raw = load(str(folder / "images"))
    assert raw.notices == ("left out a file, no image: 'yes/notes.txt'",)
    save(PIXELS[0], folder / "images" / "loose.png")
    assert refused(str(folder / "images")).startswith(
        "data.source: image 'loose.png' lies in no subfolder; give each class a folder, or name"
    )


def test_without_pillow_a_line_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(InputError) as caught:
        check_source(DataSpec(source=str(folder / "images")))
    assert str(caught.value).startswith("data.source: PIL is not installed; pip install ")
