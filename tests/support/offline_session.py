"""Everything once, to be watched: server, worker, a run, its report and a verification.

Started in a network without a way out, under strace.
"""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from foldproof.tasks.prefect_server.server import NO_PROXY
from tests.support.live import Live
from tests.support.places import ROOT
from tests.support.processes import free_port, wait_for


def main(folder: Path, leak: bool) -> None:
    """Bring it all up, run, verify, and take it down.

    Args:
        folder: an empty folder.
        leak: also do what must not be done, to see that it is noticed.
    """
    if leak:
        request = "import socket; socket.socket().connect_ex(('192.0.2.1', 80))"
        subprocess.run([sys.executable, "-c", request], check=True)
        return
    port = free_port()
    live = Live(f"http://127.0.0.1:{port}/api", folder)
    command = (sys.executable, str(ROOT / "deployments" / "ui.py"), str(port))
    with live.started("ui", *command) as process:
        wait_for(lambda: "ready" in live.log("ui"), lambda: live.log("ui"))
        with NO_PROXY.open(f"http://127.0.0.1:{port}/", timeout=30) as page:
            assert b"<html" in page.read().lower()
        settings = {
            "data": {"source": "iris"},
            "model": {"builder": "sklearn.linear_model:LogisticRegression"},
            "split": {"n_splits": 3},
            "out": str(folder / "reports"),
        }
        run = live.run("cross_validate/cv-cpu", **settings)
        completed(live, run)
        (report,) = (folder / "reports" / "runs").iterdir()
        run = live.run("verify/verify", run_dir=str(report))
        completed(live, run)
        process.send_signal(signal.SIGINT)
        process.wait(60)


def completed(live: Live, run: Any) -> None:
    """Wait for a run and see that it completed."""
    ended = live.ended(run, "ui")
    assert ended.state.is_completed(), f"{live.log('ui')}\n{ended.state!r}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), len(sys.argv) > 2)
