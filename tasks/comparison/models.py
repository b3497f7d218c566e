"""The models of a comparison, read from the reports of their runs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.bootstrap import drawn_values
from foldproof.tasks.evaluation.paired_tests.choose import default_rope
from foldproof.tasks.evaluation.paired_tests.types import (
    Pair,
    PooledPredictions,
    SplitSummary,
)
from foldproof.tasks.evaluation.predictions import Predictions
from foldproof.tasks.folds.split.splitters import base_method
from foldproof.tasks.report.finished import FinishedRun, predictions_of

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
    def pooled(self) -> Predictions | None:
        """The predictions for all rows, where each is tested once and all folds are done.

        They stand by fold and row, which is one order for all models of a comparison.
        """
        if not self.division.tests_each_row_once or self.n_failed:
            return None
        found = predictions_of(self.run.table("predictions.parquet"))
        return found if found.truth.ndim == 1 else None  # several targets are compared by fold

    def draws(self, metric: str) -> NDArray[np.float64] | None:
        """Return a metric of draws of rows, which are the same for all models."""
        if metric not in self._draws:
            shifted = metric.startswith("roc_auc") and self.division.method == "leave_one_out"
            known = None if self.division.grouped or shifted else self.pooled
            seed = int(self.run.key["seed"])
            self._draws[metric] = None if known is None else drawn_values(metric, known, seed)
        return self._draws[metric]

    @cached_property
    def _draws(self) -> dict[str, NDArray[np.float64] | None]:
        return {}


def pair_of(metric: str, first: ComparedModel, second: ComparedModel, rope: float | None) -> Pair:
    """Return what paired tests need of two models on a metric."""
    pooled, values, draws = (_both(of) for of in _of_both(metric, first, second))
    predictions = pooled and PooledPredictions(*pooled)
    classes = pooled[0].classes if pooled else len(first.run.key["data"].get("labels", ()))
    equal = default_rope(metric, classes) if rope is None else rope
    folds = first.values(metric), second.values(metric)
    return Pair(metric, *folds, first.division, predictions, equal, values, draws)


def _of_both(metric: str, *models: ComparedModel) -> Iterator[tuple[Any, Any]]:
    yield models[0].pooled, models[1].pooled
    yield models[0].summary[metric]["pooled"], models[1].summary[metric]["pooled"]
    yield models[0].draws(metric), models[1].draws(metric)


def _both(values: tuple[Any, Any]) -> tuple[Any, Any] | None:
    return None if any(value is None for value in values) else values


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
