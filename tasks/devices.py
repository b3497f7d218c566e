"""The devices of this machine, found without TensorFlow, and the slots they offer."""

import itertools
import os
import shutil
import subprocess
from ctypes.util import find_library
from dataclasses import dataclass
from importlib.util import find_spec

from tasks.config import ComputeSpec
from tasks.environment import Numerics
from tasks.errors import InputError


@dataclass(frozen=True)
class Device:
    """One slot: what a worker process may use.

    Attributes:
        name: cpu:0, cpu:1, ... or gpu:0, ...
        visible: the value of CUDA_VISIBLE_DEVICES in its worker.
    """

    name: str
    visible: str


@dataclass(frozen=True)
class Placement:
    """Where the folds of a run train: the slots, and the numerics all of them share."""

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
        return _on_gpus(compute, gpus)
    count = max(1, available_cores() // compute.threads)
    count = count if compute.workers == "auto" else compute.workers
    devices = tuple(Device(f"cpu:{i}", visible="") for i in range(count))
    return Placement(devices, Numerics(compute.threads, "cpu"))


def available_cores() -> int:
    """Return the cores this process may use, by affinity and cgroup."""
    from joblib import cpu_count

    return int(cpu_count())


def has_cuda() -> bool:
    """Tell whether TensorFlow would find CUDA's libraries, as packages or on the system."""
    packaged = find_spec("nvidia") is not None and find_spec("nvidia.cudnn") is not None
    return packaged or find_library("cudnn") is not None


def visible_gpus() -> list[tuple[str, str]]:
    """Return (index or uuid, name and driver) of each GPU that CUDA would see."""
    tool = shutil.which("nvidia-smi")
    if tool is None or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return []
    query = [tool, "--query-gpu=index,uuid,name,driver_version", "--format=csv,noheader"]
    try:
        listing = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    lines = [[part.strip() for part in line.split(",")] for line in listing.stdout.splitlines()]
    rows = [row for row in lines if len(row) == 4]  # "No devices were found" is no row
    wanted = os.environ.get("CUDA_VISIBLE_DEVICES")
    if wanted is None:
        return [(index, f"{name}, driver {driver}") for index, _, name, driver in rows]
    facts = {key: f"{row[2]}, driver {row[3]}" for row in rows for key in row[:2]}
    names = itertools.takewhile(facts.__contains__, map(str.strip, wanted.split(",")))
    return [(name, facts[name]) for name in names]  # CUDA stops at the first unknown name, too


def _on_gpus(compute: ComputeSpec, gpus: list[tuple[str, str]]) -> Placement:
    count = len(gpus) if compute.workers == "auto" else min(compute.workers, len(gpus))
    kinds = {kind for _, kind in gpus[:count]}
    if len(kinds) > 1:
        remedy = "set CUDA_VISIBLE_DEVICES to GPUs of one kind"
        raise InputError(
            "compute.device", f"the GPUs differ ({'; '.join(sorted(kinds))}); {remedy}"
        )
    devices = tuple(Device(f"gpu:{i}", visible=index) for i, (index, _) in enumerate(gpus[:count]))
    return Placement(devices, Numerics(compute.threads, "gpu", kinds.pop()))
