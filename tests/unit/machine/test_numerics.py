import json
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from foldproof.tasks.machine import numerics
from foldproof.tasks.machine.numerics import Numerics
from foldproof.tasks.machine.worker_environment import (
    REMOVED_VARIABLES,
    THREAD_VARIABLES,
    worker_variables,
)

REPEATED = (
    "from foldproof.tasks.machine.numerics import Numerics\nprint(Numerics(1, 'cpu').digest())"
)


def test_the_fingerprint_names_the_installed_versions():
    libraries = Numerics(1, "cpu").fingerprint()["libraries"]
    assert libraries["numpy"] == metadata.version("numpy")
    assert libraries["tensorflow"] == metadata.version("tensorflow")
    assert libraries["keras"] == metadata.version("keras")
    assert libraries["scikit-learn"] == metadata.version("scikit-learn")


def test_the_fingerprint_is_plain_json():
    found = Numerics(2, "cpu").fingerprint()
    assert json.loads(json.dumps(found)) == found
    assert found["processor"]["architecture"]
    assert found["python"] == ".".join(map(str, sys.version_info[:2]))


def test_it_needs_no_tensorflow():
    script = f"{REPEATED}; import sys; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_another_process_finds_the_same_one():
    found = subprocess.run(
        [sys.executable, "-c", REPEATED], check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == Numerics(1, "cpu").digest()


@pytest.mark.parametrize(
    "other", [Numerics(2, "cpu"), Numerics(1, "gpu", "A"), Numerics(1, "gpu", "B")]
)
def test_threads_and_device_are_part_of_it(other):
    assert other.digest() != Numerics(1, "cpu").digest()
    assert Numerics(1, "gpu", "A").digest() != Numerics(1, "gpu", "B").digest()


def test_a_gpus_libraries_count_only_where_it_is_used():
    extra = Numerics(1, "gpu", "A").fingerprint()["libraries"]
    assert extra.keys() > Numerics(1, "cpu").fingerprint()["libraries"].keys()


@pytest.mark.parametrize(
    "name", ["ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE", "NVIDIA_TF32_OVERRIDE", "XLA_FLAGS"]
)
def test_settings_that_change_results_are_recorded(monkeypatch, name):
    monkeypatch.delenv(name, raising=False)
    before = Numerics(1, "cpu")
    plain = before.digest()
    monkeypatch.setenv(name, "something")
    assert before.fingerprint()["environment"][name] == "something"
    assert before.digest() != plain


@pytest.mark.parametrize("name", [*REMOVED_VARIABLES, *THREAD_VARIABLES, "HOME_OF_NOTHING"])
def test_what_a_worker_overrules_or_ignores_does_not_count(monkeypatch, name):
    monkeypatch.delenv(name, raising=False)
    plain = Numerics(1, "cpu").digest()
    monkeypatch.setenv(name, "9")
    assert Numerics(1, "cpu").digest() == plain


def test_a_workers_own_settings_leave_its_fingerprint_as_the_flows(tmp_path, monkeypatch):
    flows = Numerics(2, "cpu").fingerprint()
    for name in REMOVED_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in worker_variables(2, tmp_path).items():
        monkeypatch.setenv(name, value)
    assert Numerics(2, "cpu").fingerprint() == flows


SAID_BY_MACOS = """machdep.cpu.brand_string: Apple M2 Pro
hw.perflevel0.l1dcachesize: 131072
hw.perflevel0.l2cachesize: 16777216
"""


def test_macos_is_asked_for_processor_caches_and_its_own_version(tmp_path: Path, monkeypatch):
    tool = tmp_path / "sysctl"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{SAID_BY_MACOS}END\nexit 1\n")
    tool.chmod(0o700)
    monkeypatch.setattr(numerics, "CPUINFO", tmp_path / "none")
    monkeypatch.setattr(numerics, "SYSCTL", str(tool))
    monkeypatch.setattr(platform, "mac_ver", lambda: ("14.5", ("", "", ""), "arm64"))
    monkeypatch.setattr(sys, "platform", "darwin")
    found = Numerics(1, "cpu").fingerprint()
    monkeypatch.undo()
    assert found["libc"] == "macOS-14.5"
    assert found["processor"]["maker"] == "Apple M2 Pro"
    assert [text.partition("-")[2] for text in found["processor"]["caches"]] == [
        "131072",
        "16777216",
    ]


def test_a_system_that_says_nothing_of_its_processor_has_a_fingerprint(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(numerics, "CPUINFO", tmp_path / "none")
    monkeypatch.setattr(numerics, "SYSCTL", str(tmp_path / "none"))
    found = Numerics(1, "cpu").fingerprint()["processor"]
    assert found["architecture"] == platform.machine()
    assert found["caches"] == found["flags"] == []
