"""How often intervals hold the true value: `python -m tests.bench.interval_coverage` simulates it.

Two classes are Gaussian with unit covariance, their means apart along one of five axes, so that
the performance of every fitted linear model is known exactly. Each study draws a data set, fits
scikit-learn's logistic regression in stratified folds, and asks each method for its 95 % interval.
Two truths are counted: the mean performance of the study's own fitted models, and what the
algorithm gives on average over all studies.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from foldproof.tasks.evaluation.auc_variance import placements
from foldproof.tasks.evaluation.intervals.choose import interval
from foldproof.tasks.evaluation.intervals.types import MetricByFold, TestedFold
from foldproof.tasks.evaluation.predictions import Predictions, predict_labels

FEATURES = 5
SIZES, PREVALENCES, AUCS = (50, 100, 200, 500), (0.5, 0.1), (0.6, 0.8, 0.95)
FOLDS, FEWEST_POSITIVE = 10, 10  # five folds where there are fewer positive rows
LARGE = 2000  # rows, of which half are positive: 100 of each class in every fold
METHODS = {
    "roc_auc": ("corrected_t", "cvauc", "cvauc_clipped"),
    "sensitivity": ("clopper_pearson", "wilson", "corrected_t"),
    "specificity": ("clopper_pearson", "wilson", "corrected_t"),
    "accuracy": ("corrected_t", "clopper_pearson", "wilson"),
}
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """One setting of the simulation: rows, share of positive ones, and the best possible AUC."""

    n: int
    prevalence: float
    auc: float

    @property
    def positives(self) -> int:
        """How many rows are positive in each study."""
        return round(self.n * self.prevalence)

    @property
    def folds(self) -> int:
        """How many folds each study has."""
        return FOLDS if self.positives >= FEWEST_POSITIVE else FOLDS // 2

    @property
    def shift(self) -> float:
        """How far apart the means are."""
        return math.sqrt(2) * float(stats.norm.ppf(self.auc))


CELLS = [
    *(Cell(n, p, auc) for n in SIZES for p in PREVALENCES for auc in AUCS),
    *(Cell(LARGE, 0.5, auc) for auc in AUCS),
]


def one_study(cell: Cell, seed: Sequence[int]) -> dict[str, Any]:
    """Return the truth and every method's interval, by metric, of one simulated study."""
    random = np.random.default_rng(seed)
    truth = np.arange(cell.n) < cell.positives
    X = random.normal(size=(cell.n, FEATURES))
    X[truth, 0] += cell.shift
    splits = StratifiedKFold(cell.folds, shuffle=True, random_state=int(random.integers(2**31)))
    folds, truths = [], []
    for train, test in splits.split(X, truth):
        model = LogisticRegression().fit(X[train], truth[train])
        scores = model.predict_proba(X[test])[:, 1:]
        labels = predict_labels(scores, "binary")
        predictions = Predictions(truth[test].astype(np.int64), labels, scores, 2)
        folds.append(TestedFold(len(train), len(test), predictions))
        truths.append(_performance(model.coef_[0], float(model.intercept_[0]), cell))
    known = {name: float(np.mean([each[name] for each in truths])) for name in METHODS}
    return {"truth": known, "intervals": {name: _intervals(name, folds) for name in METHODS}}


def _performance(weights: Array, bias: float, cell: Cell) -> dict[str, float]:
    """Return what a fitted linear model does on new rows, by the Gaussian formulas."""
    size, ahead = float(np.linalg.norm(weights)), float(weights[0]) * cell.shift
    found = float(stats.norm.cdf((ahead + bias) / size))
    spared = float(stats.norm.cdf(-bias / size))
    share = cell.positives / cell.n
    return {
        "roc_auc": float(stats.norm.cdf(ahead / size / math.sqrt(2))),
        "sensitivity": found,
        "specificity": spared,
        "accuracy": share * found + (1 - share) * spared,
    }


