"""The memory of worker processes: limits, current use, and messages when it runs out."""

import contextlib
import os
import resource
import sys
from pathlib import Path

MIB = 2**20
REMEDY = "lower train.batch_size or compute.workers, or give it more"
CAN_LIMIT = sys.platform == "linux"  # elsewhere RLIMIT_DATA does not count what is mapped


def limit_memory(mib: int | None) -> None:
    """Limit the memory of this process; allocations beyond the limit then fail in it.

    The limit is on private memory (RLIMIT_DATA), since TensorFlow reserves addresses that it
    never uses. Without effect on other systems than Linux.

    Args:
        mib: MiB in all, or None for no limit.
    """
    if mib is not None and CAN_LIMIT:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (mib * MIB, hard))


def held_mib() -> float:
    """Return the current memory of this process in MiB; its peak where only that is known."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return peak_mib()
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def peak_mib() -> float:
    """Return the peak memory of this process in MiB."""
    with contextlib.suppress(OSError, StopIteration):  # getrusage also knows its parent's peak
        lines = Path("/proc/self/status").read_text().splitlines()
        line = next(line for line in lines if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (MIB if sys.platform == "darwin" else 2**10)


def allowance_text(limit: int | None) -> str:
    """Return how much memory a worker may use and what limits it, as text.

    Args:
        limit: the configured MiB, or None.
    """
    if limit is not None:
        return f"{limit} MiB (compute.memory_limit)"
    group = min(_cgroup_limits(), default=None)
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if group is not None and group < machine:
        return f"{group // MIB} MiB, the limit of its control group, shared by all workers"
    return f"{machine // MIB} MiB, all that the machine has"


def out_of_memory_text(limit: int | None) -> str:
    """Return the message of a worker that ran out of memory."""
    return (
        f"the worker held {held_mib():.0f} MiB when it asked for more than it may have, "
        f"{allowance_text(limit)}; {REMEDY}"
    )


def times_killed_for_memory() -> int:
    """Return how many processes this machine has killed for lack of memory; 0 if unknown."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return 0


def _cgroup_limits() -> list[int]:
    """Return the limits in bytes that control groups set on this process."""
    found = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            root = Path("/sys/fs/cgroup")
            files = (
                [root / "memory" / path.lstrip("/") / "memory.limit_in_bytes"]
                if "memory" in controllers.split(",")
                else [root / path.lstrip("/") / "memory.max"]
            )
            for file in files:
                with contextlib.suppress(OSError, ValueError):
                    found.append(int(file.read_text()))
    return found
