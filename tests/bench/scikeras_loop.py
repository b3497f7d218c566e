"""Peer: SciKeras in scikit-learn's cross_validate. The second argument is n_jobs."""

import sys
import time
from typing import Any

import numpy as np
from scikeras.wrappers import KerasClassifier
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import ClassifierTags

from tests.bench.cases import FIRST, SEED, Case, case_argument, load, model_of, say, splits


class Classifier(KerasClassifier):
    """SciKeras 0.13 lists its bases in an order in which scikit-learn's tags get lost."""

    def __sklearn_tags__(self) -> Any:
        """Say that this is a classifier, so that AUC is computed from probabilities."""
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags()
        return tags


def estimator(case: Case, X: Any, y: Any) -> Any:
    """Return scaler and model as one estimator."""
    model = Classifier(
        model_of,
        case=case,
        shape=X.shape[1:],
        classes=int(y.max()) + 1,
        epochs=case.epochs,
        batch_size=case.batch_size,
        random_state=SEED,
        verbose=0,
    )
    return make_pipeline(StandardScaler(), model)


def main() -> None:
    """Cross-validate the first folds, then the others in warm processes."""
    case, jobs = case_argument(), int(sys.argv[2])
    started = time.perf_counter()
    X, y = load(case)
    folds = splits(case, X, y)
    scores, between = [], started
    for part in (folds[:FIRST], folds[FIRST:]):
        between = time.perf_counter()
        found = cross_validate(
            estimator(case, X, y), X, y,
            cv=part, scoring=case.metric, n_jobs=jobs, error_score="raise",
        )  # fmt: skip
        scores.append(found["test_score"])
    ended = time.perf_counter()
    later = (ended - between) / (len(folds) - FIRST)
    say(later=later, all=ended - started, auc=float(np.concatenate(scores).mean()))


if __name__ == "__main__":
    main()
