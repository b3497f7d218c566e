"""The models of a comparison, read from the reports of their runs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foldproof.tasks.evaluation.paired_tests.types import PooledScores, SplitSummary
from foldproof.tasks.folds.split.splitters import base_method
from foldproof.tasks.report.finished import FinishedRun

Values = list[float | None]
_ABSENT = object()


@dataclass(frozen=True)
class ComparedModel:
    """One model.

    Attributes:
        number: its place in the comparison, from 1.
        label: the builder, with the settings that tell it from others of the same builder.
        run: its finished run.
    """

    number: int
    label: str
    run: FinishedRun

    @property
    def run_id(self) -> str:
        """The run's name."""
        return str(self.run.manifest["run_id"])

    @property
    def metrics(self) -> list[str]:
        """The names of the metrics."""
        return list(self.run.key["metrics"])

    @cached_property
    def n_failed(self) -> int:
        """The number of failed folds."""
        return sum(row["status"] == "failed" for row in self.run.folds)

    def values(self, metric: str) -> Values:
        """Return a metric's values, one a planned fold, None where there is none."""
        return [row[metric] for row in self.run.folds]

    @cached_property
    def summary(self) -> dict[str, dict[str, Any]]:
        """The rows of summary.parquet by metric."""
        return {row["metric"]: row for row in self.run.table("summary.parquet").to_pylist()}

    @cached_property
    def division(self) -> SplitSummary:
        """How the rows were split into folds."""
        return SplitSummary(
            method=base_method(self.run.key["split"]["method"]),
            repeats=len({row["repeat"] for row in self.run.folds}),
            n_train=tuple(row["n_train"] for row in self.run.folds),
            n_test=tuple(row["n_test"] for row in self.run.folds),
            grouped=self.run.key["data"]["settings"]["groups"] is not None,
        )

    @cached_property
    def scores(self) -> tuple[NDArray[np.bool_], NDArray[np.float64]] | None:
        """Which rows are positive, and their scores; None if not binary and complete.

        They stand by fold and row, which is one order for all models of a comparison.
        """
        if self.run.key["data"]["settings"]["task"] != "binary" or self.n_failed:
            return None
        table = self.run.table("predictions.parquet")
        name = next(n for n in reversed(table.column_names) if n.startswith("score_"))
        label = name.removeprefix("score_")
        positive = pc.equal(table["y_true"].cast(pa.string()), label)
        return positive.to_numpy(), table[name].to_numpy()


def pooled_scores(first: ComparedModel, second: ComparedModel) -> PooledScores | None:
    """Return both models' out-of-fold scores, where each row has one of both."""
    if not first.division.tests_each_row_once or not first.scores or not second.scores:
        return None
    return PooledScores(first.scores[0], first.scores[1], second.scores[1])


def read_models(paths: Sequence[Path]) -> tuple[ComparedModel, ...]:
    """Read the models of some report folders, in that order."""
    runs = [FinishedRun.read(path) for path in paths]
    labels = label_models([run.key for run in runs])
    return tuple(
        ComparedModel(number, label, run)
        for number, (label, run) in enumerate(zip(labels, runs, strict=True), 1)
    )


def label_models(keys: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name each model by its builder and by the settings in which others of it differ."""
    return [_label(key, [k for k in keys if _builder(k) == _builder(key)]) for key in keys]


def _label(key: Mapping[str, Any], relatives: Sequence[Mapping[str, Any]]) -> str:
    flat = [dict(_settings(relative)) for relative in relatives]
    own = dict(_settings(key))
    names = dict.fromkeys(name for settings in flat for name in settings)
    differ = [
        f"{name}={json.dumps(own[name], ensure_ascii=False)}"
        for name in names
        if name in own and any(settings.get(name, _ABSENT) != own[name] for settings in flat)
    ]
    return f"{_builder(key)} ({', '.join(differ)})" if differ else _builder(key)


def _builder(key: Mapping[str, Any]) -> str:
    return str(key["model"]["builder"])


def _settings(key: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from key["model"]["params"].items()
    for section in ("train", "compute"):
        for name, value in key[section].items():
            yield f"{section}.{name}", value
