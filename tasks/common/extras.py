"""What an optional part needs, as a command that installs it."""

import re
import shlex
from importlib import metadata
from importlib.util import find_spec

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.places import PACKAGE

# As distributions write them: `ray<2.61,>=2.60; extra == "ray"`.
REQUIREMENT = re.compile(r"(?P<package>[^;]+?)\s*;.*extra\s*==\s*['\"](?P<extra>[\w-]+)['\"]")


def refuse_missing(setting: str, package: str, extra: str) -> None:
    """Refuse a setting that needs a package of an extra which is not installed.

    Raises:
        InputError: with the command that installs it.
    """
    if find_spec(package) is None:
        raise InputError(setting, f"{package} is not installed; {install_command(extra)}")


def install_command(extra: str) -> str:
    """Return the command that installs what an extra of foldproof's adds.

    It names the packages, since foldproof itself may have come from a checkout, a wheel or an
    index.
    """
    try:
        required = metadata.requires(PACKAGE) or []
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return f"pip install '.[{extra}]'"
    matches = (REQUIREMENT.match(line) for line in required)
    packages = [found["package"] for found in matches if found and found["extra"] == extra]
    return f"pip install {shlex.join(packages)}" if packages else f"pip install '.[{extra}]'"
