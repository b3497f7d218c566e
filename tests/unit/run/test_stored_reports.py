"""A stored run is recognised before its data is read, so that nothing is started for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.plan import RunPlan
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.stored_reports import request_digest
from foldproof.tasks.run.views.progress_view import Display
from tests.support.reports import finish, prepared, settings

OTHERS: list[dict[str, Any]] = [
    {"split": {"n_splits": 4}},
    {"seed": 1},
    {"data": {"source": "wine"}},
    {"data": {"source": "iris", "drop": ["petal width (cm)"]}},
    {"model": {"builder": "sklearn.naive_bayes:GaussianNB"}},
    {"train": {"scaler": "none"}},
]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished runs of iris and of wine, and what their sources held."""
    out = tmp_path_factory.mktemp("out")
    finish(out)
    for source in ("iris", "wine"):
        with prepared(settings(out, data={"source": source})) as run:
            run.read()
            run.save_source_record()
    return out


def starts_workers(given: dict[str, Any], refresh: bool = False) -> bool:
    with launched(Run(parse_study(given), Display("quiet"), refresh)) as run:
        run.begin()
        assert "dataset" not in vars(run)
        return run._slots is not None


def test_nothing_is_started_for_a_run_that_is_stored(out: Path) -> None:
    assert not starts_workers(settings(out))
    assert not starts_workers(settings(out, metrics=["f1_macro"])), "folds do not depend on it"
    assert starts_workers(settings(out), refresh=True)


def test_another_source_of_an_own_metric_is_another_request(tmp_path: Path, here: Path) -> None:
    found = []
    for number in range(2):
        (here / "asked_metric.py").write_text(f"def m(y_true, y_pred):\n    return {number}.0\n")
        with prepared(settings(tmp_path, metrics=["asked_metric:m"])) as run:
            found.append(request_digest(run))
    assert found[0] != found[1]


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_workers_start_early_for_any_other_run(out: Path, other: dict[str, Any]) -> None:
    known = {**settings(out), **other}
    if other.get("data", {}).get("drop"):  # bytes that were never read in this way
        assert not starts_workers(known)
        with prepared(known) as run:
            run.read()
            run.save_source_record()
    assert starts_workers(known)


def test_a_report_with_failed_folds_or_a_damaged_one_does_not_count(tmp_path: Path) -> None:
    finished = finish(tmp_path, lambda _, fold: "ValueError: no" if fold == 1 else None)
    with prepared(settings(tmp_path)) as run:
        run.read()
        run.save_source_record()
    assert starts_workers(settings(tmp_path))
    finish(tmp_path)
    assert not starts_workers(settings(tmp_path))
    (finished.path / "manifest.json").write_text(json.dumps({"key": 3, "certificates": [None]}))
    assert starts_workers(settings(tmp_path))


def test_a_plan_alone_comes_to_the_keys_of_the_run_without_any_process(
    out: Path, tmp_path: Path
) -> None:
    with prepared(settings(out)) as run:
        plan = RunPlan(run.study, out, tmp_path)
        assert plan.n_folds is None
        assert plan.key == run.key
        assert [job.key for job in plan.jobs] == [job.key for job in run.jobs]
        assert plan.n_folds == 3
        assert run._slots is None
