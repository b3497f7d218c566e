"""The functions that run inside a worker process: set-up, numerics check, training of a fold."""

import contextlib
import os
import sys
import time
import traceback
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.places import is_own_code
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.folds.paths import FOLDS
from foldproof.tasks.folds.result import FinishedFold
from foldproof.tasks.folds.split.plan import FoldPlan, plan_folds
from foldproof.tasks.machine.memory import (
    held_mib,
    limit_memory,
    out_of_memory_text,
    share_memory,
)
from foldproof.tasks.machine.numerics import Numerics
from foldproof.tasks.store.disk_errors import RERUN_REMEDY, disk_errors_as_run_failed
from foldproof.tasks.store.fold_file import read_fold, write_fold
from foldproof.tasks.store.object_storage import Remote, storage_errors_as_run_failed
from foldproof.tasks.training.error_text import describe_failure, is_exhausted
from foldproof.tasks.training.trial_records import TrialRecords
from foldproof.tasks.user_code.installed import INSTALL_FOLDERS
from foldproof.tasks.user_code.opened_files.changes import refuse_changed
from foldproof.tasks.user_code.opened_files.hooks import watching
from foldproof.tasks.user_code.opened_files.record import may_open_files
from foldproof.tasks.user_code.opened_files.watch import (
    NOTHING,
    Exclusions,
    Signature,
    signature_of,
)
from foldproof.tasks.user_code.search_path import extend_path
from foldproof.tasks.workers.environment import (
    gpu_memory,
    set_variables_of_slot,
    wrong_variables,
)
from foldproof.tasks.workers.output import captured_output, output_path

_started_ns = 0  # when this process began

Sources = tuple[tuple[str, Signature | None], ...]  # modules' files, with what changes with them


def set_up(
    visible: str,
    folder: Path,
    memory: int | None = None,
    memory_limit: int | None = None,
    workers: int = 1,
) -> None:
    """Initialise a new worker process, before TensorFlow runs.

    Args:
        visible: the CUDA devices of its slot.
        folder: the working directory of the user's process.
        memory: MiB of a GPU that it may take, or None for all.
        memory_limit: MiB of the machine's memory that it may take, or None.
        workers: how many share the machine's memory.
    """
    global _started_ns
    _started_ns = time.time_ns()
    set_variables_of_slot(visible, memory)
    os.chdir(folder)
    limit_memory(memory_limit)
    share_memory(workers)


def user_sources() -> Sources | None:
    """Return the user's modules in this process; None where one changed since it began."""
    files = {str(getattr(module, "__file__", "")) for module in tuple(sys.modules.values())}
    found = tuple((path, signature_of(path)) for path in sorted(files) if _is_users(path))
    changed = any(signature is None or signature[2] > _started_ns for _, signature in found)
    return None if changed else found


def _is_users(path: str) -> bool:
    return path.endswith(".py") and not (path.startswith(INSTALL_FOLDERS) or is_own_code(path))


def warm_up(tensorflow: bool, threads: int) -> None:
    """Load and configure TensorFlow ahead of the first fold."""
    if tensorflow:
        _configure_tensorflow(threads)


def configure(numerics: Numerics, tensorflow: bool) -> None:
    """Apply the run's numerics settings, and fail if this process cannot reproduce its bits.

    Raises:
        RuntimeError: with every difference.
    """
    if tensorflow:
        _configure_tensorflow(numerics.threads)
    _check_numerics(numerics, tensorflow)


def configure_unchecked(threads: int, tensorflow: bool, determinism: bool) -> None:
    """Apply other numerics settings than a fold's, for an audit that studies their effect."""
    if tensorflow:
        _configure_tensorflow(threads, determinism)


def compile_ahead(job: FoldJob, tensorflow: bool, records: TrialRecords | None = None) -> None:
    """Compile the model before its first fold, for all folds to reuse.

    Args:
        job: the fold.
        tensorflow: it needs it.
        records: of earlier trials, if these count. The numerics are checked before.
    """
    configure(job.numerics, tensorflow)
    from foldproof.tasks.training.fold import compile_run_model

    compile_run_model(job, records)


def train_and_store_fold(
    job: FoldJob,
    tensorflow: bool,
    attempt: int,
    slot: str,
    progress: Path,
    memory_limit: int | None = None,
    records: TrialRecords | None = None,
) -> FoldRecord:
    """Train a fold and store it; an exception of the user's code becomes the record's error.

    Args:
        job: the fold.
        tensorflow: it needs it.
        attempt: which try this is.
        slot: the device slot.
        progress: the file that progress is written to.
        memory_limit: MiB that this worker may take, or None.
        records: of earlier trials, if these count. The numerics are checked before.

    Raises:
        RunFailed: it cannot be stored.
    """
    configure(job.numerics, tensorflow)
    from foldproof.tasks.training.fold import train_fold

    try:
        with captured_output(output_path(progress.parent, job.key, attempt)):
            refuse_changed(job.builder.files)
            finished = train_fold(job, attempt, slot, progress, records=records)
            refuse_changed(job.builder.files)
    except (Exception, SystemExit) as error:  # the user's code ran: anything can come out
        return _failed(job, error, attempt, slot, memory_limit)
    with disk_errors_as_run_failed(
        f"out: fold {job.repeat}/{job.fold} in {str(job.store.parent)!r}", RERUN_REMEDY
    ):
        write_fold(finished, job.store)
    if job.remote:
        with storage_errors_as_run_failed(job.remote):
            Remote(job.remote).send([f"{FOLDS}/{job.store.name}"], job.out)
    seconds = finished.execution.seconds_fit / (finished.epochs_run or 1)
    record = record_of(finished, job, cached=False)
    return replace(record, memory=held_mib(), seconds=seconds)


