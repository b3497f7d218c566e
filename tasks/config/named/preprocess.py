"""Settings of the preprocessing that each fold fits: a word, a transformer, or steps.

A transformer is `{name: SimpleImputer, params: {strategy: median}}`, or short `SimpleImputer` or
`{SimpleImputer: {strategy: median}}`; `{columns: [age, bmi], steps: [...]}` or `{columns: numeric,
steps: [...]}` are those for some columns. Parts for columns come first, side by side; what
follows them sees all that they return.
"""

import inspect
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest
from foldproof.tasks.config.messages import input_error
from foldproof.tasks.config.named.keras_parts import Named, name_and_params, plain_params
from foldproof.tasks.config.types import Column, ImportPath, Section, listed
from foldproof.tasks.user_code.objects.estimators import is_estimator
from foldproof.tasks.user_code.references import refuse_slip

WORDS = ("auto", "none")
SAMPLERS = "imblearn"  # where a sampler without a module is
SELECTIONS = ("numeric", "categorical", "datetime", "text", "rest")
Selection = Literal["numeric", "categorical", "datetime", "text", "rest"]
UNCHANGED = ("drop", "passthrough")
PART_FIELDS = {"columns", "steps"}


class Step(Named):
    """A transformer or a sampler: a class of a library by its name, or another by import path."""

    @model_validator(mode="after")
    def _names_a_class(self) -> Self:
        if not self.name.isidentifier():
            refuse_slip("name", self.name, "Class")
        return self


def as_step(value: Any) -> Any:
    """Make a step of a name alone, or of a name with its parameters.

    A sampler given as an object is named by its class and by what was set of its parameters.
    """
    if is_estimator(value):
        return _step_of(value)
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        return value
    name, params = name_and_params("steps", value)
    return _made(Step, {"name": name, "params": plain_params("params", name, params)})


def _step_of(value: Any) -> Any:
    """Return the step that an object of imbalanced-learn stands for.

    Raises:
        InputError: it is one that has no name there.
    """
    kind = type(value)
    if not kind.__module__.startswith(f"{SAMPLERS}."):
        problem = f"{kind.__name__} is an object among names"
        remedy = "give names of transformers, or one object such as make_pipeline(...)"
        raise InputError("steps", f"{problem}; {remedy}")
    default = inspect.signature(kind).parameters
    given = value.get_params(deep=False)
    chosen = {name: v for name, v in given.items() if v is not default[name].default}
    return _made(Step, {"name": kind.__name__, "params": chosen})


def _made(kind: type[Section], given: dict[str, Any]) -> Section:
    """Make a step or a part; which of the two is meant is known, so is what is wrong with it."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise input_error(error, kind) from None


def _steps(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) and value not in UNCHANGED else value


def _columns(value: Any) -> Any:
    return value if isinstance(value, str) and value in SELECTIONS else listed(value)


class Part(Section):
    """What is done to some columns: to those listed, or to all of a kind that no part lists."""

    columns: Annotated[Selection | list[Column], BeforeValidator(_columns)] = Field(
        description="Their names, or their kind; text takes texts from categorical, and rest all "
        "that are left.",
        min_length=1,
    )
    steps: Annotated[
        Literal["drop", "passthrough"] | list[Annotated[Step, BeforeValidator(as_step)]],
        BeforeValidator(_steps),
    ] = Field(description="One after the other; drop or passthrough stand for none.")


def _item(value: Any) -> Any:
    is_part = isinstance(value, dict) and bool(PART_FIELDS & value.keys())
    return _made(Part, value) if is_part else as_step(value)


def _in_settings(value: Any) -> Any:
    """Name an object by what it is made of, and take one step for a list of it."""
    if isinstance(value, dict):
        return [value]
    if callable(value) or is_estimator(value):
        from foldproof.tasks.user_code.objects.functions import register_function

        return register_function(value)
    return value


Preprocess = Annotated[
    ImportPath | list[Annotated[Part | Step, BeforeValidator(_item)]], BeforeValidator(_in_settings)
]


def references_in(value: Any) -> list[str]:
    """Return each import path in the setting, or in that of each input, as module:name."""
    if isinstance(value, dict):
        return [reference for each in value.values() for reference in references_in(each)]
    if isinstance(value, str):
        return [value] if ":" in value and "@" not in value else []
    return [step.name for step in steps_in(value) if ":" in step.name]


def steps_in(value: Any) -> list[Step]:
    """Return each step in the setting, or in that of each input, also those for some columns."""
    if isinstance(value, dict):
        return [step for each in value.values() for step in steps_in(each)]
    if isinstance(value, str):
        return []
    inner = [item.steps if isinstance(item, Part) else [item] for item in value]
    return [step for steps in inner if not isinstance(steps, str) for step in steps]


def words_in(value: Any) -> list[str]:
    """Return each text that stands for all of a preprocessing: a word, a path, or an object."""
    given = list(value.values()) if isinstance(value, dict) else [value]
    return [each for each in given if isinstance(each, str)]


# They neither write, connect nor call what they are given, so anybody may name them.
HARMLESS_SAMPLERS = tuple(
    f"{SAMPLERS}.{kind}" for kind in ("over_sampling", "under_sampling", "combine")
)
HARMLESS_TRANSFORMERS = tuple(
    f"skrub:{name}"
    for name in (
        *("TableVectorizer", "StringEncoder", "MinHashEncoder", "GapEncoder"),
        *("SimilarityEncoder", "DatetimeEncoder", "SquashingScaler"),
    )
)
CALLING = "FunctionTransformer"  # of scikit-learn: calls what it is given


def is_harmless_part(setting: str, reference: str) -> bool:
    """Return whether a setting names a class of a library that anybody may name.

    Args:
        setting: its dotted name.
        reference: module:Class.
    """
    if setting.startswith("train.sampler"):
        module, _, name = reference.partition(":")
        return module in HARMLESS_SAMPLERS and name.isidentifier() and name[0].isupper()
    return setting.startswith("data.preprocess") and reference in HARMLESS_TRANSFORMERS


def sampler_module(sampler: Step) -> str:
    """Return the module that a sampler is of."""
    return sampler.name.partition(":")[0] if ":" in sampler.name else SAMPLERS


def check_preprocess(value: Any, setting: str = "preprocess") -> None:
    """Refuse what is no word, no reference, and no list with its parts first.

    Args:
        value: the setting's.
        setting: its name.

    Raises:
        InputError: with what to write.
    """
    if isinstance(value, str):
        if value in WORDS or "@" in value:
            return
        if ":" not in value and "." not in value and "/" not in value:
            hint = nearest(value, WORDS).strip()
            remedy = f"{hint}, or module:object, or a list of steps such as [{value}]"
            raise InputError(setting, f"unknown {value!r}; {remedy}")
        refuse_slip(setting, value, "Class")
        return
    if not value:
        raise InputError(setting, "has no step; write none to do nothing")
    kinds = [isinstance(item, Part) for item in value]
    if kinds != sorted(kinds, reverse=True):
        raise InputError(setting, "parts for columns come before steps for all; move them up")
    _refuse_twice([item for item in value if isinstance(item, Part)], setting)


def _refuse_twice(parts: list[Part], setting: str) -> None:
    named = [[part.columns] if isinstance(part.columns, str) else part.columns for part in parts]
    every = [name for names in named for name in names]
    for name in every:
        if every.count(name) > 1:
            raise InputError(setting, f"{name!r} stands in two parts; give it one")
