"""The command line: flags over the file over the defaults."""

from pathlib import Path
from typing import Any

import pytest

from foldproof.tasks.cli.arguments import read_request
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import SECTIONS, Study
from foldproof.tasks.config.types import Section
from foldproof.tasks.config.yaml_file import read_settings


def write(folder: Path, text: str) -> str:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def refused(*arguments: str) -> str:
    with pytest.raises(InputError) as caught:
        read_request(arguments)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_nothing_given_is_the_defaults() -> None:
    request = read_request([])
    assert request.study == Study()
    assert (request.only, request.verbosity, request.refresh) == (None, "normal", False)


def test_command_line_over_file_over_defaults(tmp_path: Path) -> None:
    config = write(tmp_path, "train: {epochs: 7, batch_size: 8}\nseed: 1\n")
    study = read_request(["--config", config, "--train.epochs", "9"]).study
    assert (study.train.epochs, study.train.batch_size, study.seed) == (9, 8, 1)
    assert study.train.loss == "auto"


def test_last_flag_wins() -> None:
    assert read_request(["--seed", "1", "--seed", "2"]).study.seed == 2


def test_order_of_flags_does_not_decide_between_object_and_field() -> None:
    flags = ["--train.epochs", "3", "--train", '{"batch_size": 4}']
    train = read_request(flags).study.train
    assert (train.epochs, train.batch_size) == (3, 4)


def test_object_replaces_the_one_in_the_file(tmp_path: Path) -> None:
    config = write(tmp_path, "model: {builder: 'a:b', params: {units: 3, rate: 1}}\n")
    params = read_request(["--config", config, "--model.params", '{"units": 4}']).study.model.params
    assert params == {"units": 4}
    model = read_request(["--config", config, "--model", '{"builder": "c:d"}']).study.model
    assert (model.builder, model.params) == ("c:d", {})


