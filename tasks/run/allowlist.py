"""Allowlists of a configuration: modules to import, folders to use, clusters to join.

An import path in a configuration runs code, a path opens files, and a cluster's address leads
to somebody whose messages are unpickled, which runs code, too. Whoever types a command line
or calls `cross_validate` may do all of that anyway. Whoever fills in a form of the Prefect UI
may not: there, only what the deployment allows is imported, opened or connected to.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.import_paths import import_paths
from foldproof.tasks.config.named.inputs import Preprocessing
from foldproof.tasks.config.named.keras_parts import HARMLESS_CALLBACKS, Named
from foldproof.tasks.config.named.preprocess import (
    CALLING,
    is_harmless_part,
    steps_in,
    words_in,
)
from foldproof.tasks.config.study import Study
from foldproof.tasks.data.sources.choose import places
from foldproof.tasks.run.deployment_internals import is_deployed
from foldproof.tasks.user_code.definitions import refuse_foreign
from foldproof.tasks.user_code.objects.functions import is_function_object, is_registered
from foldproof.tasks.user_code.references import BUILT_IN

BUILDERS, PATHS = "FOLDPROOF_ALLOWED_BUILDERS", "FOLDPROOF_ALLOWED_PATHS"
CLUSTERS = "FOLDPROOF_ALLOWED_CLUSTERS"
MEMORY = "memory"  # scikit-learn's name of a folder whose pickles an estimator loads
INPUT, FILES = "input", ("file", "filename")  # of scikit-learn's vectorizers
BY_VALUE = ("model.builder", "data.preprocess")  # settings that an object of Python's may stand for
ALLOWED = (BUILT_IN, "sklearn")


@dataclass(frozen=True)
class Trust:
    """The allowlist: importable modules, readable folders, cluster addresses.

    Attributes:
        modules: prefixes of module names, in whole parts; None allows any module.
        paths: folders, or prefixes of URIs; None allows any path.
        clusters: addresses; None allows any.
    """

    modules: tuple[str, ...] | None = None
    paths: tuple[str, ...] | None = None
    clusters: tuple[str, ...] | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str], deployed: bool) -> "Trust":
        """Read the allowlist from the environment; unset means open, in a deployment minimal.

        Args:
            environment: the environment variables.
            deployed: the configuration comes from a deployment.

        Raises:
            InputError: a variable holds no list of modules.
        """
        modules, paths = _listed(environment.get(BUILDERS)), environment.get(PATHS)
        clusters = _listed(environment.get(CLUSTERS))
        for name in modules or ():
            if not all(part.isidentifier() for part in name.split(".")):
                problem = f"{name!r} is no module; list modules, separated by commas"
                raise InputError(BUILDERS, problem)
        if not deployed:
            return cls(modules, _listed_paths(paths), clusters)
        folders = (os.getcwd(),) if paths is None else _listed_paths(paths)
        return cls(ALLOWED if modules is None else modules, folders, clusters or ())

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

    def allows_cluster(self, address: str) -> bool:
        """Tell whether an address is a listed one; `tcp://` counts as nothing."""
        listed = {_plain_address(each) for each in self.clusters or ()}
        return self.clusters is None or _plain_address(address) in listed


def check_trust(study: Study, deployed: bool = False, with_out: bool = True) -> None:
    """Check settings against the allowlist, before anything is imported or opened.

    Args:
        study: the settings.
        deployed: they come from a deployment, also where that does not show otherwise.
        with_out: `out` is a setting, too, not a folder that this program made.

    Raises:
        InputError: with the field and the variable that would allow it.
    """
    trust = Trust.of(os.environ, deployed or is_deployed())
    for setting, reference in named_code(study).items():
        _check_reference(trust, setting, reference)
    if trust.modules is not None:
        refuse_code_in_params(study)
    for place in places(study.data):
        _check_path(trust, "data.source", place)
    if with_out:
        _check_path(trust, "out", study.out)
    address = study.compute.address
    if address is not None and not trust.allows_cluster(address):
        remedy = f"leave it empty; the operator can list it in {CLUSTERS}"
        raise InputError("compute.address", f"{address!r} is not allowed here; {remedy}")


def check_place(setting: str, path: str) -> None:
    """Refuse a path that may not be read here.

    Raises:
        InputError: with the setting and the variable that would allow it.
    """
    _check_path(Trust.of(os.environ, is_deployed()), setting, path)


def named_code(study: Study) -> dict[str, str]:
    """Return every import path of a configuration, by its setting, but for function objects.

    Such a one comes from code that this process runs already. Callbacks of Keras's that neither
    write, connect nor call anything are left out as well.
    """
    return {
        setting: reference
        for setting, reference in import_paths(study).items()
        if not (_is_object_here(setting, reference) or _is_harmless(setting, reference))
    }


def _is_object_here(setting: str, reference: str) -> bool:
    is_one, place = is_function_object(reference), ".".join(setting.split(".")[:2])
    return is_one and (place in BY_VALUE or is_registered(reference))


def _is_harmless(setting: str, reference: str) -> bool:
    is_callback = setting.startswith("train.callbacks") and reference in HARMLESS_CALLBACKS
    return is_callback or is_harmless_part(setting, reference)


def refuse_code_in_params(study: Study) -> None:
    """Refuse arguments of built-in builders, and parameters, that name more than a value.

    `memory` of scikit-learn's estimators is a folder of joblib's, whose pickles are loaded. A
    mapping with a `class_name` is an object that Keras would make.

    Raises:
        InputError: there is one.
    """
    top, params = study.model.builder.split(".")[0], study.model.params
    if top == "sklearn" and params.get(MEMORY) is not None:
        problem = "names a folder whose pickles would be loaded; leave it out"
        raise InputError(f"model.params.{MEMORY}", problem)
    _refuse_calling(study.data.preprocess)
    if study.model.builder.partition(":")[0] == BUILT_IN:
        for name, value in params.items():
            _refuse_object(f"model.params.{name}", value)
    for setting, value in study.train:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Named):
                _refuse_object(f"train.{setting}", one.params)


def _refuse_calling(preprocess: Preprocessing) -> None:
    """Refuse transformers that call what they are given, or open what the data names."""
    for name in (*words_in(preprocess), *(step.name for step in steps_in(preprocess))):
        if name.partition(":")[2] == CALLING or name == CALLING:
            problem = f"{CALLING} calls what it is given; name another transformer"
            raise InputError("data.preprocess", problem)
    for step in steps_in(preprocess):
        if step.params.get(INPUT) in FILES:
            problem = f"{step.name} would open files that the data names; leave it out"
            raise InputError(f"data.preprocess.params.{INPUT}", problem)
        if step.params.get(MEMORY) is not None:
            problem = "names a folder whose pickles would be loaded; leave it out"
            raise InputError(f"data.preprocess.params.{MEMORY}", problem)


def _refuse_object(setting: str, value: Any) -> None:
    if _holds_an_object(value):
        problem = "describes an object of Keras's; give a plain value, such as relu"
        raise InputError(setting, problem)


def _holds_an_object(value: Any) -> bool:
    inner = list(value.values()) if isinstance(value, dict) else value
    is_one = isinstance(value, dict) and "class_name" in value
    return is_one or (isinstance(inner, list) and any(map(_holds_an_object, inner)))


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


def _plain_address(address: str) -> str:
    return address.strip().lower().removeprefix("tcp://").rstrip("/")


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
