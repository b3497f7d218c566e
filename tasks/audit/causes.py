"""The possible causes of differing fits: how each is tried, and what its outcome means."""

from dataclasses import dataclass
from typing import Literal

Way = Literal["foldproof", "same_model", "once", "numpy", "tensorflow", "seeded", "threads"]

MAX_THREAD_PAIRS = 3  # pairs of threads to try: a race need not show at once
NO_TENSORFLOW = "Does not apply: an estimator does not train in TensorFlow."


@dataclass(frozen=True)
class Conditions:
    """The process settings of a trial, fixed before TensorFlow starts.

    Attributes:
        threads: intra-op, inter-op and BLAS threads.
        onednn: what TF_ENABLE_ONEDNN_OPTS says, or None for TensorFlow's default.
        determinism: op determinism is enabled.
    """

    threads: int
    onednn: bool | None = None
    determinism: bool = True


@dataclass(frozen=True)
class Interpretation:
    """The interpretation, in words, of equal and of different fits."""

    differ: str
    equal: str


@dataclass(frozen=True)
class Cause:
    """One cause and how it is tried.

    Attributes:
        name: for tables.
        title: for people, at most 32 characters.
        way: how a worker trains.
        conditions: under which it does.
        done: what is done, in words.
        repeated: what the comparison with a repeat under the same cause means.
        reference: the same for the comparison with foldproof's own way, or None where
            that would say nothing.
        not_for_estimators: why it does not apply to them, or empty.
        order: what it means that all epochs had one order of rows, to end a sentence with.
    """

    name: str
    title: str
    way: Way
    conditions: Conditions
    done: str
    repeated: Interpretation
    reference: Interpretation | None = None
    not_for_estimators: str = ""
    order: str = ""


def all_causes(threads: int, onednn: bool) -> tuple[Cause, ...]:
    """Return the reference, then the causes, in the order of the table.

    Args:
        threads: of a worker, as configured.
        onednn: TensorFlow's default on this machine.
    """
    usual = Conditions(threads)
    causes = (
        _reference(usual),
        *_unseeded_loops(usual),
        *_seeded_loops(usual),
        *_surroundings(usual),
    )
    return (*causes, _other_onednn(usual, not onednn))


def _reference(usual: Conditions) -> Cause:
    return Cause(
        "reference",
        "foldproof's way, twice",
        "foldproof",
        usual,
        "A fresh model from the fold's seed, the rows in a seeded order that is new in every "
        f"epoch, {count(usual.threads)}, op determinism on; each fit in a fresh process.",
        Interpretation(
            "Something draws randomness that no seed reaches, or follows from the moment or the "
            "process. Look in the builder and in all that it uses for numpy.random.default_rng() "
            "or RandomState() without a seed, random.SystemRandom, os.urandom, uuid, the clock, "
            "the order of a set or of files in a folder, and for state kept in files.",
            "It comes back. What differs below is from the cause alone.",
        ),
    )


def _unseeded_loops(usual: Conditions) -> tuple[Cause, ...]:
    """Return what a loop around fit does wrong that does not seed, or not all."""
    undetermined = Conditions(usual.threads, determinism=False)  # TensorFlow is left unseeded
    return (
        _same_model(usual),
        _fresh_not_reseeded(usual),
        _only_numpy(undetermined),
        _only_tensorflow(usual),
    )


def _same_model(conditions: Conditions) -> Cause:
    """Return the cause that fit is called again on a model that is trained already."""
    return Cause(
        "same_model",
        "the same model fitted again",
        "same_model",
        conditions,
        "One seeded model; fit is called on it twice, as in a loop that builds it outside.",
        Interpretation(
            "fit went on from what the last fit left: the trained weights, and the state of "
            "optimizer and random generators. Build a fresh model for every fit.",
            "fit started anew by itself, as those of most scikit-learn estimators do.",
        ),
    )


def _fresh_not_reseeded(conditions: Conditions) -> Cause:
    """Return the cause that the loop seeds once, before it begins."""
    return Cause(
        "fresh_not_reseeded",
        "fresh model, not reseeded",
        "once",
        conditions,
        "Seeded once, before the loop; then every fit gets a fresh model.",
        Interpretation(
            "Random generators went on where the last fit left them: other initial weights, "
            "another order of rows, other dropout. Reseed before every build.",
            "Nothing random is in this model, or it seeds itself.",
        ),
    )


def _only_numpy(conditions: Conditions) -> Cause:
    """Return the cause that the loop seeds NumPy alone."""
    return Cause(
        "only_numpy",
        "reseeded, but only NumPy",
        "numpy",
        conditions,
        "numpy.random.seed before each fresh model, and nothing else.",
        Interpretation(
            "NumPy's seed reaches neither Python's random, which Keras takes the seeds of "
            "initial weights from, nor TensorFlow. Use keras.utils.set_random_seed.",
            "This model draws from NumPy alone, as scikit-learn's estimators do, or is not random.",
        ),
    )


