"""What a configuration may name: the modules it imports from, the folders it reads and writes.

An import path in a configuration runs code, and a path opens files. Whoever types a command
line or calls `cross_validate` may do both anyway. Whoever fills in a form of the Prefect UI
may not: there, only what the deployment allows is imported or opened.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tasks.config import Study
from tasks.defined import refuse_foreign
from tasks.errors import InputError
from tasks.functions import is_kept
from tasks.sources import bundled, memory

BUILDERS, PATHS = "FOLDPROOF_ALLOWED_BUILDERS", "FOLDPROOF_ALLOWED_PATHS"
DEPLOYED = "PREFECT__FLOW_RUN_ID"  # set by Prefect in the processes of its workers and runners
BUILT_IN = ("tasks.models", "sklearn")


@dataclass(frozen=True)
class Trust:
    """What may be imported and opened.

    Attributes:
        modules: prefixes of module names, in whole parts; None allows any module.
        paths: folders, or prefixes of URIs; None allows any path.
    """

    modules: tuple[str, ...] | None = None
    paths: tuple[str, ...] | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str], deployed: bool) -> "Trust":
        """Read the two variables; what is not set is open, or in a deployment at its least.

        Args:
            environment: the environment variables.
            deployed: the configuration comes from a deployment.

        Raises:
            InputError: a variable holds no list of modules.
        """
        modules, paths = _listed(environment.get(BUILDERS)), environment.get(PATHS)
        for name in modules or ():
            if not all(part.isidentifier() for part in name.split(".")):
                problem = f"{name!r} is no module; list modules, separated by commas"
                raise InputError(BUILDERS, problem)
        if not deployed:
            return cls(modules, _listed_paths(paths))
        folders = (os.getcwd(),) if paths is None else _listed_paths(paths)
        return cls(BUILT_IN if modules is None else modules, folders)

    def allows_module(self, module: str) -> bool:
        """Tell whether a module is one of the allowed ones or stands below one."""
        prefixes = self.modules or ()
        return self.modules is None or any(
            module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes
        )

    def allows_path(self, path: str) -> bool:
        """Tell whether a path, its links followed, or a URI lies in an allowed place."""
        if self.paths is None:
            return True
        scheme = _scheme(path)
        if scheme not in ("", "file"):
            return any(_is_below(path, prefix) for prefix in self.paths)
        resolved = _local(path)
        places = [_local(place) for place in self.paths if _scheme(place) in ("", "file")]
        return any(resolved.is_relative_to(place) for place in places)


def check_trust(study: Study, deployed: bool = False, with_out: bool = True) -> None:
    """Refuse what a configuration may not name, before anything of it is imported or opened.

    Args:
        study: the settings.
        deployed: they come from a deployment; a process that Prefect started is taken for one.
        with_out: `out` is a setting, too, not a folder that this program made.

    Raises:
        InputError: with the field and the variable that would allow it.
    """
    trust = Trust.of(os.environ, deployed or DEPLOYED in os.environ)
    for setting, reference in _references(study).items():
        _check_reference(trust, setting, reference)
    source = study.data.source
    if source not in bundled.NAMES and not memory.is_memory(source):
        _check_path(trust, "data.source", source)
    if with_out:
        _check_path(trust, "out", study.out)


def check_place(setting: str, path: str) -> None:
    """Refuse a path that may not be read here.

    Raises:
        InputError: with the setting and the variable that would allow it.
    """
    _check_path(Trust.of(os.environ, DEPLOYED in os.environ), setting, path)


def _references(study: Study) -> dict[str, str]:
    """Return every import path of a configuration, by its setting."""
    named = {
        "model.builder": study.model.builder,
        "split.method": study.split.method,
        "train.scaler": study.train.scaler,
    }
    # A function object comes from code that this process runs already.
    return {name: text for name, text in named.items() if ":" in text and not is_kept(text)}


def _check_reference(trust: Trust, setting: str, reference: str) -> None:
    if trust.modules is None:
        return
    module, _, name = reference.partition(":")
    if not trust.allows_module(module):
        remedy = f"the operator can list it in {BUILDERS}; see deployments/README.md"
        raise InputError(setting, f"module {module!r} is not allowed here; {remedy}")
    refuse_foreign(setting, module, name, trust.allows_module)


def _check_path(trust: Trust, setting: str, path: str) -> None:
    if not trust.allows_path(path):
        remedy = f"the operator can list its folder in {PATHS}; see deployments/README.md"
        raise InputError(setting, f"{path!r} is not in an allowed folder; {remedy}")


def _listed(text: str | None, separator: str = ",") -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(part.strip() for part in re.split(separator, text) if part.strip())


def _listed_paths(text: str | None) -> tuple[str, ...] | None:
    """Divide at commas; without URIs, which hold colons, at the system's separator as well."""
    plain = text is not None and "://" not in text
    return _listed(text, f"[,{os.pathsep}]" if plain else ",")


def _scheme(path: str) -> str:
    return path.partition("://")[0].lower() if "://" in path else ""


def _local(path: str) -> Path:
    plain = unquote(urlsplit(path).path) if _scheme(path) else path
    return Path(os.path.realpath(plain))


def _is_below(uri: str, prefix: str) -> bool:
    """Compare URIs in whole parts; nothing after the prefix may lead elsewhere."""
    prefix = prefix.rstrip("/")
    rest = uri.removeprefix(prefix)
    leads_away = ".." in unquote(rest) or any(mark in rest for mark in "?#@\\")
    return _scheme(prefix) != "" and uri != rest and rest[:1] in ("", "/") and not leads_away