def _intervals(metric: str, folds: Sequence[TestedFold]) -> dict[str, Any]:
    values = [_value(metric, fold.predictions) for fold in folds]
    parts = [fold.predictions for fold in folds]
    truth, predicted, scores = (
        np.concatenate([getattr(of, name) for of in parts])
        for name in ("truth", "predicted", "scores")
    )
    together = Predictions(truth, predicted, scores, 2)
    pooled = _value(metric, together)
    given = MetricByFold(metric, values, pooled, folds, "stratified_kfold")
    found = {name: interval(given, 0.95, name) for name in METHODS[metric]}
    return {name: (one.low, one.high, one.method.partition(",")[0]) for name, one in found.items()}


def _value(metric: str, of: Predictions) -> float | None:
    """Return a metric as scikit-learn does, without its checks, which take most of the time."""
    positive = of.truth == 1
    if metric == "roc_auc":
        if positive.all() or not positive.any():
            return None
        return float(placements(positive, of.scores)[0].mean())
    rows = {"sensitivity": positive, "specificity": ~positive}.get(
        metric, np.full(len(positive), True)
    )
    return float(np.mean((of.truth == of.predicted)[rows])) if rows.any() else None


def coverage(cell: Cell, studies: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a row a metric and method: how often each truth is held, and how wide intervals are."""
    for metric, methods in METHODS.items():
        own = np.array([study["truth"][metric] for study in studies])
        for method in methods:
            rows = [study["intervals"][metric][method] for study in studies]
            there = np.array([low is not None for low, _, _ in rows])
            low, high = (
                np.array([row[end] if row[end] is not None else np.nan for row in rows], float)
                for end in (0, 1)
            )
            yield {
                **{"n": cell.n, "prevalence": cell.prevalence, "auc": cell.auc},
                **{"folds": cell.folds, "metric": metric, "method": method},
                "name": max({row[2] for row in rows if row[0] is not None}, default=""),
                "none": float(1 - there.mean()),
                "models": _share(low, high, own, there),
                "algorithm": _share(low, high, np.full(len(own), own.mean()), there),
                "width": float(np.nanmean(high - low)) if there.any() else None,
            }


def _share(low: Array, high: Array, truth: Array, there: NDArray[np.bool_]) -> float | None:
    if not there.any():
        return None
    return float(((low <= truth) & (truth <= high))[there].mean())


def simulate(cell: Cell, studies: int, workers: int = 1) -> list[dict[str, Any]]:
    """Return the rows of a cell; study i draws from seed (cell, i), whoever computes it."""
    seeds = [
        (round(1000 * cell.auc), round(100 * cell.prevalence), cell.n, i) for i in range(studies)
    ]
    if workers == 1:
        found = [one_study(cell, seed) for seed in seeds]
    else:
        with ProcessPoolExecutor(workers) as pool:
            found = list(pool.map(one_study, [cell] * studies, seeds, chunksize=20))
    return list(coverage(cell, found))


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the lowest and the highest coverage of each method over the cells, in Markdown."""
    head = "| metric | method | folds | models' mean | algorithm | without an interval |"
    lines = [head, "|---|---|---|---|---|---|"]
    for metric, methods in METHODS.items():
        for method in methods:
            for is_large in (False, True):
                own = [r for r in rows if (r["metric"], r["method"]) == (metric, method)]
                own = [r for r in own if (r["n"] == LARGE) == is_large and r["models"] is not None]
                if own and (not is_large or metric == "roc_auc"):
                    lines.append(_line(own, "100 of a class" if is_large else "all sizes"))
    return "\n".join(lines)


def _line(rows: Sequence[dict[str, Any]], folds: str) -> str:
    spans = (
        f"{min(found):.3f} to {max(found):.3f}"
        for found in ([row[truth] for row in rows] for truth in ("models", "algorithm"))
    )
    most = f"up to {max(row['none'] for row in rows):.2f}"
    cells = [rows[0]["metric"], f"`{rows[0]['method']}`", folds, *spans, most]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Simulate all cells, print the table, and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="where the rows go, cell by cell")
    given = parser.parse_args()
    rows = []
    for cell in CELLS:
        rows += simulate(cell, given.studies, given.workers)
        print(f"{cell} done", file=sys.stderr)
        if given.out:
            given.out.write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
