"""The memory of worker processes: limits, current use, and messages when it runs out."""

import contextlib
import os
import resource
import sys
from pathlib import Path

MIB = 2**20
REMEDY = "lower train.batch_size or compute.workers, or give it more"
# What a control group uses, by the file of its limit.
USED_FILES = {
    "memory.max": "memory.current",
    "memory.limit_in_bytes": "memory.usage_in_bytes",
}
CAN_LIMIT = sys.platform == "linux"  # elsewhere RLIMIT_DATA does not count what is mapped

_sharing = 1  # processes that share what is free


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
        return _status_bytes("/proc/self/status", "VmHWM") / MIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (MIB if sys.platform == "darwin" else 2**10)


def share_memory(workers: int) -> None:
    """Say how many processes share this machine's free memory with this one."""
    global _sharing
    _sharing = max(1, workers)


def free_bytes() -> int:
    """Return how much this process may still take: of its limit, or of what the machine has."""
    limit = _own_limit()
    if limit is not None:
        return max(0, limit - data_bytes())
    free = _cgroup_rests()
    with contextlib.suppress(OSError, StopIteration):
        free.append(_status_bytes("/proc/meminfo", "MemAvailable"))
    return min(free, default=_machine_bytes()) // _sharing


def data_bytes() -> int:
    """Return the private memory of this process, as its limit counts it; on Linux."""
    return _status_bytes("/proc/self/status", "VmData")


def free_text(free: int) -> str:
    """Return how much memory that is and what limits it, as text."""
    limit = _own_limit()
    allowed = allowance_text(None if limit is None else limit // MIB)
    return f"{free // MIB} MiB are left to this worker of {allowed}"


def _own_limit() -> int | None:
    """Return the bytes of private memory that this process may have, or None for no limit."""
    limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
    return None if limit == resource.RLIM_INFINITY or not CAN_LIMIT else limit


def _status_bytes(path: str, name: str) -> int:
    """Return a size that a file of the kernel's gives in kB."""
    lines = Path(path).read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) * 2**10


def _machine_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def allowance_text(limit: int | None) -> str:
    """Return how much memory a worker may use and what limits it, as text.

    Args:
        limit: the configured MiB, or None.
    """
    if limit is not None:
        return f"{limit} MiB (compute.memory_limit)"
    group = min(_cgroup_limits(), default=None)
    machine = _machine_bytes()
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
    return [limit for limit, _ in _cgroup_files()]


def _cgroup_rests() -> list[int]:
    """Return what control groups leave of their limits, in bytes."""
    rests = []
    for limit, file in _cgroup_files():
        used = file.with_name(USED_FILES[file.name])
        with contextlib.suppress(OSError, ValueError):
            cached = _cached_bytes(file.with_name("memory.stat"))
            rests.append(max(0, limit - int(used.read_text()) + cached))
    return rests


def _cached_bytes(stat: Path) -> int:
    """Return the bytes of file caches in a control group, which make way for others."""
    with contextlib.suppress(OSError, ValueError):
        named = dict(line.split(" ", 1) for line in stat.read_text().splitlines())
        return int(named.get("total_inactive_file", named.get("inactive_file", 0)))
    return 0


def _cgroup_files() -> list[tuple[int, Path]]:
    """Return limits in bytes with the files that hold them."""
    found = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            root = Path("/sys/fs/cgroup")
            file = (
                root / "memory" / path.lstrip("/") / "memory.limit_in_bytes"
                if "memory" in controllers.split(",")
                else root / path.lstrip("/") / "memory.max"
            )
            with contextlib.suppress(OSError, ValueError):
                found.append((int(file.read_text()), file))
    return found
