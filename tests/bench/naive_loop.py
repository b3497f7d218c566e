"""Peer: the loop that everybody writes, with the well-known cure: fresh model, seed anew."""

import time
from typing import Any

import keras
from sklearn.preprocessing import StandardScaler

from tests.bench.cases import FIRST, SEED, Case, auc, case_argument, load, model_of, say, splits


def train_fold(case: Case, X: Any, y: Any, fold: int, train: Any, test: Any) -> float:
    """Train and score one fold."""
    scaler = StandardScaler().fit(X[train])
    keras.utils.set_random_seed(SEED + fold)
    model = model_of(case, X.shape[1:], int(y.max()) + 1)
    model.fit(
        scaler.transform(X[train]),
        y[train],
        epochs=case.epochs,
        batch_size=case.batch_size,
        shuffle=True,
        verbose=0,
    )
    scores = model.predict(scaler.transform(X[test]), batch_size=case.batch_size, verbose=0)
    return auc(case, y[test], scores)


def main() -> None:
    """Cross-validate and print seconds and AUC."""
    case = case_argument()
    started = time.perf_counter()
    X, y = load(case)
    times, scores = [], []
    for fold, (train, test) in enumerate(splits(case, X, y)):
        scores.append(train_fold(case, X, y, fold, train, test))
        times.append(time.perf_counter())
    first = min(FIRST, len(times) - 1)
    later = (times[-1] - times[first - 1]) / (len(times) - first)
    say(later=later, all=times[-1] - started, auc=sum(scores) / len(scores))


main()
