"""Look into a worker: which way it chose for a model. Runs in workers only."""

from typing import Any

from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.workers.in_worker import _configure_tensorflow


def chosen_step(job: FoldJob) -> tuple[str, bool]:
    """Prepare a fold's model and return the kind of its step and whether kernels stay."""
    _configure_tensorflow(job.numerics.threads)
    from foldproof.tasks.training.engines.compiled import compile_model
    from foldproof.tasks.training.fold_data import training_data
    from foldproof.tasks.training.keras_model import fresh_model
    from foldproof.tasks.user_code.builder import load_builder

    builder = load_builder(job.builder)

    def build(seed: int, keep_kernels: bool = False) -> Any:
        return fresh_model(builder, job.builder, job.train, seed, keep_kernels)

    compiled = compile_model(build, training_data(job), job.train)
    return type(compiled.step).__name__, compiled.keep_kernels


def traces(jobs: list[FoldJob]) -> dict[str, int]:
    """Train folds and return how often each graph of the kept model was traced."""
    _configure_tensorflow(jobs[0].numerics.threads)
    from foldproof.tasks.training.engines import choose as engines
    from foldproof.tasks.training.fold import train_fold

    for job in jobs:
        train_fold(job, 1, "cpu:0", None)
    kept: Any = engines._compiled_models[jobs[0].family]
    loop = kept.loop
    graphs = {"train": loop._train, "predict": loop._predict, "test": loop._test}
    return {name: graph.experimental_get_tracing_count() for name, graph in graphs.items()}


def draws(keep_kernels: bool) -> list[list[float]]:
    """Return what everything random gives for seeds that come and come back."""
    _configure_tensorflow(1)
    import random

    import keras
    import numpy as np
    import tensorflow as tf

    from foldproof.tasks.training.seeding import seed_everything

    found = []
    for seed in (5, 6, 5, 7, 7):
        seed_everything(seed, keras_loaded=True, keep_kernels=keep_kernels)
        found.append(
            [
                random.random(),
                float(np.random.random()),
                float(tf.random.normal(())),
                float(tf.random.uniform((), seed=3)),
                float(tf.random.normal(())),
                float(keras.random.normal(())),
                float(tf.reduce_sum(keras.layers.Dense(3)(np.ones((1, 4), np.float32)))),
                float(len(keras.layers.Dense(3).name)),
            ]
        )
    return found


def kept_after(job: FoldJob, kind: str) -> tuple[str, str]:
    """Prepare a fold's model with an error on the way, and once more without one.

    Returns:
        What the first call raised, and what was kept after each.
    """
    _configure_tensorflow(job.numerics.threads)
    import numpy as np
    import tensorflow as tf

    from foldproof.tasks.training.engines import choose as engines
    from foldproof.tasks.training.fold_data import training_data
    from foldproof.tasks.training.keras_model import fresh_model
    from foldproof.tasks.user_code.builder import load_builder

    def fail() -> None:
        if kind == "device":
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
        _ = np.empty(2**50) if kind == "memory" else int("seven")

    builder, fold_data, calls = load_builder(job.builder), training_data(job), []

    def build(seed: int, keep_kernels: bool = False) -> Any:
        calls.append(seed)
        if len(calls) == 1:
            fail()
        return fresh_model(builder, job.builder, job.train, seed, keep_kernels)

    found = []
    for _ in range(2):
        try:
            engines.compile_model(build, kind, fold_data, job.train)
            kept = engines._compiled_models[kind]
            found.append(kept if isinstance(kept, str) else type(kept).__name__)
        except Exception as error:
            found.append(type(error).__name__)
    return found[0], found[1]
