"""Seconds of a fold's steps in a graph: the bare loop, or our engine's with and without care.

Arguments: the case, `bare` or `ours`, `deterministic` or `free`, and how often.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.preprocessing import StandardScaler

from tests.bench.cases import SEED, Case, case_argument, load, model_of, say, splits


def configure(case: Case, deterministic: bool) -> None:
    """Set threads and, if asked for, what makes bits come back."""
    if deterministic:
        tf.config.experimental.enable_op_determinism()
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    tf.config.threading.set_intra_op_parallelism_threads(case.threads)
    tf.config.threading.set_inter_op_parallelism_threads(case.threads)


def bare_loop(model: Any, batch: int, x: Any, y: Any) -> Callable[..., Any]:
    """Return epochs x steps over `train_step` in one function, and nothing else."""
    model.optimizer.build(model.trainable_variables)
    model.train_step((x[:batch], y[:batch]))

    def step(x: Any, y: Any, rows: Any) -> None:
        model.train_step((tf.gather(x, rows), tf.gather(y, rows)))

    @tf.function(reduce_retracing=True)
    def train(x: Any, y: Any, orders: Any) -> None:
        full = (tf.shape(orders)[1] - 1) // batch
        for epoch in tf.range(tf.shape(orders)[0]):
            for number in tf.range(full):
                step(x, y, tf.slice(orders, [epoch, number * batch], [1, batch])[0])
            step(x, y, orders[epoch, full * batch :])

    return train


def our_loop(model: Any, batch: int, x: Any, y: Any) -> Callable[..., Any]:
    """Return our engine's loop."""
    from foldproof.tasks.training.engines.graph_loop import GraphLoop
    from foldproof.tasks.training.engines.train_step import FlatStep, KerasStep, UnsupportedModel

    try:
        step: Any = FlatStep(model)
    except UnsupportedModel:
        step = KerasStep(model)
    step.make_variables((x[:batch], y[:batch]))
    loop = GraphLoop(step, batch, (x, y))
    return lambda features, targets, orders: loop.train((features, targets), orders)


def main() -> None:
    """Print the least seconds of all tries."""
    case, kind, care, tries = case_argument(), sys.argv[2], sys.argv[3], int(sys.argv[4])
    configure(case, care == "deterministic")
    X, y = load(case)
    train = splits(case, X, y)[0][0]
    x = StandardScaler().fit_transform(X[train])
    targets: np.ndarray = y[train].astype(np.int32)
    if case.task == "binary":
        targets = targets.astype(np.float32).reshape(-1, 1)
    keras.utils.set_random_seed(SEED)
    model = model_of(case, X.shape[1:], int(y.max()) + 1)
    batch = case.batch_size
    make = bare_loop if kind == "bare" else our_loop
    loop = make(model, batch, x, targets)
    given = tf.constant(x), tf.constant(targets)
    generator = np.random.Generator(np.random.PCG64(SEED))
    orders = np.stack([generator.permutation(len(x)) for _ in range(case.epochs)])
    loop(*given, tf.constant(orders[:1]))
    seconds = []
    for _ in range(tries):
        started = time.perf_counter()
        loop(*given, tf.constant(orders))
        seconds.append(time.perf_counter() - started)
    say(seconds=min(seconds))


main()
