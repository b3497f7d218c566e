"""Find the devices of this machine without TensorFlow, and choose the slots on them."""

import itertools
import os
import shutil
import subprocess
from ctypes.util import find_library
from dataclasses import dataclass
from importlib.util import find_spec

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.machine.numerics import Numerics

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
    """The slots of a run, and the numerics that they share."""

    devices: tuple[Device, ...]
    numerics: Numerics


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
        gpus = []
    if gpus:
        return _gpu_placement(compute, gpus)
    count = max(1, available_cores() // compute.threads)
    count = count if compute.workers == "auto" else compute.workers
    devices = tuple(Device(f"cpu:{i}", visible="") for i in range(count))
    return Placement(devices, Numerics(compute.threads, "cpu"))


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
    names = itertools.takewhile(facts.__contains__, map(str.strip, wanted.split(",")))
    return [(name, facts[name]) for name in names]  # CUDA stops at the first unknown name, too


def _listing(tool: str, columns: str) -> list[list[str]]:
    query = [tool, f"--query-gpu={columns}", "--format=csv,noheader,nounits"]
    try:
        listing = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    lines = [[part.strip() for part in line.split(",")] for line in listing.stdout.splitlines()]
    full = len(columns.split(","))
    return [row for row in lines if len(row) == full]  # "No devices were found" is no row


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
