"""`make ui` in a real terminal: it asks nothing, changes no profile, and leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from foldproof.deployments.local import start
from foldproof.deployments.ui import allow, modules_in
from foldproof.tasks.run.allowlist import BUILDERS, PATHS
from tests.support.live import Live
from tests.support.places import ROOT
from tests.support.prefect_home import made_home
from tests.support.processes import free_port, wait_for

UI = [str(ROOT / "deployments" / "ui.py")]
PROFILE = 'active = "mine"\n\n[profiles.mine]\nPREFECT_LOGGING_LEVEL = "WARNING"\n'
OTHER = '\n[profiles.other]\nPREFECT_API_URL = "http://127.0.0.1:{port}/api"\n'


def environment(home: Path, **more: str) -> dict[str, str]:
    """A person's shell with another home for Prefect, and nothing configured."""
    kept = {name: v for name, v in os.environ.items() if not name.startswith("PREFECT_")}
    return {**kept, "PREFECT_HOME": str(home), "PYTHONPATH": str(ROOT), **more}


def test_what_prefect_runs_is_asked_nothing(tmp_path):
    """A process started for somebody has no standard input, and no leave to ask."""
    said = tmp_path / "said"
    program = f"""
import os, pathlib, sys
text = os.environ['PREFECT_CLI_PROMPT'] + repr(sys.stdin.read())
pathlib.Path({str(said)!r}).write_text(text)
"""
    process = start([sys.executable, "-c", program], {"PREFECT_CLI_PROMPT": "true"})
    assert process.wait(60) == 0
    assert said.read_text() == "false''"


def test_a_study_is_allowed_with_its_modules(tmp_path, monkeypatch):
    for name in ("nets.py", "_private.py", "run-me.py", "data.csv"):
        (tmp_path / name).touch()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "__init__.py").touch()
    (tmp_path / "results").mkdir()
    assert list(modules_in(tmp_path)) == ["deep", "nets"]
    monkeypatch.setenv(BUILDERS, "theirs")
    monkeypatch.setenv(PATHS, "")  # so that what `allow` sets is taken back
    monkeypatch.delenv(PATHS)
    allow(tmp_path)
    assert os.environ[BUILDERS] == "theirs,deep,nets"
    assert os.environ[PATHS] == str(tmp_path)


def test_a_study_that_is_no_folder_is_refused_in_one_line(tmp_path):
    command = [sys.executable, *UI, "--study", str(tmp_path / "nowhere")]
    ended = subprocess.run(
        command, env=environment(tmp_path / "home"), capture_output=True, text=True
    )
    assert ended.returncode == 2
    problem = f"argument --study: no folder {str(tmp_path / 'nowhere')!r}"
    assert ended.stderr.splitlines()[-1].endswith(f"{problem}; give the folder of your study")


@pytest.mark.long
@pytest.mark.parametrize("profiles", ["", PROFILE, PROFILE + OTHER], ids=["fresh", "own", "same"])
def test_it_asks_nothing_in_a_terminal_and_changes_no_profile(tmp_path, profiles):
    import pexpect

    home, port = tmp_path / "home", free_port()
    home.mkdir()
    if profiles:  # else it is the first start of all
        made_home(home)
    file, written = home / "profiles.toml", profiles.format(port=port)
    if written:
        file.write_text(written)
    variables = environment(home, TERM="xterm-256color")
    terminal = pexpect.spawn(
        sys.executable, [*UI, str(port)], env=variables, cwd=tmp_path, timeout=300, encoding="utf-8"
    )
    try:
        terminal.expect(f"ready: http://127.0.0.1:{port}  \\(Ctrl-C takes all of it down\\)\r\n")
        assert f"  export PREFECT_API_URL=http://127.0.0.1:{port}/api\r\n" in terminal.before
        assert "?" not in terminal.before
        with pytest.raises(pexpect.TIMEOUT):
            terminal.expect(".", timeout=5)  # it is the last line
        terminal.sendintr()
        terminal.expect("stopped\r\n")
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close(force=True)
    assert terminal.exitstatus == 0
    assert (file.read_text() if file.exists() else "") == written


NETS = """
from sklearn.linear_model import LogisticRegression

def build(task):
    return LogisticRegression(max_iter=1000)

def helper(path):
    return path

def _hidden():
    return None
"""


@pytest.mark.long
def test_a_study_runs_in_its_folder_with_its_builders(tmp_path):
    study = tmp_path / "my study"
    study.mkdir()
    (study / "nets.py").write_text(NETS)
    port = free_port()
    live = Live(f"http://127.0.0.1:{port}/api", tmp_path, {"PREFECT_API_URL": ""})
    made_home(live.folder / "home")
    for name in (BUILDERS, PATHS):
        live.variables[name] = ""
    command = (sys.executable, *UI, str(port), "--study", str(study))
    with live.started("worker", *command):
        wait_for(lambda: "ready:" in live.log("worker"), lambda: live.log("worker"))
        with live.client() as client:
            deployments = {each.name: each for each in client.read_deployments()}
            pools = {each.name: each.status for each in client.read_work_pools()}
        assert set(deployments) == {"cv-cpu", "nightly", "compare", "verify"}
        assert pools == {"cv-cpu": "READY"}
        (nightly,) = deployments["nightly"].schedules
        assert not nightly.active
        schema = deployments["cv-cpu"].parameter_openapi_schema
        assert schema is not None
        form = schema["properties"]
        offered = form["model"]["properties"]["builder"]["anyOf"][0]["enum"]
        assert offered == ["tasks.models:mlp", "tasks.models:cnn", "nets:build"]
        settings = {"data": {"source": "iris"}, "split": {"n_splits": 3}}
        run = live.run("cross_validate/cv-cpu", model={"builder": "nets:build"}, **settings)
        ended = live.ended(run)
        assert ended.state.is_completed(), ended.state.message
        assert (study / "reports" / "runs").is_dir()
