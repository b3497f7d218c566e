"""The YAML file: read safely, within bounds, and every way to get it wrong in one line."""

import os
from pathlib import Path
from typing import Any

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.config.yaml_file import MAX_BYTES, read_settings

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def write(folder: Path, content: str | bytes) -> str:
    path = folder / "study.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def refused(path: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_study(read_settings(path))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.isprintable()
    assert len(message.replace(path, "")) <= 200
    assert "<unicode string>" not in message
    return message


WRONG: list[tuple[str | bytes, str]] = [
    ("- a\n", "holds a list; write NAME: VALUE"),
    ("just text\n", "holds a str; write NAME: VALUE"),
    ("5\n", "holds a int; write NAME: VALUE"),
    ("data: [\n", "is not YAML (line 2, column 1: expected the node content, but found"),
    ("data: {source: iris\n", "line 2, column 1: expected ',' or '}', but got '<stream end>')"),
    (
        "data:\n\tsource: iris\n",
        "is not YAML (line 2, column 1: found character '\\t' that cannot start any token); "
        "indent with blanks, not with tabs",
    ),
    (
        "a: 1\n---\nb: 2\n",
        "is not YAML (line 2, column 1: expected a single document in the stream, "
        "but found another document); correct it",
    ),
    ("!!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
    ("seed: !!python/name:os.system\n", "could not determine a constructor"),
    ("out: !!python/object/new:os.system [touch pwned]\n", "could not determine a constructor"),
    ("seed: !own 5\n", "could not determine a constructor"),
    ("seed: 1\nseed: 2\n", "'seed' stands there twice; keep one of them"),
    ("train:\n  epochs: 1\n  epochs: 1\n", "'epochs' stands there twice"),
    ("data: {target: 2020-13-45}\n", "is not YAML (month must be in 1..12)"),
    ("seed: 2020-01-05\n", "seed: must be a whole number, not '2020-01-05'"),
    ("seed: !!int\n", "is not YAML"),
    (f"seed: {'9' * 5000}\n", "is not YAML (Exceeds the limit"),
    ("seed: !!binary aGk=\n", "seed: must be a whole number"),
    ("? [a, b]\n: 1\n", "is not YAML (line 1, column 3: found unhashable key); correct it"),
    ("seed: *nothing\n", "found undefined alias"),
    ("model: &m {params: *m}\n", "holds more than 100000 values; repeat fewer anchors"),
    (LAUGHS, "holds more than 100000 values; repeat fewer anchors"),
    (MERGES, "holds more than 100000 values; repeat fewer anchors"),
    ("- " * 5000, "is nested too deeply; flatten it"),
    ("[" * 100_000, "is nested too deeply; flatten it"),
    ("# " + "x" * MAX_BYTES, "is larger than 1 MiB; give a file of settings"),
    (b"\xff\xfe\x00", "is not YAML ("),
    ("seed: 1".encode("utf-16"), "is not YAML ("),
    (b"\x00\x01\x02", "is not YAML ("),
    ("seed: 1\x00\n", "is not YAML (position 7: special characters are not allowed); correct it"),
    (b"\x1f\x8b\x08binary", "is not YAML ("),
]


@pytest.mark.parametrize(("content", "problem"), WRONG, ids=lambda value: repr(value)[:40])
def test_wrong_files_are_refused(here: Path, content: str | bytes, problem: str) -> None:
    assert problem in refused(write(here, content))
    assert os.listdir(here) == ["study.yaml"]


def test_files_that_cannot_be_read_are_refused(here: Path) -> None:
    assert refused("none.yaml") == "--config: cannot read 'none.yaml' (No such file or directory)"
    assert refused(".") == "--config: cannot read '.' (Is a directory)"
    assert "File name too long" in refused("a" * 300)
    assert refused("/dev/zero").endswith("is larger than 1 MiB; give a file of settings")
    (here / "loop").symlink_to(here / "loop")
    assert "Too many levels of symbolic links" in refused("loop")


def test_empty_files_are_the_defaults(here: Path) -> None:
    assert read_settings(write(here, "")) == {}
    assert read_settings(write(here, "# only a comment\n")) == {}
    assert read_settings("/dev/null") == {}


def test_a_file_that_begins_with_a_byte_order_mark_is_read(here: Path) -> None:
    assert read_settings(write(here, b"\xef\xbb\xbfseed: 1\n")) == {"seed": 1}


@pytest.mark.parametrize("count", [2, 50])
def test_anchors_may_be_used_more_than_once(here: Path, count: int) -> None:
    shared: dict[str, Any] = read_settings(
        write(here, f"x: &x {{a: [1, 2]}}\ny: [{', '.join(['*x'] * count)}]\n")
    )
    assert shared["y"] == [{"a": [1, 2]}] * count


def test_a_long_list_of_columns_is_fine(here: Path) -> None:
    names = [f"column_{i}" for i in range(3_000)]
    text = "data: {features: [" + ", ".join(names) + "]}\n"
    assert read_settings(write(here, text)) == {"data": {"features": names}}
