"""Types that the settings are made of: texts, numbers, columns, import paths, sections."""

import datetime
import json
import os
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from foldproof.tasks.common.digest import canonical_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest
from foldproof.tasks.user_code.references import refuse_slip

MAX_FOLDS = 2**15  # and repeats: their numbers are int16 in the report
MAX_INT32 = 2**31 - 1  # of counts that TensorFlow keeps in int32
MAX_SLOTS = 1024


def plain(value: Any) -> Any:
    """Turn NumPy scalars, dates and paths into what JSON knows."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, datetime.date):
        return value.isoformat()
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def plain_values(setting: str, value: Any) -> Any:
    """Take a mapping of what JSON can hold, in the form that a YAML file would give it."""
    try:
        return json.loads(canonical_json(value).encode()) if isinstance(value, dict) else value
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(setting, f"must hold plain values ({error})") from None


def column_name(value: Any) -> Any:
    """Take a number or a boolean for the name of a column: `5` in JSON is the column "5"."""
    value = plain(value)
    if isinstance(value, bool):
        return json.dumps(value)
    return str(value) if isinstance(value, int | float) else value


def listed(value: Any) -> Any:
    """Take a single name for a list of one, if it is one."""
    is_single = isinstance(plain(value), str | int | float) and value != ""
    return [value] if is_single else value


def listed_unless_auto(value: Any) -> Any:
    """Take a single name other than auto for a list of one."""
    return value if value == "auto" or isinstance(value, bool) else listed(value)


def _writable(text: str) -> str:
    """Refuse what no file and no report can hold: lone surrogates; and what no path may."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be text that can be written as UTF-8") from None
    if "\0" in text:
        raise ValueError("must hold no NUL character")
    return text


@dataclass(frozen=True)
class Importable:
    """Mark a setting whose text may be an import path: it counts wherever code is guarded."""


Text = Annotated[str, BeforeValidator(plain), Field(min_length=1), AfterValidator(_writable)]
Column = Annotated[Text, BeforeValidator(column_name)]
Int = Annotated[int, BeforeValidator(plain)]
Float = Annotated[float, BeforeValidator(plain), Field(allow_inf_nan=False)]
ImportPath = Annotated[Text, Importable()]


class Section(BaseModel):
    """A frozen group of settings; unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)

    def chosen(self, name: str) -> bool:
        """Return whether the user set this field rather than took its default."""
        return name in self.model_fields_set


def refuse_unknown(setting: str, text: str, known: tuple[str, ...]) -> None:
    """Refuse what is neither one of the known names nor written as module:Class."""
    if text in known:
        return
    if any(mark in text.strip(":") for mark in ":./\\"):  # a bare word is some other name
        refuse_slip(setting, text, "Class")
    module, _, name = text.partition(":")
    if not (module and name):
        hint = nearest(text, known) + "or module:Class"
        raise InputError(setting, f"unknown {text!r}; {hint}")
