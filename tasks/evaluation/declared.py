"""Methods that modules of a package declare: who adds a module adds a method."""

import pkgutil
from importlib import import_module
from typing import Any


def declared(package: str, name: str) -> list[Any]:
    """Return what the modules of a package have under a name, in the order of their names."""
    found = pkgutil.iter_modules(import_module(package).__path__)
    modules = [import_module(f"{package}.{module.name}") for module in found]
    return [getattr(module, name) for module in modules if hasattr(module, name)]
