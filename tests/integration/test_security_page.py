"""SECURITY.md names tests that there are."""

import re

from tests.support.places import ROOT

PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_door_names_its_tests() -> None:
    doors = PAGE.partition("## The doors")[2].partition("## What is not")[0].split("\n### ")[1:]
    assert len(doors) == 10
    untested = [door.splitlines()[0] for door in doors if "\nTests: " not in door]
    assert untested == []


def test_the_named_tests_are_there() -> None:
    files = set(re.findall(r"tests/([\w/]+)\.py", PAGE))
    text = "".join((ROOT / "tests" / f"{name}.py").read_text(encoding="utf-8") for name in files)
    names = set(re.findall(r"`(?:tests/[\w/]+\.py)?(?:::)?(test_\w+)`", PAGE))
    assert len(names) > 15
    assert {name for name in names if f"def {name}(" not in text} == set()