def _only_tensorflow(conditions: Conditions) -> Cause:
    """Return the cause that the loop seeds TensorFlow alone."""
    return Cause(
        "only_tensorflow",
        "reseeded, but only TensorFlow",
        "tensorflow",
        conditions,
        "tf.random.set_seed before each fresh model, and nothing else.",
        Interpretation(
            "Keras takes the seeds of initial weights and dropout from Python's random, "
            "which this does not seed. Use keras.utils.set_random_seed.",
            "This model draws from TensorFlow's own generator alone, or is not random.",
        ),
        not_for_estimators=NO_TENSORFLOW,
    )


def _seeded_loops(usual: Conditions) -> tuple[Cause, ...]:
    """Return what a loop around fit does wrong that seeds all."""
    return (
        Cause(
            "seeded_fit",
            "reseeded, then fit(x, y)",
            "seeded",
            usual,
            "The usual cure: keras.utils.set_random_seed, a fresh model, fit(x, y).",
            Interpretation(
                "Even the usual cure does not bring this model back.",
                "The usual cure brings the same bits back.",
            ),
            Interpretation(
                "Another order of the rows than foldproof's, and so another training.",
                "It is the same training as foldproof's.",
            ),
            not_for_estimators="Does not apply: an estimator has no epochs to shuffle for.",
            order=": once seeded, fit no longer reshuffles, and trains otherwise than unseeded",
        ),
        Cause(
            "two_threads",
            "two threads in one process",
            "threads",
            usual,
            "Two threads at once, each: set_random_seed, a fresh model, fit(x, y). "
            f"Repeated until two differ, {MAX_THREAD_PAIRS} times at most.",
            Interpretation(
                "Seeds belong to the process: each thread reseeds, and draws from, what the "
                "other uses. Run one fit at a time in a process.",
                f"It came out equal, {MAX_THREAD_PAIRS} times. It is a race, so that this proves "
                "nothing: run one fit at a time in a process all the same.",
            ),
            not_for_estimators="Does not apply: foldproof gives an estimator its own random_state.",
        ),
    )


def _surroundings(usual: Conditions) -> tuple[Cause, ...]:
    """Return what differs around the same training."""
    several = max(2, usual.threads)
    other = 2 if usual.threads == 1 else 1
    return (
        Cause(
            "other_threads",
            f"{count(other)} instead of {usual.threads}",
            "foldproof",
            Conditions(other),
            f"foldproof's way, twice, but with {count(other)} of TensorFlow and BLAS.",
            Interpretation(
                f"With {count(other)} this model does not even repeat.",
                f"With {count(other)} it repeats, as long as it stays at that number.",
            ),
            Interpretation(
                "Sums are added up in another order; training carries the last digit on. Compare "
                "fits of one compute.threads only. It is part of each fold's key.",
                "This model gives the same bits with either number, here and for these shapes. "
                "That need not hold elsewhere; compute.threads is part of each fold's key.",
            ),
        ),
        Cause(
            "no_determinism",
            f"op determinism off, {count(several)}",
            "foldproof",
            Conditions(several, determinism=False),
            f"foldproof's way, twice, with {count(several)}, but without "
            "tf.config.experimental.enable_op_determinism().",
            Interpretation(
                "Some of its operations add up in whatever order their threads end. Leave op "
                "determinism on, as foldproof does.",
                "Its operations repeat without it on this device. On a GPU, or after a change of "
                "the model, they need not; foldproof leaves it on.",
            ),
            not_for_estimators=NO_TENSORFLOW,
        ),
    )


def _other_onednn(usual: Conditions, onednn: bool) -> Cause:
    """Return the cause that another machine or image has TensorFlow's kernels otherwise."""
    state = "on" if onednn else "off"
    usually = "off" if onednn else "on"
    return Cause(
        "other_onednn",
        f"oneDNN {state}",
        "foldproof",
        Conditions(usual.threads, onednn=onednn),
        f"foldproof's way, twice, but with TF_ENABLE_ONEDNN_OPTS={int(onednn)}, as on other "
        f"machines; TensorFlow's default is {usually} for this processor.",
        Interpretation(
            f"With oneDNN {state} this model does not even repeat.",
            f"With oneDNN {state} it repeats, as long as it stays so.",
        ),
        Interpretation(
            "Other kernels round otherwise; training carries the last digit on. Compare fits "
            "under one setting only. foldproof removes the variable, so that it has no effect.",
            "oneDNN has no part in what this model does here.",
        ),
        not_for_estimators=NO_TENSORFLOW,
    )


def count(threads: int) -> str:
    """Write a number of threads."""
    return f"{threads} thread" if threads == 1 else f"{threads} threads"
