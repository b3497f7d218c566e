"""Find the devices of this machine without TensorFlow, and choose the slots on them."""

import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from ctypes.util import find_library
from dataclasses import dataclass, replace
from importlib.util import find_spec
from operator import itemgetter

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.machine.memory import CAN_LIMIT
from foldproof.tasks.machine.numerics import Numerics

# As `nvidia-smi -L` lists them: name and UUID of a GPU, profile and UUID of a part of it.
WHOLE_GPU = re.compile(r"GPU \d+: (.+) \(UUID: (GPU-[^)]+)\)")
PART_OF_GPU = re.compile(r"\s+MIG (\S+)\s+Device\s+\d+: \(UUID: (MIG-[^)]+)\)")

UNLIMITED = "compute.memory_limit had no effect: only Linux can limit a worker's private memory"

CUDA_CONTEXT_MIB = 600  # of a process, in addition to TensorFlow's memory


@dataclass(frozen=True)
class Device:
    """The device of one slot, as far as its worker process may use it.

    Attributes:
        name: cpu:0, cpu:1, ... or gpu:0, ...; with several folds a GPU gpu:0.0, gpu:0.1, ...
        visible: the value of CUDA_VISIBLE_DEVICES in its worker.
        memory: MiB of the GPU that its worker may take, or None for all.
    """

    name: str
    visible: str
    memory: int | None = None


@dataclass(frozen=True)
class Placement:
    """The slots of a run, and the numerics that they share.

    Attributes:
        devices: one a slot.
        numerics: of all of them.
        notice: a line for the user about a GPU or a limit that is not used, or empty.
    """

    devices: tuple[Device, ...]
    numerics: Numerics
    notice: str = ""


def place(compute: ComputeSpec) -> Placement:
    """Choose the slots: one per `threads` cores that this process may use, or one per GPU.

    Raises:
        InputError: a GPU is asked for and there is none.
    """
    gpus = [] if compute.device == "cpu" else visible_gpus()
    if compute.device == "gpu" and not gpus:
        raise InputError("compute.device", "no GPU is visible here; use cpu or auto")
    if gpus and not has_cuda():
        if compute.device == "gpu":
            remedy = "install foldproof[gpu]"
            raise InputError("compute.device", f"CUDA's libraries are not installed; {remedy}")
        return replace(_cpu_placement(compute), notice=_unused(gpus))
    return _gpu_placement(compute, gpus) if gpus else _cpu_placement(compute)


def _unused(gpus: list[tuple[str, str]]) -> str:
    remedy = "install foldproof[gpu], or set compute.device to cpu"
    seen = f"{gpus[0][1]} is visible and not used: CUDA's libraries are not installed"
    return f"{seen}; {remedy}"


