"""Features that stay on disk: the bits of those in memory, and no row of a test set in reach."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import reuse_stored
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from tests.support.reports import settings as estimator_settings
from tests.support.spy import MARKS, SPY
from tests.support.training import settings, train_some

STOPPING = {"patience": 1, "fraction": 0.3}
NETS: list[tuple[str, str, dict[str, Any]]] = [
    ("dense", "breast_cancer", {}),  # with dropout
    ("dense", "breast_cancer", {"scaler": "none", "shuffle": False, "batch_size": 19}),
    ("conv", "digits", {"early_stopping": STOPPING, "scaler": "minmax"}),
    ("own_step", "breast_cancer", {"class_weight": "balanced", "early_stopping": STOPPING}),
]


def outcomes(given: dict[str, Any], slots: Any) -> list[Any]:
    (record,), (job,) = train_some(given, [(0, 0)], slots)
    assert record.error is None, record.traceback
    return [job.key, record.initial, record.weights, record.predictions]


def both_ways(given: dict[str, Any], builder: str, folder: Any, slots: Any) -> bool:
    """Return whether folds are the same with features in memory and on disk."""
    found = []
    for stream in ("never", "always"):
        sections = {**given, "train": {**given["train"], "stream": stream}}
        found.append(outcomes(settings(folder / stream, builder, **sections), slots))
    return bool(found[0] == found[1])


@pytest.mark.parametrize(("builder", "source", "train"), NETS)
def test_rows_from_disk_give_the_bits_of_rows_in_memory(
    builder: str, source: str, train: dict[str, Any], tmp_path: Any, slots: Any
) -> None:
    found = [
        outcomes(
            settings(
                tmp_path / stream,
                builder,
                data={"source": source},
                train={**train, "stream": stream},
            ),
            slots,
        )
        for stream in ("never", "always")
    ]
    assert found[0] == found[1]


def test_wide_columns_are_streamed_as_float64(tmp_path: Any, slots: Any) -> None:
    random = np.random.default_rng(0)
    times = 1_700_000_000 + np.arange(200)
    columns = {"t": times, "x": random.normal(size=200), "y": (times % 7 > 3).astype(int)}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    given = {"data": {"source": str(tmp_path / "t.parquet"), "target": "y"}, "train": {}}
    assert both_ways(given, "dense", tmp_path, slots)


def test_a_run_that_streams_goes_on_with_the_folds_of_one_that_did_not(
    tmp_path: Any, slots: Any
) -> None:
    train_some(settings(tmp_path, "dense", train={"stream": "never"}), [(0, 0)], slots)
    given = settings(tmp_path, "dense", train={"stream": "always"})
    with launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run:
        assert [reuse_stored(run, job) for job in run.jobs[:2]] == [True, False]


def test_a_model_does_not_find_the_test_rows_of_a_streamed_fold(
    tmp_path: Any, slots: Any, here: Any
) -> None:
    (here / "streamed_spy.py").write_text(SPY)
    columns = {f"x{i}": np.random.default_rng(i).normal(size=60) for i in range(3)}
    fold = np.arange(60) // 30
    for name, mark in zip(columns, MARKS, strict=True):
        columns[name][fold == 1] = mark
    table = pa.table({**columns, "y": np.arange(60) % 2, "fold": fold})
    parquet.write_table(table, here / "marked.parquet")
    given = settings(
        tmp_path / "out",
        "streamed_spy:build",
        data={"source": str(here / "marked.parquet"), "target": "y"},
        split={"method": "predefined", "fold_column": "fold"},
        train={"stream": "always", "scaler": "none", "epochs": 1},
    )
    (record,), _ = train_some(given, [(0, 1)], slots)
    assert record.error is None, record.traceback
    given["train"]["stream"] = "never"
    (record,), _ = train_some(given, [(0, 0)], slots)
    assert "finds the marked rows" in (record.error or ""), "the search must find what is there"


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        (
            {"train": {"scaler": "sklearn.preprocessing:MaxAbsScaler"}},
            "MaxAbsScaler takes all rows",
        ),
        ({"data": {"preprocess": "sklearn.decomposition:PCA"}}, "preprocessing .* takes all rows"),
        ({"train": {"sampler": "RandomOverSampler"}}, "RandomOverSampler takes all rows"),
    ],
)
def test_steps_that_take_all_rows_are_refused_where_these_must_stream(
    sections: Any, said: str, tmp_path: Any, slots: Any
) -> None:
    given = settings(tmp_path, "dense", **sections)
    given["train"] = {**given["train"], "stream": "always"}
    with pytest.raises(InputError, match=f"train.stream: always, but .*{said}"):
        train_some(given, [(0, 0)], slots)


def test_an_estimator_takes_all_rows(tmp_path: Any, slots: Any) -> None:
    given = estimator_settings(tmp_path, train={"stream": "always"})
    with pytest.raises(InputError, match=r"train\.stream: always, but an estimator"):
        train_some(given, [(0, 0)], slots)


def test_what_streams_is_not_compiled() -> None:
    with pytest.raises(InputError, match=r"train\.stream: always trains as plain Keras"):
        parse_study({"train": {"stream": "always", "engine": "compiled"}})
