"""Set the environment of workers: for their host when it starts, for a slot, and checked in each.

Which variables these are is listed in `machine/worker_environment.py`.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from foldproof.tasks.common.places import python_path
from foldproof.tasks.machine.worker_environment import REMOVED_VARIABLES, worker_variables

GPU_MEMORY_VARIABLE = "FOLDPROOF_GPU_MEMORY"  # names the MiB that this worker may take
OF_ONE_PROCESS = ("KERAS_HOME", "TF_CPP_MIN_LOG_LEVEL")  # no bit depends on their values


def host_environment(
    threads: int, keras_home: Path, deviations: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment that the worker host starts with, and all workers from it.

    Args:
        threads: BLAS threads of the workers.
        keras_home: an empty folder.
        deviations: variables that an audit wants otherwise than every other run.
    """
    kept = {name: said for name, said in os.environ.items() if name not in REMOVED_VARIABLES}
    return {
        **kept,
        **worker_variables(threads, keras_home),
        **deviations,
        # The host must find our modules whatever lies in the working directory.
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": python_path(),
    }


def set_variables_of_slot(visible: str, memory: int | None) -> None:
    """Set, in a new worker, what differs between the slots of a run.

    Args:
        visible: the CUDA devices of its slot.
        memory: MiB of a GPU that it may take, or None for all.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = visible
    if memory is not None:
        os.environ[GPU_MEMORY_VARIABLE] = str(memory)


def gpu_memory() -> int | None:
    """Return, in a worker, the MiB of its GPU that it may take, or None for all."""
    said = os.environ.get(GPU_MEMORY_VARIABLE)
    return None if said is None else int(said)


def wrong_variables(threads: int) -> Iterator[str]:
    """Yield, in a worker, the variables that are not what a run with these threads needs."""
    yield from (name for name in REMOVED_VARIABLES if name in os.environ)
    for name, value in worker_variables(threads, Path()).items():
        if name not in OF_ONE_PROCESS and os.environ.get(name) != value:
            yield name
