"""Metrics: undefined values, folds that stand apart, means and pooled values that part, chance."""

from collections.abc import Iterator

import numpy as np

from foldproof.tasks.evaluation.findings.types import Check, Evidence, Finding

MIN_FOLDS = 5
FAR = 5.0  # scaled median absolute deviations
FAR_AT_LEAST = 0.1  # of a metric within [0, 1]
APART, APART_ERRORS = 0.02, 3.0


def undefined(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on values that do not exist."""
    found = evidence.tables.undefined
    if found:
        repeat, fold, metric, reason = found[0]
        places = "value is" if len(found) == 1 else "values are"
        message = f"{len(found)} {places} undefined and left out of the means"
        example = f"{metric} in fold {repeat}/{fold}: {reason}"
        yield Finding("FP123", f"{message}, such as {example}", where=f"fold {repeat}/{fold}")


def same_start(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on folds that all began with the same weights."""
    digests = [one for one in evidence.tables.folds["initial_weights_sha256"].to_pylist() if one]
    if len(digests) > 1 and len(set(digests)) == 1:
        message = (
            "every fold started from the same weights: the builder seeds itself, so the "
            "spread over folds leaves out what the initial weights contribute"
        )
        yield Finding("FP122", message, severity="info")


def far_fold(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on a fold whose first metric is far from that of the others."""
    metric = next(iter(evidence.summary))
    folds = [row for row in evidence.tables.folds.to_pylist() if row[metric] is not None]
    if len(folds) < MIN_FOLDS:
        return
    values = np.array([row[metric] for row in folds])
    away = np.abs(values - np.median(values))
    spread = 1.4826 * float(np.median(away))
    first = int(away.argmax())
    if away[first] > FAR * spread and away[first] > FAR_AT_LEAST * max(1.0, abs(np.median(values))):
        place = f"fold {folds[first]['repeat']}/{folds[first]['fold']}"
        middle = f"the median is {np.median(values):.3f}"
        message = f"{metric} of {place} is {values[first]:.3f}, {middle}"
        remedy = f"look at its {folds[first]['n_test']} rows in predictions.parquet"
        yield Finding("FP113", message, remedy, place)


def parted(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on metrics whose mean and pooled value are apart by more than chance."""
    for metric, row in evidence.summary.items():
        mean, pooled, std, n = (row[name] for name in ("mean", "pooled", "std", "n_folds"))
        if None in (mean, pooled, std) or evidence.plan.method == "leave_one_out":
            continue
        if abs(mean - pooled) > max(APART * max(1.0, abs(mean)), APART_ERRORS * std / np.sqrt(n)):
            message = f"the mean of {metric} is {mean:.3f}, of all rows together {pooled:.3f}"
            remedy = "folds differ in what they test, or their scores in scale; look at the folds"
            yield Finding("FP120", message, remedy, metric)


def by_chance(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on metrics that are no better than those of a guess."""
    counts = evidence.dataset.facts.counts
    chance = {"roc_auc": 0.5, "roc_auc_ovr": 0.5, "r2": 0.0}
    if counts:
        chance["accuracy"] = max(counts) / evidence.dataset.facts.rows
        chance["balanced_accuracy"] = 1 / len(counts)
    for metric, guess in chance.items():
        mean = evidence.summary.get(metric, {}).get("mean")
        if mean is not None and mean <= guess:
            message = f"{metric} is {mean:.3f}, no better than a blind guess ({guess:.3f})"
            remedy = "look at the features, the scaling and the training settings"
            yield Finding("FP111", message, remedy, metric)


CHECKS: tuple[Check, ...] = (undefined, same_start, far_fold, parted, by_chance)
