"""No call leaves the machine: server, UI, worker, run and report, watched without a network."""

import os
import re
import shutil
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.support.needs import need
from tests.support.places import ROOT

pytestmark = pytest.mark.server
ADDRESS = re.compile(r'(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)")')
WATCHED = ("connect", "sendto", "sendmsg", "sendmmsg")


def outside(folder: Path, *arguments: str) -> set[str]:
    """Return the addresses outside this machine that a session tried to reach."""
    trace = folder / "trace"
    watch = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={','.join(WATCHED)}"]
    session = [sys.executable, "-m", "tests.support.offline_session", str(folder), *arguments]
    command = " ".join([*watch, "-o", str(trace), *session])
    ended = subprocess.run(
        ["unshare", "--net", "bash", "-c", f"ip link set lo up && exec {command}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"},
    )
    assert ended.returncode == 0, (ended.stdout + ended.stderr)[-6000:]
    text = trace.read_text(errors="replace")
    assert text.count("connect(") > 0
    found = {first or second for first, second in ADDRESS.findall(text)}
    return {address for address in found if not is_here(address)}


def is_here(address: str) -> bool:
    """Tell whether an address is one of this machine's own."""
    given = ip_address(address)
    mapped = getattr(given, "ipv4_mapped", None) or given
    return mapped.is_loopback or mapped.is_unspecified


@pytest.fixture(autouse=True)
def _tools():
    need(shutil.which("strace") is not None, "strace")
    need(os.getuid() == 0, "root, for a network without a way out,")


def test_a_call_to_another_host_would_be_seen(tmp_path):
    assert outside(tmp_path, "leak") == {"192.0.2.1"}


def test_nothing_of_a_deployed_run_calls_another_host(tmp_path):
    assert outside(tmp_path) == set()
