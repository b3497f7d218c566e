"""Compute the tables of a comparison from the reports of its models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa

from foldproof.tasks.comparison.models import ComparedModel, Values, pair_of
from foldproof.tasks.comparison.schemas import models_schema, pairs_schema
from foldproof.tasks.evaluation.intervals.choose import LEVEL
from foldproof.tasks.evaluation.measure import greater_is_better
from foldproof.tasks.evaluation.paired_tests.choose import paired_tests
from foldproof.tasks.evaluation.paired_tests.holm import adjust
from foldproof.tasks.evaluation.paired_tests.types import PairedTest

POOLS = ("DeLong", "McNemar", "paired bootstrap")  # all rows at once
PROBABILITIES = ("probability_first", "probability_equal", "probability_second")


@dataclass(frozen=True)
class ComparisonTables:
    """The tables of a comparison.

    Attributes:
        models: one row a metric and model.
        pairs: one row a metric, pair and method.
        differences: (metric, first number, second number, differences by fold) where both
            models cover the same folds.
    """

    models: pa.Table
    pairs: pa.Table
    differences: tuple[tuple[str, int, int, tuple[float, ...]], ...]


@dataclass(frozen=True)
class _Pair:
    metric: str
    first: ComparedModel
    second: ComparedModel
    test: PairedTest
    adjusted: float | None = None
    family: str | None = None


def compare_tables(models: Sequence[ComparedModel]) -> ComparisonTables:
    """Compare models metric by metric and pair by pair."""
    metrics = models[0].metrics
    rows = [row for metric in metrics for row in _model_rows(metric, models)]
    tested = _adjusted([test for metric in metrics for test in _tested(metric, models)])
    return ComparisonTables(
        models=pa.Table.from_pylist(rows, schema=models_schema()),
        pairs=pa.Table.from_pylist([_pair_row(pair) for pair in tested], schema=pairs_schema()),
        differences=tuple(_differences(metrics, models)),
    )


def _model_rows(metric: str, models: Sequence[ComparedModel]) -> Iterator[dict[str, Any]]:
    reasons = _unranked(metric, models)
    greater = greater_is_better(metric)
    sign = 1 if greater else -1
    best = _probabilities_of_best(metric, models, sign)
    means = [sign * m.summary[metric]["mean"] for m in models if m.number not in reasons]
    for model in models:
        summary, reason = model.summary[metric], reasons.get(model.number)
        own = summary["mean"]
        above = [mean for mean in means if own is not None and mean > sign * own]
        yield {
            **{name: value for name, value in summary.items() if name in models_schema().names},
            "metric": metric,
            "greater_is_better": greater,
            "number": model.number,
            "model": model.label,
            "run_id": model.run_id,
            "n_failed": model.n_failed,
            "probability_best": best.get(model.number),
            "rank": None if reason else 1 + len(above),
            "note": reason,
        }


def _probabilities_of_best(
    metric: str, models: Sequence[ComparedModel], sign: int
) -> dict[int, float]:
    """Return by number the share of draws in which a model has the best value, ties divided."""
    drawn = [model.draws(metric) for model in models]
    known = [values for values in drawn if values is not None]
    if len(known) < len(models):
        return {}
    values = sign * np.array(known)
    values = values[:, np.isfinite(values).all(axis=0)]
    if not values.size:
        return {}
    is_best = values == values.max(axis=0)
    shares = (is_best / is_best.sum(axis=0)).mean(axis=1)
    return {model.number: float(share) for model, share in zip(models, shares, strict=True)}


def _unranked(metric: str, models: Sequence[ComparedModel]) -> dict[int, str]:
    """Return by number why a model is not ranked: means over other folds cannot be compared."""
    known = {m.number: [value is not None for value in m.values(metric)] for m in models}
    best = np.logical_or.reduce(list(known.values())).tolist()
    if not any(best):
        return dict.fromkeys(known, "not ranked: no fold has a value")
    reasons = {
        number: f"not ranked: a value in {sum(has)} of the {sum(best)} folds where a model has one"
        for number, has in known.items()
        if has != best
    }
    if len(known) - len(reasons) == 1:
        alone = "not ranked: no other model has values in the same folds"
        reasons = {number: reasons.get(number, alone) for number in known}
    return reasons


def _tested(metric: str, models: Sequence[ComparedModel]) -> Iterator[_Pair]:
    settings = models[0].run.key["report"].get("settings", {})
    level, rope = settings.get("level", LEVEL), settings.get("rope")
    for first, second in combinations(models, 2):
        for test in paired_tests(pair_of(metric, first, second, rope), level):
            yield _Pair(metric, first, second, test)


def _adjusted(pairs: list[_Pair]) -> list[_Pair]:
    """Adjust the p-values by Holm, over all metrics and pairs of the same method.

    Methods are families of their own: two methods on one pair ask the same question, so
    that counting both would make each of them pay for the other.
    """
    done = list(pairs)
    for method in dict.fromkeys(pair.test.method for pair in pairs):
        places = [
            i for i, p in enumerate(pairs) if p.test.method == method and p.test.p is not None
        ]
        p_values = [p for i in places if (p := pairs[i].test.p) is not None]
        for place, value in zip(places, adjust(p_values), strict=True):
            family = _family(method, [pairs[i] for i in places])
            done[place] = replace(pairs[place], adjusted=value, family=family)
    return done


def _family(method: str, members: Sequence[_Pair]) -> str:
    pairs = {(member.first.number, member.second.number) for member in members}
    metrics = {member.metric for member in members}
    sizes = [(len(members), "test"), (len(pairs), "pair"), (len(metrics), "metric")]
    tests, of_pairs, of_metrics = (f"{n} {what}{'s' if n > 1 else ''}" for n, what in sizes)
    return f"{tests} by {method}: {of_pairs}, {of_metrics}"


def _pair_row(pair: _Pair) -> dict[str, Any]:
    division, test = pair.first.division, pair.test
    both = zip(pair.first.values(pair.metric), pair.second.values(pair.metric), strict=True)
    pools = test.method.startswith(POOLS)
    return {
        "metric": pair.metric,
        **_sides(pair),
        "method": test.method or test.note,
        "j": len(division.n_train) if pools else sum(None not in values for values in both),
        "n_train": float(np.mean(division.n_train)),
        "n_test": float(np.mean(division.n_test)),
        "difference": test.difference,
        "ci_low": test.low,
        "ci_high": test.high,
        "statistic": test.statistic,
        "p": test.p,
        "p_adjusted": pair.adjusted,
        **_probabilities(pair),
        "family": pair.family,
        "note": (test.note or None) if test.method else None,
    }


def _probabilities(pair: _Pair) -> dict[str, float | None]:
    """Return those of a Bayesian test; where less is better, the first is below the second."""
    of: Sequence[float | None] = pair.test.probabilities or (None, None, None)
    return dict(zip(PROBABILITIES, of if greater_is_better(pair.metric) else of[::-1], strict=True))


def _sides(pair: _Pair) -> dict[str, Any]:
    sides = {"first": pair.first, "second": pair.second}
    return {
        **{f"{side}_number": model.number for side, model in sides.items()},
        **{side: model.label for side, model in sides.items()},
        **{f"{side}_run_id": model.run_id for side, model in sides.items()},
    }


def _differences(
    metrics: Sequence[str], models: Sequence[ComparedModel]
) -> Iterator[tuple[str, int, int, tuple[float, ...]]]:
    for metric in metrics:
        for first, second in combinations(models, 2):
            a, b = first.values(metric), second.values(metric)
            if _holes(a) == _holes(b):
                found = [
                    x - y for x, y in zip(a, b, strict=True) if x is not None and y is not None
                ]
                yield metric, first.number, second.number, tuple(found)


def _holes(values: Values) -> list[bool]:
    return [value is None for value in values]
