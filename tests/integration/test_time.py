"""Data in time: no tested time is trained on; keys, reports and ids are the same again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet
from sklearn.datasets import load_diabetes

from foldproof.tasks.comparison.models import read_models
from foldproof.tasks.comparison.tables import compare_tables
from foldproof.tasks.folds.keys import run_id
from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.run.stored_reports import matching_reports
from foldproof.tasks.store.known_sources import known_of
from foldproof.tasks.training.fold_data import inner_rows
from foldproof.tasks.verification.refit import changes
from tests.support.reports import CLASSIFIER, REGRESSOR, finish, prepared, settings

NEIGHBOUR: dict[str, Any] = {
    "builder": "sklearn.neighbors:KNeighborsClassifier",
    "params": {"n_neighbors": 1},
}
DAYS, A_DAY = 400, 5


@pytest.fixture(scope="module")
def storms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five stations that see the same weather each day, and whether a storm comes: by chance."""
    generator = np.random.default_rng(0)
    weather = generator.normal(size=(DAYS, 4)).repeat(A_DAY, axis=0)
    seen = weather + generator.normal(scale=0.01, size=weather.shape)
    frame = pd.DataFrame(seen, columns=list("abcd"))
    frame["storm"] = np.repeat(generator.choice(["no", "yes"], DAYS), A_DAY)
    frame["day"] = pd.date_range("2024-01-01", periods=DAYS).repeat(A_DAY).strftime("%Y-%m-%d")
    folder = tmp_path_factory.mktemp("storms")
    frame.sample(frac=1, random_state=1).to_csv(folder / "storms.csv", index=False)
    return folder / "storms.csv"


def accuracy(out: Path, data: dict[str, Any], **sections: Any) -> float:
    made = finish(out, data=data, model=NEIGHBOUR, metrics=["accuracy"], **sections)
    return float(made.tables.summary["mean"][0].as_py())


def test_rows_of_a_tested_day_tell_its_outcome_and_with_times_they_do_not(
    tmp_path: Path, storms: Path
) -> None:
    plain = {"source": str(storms), "target": "storm"}
    split = {"n_splits": 5}
    leaked = accuracy(tmp_path, {**plain, "drop": ["day"]}, split=split)
    honest = accuracy(tmp_path, {**plain, "time": "day"}, split=split)
    assert leaked > 0.95
    assert abs(honest - 0.5) < 0.1


def test_early_stopping_watches_no_day_that_it_trains_on(tmp_path: Path, storms: Path) -> None:
    data = {"source": str(storms), "target": "storm", "time": "day"}
    train = {"early_stopping": {"fraction": 0.23}}
    with prepared(
        settings(tmp_path, data=data, split={"n_splits": 4, "gap": 3}, train=train)
    ) as run:
        days = run.dataset.array("times.npy")
        assert days is not None
        for job in run.jobs:
            inner, held = inner_rows(job)
            test = np.load(job.test_path)
            assert days[inner].max() + 3 < days[held].min()
            assert days[held].max() + 3 < days[test].min()
            assert len(held) % A_DAY == 0


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The diabetes data with a visit's moment and a name for each row, in the order of time."""
    frame = load_diabetes(as_frame=True).frame
    frame["visit"] = pd.date_range("2020-01-01", periods=len(frame), freq="7h")
    frame["patient"] = [f"{row:03d}" for row in range(len(frame))]
    return frame


IN_TIME: dict[str, Any] = {"target": "target", "time": "visit", "id": "patient"}


def reported(out: Path, frame: pd.DataFrame, name: str, **sections: Any) -> Any:
    path = out / f"{name}.csv"
    path.parent.mkdir(exist_ok=True, parents=True)
    frame.to_csv(path, index=False)
    data = {"source": str(path), **IN_TIME, **sections.pop("data", {})}
    return finish(out, **{"data": data, "split": {"n_splits": 4}, "model": REGRESSOR, **sections})


def same_files(one: Path, other: Path) -> bool:
    return all(
        (one / name).read_bytes() == (other / name).read_bytes()
        for name in ("folds.parquet", "predictions.parquet", "summary.parquet", "manifest.json")
    )


def test_a_shuffled_file_has_the_report_of_the_sorted_one(
    tmp_path: Path, patients: pd.DataFrame
) -> None:
    one = reported(tmp_path / "a", patients, "sorted")
    shuffled = patients.sample(frac=1, random_state=3)
    other = reported(tmp_path / "b", shuffled, "shuffled")
    assert one.run_id == other.run_id
    assert same_files(one.path, other.path)


