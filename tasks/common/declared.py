"""Collect what the modules of a package declare under one name: a new module adds its own."""

import pkgutil
from importlib import import_module
from typing import Any


def declared(package: str, name: str) -> list[Any]:
    """Return the objects of a name in all modules of a package, in the order of the modules."""
    found = pkgutil.iter_modules(import_module(package).__path__)
    modules = [import_module(f"{package}.{module.name}") for module in found]
    return [getattr(module, name) for module in modules if hasattr(module, name)]
