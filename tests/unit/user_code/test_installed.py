"""Installed is what a distribution's RECORD names, whatever its folder is called."""

import importlib
import sys
import zipfile

import pytest

from foldproof.tasks.common.digest import digest_text
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.user_code import provenance
from foldproof.tasks.user_code.installed import is_installed_file, owner
from foldproof.tasks.user_code.provenance import Provenance, trace_module


@pytest.fixture
def lib(tmp_path, monkeypatch):
    """A folder as `pip install --target lib` leaves it, on the path."""
    folder = tmp_path / "lib"
    write(folder, "heavy/__init__.py", "from heavy import inner\nimport heavy.more.deep\n")
    write(folder, "heavy/inner.py", "x = 1\n")
    write(folder, "heavy/more/deep.py", "x = 1\n")  # a folder without __init__.py
    write(folder, "single.py", "x = 1\n")
    files = ("heavy/__init__.py", "heavy/inner.py", "heavy/more/deep.py", "single.py")
    distribution(folder, "Heavy-Things", "1.2", files)
    write(folder, "loose.py", "x = 1\n")  # put there by hand
    monkeypatch.syspath_prepend(str(folder))
    return folder


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    importlib.invalidate_caches()


def distribution(folder, name, version, files):
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    write(folder, f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"{file},sha256=abc,10" for file in files]
    write(folder, f"{info}/RECORD", "\n".join([*lines, f"{info}/RECORD,,", ""]))


def trace(tmp_path, source, **told):
    write(tmp_path / "user", "my_model.py", source)
    found = Provenance(**told)
    trace_module("model.builder", "my_model", [str(tmp_path / "user")], found)
    return found


@pytest.mark.parametrize("name", ["heavy", "heavy.inner", "heavy.more.deep", "single"])
def test_what_a_record_names_counts_by_version(tmp_path, lib, name):
    found = trace(tmp_path, f"import {name}\n")
    assert found.distributions == {"Heavy-Things": "1.2"}
    assert set(found.sources) == {"my_model"}


def test_what_no_record_names_counts_by_source(tmp_path, lib):
    write(lib, "heavy/by_hand.py", "x = 1\n")
    found = trace(tmp_path, "import loose\nimport heavy.by_hand\n")
    assert set(found.sources) == {"my_model", "loose", "heavy.by_hand"}


def test_an_editable_install_is_the_users_own(tmp_path, lib, monkeypatch):
    distribution(lib, "editable", "1.0", ["__editable__.editable-1.0.pth"])
    write(tmp_path / "src", "editable/__init__.py", "import single\n")
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    found = trace(tmp_path, "import editable\n")
    assert set(found.sources) == {"my_model", "editable"}
    assert found.distributions == {"Heavy-Things": "1.2"}


def test_packages_in_a_zip_file_count_alike(tmp_path, lib, monkeypatch):
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(lib.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(lib).as_posix())
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(lib)])
    monkeypatch.syspath_prepend(str(packed))
    found = trace(tmp_path, "import heavy.inner\nimport loose\n")
    assert found.distributions == {"Heavy-Things": "1.2"}
    assert set(found.sources) == {"my_model", "loose"}
    unpacked = digest_text("x = 1\n")
    assert found.sources["loose"] == unpacked


def test_a_new_version_is_seen(tmp_path, lib):
    before = trace(tmp_path, "import heavy\n").distributions
    for path in lib.glob("*.dist-info/*"):
        path.unlink()
    distribution(lib, "Heavy-Things", "1.3", ["heavy/__init__.py"])
    for folder in lib.glob("*1.2.dist-info"):
        folder.rmdir()
    assert before == {"Heavy-Things": "1.2"}
    assert trace(tmp_path, "import heavy\n").distributions == {"Heavy-Things": "1.3"}


def test_files_of_a_distribution_are_told_from_others(lib):
    assert is_installed_file(str(lib / "heavy/inner.py"))
    assert not is_installed_file(str(lib / "loose.py"))
    assert is_installed_file(str(importlib.import_module("numpy").__file__))
    assert owner(str(lib / "nowhere"), "heavy/inner.py") is None


def many(tmp_path, count):
    for number in range(count):
        write(tmp_path / "user", f"many/part_{number}.py", "")
    write(tmp_path / "user", "many/__init__.py", "")
    return "".join(f"import many.part_{number}\n" for number in range(count))


def test_a_long_trace_says_so_now_and_then(tmp_path):
    told: list[str] = []
    trace(tmp_path, many(tmp_path, 210), tell=told.append)
    assert told == [f"reading the source of your modules: {count} files" for count in (100, 200)]


def test_a_trace_without_end_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "MAX_SOURCES", 20)
    source = many(tmp_path, 30)
    with pytest.raises(InputError) as caught:
        trace(tmp_path, source)
    last = tmp_path / "user" / "many" / "part_18.py"
    assert str(caught.value) == (
        f"model.builder: leads to more than 20 source files, the last one {str(last)!r}; "
        "install what does not change with pip, then it counts by its version"
    )
