"""No setting can hold an import path that the guards do not see."""

import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import Field

from foldproof.tasks.config.import_paths import import_paths, is_importable
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.config.types import ImportPath, Section

# Settings that take text, but never as the name of something to import. A new setting with
# text belongs here, or its type is ImportPath.
PLAIN_TEXT = {
    "name",
    "data.source",
    "data.query",  # SQL, which is only selected with
    "data.csv.delimiter",
    "data.csv.decimal",
    "data.csv.thousands",
    "data.csv.encoding",
    "data.csv.comment",
    "data.csv.missing",
    "data.excel.sheet",
    "data.images.column",
    "data.npy.y",  # a name of a file beside data.source
    "data.npy.groups",
    "data.npy.weights",
    "data.target",
    "data.positive",
    "data.features",
    "data.drop",
    "data.inputs",
    "data.groups",
    "data.time",
    "data.id",
    "data.weights",
    "split.fold_column",
    "model.params",  # values; what built-in builders may be given is checked by value
    "train.optimizer.params",  # values; those that describe an object are refused by value
    "train.learning_rate.params",
    "train.loss.params",
    "train.metrics.params",
    "train.callbacks.params",
    "train.early_stopping.monitor",
    "train.class_weight",
    "train.sampler.params",
    "data.preprocess.columns",
    "data.preprocess.params",
    "data.preprocess.steps.params",
    "compute.address",
    "report.intervals",
    "report.ignore",
    "out",
}
CODE = {
    *("model.builder", "split.method", "train.scaler", "train.optimizer", "train.optimizer.name"),
    *("train.learning_rate.name", "train.loss", "train.loss.name", "train.metrics"),
    *("train.metrics.name", "train.callbacks", "train.callbacks.name", "metrics"),
    *("train.sampler.name", "data.preprocess", "data.preprocess.name"),
}


def fields(section: type[Section], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting and its type, those within settings as well."""
    for name, hint in typing.get_type_hints(section, include_extras=True).items():
        if name not in section.model_fields:
            continue
        inner = [part for part in parts(hint) if isinstance(part, type) and is_section(part)]
        for part in inner:
            yield from fields(part, f"{prefix}{name}.")
        yield f"{prefix}{name}", hint


def is_section(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, Section)


def parts(hint: Any) -> Iterator[Any]:
    """Yield a type and all that it is made of; a literal is made of nothing."""
    yield hint
    if typing.get_origin(hint) is not typing.Literal:
        for part in typing.get_args(hint):
            yield from parts(part)


def takes_text(hint: Any) -> bool:
    return any(part in (str, Any, object) for part in parts(hint))


def test_every_setting_that_takes_text_is_guarded_or_known_to_be_plain():
    taking = {name: hint for name, hint in fields(Study) if takes_text(hint)}
    guarded = {name for name, hint in taking.items() if is_importable(hint)}
    assert guarded >= CODE
    unknown = taking.keys() - guarded - PLAIN_TEXT
    assert not unknown, f"give {unknown} the type ImportPath, or list them as plain text here"
    assert guarded.isdisjoint(PLAIN_TEXT)


def test_what_is_described_as_an_import_path_is_one():
    sections: list[Any] = [type(Study.model_fields[name].default) for name in SECTIONS]
    for section in (Study, *sections):
        hints = typing.get_type_hints(section, include_extras=True)
        for name, field in section.model_fields.items():
            if "module:" in (field.description or ""):
                inner = [
                    hint for part in parts(hints[name]) if is_section(part) for hint in of(part)
                ]
                assert any(map(is_importable, (hints[name], *inner))), name


def of(part: Any) -> list[Any]:
    """Return the types of a section's settings; nothing else has any."""
    known = typing.get_type_hints(part, include_extras=True) if is_section(part) else {}
    return list(known.values())


SECTIONS = ("data", "split", "model", "train", "compute")


def test_import_paths_are_found_by_their_settings():
    given = {
        "model": "a:b",
        "split": {"method": "c:D"},
        "train": {"scaler": "e:F", "sampler": "g:H"},
    }
    found = {"split.method": "c:D", "model.builder": "a:b", "train.scaler": "e:F"}
    assert import_paths(parse_study(given)) == found | {"train.sampler": "g:H"}


def test_import_paths_of_steps_are_found():
    steps = [
        {"columns": ["a"], "steps": ["b:C", {"d:E": {"f": "g:h"}}]},
        {"columns": "rest", "steps": "drop"},
        "i:J",
    ]
    found = import_paths(parse_study({"data": {"preprocess": steps}}))
    of_steps = {setting: path for setting, path in found.items() if setting.startswith("data.")}
    assert of_steps == {
        "data.preprocess[0].steps[0]": "b:C",
        "data.preprocess[0].steps[1]": "d:E",
        "data.preprocess[2]": "i:J",
    }
    assert import_paths(Study()) == {"model.builder": "tasks.models:mlp"}
    plain = {"data": {"source": "s3://a:b", "target": "a:b"}, "out": "a:b"}
    assert import_paths(parse_study(plain)) == {"model.builder": "tasks.models:mlp"}


def test_import_paths_of_the_training_are_found_with_and_without_parameters():
    train = {
        "optimizer": "a:B",
        "learning_rate": {"c:D": {"x": "os:system"}},
        "loss": {"e:F": {"x": 1}},
        "metrics": ["g:h", "auc"],
        "callbacks": ["i:J", {"TerminateOnNaN": {"raise_error": True}}],
    }
    assert import_paths(parse_study({"train": train, "metrics": ["roc_auc", "k:l"]})) == {
        "model.builder": "tasks.models:mlp",
        "train.optimizer": "a:B",
        "train.learning_rate": "c:D",
        "train.loss": "e:F",
        "train.metrics[0]": "g:h",
        "train.callbacks[0]": "i:J",
        "train.callbacks[1]": "keras.callbacks:TerminateOnNaN",
        "metrics[1]": "k:l",
    }


def test_import_paths_in_lists_mappings_and_sections_within_are_found():
    class Step(Section):
        name: ImportPath
        params: dict[str, Any] = Field({})

    class Chain(Section):
        steps: list[Step] | ImportPath | None = None
        named: dict[str, Step] = Field({})

    class Wide(Study):
        chain: Chain = Chain()

    steps = [Step(name="a:B", params={"x": "os:system"}), Step(name="plain")]
    wide = Wide(chain=Chain(steps=steps, named={"x": Step(name="c:D")}))
    assert import_paths(wide) == {
        "model.builder": "tasks.models:mlp",
        "chain.steps[0].name": "a:B",
        "chain.named.x.name": "c:D",
    }


@pytest.mark.parametrize("hint", [str, str | None, list[str], dict[str, str], Any])
def test_plain_types_are_not_importable(hint):
    assert not is_importable(hint)
