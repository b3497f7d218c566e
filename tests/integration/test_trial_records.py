"""What a trial found is kept for later commands, as long as all that it depended on is the same."""

import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.folds.job import FoldRecord
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.training.trial_records import (
    TRIALS,
    TrialRecords,
    engine_name,
    model_name,
    trial_records,
)
from foldproof.tasks.workers.slots import Slots
from tests.support.command import cv, report_of
from tests.support.training import settings
from tests.support.workers import keras_worker

NETS = """
import os
import random
import keras

def build(input_shape, units=4):
    os.environ.get("UNITS_ARE_ELSEWHERE")
    with open(__file__.replace("nets.py", "calls.txt"), "a") as calls:
        calls.write(".")
    layers = [keras.layers.Dense(units, "relu"), keras.layers.Dense(1, "sigmoid")]
    return keras.Sequential([keras.Input(input_shape), *layers])

def drawing(input_shape):
    layers = [keras.layers.Dropout(random.random() / 2), keras.layers.Dense(1, "sigmoid")]
    return keras.Sequential([keras.Input(input_shape), *layers])

def broken(input_shape):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(7)])
"""


@dataclass(frozen=True)
class Seen:
    """What came of a fold, how often its builder was called, and which records were there then.

    Attributes:
        digests: of the fold.
        calls: of the builder.
        stamps: what changes when a record is written, by name.
    """

    digests: tuple[str | None, ...]
    calls: int
    stamps: dict[str, tuple[int, int]]


class Commands:
    """Trains one fold after another, each in a new process, as cold commands do."""

    def __init__(self, folder: Path, slots: Slots) -> None:
        self.folder, self._slots = folder, slots

    @property
    def trials(self) -> Path:
        """Where the records lie."""
        return self.folder / "out" / TRIALS

    def run(self, seed: int = 1, refresh: bool = False, **sections: Any) -> Run:
        """Return a run in the folder, whose worker has seen no builder yet."""
        self._slots.slots[0].kill_workers()
        given = settings(self.folder / "out", "nets:build", seed=seed, **sections)
        return Run(parse_study(given), Display("quiet"), slots=self._slots, refresh=refresh)

    def train(self, seed: int = 1, refresh: bool = False, **sections: Any) -> Seen:
        """Train the first fold of a run."""
        calls = self.folder / "calls.txt"
        calls.unlink(missing_ok=True)
        with launched(self.run(seed, refresh, **sections)) as run:
            run.check()
            record = train_without_prefect(run, run.jobs[0])
        counted = len(calls.read_text()) if calls.exists() else 0
        return Seen(_digests(record), counted, self.stamps())

    def stamps(self) -> dict[str, tuple[int, int]]:
        """Return what changes when a record is written, by name."""
        states = {path.name: path.stat() for path in sorted(self.trials.iterdir())}
        return {name: (state.st_ino, state.st_mtime_ns) for name, state in states.items()}


def _digests(record: FoldRecord) -> tuple[str | None, ...]:
    assert record.error is None, record.error
    return record.initial, record.weights, record.predictions


@pytest.fixture(scope="module")
def slots() -> Iterator[Slots]:
    """One worker, whose process the tests replace."""
    with keras_worker() as worker:
        yield worker


