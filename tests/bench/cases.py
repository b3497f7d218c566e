"""The work that is compared: data, model, epochs and folds, the same for everybody.

Peers import this, so nothing of ours is imported but the builder of the model.
"""

import json
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEED = 1337
LEARNING_RATE = 0.001
SPLITS = 10
FIRST = 2  # folds that warm a process up; 'one more fold' is the mean of those after them

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """A cross-validation.

    Attributes:
        name: for the table.
        source: a data set that scikit-learn brings along, or an npz file.
        builder: of tasks.models.
        metric: scikit-learn's name of the AUC.
        epochs, batch_size: of each fold.
        params: for the builder.
        folds: how many of the ten folds are trained.
        workers, threads: ours; peers use what they use by default.
    """

    name: str
    source: str
    builder: str
    metric: str
    epochs: int
    batch_size: int = 32
    params: dict[str, Any] = field(default_factory=dict)
    folds: int = SPLITS
    workers: int | str = "auto"
    threads: int = 1

    @property
    def task(self) -> str:
        """The kind of task, as the builder names it."""
        return "binary" if self.metric == "roc_auc" else "multiclass"


MLP = Case("breast-cancer MLP", "breast_cancer", "mlp", "roc_auc", epochs=50)
CNN = Case("digits CNN", "digits", "cnn", "roc_auc_ovr", epochs=5)


def case_text(case: Case) -> str:
    """Write a case for a script's command line."""
    return json.dumps(asdict(case))


def case_argument() -> Case:
    """Read the case that a script was given as its first argument."""
    return Case(**json.loads(sys.argv[1]))


def say(**found: Any) -> None:
    """Print what a script found, as the last line of its output."""
    print(json.dumps(found), flush=True)


def load(case: Case) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return features and class codes; malignant is the positive class, as in ours."""
    if case.source.endswith(".npz"):
        with np.load(case.source) as archive:
            return archive["X"], archive["y"].astype(np.int64)
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{case.source}")()
    target = bunch.target
    if case.source == "breast_cancer":
        target = target == list(bunch.target_names).index("malignant")
    return bunch.data.astype(np.float32), np.asarray(target, dtype=np.int64)


def splits(case: Case, X: NDArray[Any], y: NDArray[Any]) -> list[tuple[Rows, Rows]]:
    """Return the folds that are trained."""
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(SPLITS, shuffle=True, random_state=SEED)
    return list(splitter.split(X, y))[: case.folds]


def model_of(case: Case, shape: tuple[int, ...], classes: int) -> Any:
    """Return a fresh compiled model, the one that ours trains."""
    import keras

    from foldproof.tasks import models

    builder = getattr(models, case.builder)
    outputs = 1 if case.task == "binary" else classes
    model = builder(shape, outputs, case.task, **case.params)
    losses = {"binary": "binary_crossentropy", "multiclass": "sparse_categorical_crossentropy"}
    model.compile(keras.optimizers.Adam(LEARNING_RATE), losses[case.task])
    return model


def auc(case: Case, y: NDArray[np.int64], scores: NDArray[Any]) -> float:
    """Return the AUC of a fold's raw output."""
    from sklearn.metrics import roc_auc_score

    scores = np.asarray(scores, dtype=np.float64)
    if case.task == "binary":
        return float(roc_auc_score(y, scores.reshape(-1)))
    scores /= scores.sum(axis=1, keepdims=True)
    return float(roc_auc_score(y, scores, multi_class="ovr"))


def settings(case: Case, out: str, repeats: int = 1, engine: str = "auto") -> dict[str, Any]:
    """Return the case as settings of ours."""
    return {
        "data": {"source": case.source},
        "split": {"n_splits": SPLITS, "n_repeats": repeats},
        "model": {"builder": f"tasks.models:{case.builder}", "params": case.params},
        "train": {"epochs": case.epochs, "batch_size": case.batch_size, "engine": engine},
        "metrics": [case.metric],
        "compute": {"workers": case.workers, "threads": case.threads, "device": "cpu"},
        "seed": SEED,
        "out": out,
    }