@pytest.mark.parametrize(
    ("flags", "section", "field", "value"),
    [
        (["--data.source", "some file.csv"], "data", "source", "some file.csv"),
        (["--data.source=a=b.csv"], "data", "source", "a=b.csv"),
        (["--data.drop", '["a", "b"]'], "data", "drop", ["a", "b"]),
        (["--data.positive", "1"], "data", "positive", 1),
        (["--data.positive", '"1"'], "data", "positive", "1"),
        (["--data.positive", "-1"], "data", "positive", -1),
        (["--data.positive", "yes"], "data", "positive", "yes"),
        (["--data.positive", "true"], "data", "positive", True),
        (["--data.target", "größe"], "data", "target", "größe"),
        (["--split.shuffle", "false"], "split", "shuffle", False),
        (["--train.learning_rate", "1e-2"], "train", "learning_rate", 0.01),
        (["--train.early_stopping", "null"], "train", "early_stopping", None),
        (["--train.class_weight", '{"a": 1}'], "train", "class_weight", {"a": 1.0}),
        (["--compute.workers", "3"], "compute", "workers", 3),
        (["--compute.workers", "auto"], "compute", "workers", "auto"),
        (["--data", "iris"], "data", "source", "iris"),
        (["--data", "{a}.csv"], "data", "source", "{a}.csv"),
        (["--data.target", "{a: 1}"], "data", "target", "{a: 1}"),
        (["--data", "iris", "--data.task", "multiclass"], "data", "source", "iris"),
        (["--model", "a:b", "--model.params", "{}"], "model", "builder", "a:b"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_value_is_json_or_else_text(flags: list[str], section: str, field: str, value: Any) -> None:
    found = getattr(getattr(read_request(flags).study, section), field)
    assert found == value
    assert type(found) is type(value)


def test_metrics_are_a_json_list() -> None:
    assert read_request(["--metrics", '["roc_auc"]']).study.metrics == ["roc_auc"]


@pytest.mark.parametrize(
    ("flags", "only"), [(["--only", "0/3"], (0, 3)), (["--only=12/0"], (12, 0)), ([], None)]
)
def test_only_is_a_repeat_and_a_fold(flags: list[str], only: Any) -> None:
    assert read_request(flags).only == only


def test_switches() -> None:
    assert read_request(["--quiet"]).verbosity == "quiet"
    assert read_request(["--verbose"]).verbosity == "verbose"
    assert read_request(["--refresh"]).refresh


def test_empty_sections_and_files_are_the_defaults(tmp_path: Path) -> None:
    assert read_settings(write(tmp_path, "")) == {}
    assert read_settings(write(tmp_path, "# only a comment\n")) == {}
    config = write(tmp_path, "data:\nseed: 5\ntrain:\n")
    assert read_request(["--config", config]).study == Study(seed=5)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("1e-3", 0.001), ("1.0e-3", 0.001), ("5E-2", 0.05), ("1.5e2", 150.0), ("2", 2.0)],
)
def test_yaml_numbers_may_have_a_bare_exponent(tmp_path: Path, text: str, rate: float) -> None:
    config = write(tmp_path, f"train:\n  learning_rate: {text}\n")
    assert read_request(["--config", config]).study.train.learning_rate == rate


@pytest.mark.parametrize("text", ["e5", "1e", "a1e5", "'1e5'"])
def test_yaml_text_stays_text(tmp_path: Path, text: str) -> None:
    config = write(tmp_path, f"data: {{positive: {text}}}\n")
    assert read_request(["--config", config]).study.data.positive == text.strip("'")


def test_yaml_sections_may_share_by_merge(tmp_path: Path) -> None:
    text = "train: &short {epochs: 1, batch_size: 2}\n"
    shared = text + "model: {params: {<<: *short, epochs: 3}}\n"
    study = read_request(["--config", write(tmp_path, shared)]).study
    assert study.model.params == {"epochs": 3, "batch_size": 2}


UNITS = '{"units": 3, "rate": 0.001, "act": "my.nets:relu"}'


def squeezed(text: str) -> str:
    """Return a text without the white space at which a help text wraps."""
    return "".join(text.split())


def test_help_shows_every_field_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read_request(["--help"])
    assert caught.value.code == 0
    shown = squeezed(capsys.readouterr().out)
    for section in SECTIONS:
        for name, field in type(Study.model_fields[section].default).model_fields.items():
            is_section = isinstance(field.default, Section)
            value = "JSON" if is_section else "VALUE"
            told = f"all of {section}.{name} as" if is_section else f"{field.description} [default:"
            assert squeezed(f"--{section}.{name} {value}") in shown
            assert squeezed(told) in shown
    for flag in ("--config", "--only", "--quiet", "--verbose", "--refresh", "--seed", "--out"):
        assert flag in shown
    assert '[default:"breast_cancer"]' in shown


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--sed", "1"], "--sed: unknown flag; did you mean --seed?"),
        (["--train.epoch=3"], "--train.epoch: unknown flag; did you mean --train.epochs?"),
        (["--onl", "0/0"], "--onl: unknown flag; did you mean --only?"),
        (["--only", "1" * 5000 + "/0"], "is not REPEAT/FOLD"),
        (["--seed", "1" * 5000], "seed: must be a whole number, not '1111"),
        (["--seed", "[" * 100000], "seed: must be a whole number, not '[[[["),
        (["--xyz"], "--xyz: unknown flag; see --help"),
        (["iris"], "command line: unexpected 'iris'; settings are given as --NAME VALUE"),
        *(
            ([name], f"command line: unexpected {name!r}; did you mean --config {name}?")
            for name in ("study.yaml", "a/Study.YML")
        ),
        (
            ["--model.params", "{units: 3}"],
            "model.params: '{units: 3}' is not JSON; type --model.params '{\"units\": 3}'",
        ),
        (
            ["--model.params", "{'units': [3, 4]"],
            "model.params: \"{'units': [3, 4]\" is not JSON; "
            "type --model.params '{\"NAME\": VALUE}'",
        ),
        (
            ["--data", "{source: x.csv}"],
            "data: '{source: x.csv}' is not JSON; type --data '{\"source\": \"x.csv\"}'",
        ),
        (
            ["--train.early_stopping", "{patience:3}"],
            "train.early_stopping: '{patience:3}' is not JSON; "
            "type --train.early_stopping '{\"patience\": 3}'",
        ),
        (
            ["--train.callbacks", "[{EarlyStopping: {patience: 3}}]"],
            "train.callbacks: '[{EarlyStopping: {patience: 3}}]' is not JSON; "
            'type --train.callbacks \'[{"EarlyStopping": {"patience": 3}}]\'',
        ),
        (
            ["--train.optimizer", "{adamw: {weight_decay: 0.1}}"],
            'type --train.optimizer \'{"adamw": {"weight_decay": 0.1}}\'',
        ),
        *(
            (["--model.params", text], f"is not JSON; type --model.params '{meant}'")
            for text, meant in (
                ("{units:3}", '{"units": 3}'),
                ("{units:3, rate:1e-3,act:my.nets:relu}", UNITS),
                ("{units:[3,4],'l2':{rate:0.1}}", '{"units": [3, 4], "l2": {"rate": 0.1}}'),
                ("{file: 'a,b:c', rate: 1e-3}", '{"file": "a,b:c", "rate": 0.001}'),
                ("{units}", '{"NAME": VALUE}'),
                ("{units:3, dropout}", '{"NAME": VALUE}'),
            )
        ),
        (["--model.params", "{" * 100_000], "{{{...' is not JSON; type --model.params '{\"NAME"),
        (["--seed"], "command line: argument --seed: expected one argument; see --help"),
        (["--only", "3"], "--only: '3' is not REPEAT/FOLD; both count from 0, such as 0/3"),
        (["--only", "a/b"], "--only: 'a/b' is not REPEAT/FOLD; both count from 0, such as 0/3"),
        (["--only", "-1/0"], "command line: argument --only: expected one argument; see --help"),
        (["--split", "5"], "split: must be a mapping of names to values, not 5"),
        (["--split", "5", "--split.n_splits", "3"], "split: must be a mapping of names to values"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_flags_are_refused(arguments: list[str], problem: str) -> None:
    assert problem in refused(*arguments)
