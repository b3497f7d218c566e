"""The same mathematics with nothing of ours: `train_on_batch` in the contract's batch order."""

import keras
import numpy as np
import tensorflow as tf
from sklearn.preprocessing import StandardScaler

from tests.bench.cases import SEED, Case, auc, case_argument, load, model_of, say, splits

MODEL, BATCH_ORDER = 0, 1


def seed_of(fold: int, role: int) -> int:
    """Return the seed of one role, repeat 0."""
    sequence = np.random.SeedSequence(SEED, spawn_key=(0, fold, role))
    return int(sequence.generate_state(1)[0]) & 0x7FFFFFFF


def train_fold(
    case: Case, X: np.ndarray, y: np.ndarray, fold: int, rows: tuple[np.ndarray, np.ndarray]
) -> float:
    """Train one fold and return its AUC."""
    train, test = map(np.sort, rows)
    scaler = StandardScaler().fit(X[train])
    x, targets = scaler.transform(X[train]), y[train]
    if case.task == "binary":
        targets = targets.astype(np.float32).reshape(-1, 1)
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(seed_of(fold, MODEL))
    model = model_of(case, X.shape[1:], int(y.max()) + 1)
    order = np.random.Generator(np.random.PCG64(seed_of(fold, BATCH_ORDER)))
    for _ in range(case.epochs):
        permuted = order.permutation(len(x))
        for start in range(0, len(x), case.batch_size):
            batch = permuted[start : start + case.batch_size]
            model.train_on_batch(x[batch], targets[batch])
    model.optimizer.finalize_variable_values(model.trainable_variables)
    raw = model.predict(scaler.transform(X[test]), batch_size=case.batch_size, verbose=0)
    return auc(case, y[test], raw)


def main() -> None:
    """Print the AUC of each fold."""
    case = case_argument()
    tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    X, y = load(case)
    folds = enumerate(splits(case, X, y))
    say(auc=[train_fold(case, X, y, fold, rows) for fold, rows in folds])


main()
