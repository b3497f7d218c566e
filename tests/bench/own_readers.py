"""Peer on large features: two processes that each read the features for themselves."""

import multiprocessing
from dataclasses import asdict

from tests.bench.cases import Case, auc, case_argument, load, model_of, say, splits
from tests.bench.memory import watched


def train_fold(case: Case, fold: int) -> float:
    """Read everything and train one fold, as the naive loop does."""
    import keras
    from sklearn.preprocessing import StandardScaler

    X, y = load(case)
    train, test = splits(case, X, y)[fold]
    keras.utils.set_random_seed(fold)
    scaler = StandardScaler().fit(X[train])
    model = model_of(case, X.shape[1:], 2)
    model.fit(
        scaler.transform(X[train]),
        y[train],
        epochs=case.epochs,
        batch_size=case.batch_size,
        verbose=0,
    )
    return auc(case, y[test], model.predict(scaler.transform(X[test]), verbose=0))


def main() -> None:
    """Train the case's folds at the same time and print the peak memory."""
    case = case_argument()
    context = multiprocessing.get_context("spawn")
    with watched(".npz") as peaks, context.Pool(case.folds) as pool:
        pool.starmap(train_fold, [(case, fold) for fold in range(case.folds)])
    say(**asdict(peaks))


if __name__ == "__main__":
    main()
