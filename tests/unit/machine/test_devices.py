"""Slots and GPUs; the GPUs are a simulated listing: an `nvidia-smi` of our own on PATH."""

import os
import stat

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.machine import devices
from foldproof.tasks.machine.devices import available_cores, place, visible_gpus

PAIR = "0, GPU-aaa, NVIDIA H100, 570.1\n1, GPU-bbb, NVIDIA H100, 570.1\n"
MIXED = "0, GPU-aaa, NVIDIA H100, 570.1\n1, GPU-bbb, NVIDIA T4, 570.1\n"
H100 = "NVIDIA H100, driver 570.1"


@pytest.fixture
def listing(tmp_path, monkeypatch):
    """Return a function that makes `nvidia-smi` print a text and end with a code."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    monkeypatch.setattr("foldproof.tasks.machine.devices.has_cuda", lambda: True)

    def install(text, code=0):
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\ncat <<'END'\n{text}END\nexit {code}\n")
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return install


@pytest.fixture
def no_tool(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def names(placement):
    return [device.name for device in placement.devices]


def visible(placement):
    return [device.visible for device in placement.devices]


def test_cpu_slots_share_the_cores_by_threads(no_tool):
    cores = available_cores()
    assert len(place(ComputeSpec()).devices) == cores
    assert len(place(ComputeSpec(threads=cores)).devices) == 1
    assert len(place(ComputeSpec(threads=10 * cores)).devices) == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity is Linux's")
def test_cores_are_those_that_this_process_may_use(no_tool):
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert names(place(ComputeSpec())) == ["cpu:0"]
    finally:
        os.sched_setaffinity(0, before)


def test_the_number_of_cpu_workers_is_the_users_to_choose(no_tool):
    placement = place(ComputeSpec(workers=7, threads=3))
    assert names(placement) == [f"cpu:{i}" for i in range(7)]
    assert visible(placement) == [""] * 7
    assert (placement.numerics.device, placement.numerics.threads) == ("cpu", 3)
    assert placement.numerics.gpu is None


def test_gpus_are_listed_without_tensorflow(listing):
    listing(PAIR)
    assert visible_gpus() == [("0", H100), ("1", H100)]


def test_one_slot_a_gpu(listing):
    listing(PAIR)
    placement = place(ComputeSpec(threads=2))
    assert names(placement) == ["gpu:0", "gpu:1"]
    assert visible(placement) == ["0", "1"]
    assert (placement.numerics.device, placement.numerics.gpu) == ("gpu", H100)
    assert placement.numerics.threads == 2


@pytest.mark.parametrize(("workers", "expected"), [(1, 1), (2, 2), (5, 2)])
def test_no_more_slots_than_gpus(listing, workers, expected):
    listing(PAIR)
    assert len(place(ComputeSpec(workers=workers)).devices) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("1", ["1"]),
        ("1,0", ["1", "0"]),
        (" 1 , 0 ", ["1", "0"]),
        ("GPU-bbb", ["GPU-bbb"]),
        ("GPU-b", ["GPU-b"]),
        ("GPU-", []),  # of both
        ("GPU-c,0", []),
        ("1,-1,0", ["1"]),  # as CUDA: what follows an unknown name is not seen
        ("7,0", []),
        ("", []),
        ("-1", []),
    ],
)
def test_only_what_cuda_would_see_counts(listing, monkeypatch, wanted, expected):
    listing(PAIR)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", wanted)
    assert [name for name, _ in visible_gpus()] == expected
    assert visible(place(ComputeSpec(workers=2))) == (expected or ["", ""])


@pytest.mark.parametrize(("text", "code"), [("No devices were found\n", 0), ("", 0), (PAIR, 9)])
def test_a_listing_without_devices_means_none(listing, text, code):
    listing(text, code)
    assert visible_gpus() == []
    assert place(ComputeSpec()).numerics.device == "cpu"


def test_gpus_of_different_kinds_are_refused_with_a_remedy(listing, monkeypatch):
    listing(MIXED)
    with pytest.raises(InputError, match=r"the GPUs differ.*set CUDA_VISIBLE_DEVICES") as caught:
        place(ComputeSpec())
    assert caught.value.field == "compute.device"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert place(ComputeSpec()).numerics.gpu == "NVIDIA T4, driver 570.1"


def test_the_cpu_can_be_asked_for_beside_gpus(listing):
    listing(PAIR)
    assert place(ComputeSpec(device="cpu", workers=1)).numerics.device == "cpu"


def test_a_gpu_that_is_not_there_is_refused(no_tool):
    with pytest.raises(InputError, match=r"^compute\.device: no GPU is visible here; use cpu"):
        place(ComputeSpec(device="gpu"))


def test_without_cuda_libraries_auto_takes_the_cpu_and_gpu_is_refused(listing, monkeypatch):
    listing(MIXED)
    monkeypatch.setattr("foldproof.tasks.machine.devices.has_cuda", lambda: False)
    without = place(ComputeSpec())
    assert without.numerics.device == "cpu"
    assert without.notice.startswith("NVIDIA H100, driver 570.1 is visible and not used: CUDA's")
    assert place(ComputeSpec(device="cpu")).notice == ""
    with pytest.raises(InputError, match=r"CUDA's libraries are not installed; install"):
        place(ComputeSpec(device="gpu"))


PARTS = """GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-aaa)
  MIG 3g.40gb     Device  0: (UUID: MIG-111)
  MIG 1g.10gb     Device  1: (UUID: MIG-222)
GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-bbb)
  MIG 3g.40gb     Device  0: (UUID: MIG-333)
"""


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("MIG-111,MIG-3", ["MIG-111", "MIG-3"]),
        ("MIG-222", ["MIG-222"]),
        ("MIG-9,MIG-111", []),
    ],
)
def test_parts_of_a_gpu_are_slots_by_their_names(listing, tmp_path, monkeypatch, wanted, expected):
    listing(PAIR)
    tool = tmp_path / "nvidia-smi"
    parts = f"if [ \"$1\" = -L ]; then cat <<'END'\n{PARTS}END\nexit; fi\n"
    tool.write_text(tool.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\n{parts}"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", wanted)
    assert [name for name, _ in visible_gpus()] == expected
    if expected:
        size = "1g.10gb" if wanted == "MIG-222" else "3g.40gb"
        placement = place(ComputeSpec())
        assert visible(placement) == expected
        assert placement.numerics.gpu == f"NVIDIA H100 80GB HBM3 MIG {size}, driver 570.1"


@pytest.fixture
def sized_listing(listing, tmp_path):
    """Two GPUs whose memory is listed, too."""
    listing(PAIR)
    tool = tmp_path / "nvidia-smi"
    usual = tool.read_text()
    sizes = "0, GPU-aaa, 81559\\n1, GPU-bbb, 81559\\n"
    tool.write_text(
        usual.replace(
            "#!/bin/sh\n", f'#!/bin/sh\ncase "$1" in *memory*) printf "{sizes}"; exit;; esac\n'
        )
    )


def test_several_folds_share_a_gpu_and_its_memory(sized_listing):
    placement = place(ComputeSpec(folds_per_gpu=2))
    assert names(placement) == ["gpu:0.0", "gpu:1.0", "gpu:0.1", "gpu:1.1"]
    assert visible(placement) == ["0", "1", "0", "1"]
    assert {device.memory for device in placement.devices} == {81559 // 2 - 600}
    assert placement.numerics == place(ComputeSpec()).numerics
    assert {device.memory for device in place(ComputeSpec()).devices} == {None}


def test_few_workers_are_spread_over_the_gpus(sized_listing):
    assert names(place(ComputeSpec(folds_per_gpu=3, workers=2))) == ["gpu:0.0", "gpu:1.0"]


def test_gpus_are_not_shared_where_their_memory_is_unknown_or_small(listing, sized_listing):
    with pytest.raises(InputError, match=r"^compute\.folds_per_gpu: 90 folds leave .* use fewer"):
        place(ComputeSpec(folds_per_gpu=90))
    listing(PAIR)
    with pytest.raises(InputError, match=r"^compute\.folds_per_gpu: the memory of GPU 0 is not"):
        place(ComputeSpec(folds_per_gpu=2))


def test_a_memory_limit_that_the_system_does_not_keep_is_said(no_tool, monkeypatch):
    limited = ComputeSpec(memory_limit=1024)
    assert place(limited).notice == ""
    monkeypatch.setattr(devices, "CAN_LIMIT", False)
    assert place(limited).notice.startswith("compute.memory_limit had no effect")
    assert place(ComputeSpec()).notice == ""
