"""A configured Prefect API is found wherever Prefect finds it, without loading it for nothing."""

import os
import subprocess
import sys

import pytest

from tests.support.places import ROOT

URL = "http://127.0.0.1:4999/api"
PROFILES = f'active = "team"\n[profiles.team]\nPREFECT_API_URL = "{URL}"\n[profiles.alone]\n'
LOOK = """
import os, sys
from foldproof.tasks.prefect_server.server import api_is_configured
found = api_is_configured()
asked = "prefect" in sys.modules
from prefect.settings import get_current_settings
print(found, asked, get_current_settings().api.url)
"""


def look(folder, **variables) -> list[str]:
    """Return what we say, whether Prefect was asked for it, and what Prefect says."""
    kept = {name: value for name, value in os.environ.items() if "PREFECT" not in name.upper()}
    ended = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "HOME": str(folder / "home"), **variables},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


@pytest.mark.parametrize(
    ("files", "variables"),
    [
        ({}, {"PREFECT_API_URL": URL}),
        ({}, {"prefect_api_url": URL}),
        ({"home/.prefect/profiles.toml": PROFILES}, {}),
        ({"own/profiles.toml": PROFILES}, {"PREFECT_HOME": "own"}),
        ({"own/team.toml": PROFILES}, {"PREFECT_PROFILES_PATH": "own/team.toml"}),
        (
            {"own/team.toml": PROFILES.replace('"team"', '"alone"', 1)},
            {"PREFECT_PROFILES_PATH": "own/team.toml", "PREFECT_PROFILE": "team"},
        ),
        ({"own/team.toml": PROFILES, ".env": "PREFECT_PROFILES_PATH=own/team.toml\n"}, {}),
        ({"own/team.toml": PROFILES, "prefect.toml": 'profiles_path = "own/team.toml"\n'}, {}),
        (
            {
                "own/team.toml": PROFILES,
                "pyproject.toml": '[tool.prefect]\nprofiles_path = "own/team.toml"\n',
            },
            {},
        ),
        ({".env": f"PREFECT_API_URL={URL}\n"}, {}),
        ({"prefect.toml": f'api.url = "{URL}"\n'}, {}),
        ({"prefect.toml": f'[api]\nurl = "{URL}"\n'}, {}),
        ({"pyproject.toml": f'[tool.prefect.api]\nurl = "{URL}"\n'}, {}),
        ({"pyproject.toml": f'tool = {{prefect = {{api = {{url = "{URL}"}}}}}}\n'}, {}),
    ],
)
def test_what_prefect_finds_is_found(tmp_path, files, variables):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found, _, prefects = look(tmp_path, **variables)
    assert (found, prefects) == ("True", URL)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"home/.prefect/profiles.toml": 'active = "ephemeral"\n[profiles.ephemeral]\n'},
        {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["prefect", "api_url"]\n'},
        {".env": "OTHER_API_URL=http://127.0.0.1:1\n"},
    ],
)
def test_prefect_is_not_loaded_where_nothing_speaks_of_it(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert look(tmp_path) == ["False", "False", "None"]


def test_a_profile_that_is_not_the_active_one_configures_nothing(tmp_path):
    (tmp_path / "team.toml").write_text(PROFILES)
    chosen = {"PREFECT_PROFILES_PATH": "team.toml", "PREFECT_PROFILE": "alone"}
    assert look(tmp_path, **chosen) == ["False", "True", "None"]


def test_settings_of_the_process_count():
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from foldproof.tasks.prefect_server.server import api_is_configured

    with temporary_settings({PREFECT_API_URL: URL}):
        assert api_is_configured()
