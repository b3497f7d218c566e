"""The machine and the versions that numbers were measured with."""

import os
import platform
from importlib import metadata
from pathlib import Path

from foldproof.tasks.machine.devices import available_cores

LIBRARIES = ("tensorflow", "keras", "scikit-learn", "prefect", "scikeras", "joblib")
FAMILIES = ("amx_tile", "avx512f", "avx2", "avx", "sse4_2", "sve", "asimd")


def machine() -> str:
    """Return cores, processor, instruction set family, memory, load and versions, two lines."""
    versions = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    system = f"{platform.system()} {platform.machine()}"
    hardware = f"{available_cores()} cores, {_processor()}, {_family()}, {_memory()}, {system}"
    load = f"load {os.getloadavg()[0]:.1f} at the end"
    return f"machine: {hardware}, {load}\nversions: Python {platform.python_version()}, {versions}"


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "-"


def _processor() -> str:
    for line in _lines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def _family() -> str:
    for line in _lines():
        if line.startswith(("flags", "Features")):
            flags = set(line.partition(":")[2].split())
            return next((name for name in FAMILIES if name in flags), "unknown instruction set")
    return "unknown instruction set"


def _memory() -> str:
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{size / 2**30:.0f} GiB"


def _lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