def _failed(
    job: FoldJob, error: BaseException, attempt: int, slot: str, memory_limit: int | None
) -> FoldRecord:
    """Return the record of a fold whose training failed; lack of memory may pass."""
    exhausted = is_exhausted(error)
    starved = f": {out_of_memory_text(memory_limit)}" if exhausted else ""
    return FoldRecord(
        job.key,
        job.repeat,
        job.fold,
        error=describe_failure(error) + starved,
        traceback="".join(traceback.format_exception(error)),
        lost=exhausted,
        attempt=attempt,
        slot=slot,
    )


def inspect_model(job: FoldJob, weighted: bool, tensorflow: bool, unwatched: Exclusions) -> Any:
    """Try the model on a fold's first batch; return its facts, or the error for the user."""
    if tensorflow:
        _configure_tensorflow(job.numerics.threads)
    from foldproof.tasks.training.trial import model_trial as inspection

    try:
        is_watched = may_open_files(job.builder.reference)
        around = watching(unwatched) if is_watched else contextlib.nullcontext()
        with around as watch:
            job, fold_data = inspection.preprocess_first(job)
            model, facts = inspection.build_model(job, weighted)
        opened = watch.opened() if watch is not None else NOTHING
        facts = replace(facts, opened=opened, saw_rows=inspection.needs_rows(facts, job))
        notices = inspection.try_model(model, facts, job, fold_data)
        return replace(facts, notices=notices or (), is_final=notices is not None), ""
    except InputError as error:
        cause = error.__cause__
        return error, "".join(traceback.format_exception(cause)) if cause else ""


def split_rows(
    dataset: Dataset, spec: SplitSpec, seed: int, folder: Path, search: tuple[str, ...]
) -> FoldPlan:
    """Split the rows with the user's own splitter, imported on the flow's module search path.

    Raises:
        InputError: as `plan_folds`.
    """
    extend_path(search)
    return plan_folds(dataset, spec, seed, folder)


def read_stored(job: FoldJob) -> FoldRecord | None:
    """Return the record of a stored fold, or None if it is not stored.

    Raises:
        DamagedFold: the file is damaged or belongs to another fold.
    """
    try:
        return record_of(read_fold(job.store, job.key), job, cached=True)
    except FileNotFoundError:
        return None


def record_of(finished: FinishedFold, job: FoldJob, cached: bool) -> FoldRecord:
    """Return the record of a finished fold, which is what the flow's process keeps."""
    return FoldRecord(
        job.key,
        job.repeat,
        job.fold,
        cached=cached,
        attempt=finished.execution.attempt,
        slot=finished.execution.device,
        initial=finished.initial,
        weights=finished.weights,
        predictions=finished.predictions,
        notice=finished.notice,
    )


@cache
def _configure_tensorflow(threads: int, determinism: bool = True) -> None:
    """Configure determinism, optimizer and threads of TensorFlow, before any operation runs.

    Without op determinism, kernels may add in any order; with the meta optimizer, bits
    depend on how a step is traced.
    """
    import tensorflow as tf

    if determinism:
        tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.get_logger().setLevel("ERROR")
    for gpu in tf.config.list_physical_devices("GPU"):
        _limit_memory(tf, gpu)
    import keras  # noqa: F401  (loaded here, so that `keras` in sys.modules means: set up)


def _limit_memory(tf: Any, gpu: Any) -> None:
    """Let a GPU's memory grow with what is needed, up to the share of this worker.

    A limit rules out the setting for growth; then TF_FORCE_GPU_ALLOW_GROWTH sees to it.
    """
    limit = gpu_memory()
    if limit is None:
        tf.config.experimental.set_memory_growth(gpu, True)
        return
    share = tf.config.LogicalDeviceConfiguration(memory_limit=limit)
    tf.config.set_logical_device_configuration(gpu, [share])


@cache
def _check_numerics(expected: Numerics, tensorflow: bool) -> None:
    """Compare this process with the expected numerics, and fail where bits would differ.

    Raises:
        RuntimeError: with every difference.
    """
    found: dict[str, Any] = Numerics(expected.threads, expected.device, expected.gpu).fingerprint()
    wrong = list(wrong_variables(expected.threads))
    if tensorflow:
        wrong += _wrong_in_tensorflow(expected, found["libraries"])
    if wrong:
        raise RuntimeError(f"this worker's numerics are not the run's: {', '.join(wrong)} differ")


def _wrong_in_tensorflow(expected: Numerics, libraries: dict[str, str]) -> list[str]:
    import keras
    import tensorflow as tf

    facts = {
        "tensorflow": (tf.__version__, libraries["tensorflow"]),
        "keras": (keras.__version__, libraries["keras"]),
        "Keras's backend": (keras.backend.backend(), "tensorflow"),
        "Keras's float type": (keras.backend.floatx(), "float32"),
        "intra-op threads": (
            tf.config.threading.get_intra_op_parallelism_threads(),
            expected.threads,
        ),
        "inter-op threads": (
            tf.config.threading.get_inter_op_parallelism_threads(),
            expected.threads,
        ),
        "visible GPUs": (
            min(1, len(tf.config.list_physical_devices("GPU"))),
            int(expected.device == "gpu"),
        ),
    }
    return [name for name, (is_, should) in facts.items() if is_ != should]
