"""The command line: flags over a YAML file over the defaults."""

import argparse
import difflib
import json
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from foldproof.tasks.cli.argparse_internals import flags_of
from foldproof.tasks.cli.warm.request import FLAG, HELP
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import shortened
from foldproof.tasks.common.version import VERSION
from foldproof.tasks.config.data import READING_SECTIONS
from foldproof.tasks.config.study import SECTIONS, Study, parse_study
from foldproof.tasks.config.types import Section
from foldproof.tasks.config.yaml_file import read_settings, read_yaml

if TYPE_CHECKING:
    from foldproof.tasks.run.views.progress_view import Verbosity

MOST_DIGITS = 9  # of a repeat or fold
MOST_SHOWN = 60  # characters of a value
MOST_READ = 200  # characters that are read as another notation
BARE_COLON = re.compile(r"([{,]\s*[^\s:,{}\[\]]+):(?=\S)")  # after a name, as in {units:3}
EXAMPLE = "'{\"NAME\": VALUE}'"
SHORT_FORMS = {"data": "source", "model": "builder"}  # what a text in a section's place means
MAPPINGS = (
    *SECTIONS,
    *(f"data.{name}" for name in READING_SECTIONS),
    *("model.params", "train.early_stopping", "train.class_weight"),
    *("train.optimizer", "train.learning_rate", "train.loss", "train.metrics", "train.callbacks"),
)
LISTS = ("train.metrics", "train.callbacks")  # of names, also with parameters


@dataclass(frozen=True)
class Request:
    """The parsed command line of a cross-validation.

    Attributes:
        study: the settings.
        only: (repeat, fold) to train alone, or None.
        verbosity: how much to show.
        refresh: train anew what is stored.
    """

    study: Study
    only: tuple[int, int] | None
    verbosity: "Verbosity"
    refresh: bool


class LineParser(argparse.ArgumentParser):
    """A parser whose errors are one line each, and which knows the version."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what `ArgumentParser` takes."""
        super().__init__(*args, **kwargs)
        text = "show foldproof's version and exit"
        self.add_argument("--version", action="version", version=f"foldproof {VERSION}", help=text)

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
    flags = parse_flags(cv_parser(), arguments)
    only = None if flags.only is None else fold_place("--only", flags.only)
    return Request(read_study(flags), only, verbosity_of(flags), flags.refresh)


def cv_parser() -> LineParser:
    """Return the parser of a cross-validation's command line."""
    parser = study_parser(
        "cv",
        "Cross-validate a model.",
        "Exit codes: 0 done, 1 the run failed, 2 wrong input, 3 some folds failed.",
    )
    parser.add_argument("--only", metavar="REPEAT/FOLD", help="train one fold; print its digests")
    parser.add_argument(
        "--refresh", action="store_true", help="train stored folds anew and compare"
    )
    add_study(parser, quiet="print the report's path only")
    return parser


def called(name: str) -> str:
    """Return the name of the command as it was called: `cv.py`, or `foldproof cv`."""
    script = f"{name}.py"
    return script if Path(sys.argv[0]).name == script else f"foldproof {name}"


