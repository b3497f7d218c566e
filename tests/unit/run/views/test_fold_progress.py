"""How far the folds of a run are, told from what their workers write."""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest

from foldproof.tasks.folds.job import FoldRecord
from foldproof.tasks.run.views import progress_view as shown
from foldproof.tasks.run.views.fold_progress import FoldProgress, duration, times
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.training.progress import ProgressWriter


@dataclass(frozen=True)
class Place:
    """A slot that a worker writes its progress for."""

    name: str
    progress_path: Path


@pytest.fixture
def places(tmp_path):
    return [Place(f"cpu:{i}", tmp_path / f"progress-{i}") for i in range(2)]


def train(place: Place, fold: int, epoch: int, epochs: int = 10) -> None:
    """Write what a worker writes at the end of an epoch."""
    ProgressWriter(place.progress_path, 0, fold, epochs).epoch_done(epoch, 0.5)


def record(fold: int, **given) -> FoldRecord:
    """Return the record of a fold that is over."""
    return FoldRecord("key", 0, fold, slot="cpu:0", **given)


def test_epochs_of_folds_under_way_count_in_part(places):
    progress = FoldProgress(4, places)
    assert (progress.share(), progress.left()) == (0.0, None)
    train(places[0], 0, 5)
    train(places[1], 1, 3)
    assert progress.share() == pytest.approx(0.8 / 4)
    progress.left()  # the first look
    train(places[0], 0, 6)
    assert progress.left() is not None
    assert "left" in times(progress)


def test_a_fold_that_is_over_counts_once(places):
    progress = FoldProgress(4, places)
    train(places[0], 0, 10)
    progress.add(record(0))
    assert progress.share() == 0.25
    assert progress.under_way() == []
    train(places[0], 2, 5)
    assert progress.share() == pytest.approx(1.5 / 4)
    assert [(name, seen.fold) for name, seen in progress.under_way()] == [("cpu:0", 2)]


def test_what_an_earlier_run_left_on_a_slot_counts_for_nothing(places):
    train(places[0], 3, 7)
    progress = FoldProgress(4, places)
    assert progress.under_way() == []
    train(places[0], 3, 1)
    assert progress.share() == pytest.approx(0.1 / 4)


def test_stored_folds_say_nothing_of_how_long_the_others_take(places):
    progress = FoldProgress(4, places)
    for fold in (0, 1):
        progress.add(record(fold, cached=True))
    assert progress.share() == 0.5
    assert progress.left() is None
    progress.add(record(2))
    assert progress.left() is not None
    progress.add(record(3))
    assert (progress.left(), progress.share()) == (None, 1.0)


def test_seconds_are_written_as_a_clock():
    assert [duration(seconds) for seconds in (0, 61, 3600)] == ["0:00", "1:01", "1:00:00"]


def test_a_long_fold_is_not_silent_where_there_is_no_terminal(places, capsys, monkeypatch):
    monkeypatch.setattr(shown, "SILENCE_LIMIT_S", 0.0)
    display = Display()
    display.watch(places)
    display.tell("data: 20 rows")
    assert capsys.readouterr().err == ""  # the rest of the input may be wrong
    display.start(10)
    train(places[0], 0, 5)
    display._refresh()
    display.stop()
    first, second, *_ = capsys.readouterr().err.splitlines()
    assert first == "data: 20 rows"
    assert second.startswith("0 of 10 folds, ")
    assert " gone" in second


def test_a_quiet_display_says_nothing(places, capsys):
    display = Display("quiet")
    display.watch(places)
    display.tell("data: 20 rows")
    display.status("reading")
    display.start(1)
    display.fold_done(record(0))
    display.stop()
    assert capsys.readouterr() == ("", "")


def test_the_live_view_shows_bar_clock_and_workers(places):
    from rich.console import Console

    display = Display()
    display.watch(places)
    display._progress = FoldProgress(10, places)
    train(places[0], 0, 5)
    display._status = "writing the report"
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(display._view())
    head, worker, status = console.export_text().splitlines()
    assert "5 % 0 of 10 folds" in head
    assert "0:00 gone" in head
    assert worker == "  cpu:0  fold 0/0  epoch 5/10  loss 0.5000"
    assert status == "  writing the report"
