"""The numerics fingerprint: what decides the bits of a fold besides its inputs.

Everything here is known without TensorFlow: the flow's process computes the fingerprint,
and a worker that finds another one refuses its fold.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from foldproof.tasks.common.digest import canonical_json, digest_json
from foldproof.tasks.machine.worker_environment import REMOVED_VARIABLES, THREAD_VARIABLES

LIBRARIES = ("numpy", "scipy", "scikit-learn", "tensorflow", "keras", "ml_dtypes")
GPU_LIBRARIES = ("nvidia-cudnn-cu12", "nvidia-cublas-cu12", "nvidia-cuda-runtime-cu12")
# Some machines need these, and they change results: they are recorded.
RECORDED_PREFIXES = ("ONEDNN_", "DNNL_", "OPENBLAS_", "MKL_", "NPY_", "XLA_", "TF_XLA_", "EIGEN_")
RECORDED_VARIABLES = (
    "NVIDIA_TF32_OVERRIDE",
    "TF_FP16_CONV_USE_FP32_COMPUTE",
    "TF_CUDNN_USE_AUTOTUNE",
)
CPUINFO, SYSCTL = Path("/proc/cpuinfo"), "/usr/sbin/sysctl"  # of Linux, of macOS
MACOS_NAME = "machdep.cpu.brand_string"
MACOS_CACHES = ("hw.perflevel0.l1dcachesize", "hw.perflevel0.l2cachesize")
NUMERIC_FLAGS = ("sse", "ssse", "avx", "fma", "f16c", "amx", "asimd", "sve", "neon", "bf16", "i8mm")


@dataclass(frozen=True)
class Numerics:
    """The settings and hardware that decide the bits of a fold, besides its inputs.

    Attributes:
        threads: intra-op, inter-op and BLAS threads of a worker.
        device: cpu or gpu.
        gpu: the GPU's name and driver, or null.
        found: the fingerprint as canonical JSON, where the folds train on other machines.
    """

    threads: int
    device: str
    gpu: str | None = None
    found: str = ""

    @classmethod
    def elsewhere(cls, prints: Sequence[dict[str, Any]]) -> "Numerics":
        """Return the numerics of a run on other machines, with these fingerprints.

        Of several, each fold gets any one: all of them are in every fold's key, so that none
        of these folds is taken for one that trained on a known machine.
        """
        texts = sorted({canonical_json(one) for one in prints})
        first = json.loads(texts[0])
        if len(texts) > 1:
            first["mixed"] = [json.loads(text) for text in texts]
        return cls(first["threads"], first["device"], first["gpu"], canonical_json(first))

    def warnings(self) -> tuple[str, ...]:
        """Return warnings for readers of results with these numerics."""
        kinds = len(self.fingerprint().get("mixed", ()))
        text = f"the folds trained on machines of {kinds} kinds, and bits may differ between them"
        return (f"{text}: execution.parquet says which fold had which",) if kinds else ()

    def fingerprint(self) -> dict[str, Any]:
        """Return versions, processor and settings as plain JSON."""
        if self.found:
            return dict(json.loads(self.found))
        libraries = LIBRARIES + (GPU_LIBRARIES if self.device == "gpu" else ())
        return {
            "python": ".".join(platform.python_version_tuple()[:2]),
            "libc": _libc(),
            "libraries": {name: _version(name) for name in libraries},
            "processor": _processor(),
            "device": self.device,
            "gpu": self.gpu,
            "threads": self.threads,
            "op_determinism": True,
            "meta_optimizer": False,
            "onednn": "default",
            "environment": _recorded(),
        }

    def digest(self) -> str:
        """Return the SHA-256 of the fingerprint."""
        return digest_json(self.fingerprint())


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _libc() -> str:
    """Return the C library, whose functions are in results; macOS has Accelerate as well."""
    if sys.platform == "darwin":
        return f"macOS-{platform.mac_ver()[0]}"
    return "-".join(platform.libc_ver())


def _recorded() -> dict[str, str]:
    own = {*THREAD_VARIABLES, *REMOVED_VARIABLES, "MKL_DYNAMIC"}
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if (name.startswith(RECORDED_PREFIXES) or name in RECORDED_VARIABLES) and name not in own
    }


def _processor() -> dict[str, Any]:
    """Describe the processor by the features that numerical libraries select kernels by.

    Kernels are chosen by maker, family and instruction sets, and matrix products are cut
    into blocks by the sizes of the caches, which changes the order of summation.
    """
    facts = _cpuinfo()
    flags = facts.get("flags", facts.get("Features", "")).split()
    return {
        "architecture": platform.machine(),
        "system": platform.system(),
        "maker": facts.get("vendor_id", facts.get("CPU implementer", "")),
        "family": facts.get("cpu family", facts.get("CPU part", "")),
        "flags": sorted(flag for flag in flags if flag.startswith(NUMERIC_FLAGS)),
        "caches": _caches(),
    }


def _cpuinfo() -> dict[str, str]:
    try:
        first = CPUINFO.read_text().split("\n\n")[0]
    except OSError:  # not Linux
        return {"vendor_id": _sysctl(SYSCTL).get(MACOS_NAME) or platform.processor()}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


@cache
def _sysctl(tool: str) -> dict[str, str]:
    """Return what macOS says of its faster cores; nothing where there is no such tool."""
    names = (MACOS_NAME, *MACOS_CACHES)
    try:  # names that a machine does not have are left out, which shows in the exit code
        ended = subprocess.run([tool, *names], capture_output=True, text=True, check=False)
    except OSError:
        return {}
    pairs = (line.partition(":") for line in ended.stdout.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _caches() -> list[str]:
    if not CPUINFO.exists():
        found = _sysctl(SYSCTL)
        return [f"{name}-{found[name]}" for name in MACOS_CACHES if name in found]
    root = Path("/sys/devices/system/cpu/cpu0/cache")
    return [
        "-".join((index / part).read_text().strip() for part in ("level", "type", "size"))
        for index in sorted(root.glob("index*"))
        if (index / "size").exists()
    ]