def test_ids_stand_in_the_predictions_of_their_rows(tmp_path: Path, patients: pd.DataFrame) -> None:
    shuffled = patients.sample(frac=1, random_state=3)
    made = reported(tmp_path, shuffled, "shuffled")
    found = parquet.read_table(made.path / "predictions.parquet").to_pandas()
    assert list(found.columns) == ["model", "repeat", "fold", "row", "id", "y_true", "y_pred"]
    named = patients.set_index("patient")["target"]
    np.testing.assert_array_equal(named.loc[found["id"]].to_numpy(), found["y_true"].to_numpy())
    np.testing.assert_array_equal(patients["patient"].to_numpy()[found["row"]], found["id"])
    assert found["row"].min() == len(patients) - 4 * (len(patients) // 5)


def test_ids_count_in_the_key_of_the_run_and_in_no_fold_s(
    tmp_path: Path, patients: pd.DataFrame
) -> None:
    made = [
        reported(tmp_path, patients, "one"),
        reported(tmp_path, patients.assign(patient=patients["patient"] + "x"), "two"),
        reported(tmp_path, patients.drop(columns="patient"), "three", data={"id": None}),
    ]
    keys = [tuple(job.key for job in one.run.jobs) for one in made]
    assert keys[0] == keys[1] == keys[2]
    assert len({one.run_id for one in made}) == 3
    scores = [one.tables.summary.to_pylist() for one in made]
    assert scores[0] == scores[1] == scores[2]
    settings = [json.loads((m.path / "manifest.json").read_text())["key"]["data"] for m in made]
    assert "ids" in settings[0]
    assert "ids" not in settings[2]
    assert "id" not in settings[2]["settings"]


SPLITS: list[dict[str, Any]] = [
    {"n_splits": 4},
    {"n_splits": 4, "gap": 5},
    {"n_splits": 4, "window": "sliding"},
    {"n_splits": 4, "window": 90},
    {"n_splits": 4, "test_size": 0.1},
    {"n_splits": 4, "test_size": 0.15, "gap": 2},
    {"n_splits": 4, "test_size": 30, "method": "time_series"},
]


def test_each_setting_of_time_has_a_run_of_its_own_that_can_be_done_again(
    tmp_path: Path, patients: pd.DataFrame
) -> None:
    made = [reported(tmp_path, patients, "same", split=split) for split in SPLITS]
    assert len({one.run_id for one in made}) == len(SPLITS)
    for one in made:
        finished = FinishedRun.read(one.path)
        assert not [*finished.damaged_files(), *finished.wrong_metrics()]
        study = finished.study(str(tmp_path / "same.csv"), 1).model_copy(
            update={"out": str(tmp_path)}
        )
        with prepared(study.model_dump(exclude_unset=True)) as run:
            assert changes(finished.key, run.key) == []
            assert run_id(run.key) == one.run_id
            known = known_of(run.dataset)
            assert one.path in matching_reports(run, known)


def test_gaps_count_for_early_stopping_and_only_then_in_the_key(
    tmp_path: Path, patients: pd.DataFrame
) -> None:
    patients.to_csv(tmp_path / "p.csv", index=False)
    data = {"source": str(tmp_path / "p.csv"), **IN_TIME}
    found = []
    trains: list[dict[str, Any]] = [{}, {"early_stopping": {}}]
    for train in trains:
        given = settings(tmp_path, data=data, split={"n_splits": 3, "gap": 9}, train=train)
        with prepared({**given, "model": REGRESSOR}) as run:
            found.append([(job.inner, job.inner_gap, len(inner_rows(job)[1])) for job in run.jobs])
    assert {part[:2] for jobs in found for part in jobs} == {("last_times", 9)}
    assert [held for _, _, held in found[0]] == [0, 0, 0]
    assert all(held for _, _, held in found[1])


def test_models_are_compared_on_the_same_rows_of_the_same_times(
    tmp_path: Path, patients: pd.DataFrame
) -> None:
    target = np.where(patients["target"] > 140, "high", "low")
    binary = patients.assign(target=target)
    shuffled = binary.sample(frac=1, random_state=5)
    weak = {**CLASSIFIER, "params": {"C": 0.001}}
    one = reported(tmp_path, binary, "one", model=CLASSIFIER)
    other = reported(tmp_path, shuffled, "two", model=weak)
    models = read_models([one.path, other.path])
    tables = [model.run.table("predictions.parquet") for model in models]
    assert [tables[0][name].equals(tables[1][name]) for name in ("row", "id", "y_true")] == [
        True
    ] * 3
    pairs = compare_tables(models).pairs.to_pylist()
    differences = [
        a["roc_auc"] - b["roc_auc"]
        for a, b in zip(models[0].run.folds, models[1].run.folds, strict=True)
    ]
    found = next(pair for pair in pairs if pair["metric"] == "roc_auc")
    assert found["difference"] == pytest.approx(np.mean(differences))
    assert found["p"] is None
