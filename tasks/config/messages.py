"""Turn validation errors of Pydantic into one line: the field, the problem, the remedy."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest, printable, shortened

PROBLEMS = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "string_too_short": "must not be empty; leave it out to take the default",
    "string_unicode": "must be text that can be written as UTF-8",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of names to values",
    "too_short": "must not be empty; leave it out to take the default",
}
UNKNOWN = ("extra_forbidden", "invalid_key")  # a key that is no text cannot be a setting
EMPTY = ("string_too_short", "too_short")


def input_error(error: ValidationError, root: type[BaseModel]) -> InputError:
    """Return the first problem of a validation as an `InputError`."""
    details = error.errors(include_url=False)
    first = details[0]
    field = _dotted(first["loc"], root)
    others = {_dotted(other["loc"], root) for other in details} - {field}
    more = f" (also wrong: {', '.join(sorted(others))})" if others else ""
    same = [other for other in details if _dotted(other["loc"], root) == field]
    causes = [other.get("ctx", {}).get("error") for other in same]
    if cause := next((each for each in causes if isinstance(each, InputError)), None):
        own = cause.field if field.split(".")[-1] != cause.field else ""
        return InputError(".".join(part for part in (field, own) if part), cause.problem + more)
    return InputError(field or "settings", _problem(first, same, root) + more)


def as_list(text: str) -> list[str]:
    """Return the names in a text that was meant as a list, such as a,b or [a, b]; else none."""
    inner = text.strip()
    is_bracketed = inner.startswith("[") and inner.endswith("]")
    parts = [part.strip(" '\"") for part in (inner[1:-1] if is_bracketed else inner).split(",")]
    return parts if all(parts) and (is_bracketed or len(parts) > 1) else []


def typed_list(setting: str, names: Sequence[str]) -> str:
    """Return how to type several names for a setting."""
    written = shlex.quote(json.dumps(names, ensure_ascii=False))
    return f"several are a list: --{setting} {written}"


def _dotted(location: tuple[int | str, ...], root: type[BaseModel]) -> str:
    """Name the field; Pydantic's marks for the branches of a union are left out."""
    parts: list[str] = []
    fields: Any = root.model_fields
    for part in location:
        if fields is not None and part not in fields:
            return (
                ".".join([*parts, printable(part)])
                if len(parts) == len(location) - 1
                else ".".join(parts)
            )
        parts.append(str(part))
        fields = _fields_below(fields, part)
        if fields is None:
            break
    return ".".join(parts)


def _fields_below(fields: Any, part: int | str) -> Any:
    annotation = fields[part].annotation
    options = getattr(annotation, "__args__", None) or [annotation]
    models = [o for o in options if isinstance(o, type) and issubclass(o, BaseModel)]
    return models[0].model_fields if models else None


def _problem(first: ErrorDetails, same: list[ErrorDetails], root: type[BaseModel]) -> str:
    kind, context = first["type"], first.get("ctx", {})
    if kind in UNKNOWN:
        return (
            "unknown setting; "
            + nearest(str(first["loc"][-1]), _siblings(first["loc"], root)).strip()
        )
    given = _shown(first["input"])
    if any(option["type"] in EMPTY for option in same):
        return PROBLEMS["too_short"]
    if len(same) > 1:
        choices = list(dict.fromkeys(_expected(option) for option in same))
        rest = (choice.removeprefix("must be ") for choice in choices[1:])
        return " or ".join([choices[0], *rest]) + f", not {given}"
    if kind == "literal_error" and isinstance(first["input"], str):
        options = [
            option.strip("' ") for option in context["expected"].replace(" or ", ",").split(",")
        ]
        return f"unknown value {given}; {nearest(first['input'], options).strip()}"
    return f"{_expected(first)}, not {given}"


def _expected(detail: ErrorDetails) -> str:
    if detail["type"] == "literal_error":
        return f"must be {detail.get('ctx', {})['expected']}"
    message = PROBLEMS.get(detail["type"])
    plain = detail["msg"].replace("greater than or equal to", "at least")
    plain = plain.replace("less than or equal to", "at most").removeprefix("Value error, ")
    return message or plain.replace("Input should be", "must be").replace("Input", "it")


def _siblings(location: tuple[int | str, ...], root: type[BaseModel]) -> list[str]:
    fields: Any = root.model_fields
    for part in location[:-1]:
        fields = _fields_below(fields, part) if part in fields else fields
    return list(fields)


def _shown(value: Any) -> str:
    return shortened("null" if value is None else repr(value), 60)
