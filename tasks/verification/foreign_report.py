"""Check what a report from somebody else may have imported and opened when its folds are refitted.

Whoever forged a manifest wrote its digests, too, and its RUN_ID. So a module of the user's
counts as known only if its source on this machine, and that of all it imports, is what the
manifest says. That is read from files; nothing is imported to find out.
"""

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.places import FOLDERS, PACKAGE, ROOT
from foldproof.tasks.config.study import Study
from foldproof.tasks.data.sources.choose import find_source, is_opened
from foldproof.tasks.run.allowlist import named_code, refuse_code_in_params
from foldproof.tasks.user_code.definitions import refuse_foreign
from foldproof.tasks.user_code.modules import find_module
from foldproof.tasks.user_code.provenance import Provenance, trace_module
from foldproof.tasks.user_code.references import BUILT_IN
from foldproof.tasks.user_code.search_path import import_folders

OWN_FOLDERS = {*FOLDERS, PACKAGE, "tests"}  # of foldproof, below its root
REMEDY = "if you trust the report, give --trust-builder on the command line"

Show = Callable[[str], bool]  # shows a line on a terminal, and tells whether there is one


def check_code(study: Study, sources: Mapping[str, Any]) -> bool:
    """Refuse code that a report may not name, before anything of it is imported.

    It may name the builders of `tasks.models`, estimators of scikit-learn, and what a module
    of the user's defines whose sources here are the report's.

    Args:
        study: the report's settings.
        sources: SHA-256 of each module's source, as the manifest has them.

    Returns:
        Whether modules of the user's are needed.

    Raises:
        InputError: it names anything else.
    """
    refuse_code_in_params(study)
    named = named_code(study)
    for setting, reference in named.items():
        module, _, name = reference.partition(":")
        if not _is_built_in(module):
            _refuse_other_source(setting, reference, sources)
        elif module == BUILT_IN and name.startswith("_"):
            raise InputError(setting, f"{name!r} is private to {module}; {REMEDY}")
        else:
            refuse_foreign(setting, module, name, lambda other: other == BUILT_IN)
    return not all(_is_built_in(reference.partition(":")[0]) for reference in named.values())


def check_data(study: Study, known: bool, show: Show | None, trusted: bool) -> None:
    """Refuse data that the user has not named and could not see named.

    Args:
        study: the settings.
        known: the user named the data.
        show: shows where the data is, if there is a terminal.
        trusted: what the report names may run.

    Raises:
        InputError: with the flag that names it.
    """
    source = study.data.source
    if known and not trusted:
        _refuse_unseen_query(study, show)
    if known or not is_opened(source):
        return
    remedy = "give your copy with --data.source"
    if not _is_regular(source):
        problem = f"the report names {source!r}, which is no file of this machine"
        raise InputError("data.source", f"{problem}; {remedy}")
    shown = f"data: {str(Path(source).resolve())!r}, which the report names"
    if show is None or not show(shown):
        problem = f"the report names {source!r}, and there is no terminal to show that"
        raise InputError("data.source", f"{problem}; {remedy}")


def _refuse_unseen_query(study: Study, show: Show | None) -> None:
    """Refuse to run a query of the report's on a server, where it may call functions, unseen."""
    found = find_source(study.data.source)
    if found is None or found.place != "service" or study.data.query is None:
        return
    if show is None or not show(f"query: {study.data.query!r}, which the report names"):
        problem = f"the report's query {study.data.query!r:.200} would run on your server"
        raise InputError("data.query", f"{problem}; if it may, use --trust-builder")


def _is_built_in(module: str) -> bool:
    return module == BUILT_IN or module.split(".")[0] == "sklearn"


def _refuse_other_source(setting: str, reference: str, sources: Mapping[str, Any]) -> None:
    module, _, name = reference.partition(":")
    search = list(import_folders())
    found = Provenance()
    if not _is_ours(module, search):
        trace_module(setting, module, search, found)
    if module not in found.sources:
        problem = f"the report names {reference!r}, which is neither built in nor a source of yours"
        raise InputError(setting, f"{problem}; {REMEDY}")
    for traced, digest in found.sources.items():
        if sources.get(traced) != digest:
            problem = f"the source of {traced!r} here is not the one of the report"
            raise InputError(setting, f"{problem}, which names {reference!r}; {REMEDY}")
    refuse_foreign(
        setting,
        module,
        name,
        lambda other: other in found.sources and (other == BUILT_IN or not _is_ours(other, search)),
    )


def _is_ours(module: str, search: list[str]) -> bool:
    """Tell whether a module is foldproof's, by whatever name, or can be none at all."""
    parts = module.split(".")
    if parts[0] == PACKAGE or not all(part.isidentifier() for part in parts):
        return True
    spec = find_module(module, search)
    if spec is None or not spec.origin:
        return False
    place = Path(os.path.realpath(spec.origin))
    return place.is_relative_to(ROOT) and place.relative_to(ROOT).parts[0] in OWN_FOLDERS


def _is_regular(source: str) -> bool:
    if "://" in source:
        return False
    try:
        return stat.S_ISREG(Path(source).stat().st_mode)
    except (OSError, ValueError):
        return False
