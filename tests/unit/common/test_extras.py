"""What to type for a part that is not installed."""

import shlex
import tomllib

import pytest
from packaging.requirements import Requirement

from foldproof.tasks.common.extras import install_command
from foldproof.tasks.common.places import ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.mark.parametrize("extra", ["dask", "ray", "kubernetes", "team", "gpu"])
def test_the_command_names_what_the_extra_adds(extra):
    pip, install, *packages = shlex.split(install_command(extra))
    assert (pip, install) == ("pip", "install")
    assert {str(Requirement(package)) for package in packages} == {
        str(Requirement(package)) for package in EXTRAS[extra]
    }


def test_an_extra_that_is_not_known_is_left_to_the_checkout():
    assert install_command("nothere") == "pip install '.[nothere]'"