def study_parser(name: str, description: str, exit_codes: str) -> LineParser:
    """Return a parser of a command that takes settings; add its own flags, then the study's."""
    parser = LineParser(
        prog=called(name),
        description=f"{description} VALUE is JSON where it parses as JSON, else text.",
        epilog=exit_codes,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE.yaml", help="settings; flags count over them")
    return parser


def add_study(parser: LineParser, quiet: str) -> None:
    """Add --quiet, which does what is said here, --verbose, --keep-warm and every setting."""
    parser.add_argument("--quiet", action="store_true", help=quiet)
    parser.add_argument("--verbose", action="store_true", help="show what the libraries print, too")
    parser.add_argument(FLAG, metavar="TIME", help=HELP)
    _add_section(parser, Study, "")


def parse_flags(parser: LineParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command line.

    Raises:
        InputError: a flag is unknown or lacks its value.
        SystemExit: after --help.
    """
    flags, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise unknown_flag(unknown[0], parser)
    return flags


def read_study(flags: argparse.Namespace) -> Study:
    """Return the settings: flags over the file over the defaults.

    Raises:
        InputError: the file or a value is wrong.
    """
    return parse_study(with_flags(read_settings(flags.config), flags))


def with_flags(settings: dict[str, Any], flags: argparse.Namespace) -> dict[str, Any]:
    """Return settings with the command line's laid over them.

    Raises:
        InputError: a section of the settings is no mapping, or a mapping is not JSON.
    """
    for name, values in vars(flags).items():
        if name in _names() and values is not None:
            _set(settings, name, _value(name, values[-1]))
    return settings


def verbosity_of(flags: argparse.Namespace) -> "Verbosity":
    """Return how much to show."""
    return "quiet" if flags.quiet else "verbose" if flags.verbose else "normal"


def _add_section(parser: argparse.ArgumentParser, section: type[Section], prefix: str) -> None:
    for name, field in section.model_fields.items():
        if isinstance(field.default, Section):
            full = f"{prefix}{name}"
            group = parser if prefix else parser.add_argument_group(name, field.description)
            help_text = f"all of {full} as JSON; replaces the file's"
            group.add_argument(
                f"--{full}", action="append", metavar="JSON", dest=full, help=help_text
            )
            _add_section(group, type(field.default), f"{full}.")  # type: ignore[arg-type]
            continue
        default = json.dumps(field.default, ensure_ascii=False)
        text = f"{field.description} [default: {default}]".replace("%", "%%")
        flag = f"--{prefix}{name}"
        parser.add_argument(
            flag, action="append", metavar="VALUE", dest=f"{prefix}{name}", help=text
        )


def _names(section: type[Section] = Study, prefix: str = "") -> list[str]:
    names = []
    for name, field in section.model_fields.items():
        names.append(f"{prefix}{name}")
        if isinstance(field.default, Section):
            names += _names(type(field.default), f"{prefix}{name}.")
    return names


def unknown_flag(flag: str, parser: LineParser) -> InputError:
    """Return the error for an unknown flag, with the nearest known one."""
    name = flag.lstrip("-").partition("=")[0]
    if not flag.startswith("-"):
        is_file = flag.lower().endswith((".yaml", ".yml"))
        meant = f"did you mean --config {shlex.quote(flag)}?"
        hint = meant if is_file else "settings are given as --NAME VALUE"
        return InputError("command line", f"unexpected {flag!r}; {hint}")
    known = [option.lstrip("-") for option in flags_of(parser)]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean --{close[0]}?" if close else "see --help"
    return InputError(flag.partition("=")[0], f"unknown flag; {hint}")


def _value(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # a number of thousands of digits is a ValueError, too
        _refuse_other_mapping(name, text.strip())
        return text


def _refuse_other_mapping(name: str, text: str) -> None:
    """Refuse text that was meant as a mapping: {units: 3} instead of {"units": 3}."""
    is_whole = text.endswith("}") and ":" in text
    starts = text.startswith(("{", "[") if name in LISTS else "{")
    if name in MAPPINGS and starts and (is_whole or name not in SHORT_FORMS):
        given = shortened(text, MOST_SHOWN)
        raise InputError(name, f"{given!r} is not JSON; type --{name} {_as_json(text)}")


def _as_json(text: str) -> str:
    """Return a mapping as one types it, if YAML understands it, or else the form of one."""
    if len(text) > MOST_READ:
        return EXAMPLE
    forms = (text, BARE_COLON.sub(r"\1: ", text))
    return next((form for form in map(_from_yaml, forms) if form), EXAMPLE)


def _from_yaml(text: str) -> str:
    """Return a mapping of YAML as one types it as JSON, or nothing."""
    try:
        loaded = read_yaml(text)
        plain = json.dumps(loaded, ensure_ascii=False, allow_nan=False)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return ""
    is_whole = isinstance(loaded, dict | list) and ": null" not in plain
    return shlex.quote(plain) if is_whole else ""


def _set(settings: dict[str, Any], name: str, value: Any, above: str = "") -> None:
    section, _, field = name.partition(".")
    if not field:
        settings[section] = value
        return
    inner = settings.get(section) or {}
    if isinstance(inner, str) and section in SHORT_FORMS and not above:
        inner = {SHORT_FORMS[section]: inner}
    if not isinstance(inner, dict):
        raise InputError(f"{above}{section}", "must be a mapping of names to values")
    settings[section] = dict(inner)
    _set(settings[section], field, value, f"{above}{section}.")


def fold_place(flag: str, text: str) -> tuple[int, int]:
    """Return the repeat and fold that a flag names.

    Raises:
        InputError: it names none.
    """
    repeat, _, fold = text.partition("/")
    if not all(part.isdecimal() and len(part) <= MOST_DIGITS for part in (repeat, fold)):
        raise InputError(flag, f"{text!r} is not REPEAT/FOLD; both count from 0, such as 0/3")
    return int(repeat), int(fold)
