"""Read the YAML file of settings safely: plain values only, of limited size."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import COLUMNS, SECTIONS

FIELD = "--config"
MAX_BYTES = 1 << 20  # what takes PyYAML a few seconds
MAX_DEPTH = 50
MISSING = "data.csv.missing"  # a list of words; a single boolean is none
BOOLEAN, TEXT = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:str"
MAX_VALUES = 100_000  # after each anchor is written out where it is used


class _Unusable(ValueError):
    """The content of a settings file is unusable; the message gives the reason."""


class _Loader(yaml.SafeLoader):
    """YAML in which 1e-3 is a number, as in YAML 1.2, and no key may stand twice."""

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        if self.flow_level >= MAX_DEPTH:  # the scanner's time grows with the square of it
            raise RecursionError
        super().fetch_flow_collection_start(token)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for name, count in names.items():
            if count > 1:
                raise _Unusable(f"{name!r} stands there twice; keep one of them")
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def read_settings(path: str | None, field: str = FIELD) -> dict[str, Any]:
    """Read a YAML file of settings; empty sections are left at their defaults.

    Args:
        path: the file; None for no settings.
        field: what named it, for messages: a flag, or the path itself.

    Raises:
        InputError: it cannot be read, or is not a mapping.
    """
    if path is None:
        return {}
    file = "" if field == path else f"{path!r} "  # named once
    try:
        loaded = read_yaml(_read(path))
    except _Unusable as error:
        raise InputError(field, str(error)) from None
    except OSError as error:
        problem = f"cannot read {file}({error.strerror})"
        own = f"cannot be read ({error.strerror}); check the path"
        raise InputError(field, problem if file else own) from None
    except OverflowError:
        raise InputError(field, f"{file}is larger than 1 MiB; give a file of settings") from None
    except RecursionError:
        raise InputError(field, f"{file}is nested too deeply; flatten it") from None
    except Exception as error:  # of wrong dates and numbers, PyYAML raises what Python does
        raise InputError(field, f"{file}is not YAML ({_said(error)}") from None
    if not isinstance(loaded, dict | None):
        raise InputError(field, f"{file}holds a {type(loaded).__name__}; write NAME: VALUE")
    return {
        name: value
        for name, value in (loaded or {}).items()
        if value is not None or name not in SECTIONS
    }


def _said(error: Exception) -> str:
    """Return the position and the problem of a YAML error as text."""
    if isinstance(error, yaml.reader.ReaderError):
        return f"position {error.position}: {error.reason}); correct it"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"{error}); correct it"
    what, mark = str(error.problem), error.problem_mark
    if what.startswith("but "):  # the second half of a sentence
        what = f"{error.context}, {what}"
    remedy = "indent with blanks, not with tabs" if r"'\t'" in what else "correct it"
    return f"line {mark.line + 1}, column {mark.column + 1}: {what}); {remedy}"


def _read(path: str) -> str:
    with Path(path).open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise OverflowError
    return content.decode("utf-8-sig")


def read_yaml(text: str) -> Any:
    """Return the plain values of a text; numbers and words are read as settings need them.

    Raises:
        ValueError, RecursionError, yaml.YAMLError: it is not YAML, or too much of it.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        if _count(root, {}) > MAX_VALUES:
            raise _Unusable(f"holds more than {MAX_VALUES} values; repeat fewer anchors")
        _keep_words(root)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _keep_words(root: yaml.Node) -> None:
    """Read booleans as the words that they are where columns are named: `target: yes`."""
    for setting in (*COLUMNS, MISSING):
        for node in _each(_values_of(root, setting.split("."))):
            single = [] if setting == MISSING else [node]
            for word in node.value if isinstance(node, yaml.SequenceNode) else single:
                word.tag = TEXT if word.tag == BOOLEAN else word.tag


def _each(nodes: list[yaml.Node]) -> Iterator[yaml.Node]:
    """Yield what each input has of a setting that names the columns of several."""
    for node in nodes:
        is_mapping = isinstance(node, yaml.MappingNode)
        yield from ([value for _, value in node.value] if is_mapping else [node])


def _values_of(node: yaml.Node, names: list[str]) -> list[yaml.Node]:
    """Return the node of a setting, or none; a name that stands twice is refused later."""
    found = [node]
    for name in names:
        mappings = [each for each in found if isinstance(each, yaml.MappingNode)]
        found = [value for each in mappings for key, value in each.value if key.value == name]
    return found


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """Count the values below a node as if each anchor were written out; a loop has no end."""
    if id(node) not in known:
        known[id(node)] = MAX_VALUES + 1  # holds while what is below it is counted
        inner = node.value if isinstance(node, yaml.CollectionNode) else ()
        parts = (part for item in inner for part in (item if isinstance(item, tuple) else (item,)))
        known[id(node)] = 1 + sum(_count(part, known) for part in parts)
    return known[id(node)]
