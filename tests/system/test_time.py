"""Runs on data in time, as a user does them: any workers, stopped and gone on with, verified."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.command import contents, cv, report_of, run
from tests.support.places import ROOT

pytestmark = pytest.mark.long

VERIFY = [sys.executable, str(ROOT / "flows" / "verify.py")]
GIVEN = (
    *("--data.target", "y", "--data.time", "at", "--data.id", "who", "--data.groups", "who"),
    *("--split.n_splits", "4", "--split.gap", "2", "--split.test_size", "0.1"),
    *("--train.epochs", "3", "--train.early_stopping", '{"patience": 1}'),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of visits: sorted, and in another order."""
    here = tmp_path_factory.mktemp("time")
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.normal(size=(240, 3)), columns=list("abc"))
    frame["at"] = pd.date_range("2024-01-01", periods=240, freq="36h").astype(str)
    frame["who"] = [f"{row // 3:04d}" for row in range(240)]
    frame["y"] = np.where(frame["a"] + generator.normal(size=240) > 0, "up", "down")
    frame.to_csv(here / "sorted.csv", index=False)
    frame.sample(frac=1, random_state=1).to_csv(here / "shuffled.csv", index=False)
    return here


def test_any_order_any_workers_and_any_resume_give_the_same_report(
    folder: Path, prefect_api: str
) -> None:
    api = {"PREFECT_API_URL": prefect_api}

    def trained(source: str, out: str, *more: str) -> Path:
        flags = ("--data.source", source, "--out", out, *GIVEN, *more)
        return folder / report_of(cv(*flags, folder=folder, **api))

    one = trained("sorted.csv", "one", "--compute.workers", "1")
    two = trained("shuffled.csv", "two", "--compute.workers", "2")
    stored = sorted((folder / "two" / "folds").glob("*.parquet"))
    resumed = folder / "resumed" / "folds"
    resumed.mkdir(parents=True)
    for fold in stored[1:3]:
        (resumed / fold.name).write_bytes(fold.read_bytes())
    three = trained("shuffled.csv", "resumed", "--train.engine", "plain")
    assert one.name == two.name == three.name
    assert contents(one) == contents(two) == contents(three)
    ended = run([*VERIFY, str(two), "--data.source", "sorted.csv"], folder, **api)
    assert ended.code == 0, ended.err
    assert ended.out.count("identical") == 4


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (("--data.time", "when"), "data.time: no column 'when'; use one of a, b, c, at, who, y"),
        (("--data.time", "y", "--data.target", "a"), "data.time: "),
        (("--data.time", "at", "--split.method", "kfold"), "split.method: kfold would train on"),
        (("--split.gap", "2"), "split.gap: auto without data.time ignores it; only time_series"),
        (("--data.id", "y"), "data.id: column 'y' is also data.target; give it one role"),
    ],
    ids=str,
)
def test_wrong_input_ends_with_one_line_before_anything_trains(
    folder: Path, flags: tuple[str, ...], line: str
) -> None:
    drop = () if "at" in flags else ("--data.drop", '["at"]')
    given = ("--data.source", "sorted.csv", "--data.target", "y", *drop)
    ended = cv(*given, "--out", "wrong", *flags, folder=folder)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1].startswith(line)
    assert not (folder / "wrong").exists()