@pytest.fixture
def commands(tmp_path: Path, slots: Slots, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Commands in a folder with some builders."""
    (tmp_path / "nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return Commands(tmp_path, slots)


def test_a_later_command_tries_neither_model_nor_engine_and_has_the_same_bits(
    commands: Commands,
) -> None:
    first = commands.train()
    assert len(first.stamps) == 2  # of the model and of the engine
    later = commands.train(seed=2)
    assert later.stamps == first.stamps
    assert later.calls < first.calls / 2
    for path in commands.trials.iterdir():
        path.unlink()
    (commands.folder / "out" / "folds").rename("folds")
    without = commands.train(seed=2)
    assert without.digests == later.digests
    assert without.calls == first.calls


def test_other_sources_parameters_settings_and_shapes_are_tried_again(commands: Commands) -> None:
    known = commands.train().stamps.keys()
    changed: list[dict[str, Any]] = [
        {"model": {"params": {"units": 5}}},
        {"train": {"early_stopping": {"patience": 2}}},
        {"data": {"drop": ["mean radius"]}},
    ]
    for given in changed:
        before, known = known, commands.train(**given).stamps.keys()
        assert len(known) == len(before) + 2
    (commands.folder / "nets.py").write_text(NETS.replace("relu", "tanh"))
    assert len(commands.train().stamps) == len(known) + 2


def test_another_length_of_the_last_batch_is_tried_again_by_the_engine(commands: Commands) -> None:
    first = commands.train()
    added = commands.train(split={"n_splits": 3}).stamps.keys() - first.stamps.keys()
    assert len(added) == 1
    assert not added.pop().endswith("-model.json")


def test_other_numerics_and_data_have_other_records(commands: Commands) -> None:
    families = set()
    for given in ({}, {"compute": {"threads": 2}}, {"data": {"source": "blobs"}}):
        with launched(commands.run(**given)) as run:
            families.add(run.jobs[0].family)
    assert len(families) == 3


@pytest.mark.parametrize("name", ["TF_OF_ANOTHER_SHELL", "UNITS_ARE_ELSEWHERE"])
def test_another_environment_is_tried_again(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    first = commands.train()
    monkeypatch.setenv(name, "1")
    later = commands.train(seed=2)
    assert later.stamps.keys() == first.stamps.keys()
    assert all(later.stamps[name] != first.stamps[name] for name in first.stamps)


def test_another_machine_has_to_try_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial_records(tmp_path, []).write("a.json", {"kind": "keras"})
    assert trial_records(tmp_path, []).read("a.json") == {"kind": "keras"}
    assert trial_records(tmp_path, ["more"]).read("a.json") is None
    monkeypatch.setattr(platform, "node", lambda: "another-machine")
    assert trial_records(tmp_path, []).read("a.json") is None


def test_what_did_not_pass_is_not_kept(commands: Commands) -> None:
    drawn = commands.train(model={"builder": "nets:drawing"})
    assert [name.rpartition("-")[2] for name in drawn.stamps] == ["model.json"]
    with pytest.raises(InputError), launched(commands.run(model={"builder": "nets:broken"})) as run:
        run.check()
    assert commands.stamps() == drawn.stamps


def test_refresh_forgets_the_records(commands: Commands) -> None:
    first = commands.train()
    anew = commands.train(refresh=True)
    assert anew.stamps.keys() == first.stamps.keys()
    assert all(anew.stamps[name] != first.stamps[name] for name in first.stamps)
    assert anew.digests == first.digests


def test_all_widths_of_a_family_are_forgotten(tmp_path: Path) -> None:
    records = trial_records(tmp_path, [])
    for family in ("a1", "a1:7", "b2"):
        records.write(engine_name(family, [(4, 7)]), {"compiled": True})
    records.write(model_name("a1"), {"kind": "keras"})
    records.forget("a1")
    assert [path.name for path in records.folder.iterdir()] == [engine_name("b2", [(4, 7)])]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("true", "false"),
        lambda text: "[" * 100_000,
        lambda text: json.dumps([text]),
        lambda text: json.dumps({"outcome": "none", "sha256": ""}),
    ],
    ids=["empty", "half", "other", "nested", "list", "foreign"],
)
def test_a_damaged_record_is_no_record(tmp_path: Path, damage: Callable[[str], str]) -> None:
    records = trial_records(tmp_path, [])
    records.write("a.json", {"compiled": True})
    place = records.folder / "a.json"
    place.write_text(damage(place.read_text()))
    assert records.read("a.json") is None
    place.unlink()
    place.mkdir()
    assert records.read("a.json") is None


def test_where_records_are_damaged_all_is_tried_again(commands: Commands) -> None:
    first = commands.train()
    (commands.folder / "out" / "folds").rename("folds")
    texts = {path: path.read_text() for path in commands.trials.iterdir()}
    for path, text in texts.items():
        path.write_text(text[:-9])
    anew = commands.train()
    assert (anew.digests, anew.calls) == (first.digests, first.calls)
    assert {path: path.read_text() for path in commands.trials.iterdir()} == texts


def test_a_record_of_a_model_of_another_architecture_is_not_believed(commands: Commands) -> None:
    first = commands.train()
    (name,) = [name for name in first.stamps if not name.endswith("-model.json")]
    with launched(commands.run(seed=2)) as run:
        records = run.trial_records
    assert isinstance(records, TrialRecords)
    found = records.read(name)
    assert found is not None
    records.write(name, found | {"signature": "0" * 64})
    commands.train(seed=2)
    assert records.read(name) == found


def test_a_run_in_a_folder_of_its_own_such_as_of_verify_tries_for_itself(
    commands: Commands,
) -> None:
    given = parse_study(settings(commands.folder / "out", "nets:build"))
    with launched(Run(given, Display("quiet"), owns_out=True)) as run:
        assert run.trial_records is None


def test_a_cold_command_reads_what_another_one_found(tmp_path: Path) -> None:
    given = ("--split.n_splits", "2", "--train.epochs", "1", "--compute.workers", "1")
    cold = {"FOLDPROOF_TESTED": "cold"}
    report_of(cv(*given, folder=tmp_path, **cold))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "reports" / TRIALS).iterdir()}
    assert len(kept) == 2
    report_of(cv(*given, "--seed", "2", folder=tmp_path, **cold))
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    report_of(cv(*given, "--refresh", folder=tmp_path, **cold))
    assert all(path.stat().st_mtime_ns != before for path, before in kept.items())
