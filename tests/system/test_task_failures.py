"""What is wrong fails the task that found it, and then the run, each with its line."""

from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.sorting import FlowRunSort, LogSort
from prefect.settings import PREFECT_API_URL, temporary_settings

from foldproof.flows.compare import compare_models
from foldproof.flows.cv import cross_validate
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.prefect_flow.lifecycle import flush_to_api
from tests.support.task_runs import ended_task_runs

INFINITE = (
    "data.features: column 'a': 1 of 12 values are infinite as float32; drop the column or those "
    "rows"
)
LINEAR = {"builder": "sklearn.linear_model:LogisticRegression"}
BAYES = {"builder": "sklearn.naive_bayes:GaussianNB"}


@pytest.fixture(scope="module")
def client(prefect_api: str) -> Any:
    with temporary_settings({PREFECT_API_URL: prefect_api}), get_client(sync_client=True) as made:
        yield made


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: SyncPrefectClient) -> Path:
    rows = [f"{i},{i * i % 7},{i % 2}\n" for i in range(12)]
    (tmp_path / "good.csv").write_text("a,b,y\n" + "".join(rows))
    (tmp_path / "inf.csv").write_text("a,b,y\n" + "".join(rows[:-1]) + "inf,1,1\n")
    (tmp_path / "models.py").write_text("def build():\n    return None\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def data(name: str) -> dict[str, Any]:
    return {"source": name, "target": "y"}


def left(client: SyncPrefectClient, n_tasks: int) -> tuple[Any, dict[str, Any], list[str]]:
    """Return the latest flow run, its tasks' states, and the red lines of its log."""
    flush_to_api()
    latest = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)[0]
    tasks = {task.name: task.state for task in ended_task_runs(client, latest.id, n_tasks)}
    chosen = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[latest.id]))
    logs = client.read_logs(chosen, limit=200, sort=LogSort.TIMESTAMP_ASC)
    return latest.state, tasks, [log.message for log in logs if log.level >= 40]


CASES = [
    ({"data": data("inf.csv")}, {"load data"}, INFINITE),
    (
        {"data": data("good.csv"), "split": {"n_splits": 7}},
        {"load data", "split rows"},
        "split.n_splits: 7 folds, but class 0 has only 6 rows; use fewer folds or method kfold",
    ),
    (
        {"data": data("good.csv"), "split": {"n_splits": 3}, "model": {"builder": "models:build"}},
        {"load data", "split rows"},
        "model.builder: models:build returned nothing; return a keras.Model or an estimator",
    ),
]


@pytest.mark.parametrize(("wrong", "tasks", "line"), CASES, ids=["data", "split", "model"])
def test_the_task_that_finds_it_fails_and_then_the_run(
    client: SyncPrefectClient, here: Path, wrong: dict[str, Any], tasks: set[str], line: str
) -> None:
    with pytest.raises(InputError) as caught:
        cross_validate(**{"model": LINEAR, **wrong})
    assert str(caught.value) == line
    state, found, red = left(client, len(tasks))
    assert (state.type, state.message) == ("FAILED", line)
    assert found.keys() == tasks
    last = list(found.values())[-1] if len(found) == 1 else found["split rows"]
    if "model" not in line.partition(".")[0]:
        assert (last.type, last.message) == ("FAILED", line)
    assert red[-1] == line
    assert "Traceback" not in "".join(red)
    assert not (here / "reports").exists()


def test_wrong_data_of_compared_models_fails_their_common_task(
    client: SyncPrefectClient, here: Path
) -> None:
    with pytest.raises(InputError) as caught:
        compare_models([{"data": data("inf.csv"), "model": model} for model in (LINEAR, BAYES)])
    assert str(caught.value) == f"study 1: {INFINITE}"
    state, found, red = left(client, 1)
    assert (state.type, state.message) == ("FAILED", f"study 1: {INFINITE}")
    assert {name: task.type for name, task in found.items()} == {"load data": "FAILED"}
    assert red[-1] == state.message


def test_a_caller_who_asks_for_the_state_gets_it(here: Path) -> None:
    state = cross_validate(model=LINEAR, data=data("inf.csv"), return_state=True)
    assert (state.type, state.message) == ("FAILED", INFINITE)