def _cpu_placement(compute: ComputeSpec) -> Placement:
    count = max(1, available_cores() // compute.threads)
    count = count if compute.workers == "auto" else compute.workers
    devices = tuple(Device(f"cpu:{i}", visible="") for i in range(count))
    unlimited = compute.memory_limit is not None and not CAN_LIMIT
    return Placement(devices, Numerics(compute.threads, "cpu"), UNLIMITED if unlimited else "")


def available_cores() -> int:
    """Return the cores this process may use, by affinity and cgroup."""
    from joblib import cpu_count

    return int(cpu_count())


def has_cuda() -> bool:
    """Return whether TensorFlow would find CUDA's libraries, as packages or on the system."""
    packaged = find_spec("nvidia") is not None and find_spec("nvidia.cudnn") is not None
    return packaged or find_library("cudnn") is not None


def visible_gpus() -> list[tuple[str, str]]:
    """Return (index or uuid, name and driver) of each GPU that CUDA would see."""
    tool = shutil.which("nvidia-smi")
    if tool is None or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return []
    rows = _listing(tool, "index,uuid,name,driver_version")
    wanted = os.environ.get("CUDA_VISIBLE_DEVICES")
    if wanted is None:
        return [(index, f"{name}, driver {driver}") for index, _, name, driver in rows]
    facts = {key: f"{row[2]}, driver {row[3]}" for row in rows for key in row[:2]}
    names = [name.strip() for name in wanted.split(",")]
    if any(name.startswith("MIG-") for name in names):
        facts |= _parts_of_gpus(tool, {row[1]: row[3] for row in rows})
    found = ((name, _fact(name, facts)) for name in names)
    # CUDA stops at the first unknown name, too.
    return [(name, fact) for name, fact in itertools.takewhile(itemgetter(1), found) if fact]


def _fact(name: str, facts: Mapping[str, str]) -> str | None:
    """Return what is known of a device by its name; the beginning of a UUID does if it is one's."""
    if name in facts or not name.startswith(("GPU-", "MIG-")):
        return facts.get(name)
    fitting = [fact for uuid, fact in facts.items() if uuid.startswith(name)]
    return fitting[0] if len(fitting) == 1 else None


def _parts_of_gpus(tool: str, drivers: Mapping[str, str]) -> dict[str, str]:
    """Return name and driver of each part of a divided GPU (MIG), by its UUID."""
    found, gpu, driver = dict[str, str](), "", ""
    for line in _printed([tool, "-L"]):
        if whole := WHOLE_GPU.match(line):
            gpu, driver = whole[1], drivers.get(whole[2], "")
        elif part := PART_OF_GPU.match(line):
            found[part[2]] = f"{gpu} MIG {part[1]}, driver {driver}"
    return found


def _listing(tool: str, columns: str) -> list[list[str]]:
    query = [tool, f"--query-gpu={columns}", "--format=csv,noheader,nounits"]
    lines = [[part.strip() for part in line.split(",")] for line in _printed(query)]
    full = len(columns.split(","))
    return [row for row in lines if len(row) == full]  # "No devices were found" is no row


def _printed(command: list[str]) -> list[str]:
    """Return the lines that a command prints; none where it fails."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return ended.stdout.splitlines()


def _gpu_placement(compute: ComputeSpec, gpus: list[tuple[str, str]]) -> Placement:
    parts = compute.folds_per_gpu
    places = [(part, number) for part in range(parts) for number in range(len(gpus))]
    places = places if compute.workers == "auto" else places[: compute.workers]
    kinds = {gpus[number][1] for _, number in places}
    if len(kinds) > 1:
        remedy = "set CUDA_VISIBLE_DEVICES to GPUs of one kind"
        raise InputError(
            "compute.device", f"the GPUs differ ({'; '.join(sorted(kinds))}); {remedy}"
        )
    memory = _gpu_memory_mib() if parts > 1 else {}
    devices = tuple(_slot(gpus[number][0], number, part, parts, memory) for part, number in places)
    return Placement(devices, Numerics(compute.threads, "gpu", kinds.pop()))


def _slot(visible: str, number: int, part: int, parts: int, memory: dict[str, int]) -> Device:
    if parts == 1:
        return Device(f"gpu:{number}", visible)
    if visible not in memory:
        problem = f"the memory of GPU {visible} is not known; set it to 1"
        raise InputError("compute.folds_per_gpu", problem)
    share = memory[visible] // parts - CUDA_CONTEXT_MIB
    if share < CUDA_CONTEXT_MIB:
        problem = f"{parts} folds leave {max(0, share)} MiB of GPU {visible} for each; use fewer"
        raise InputError("compute.folds_per_gpu", problem)
    return Device(f"gpu:{number}.{part}", visible, share)


def _gpu_memory_mib() -> dict[str, int]:
    """Return the memory of each GPU in MiB, by index and uuid."""
    rows = _listing(shutil.which("nvidia-smi") or "nvidia-smi", "index,uuid,memory.total")
    return {key: int(row[2]) for row in rows for key in row[:2] if row[2].isdecimal()}
