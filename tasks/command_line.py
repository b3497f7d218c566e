"""The command line of cv.py: flags over a YAML file over the defaults."""

import argparse
import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from tasks.config import SECTIONS, Section, Study, parse_study
from tasks.display import Verbosity
from tasks.errors import InputError
from tasks.settings_file import read_settings

MOST_DIGITS = 9  # of a repeat or fold
SHORT_FORMS = {"data": "source", "model": "builder"}  # what a text in a section's place means


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes:
        study: the settings.
        only: (repeat, fold) to train alone, or None.
        verbosity: how much to show.
        refresh: train anew what is stored.
    """

    study: Study
    only: tuple[int, int] | None
    verbosity: Verbosity
    refresh: bool


class LineParser(argparse.ArgumentParser):
    """A parser whose errors are one line each."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            InputError: always.
        """
        raise InputError("command line", f"{message}; see --help")


def read_request(arguments: Sequence[str]) -> Request:
    """Read a command line.

    Raises:
        InputError: a flag, the file or a value is wrong.
        SystemExit: after --help.
    """
    parser = _parser()
    flags, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise unknown_flag(unknown[0], "config", "only")
    study = parse_study(with_flags(read_settings(flags.config), flags))
    return Request(study, _place(flags.only), verbosity_of(flags), flags.refresh)


def with_flags(settings: dict[str, Any], flags: argparse.Namespace) -> dict[str, Any]:
    """Return settings with those of the command line in their place.

    Raises:
        InputError: a section of the settings is no mapping.
    """
    for name, values in vars(flags).items():
        if name in _names() and values is not None:
            _set(settings, name, _value(values[-1]))
    return settings


def verbosity_of(flags: argparse.Namespace) -> Verbosity:
    """Return how much to show."""
    return "quiet" if flags.quiet else "verbose" if flags.verbose else "normal"


def _parser() -> LineParser:
    parser = LineParser(
        prog="cv.py",
        description="Cross-validate a model. VALUE is JSON where it parses as JSON, else text.",
        epilog="Exit codes: 0 done, 1 the run failed, 2 wrong input, 3 some folds failed.",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE.yaml", help="settings; flags count over them")
    parser.add_argument("--only", metavar="REPEAT/FOLD", help="train one fold; print its digests")
    add_settings(parser)
    return parser


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting, and how to run and what to show."""
    parser.add_argument(
        "--refresh", action="store_true", help="train stored folds anew and compare"
    )
    parser.add_argument("--quiet", action="store_true", help="print the report's path only")
    parser.add_argument("--verbose", action="store_true", help="show what the libraries print, too")
    _add_section(parser, Study, "")


def _add_section(parser: argparse.ArgumentParser, section: type[Section], prefix: str) -> None:
    for name, field in section.model_fields.items():
        if not prefix and name in SECTIONS:
            group = parser.add_argument_group(name, field.description)
            help_text = f"all of {name} as JSON; replaces the file's"
            group.add_argument(f"--{name}", action="append", metavar="JSON", help=help_text)
            _add_section(group, type(field.default), f"{name}.")  # type: ignore[arg-type]
            continue
        default = json.dumps(field.default, ensure_ascii=False)
        text = f"{field.description} [default: {default}]".replace("%", "%%")
        flag = f"--{prefix}{name}"
        parser.add_argument(
            flag, action="append", metavar="VALUE", dest=f"{prefix}{name}", help=text
        )


def _names() -> list[str]:
    names = [name for name in Study.model_fields if name not in SECTIONS]
    for section in SECTIONS:
        fields = type(Study.model_fields[section].default).model_fields
        names += [section, *(f"{section}.{name}" for name in fields)]
    return names


def unknown_flag(flag: str, *others: str) -> InputError:
    """Return the error of a flag that there is not, with the nearest one.

    Args:
        flag: as it was given.
        others: flags that the command takes besides the settings.
    """
    name = flag.lstrip("-").partition("=")[0]
    if not flag.startswith("-"):
        return InputError(
            "command line", f"unexpected {flag!r}; settings are given as --NAME VALUE"
        )
    known = [*_names(), *others, "refresh", "quiet", "verbose"]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean --{close[0]}?" if close else "see --help"
    return InputError(flag.partition("=")[0], f"unknown flag; {hint}")


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # a number of thousands of digits is a ValueError, too
        return text


def _set(settings: dict[str, Any], name: str, value: Any) -> None:
    section, _, field = name.partition(".")
    if not field:
        settings[section] = value
        return
    inner = settings.get(section) or {}
    if isinstance(inner, str) and section in SHORT_FORMS:
        inner = {SHORT_FORMS[section]: inner}
    if not isinstance(inner, dict):
        raise InputError(section, "must be a mapping of names to values")
    settings[section] = {**inner, field: value}


def _place(only: str | None) -> tuple[int, int] | None:
    if only is None:
        return None
    repeat, _, fold = only.partition("/")
    if not all(part.isdecimal() and len(part) <= MOST_DIGITS for part in (repeat, fold)):
        raise InputError("--only", f"{only!r} is not REPEAT/FOLD; both count from 0, such as 0/3")
    return int(repeat), int(fold)
