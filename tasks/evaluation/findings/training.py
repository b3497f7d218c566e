"""Training: curves that still fall, curves that turned, targets that nobody scaled."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.findings.types import Check, Evidence, Finding

MIN_EPOCHS = 10
STILL_FALLING = 0.05  # of the whole descent, in the last tenth of the epochs
TURNED = 1.2  # times the lowest loss on held-out rows
MUCH = 10.0  # a target's spread or size, in what a fresh net gives
Losses = NDArray[np.float64]  # by epoch


def unsettled(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on losses that are still falling when training ends."""
    if evidence.study.train.early_stopping is not None:
        return
    shares = [
        _last_tenth(losses) for losses in _curves(evidence, "loss") if len(losses) >= MIN_EPOCHS
    ]
    if shares and float(np.median(shares)) > STILL_FALLING:
        message = (
            f"the loss still falls: {np.median(shares):.0%} of its descent is in the last tenth"
        )
        yield Finding("FP114", message, "raise train.epochs or train.learning_rate")


def overfitted(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on held-out losses that rose again, where the last weights were kept."""
    stopping = evidence.study.train.early_stopping
    if stopping is None or stopping.restore_best:
        return
    ratios = [
        losses[-1] / losses.min() for losses in _curves(evidence, "val_loss") if losses.min() > 0
    ]
    if ratios and float(np.median(ratios)) > TURNED:
        message = f"the loss on held-out rows ended at {np.median(ratios):.1f} times its lowest"
        yield Finding("FP115", message, "set train.early_stopping.restore_best: true")


def unscaled_target(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on a net whose target is far from what a fresh net gives."""
    is_scaled = evidence.study.train.target_scaler != "none"
    if evidence.dataset.task != "regression" or not evidence.is_keras or is_scaled:
        return
    codes = np.asarray(evidence.dataset.codes(), dtype=np.float64)
    mean, std = float(codes.mean()), float(codes.std())
    if max(std, abs(mean)) > MUCH:
        message = f"the target has mean {mean:.4g} and standard deviation {std:.4g}, unscaled"
        yield Finding("FP118", message, "set train.target_scaler: standard")


def _curves(evidence: Evidence, name: str) -> Iterator[Losses]:
    found = defaultdict(list)
    for row in evidence.tables.history.to_pylist():
        if row["metric"] == name and row["value"] is not None:
            found[row["repeat"], row["fold"]].append(row["value"])
    yield from (np.array(values) for values in found.values())


def _last_tenth(losses: Losses) -> float:
    whole = losses[0] - losses[-1]
    last = losses[-1 - max(1, len(losses) // 10)] - losses[-1]
    return float(last / whole) if whole > 0 else 0.0


CHECKS: tuple[Check, ...] = (unsettled, overfitted, unscaled_target)
