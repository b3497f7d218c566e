"""npy files: features in one, the target in another beside it."""

from pathlib import Path

import numpy as np
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec, NpySpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.data.dataset import prepare_data
from foldproof.tasks.data.sources.choose import content_digest, places
from foldproof.tasks.run.allowlist import PATHS, check_trust
from tests.support.reading import load, refused

X = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
Y = np.array(["a", "b", "a", "b"])


def save(folder: Path, **arrays: np.ndarray) -> str:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return str(folder / "X.npy")


def test_it_is_the_same_data_as_an_npz_file(tmp_path: Path) -> None:
    groups = np.array([1, 1, 2, 2])
    source = save(tmp_path, X=np.asfortranarray(X), labels=Y, groups=groups)
    np.savez(tmp_path / "all.npz", X=X, y=Y, groups=groups)
    both = (
        DataSpec(source=str(tmp_path / "all.npz")),
        DataSpec(source=source, npy=NpySpec(y="labels.npy", groups="groups.npy")),
    )
    digests = set()
    for place, spec in enumerate(both):
        (tmp_path / str(place)).mkdir()
        digests.add(prepare_data(spec, None, tmp_path / str(place)).digest)
    assert len(digests) == 1
    uri = (tmp_path / "X.npy").as_uri()
    assert load(uri, npy={"y": "labels.npy"}).target.tolist() == Y.tolist()


def test_y_is_looked_for_beside_it(tmp_path: Path) -> None:
    source = save(tmp_path, X=X)
    assert refused(source) == (
        "data.npy.y: no file 'y.npy' beside 'X.npy'; name the one that is, or save X and y with "
        "numpy.savez as an npz file"
    )
    save(tmp_path, y=Y)
    assert load(source).target.tolist() == Y.tolist()


@pytest.mark.parametrize("name", ["../y.npy", "/y.npy", "y.txt", "a\\y.npy"])
def test_only_a_file_beside_it_can_be_named(name: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_study({"data": {"source": "X.npy", "npy": {"y": name}}})
    assert str(caught.value).startswith("data.npy.y: ")
    assert "is no name of an .npy file beside data.source" in str(caught.value)


def test_all_its_files_are_known_again_and_have_to_be_allowed(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = save(here, X=X, y=Y)
    study = parse_study({"data": source})
    assert places(study.data) == (source, str(here / "y.npy"))
    before = content_digest(study.data)
    save(here, y=Y[::-1])
    assert before != content_digest(study.data) is not None
    monkeypatch.setenv(PATHS, str(here))
    check_trust(study)
    (here / "y.npy").rename(tmp_path / "secret.npy")
    (here / "y.npy").symlink_to(tmp_path / "secret.npy")
    with pytest.raises(InputError, match=r"y\.npy' is not in an allowed folder"):
        check_trust(study)


def test_what_is_no_array_is_one_line(tmp_path: Path) -> None:
    source = save(tmp_path, X=X, y=Y)
    np.savez(tmp_path / "X.npz", X=X)
    for content in (
        b"",
        b"hello",
        (tmp_path / "X.npz").read_bytes(),
        Path(source).read_bytes()[:90],
    ):
        (tmp_path / "X.npy").write_bytes(content)
        line = refused(source)
        assert line.startswith("data.source: 'X.npy' is not a readable npy file (")
        assert "allow_pickle=" not in line
    np.save(tmp_path / "X.npy", np.array([{"a": 1}] * 4))
    assert "Python objects in dtype); write it with numpy.save from" in refused(source)
    save(tmp_path, X=X, y=Y[:2])
    assert refused(source).startswith("y: needs one value for each of the 4 rows of X")
