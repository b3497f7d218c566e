"""Private names of dependencies stand in the modules that are made for them, and nowhere else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from foldproof.tasks.common.places import ROOT

FOLDERS = ("tasks", "flows", "deployments", "foldproof")
DOCUMENTED = {"os._exit", "sys._getframe"}
OF_NAMED_TUPLES = {"_replace", "_asdict", "_fields"}
BY_NAME = {"getattr", "hasattr", "setattr", "delattr"}
TEXTS = ("PREFECT__", "keras.src", "tensorflow.python")
INNER_PACKAGES = ("keras.src", "tensorflow.python", "prefect._internal")


def modules() -> list[Path]:
    found = (path for name in FOLDERS for path in (ROOT / name).rglob("*.py"))
    return sorted(path for path in found if not path.stem.endswith("_internals"))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and text of what a module uses of another one's private names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            text, owner = ast.unparse(node), ast.unparse(node.value)
            is_own = owner in ("self", "cls", "super()") or node.attr in OF_NAMED_TUPLES
            if not is_own and text not in DOCUMENTED:
                yield node.lineno, text
        elif isinstance(node, ast.ImportFrom | ast.Import):
            module = getattr(node, "module", "") or ""
            for alias in node.names:
                full = f"{module}.{alias.name}".strip(".")
                if full.startswith(INNER_PACKAGES) or any(map(is_private, full.split("."))):
                    yield node.lineno, full
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in BY_NAME:
            name = node.args[1]
            if isinstance(name, ast.Constant) and is_private(str(name.value)):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Constant) and str(node.value).startswith(TEXTS):
            yield node.lineno, str(node.value)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_uses_no_private_name_of_another(path):
    used = [f"line {line}: {text}" for line, text in private_names(ast.parse(path.read_text()))]
    assert not used, "put it behind a function of the dependency's own *_internals module"


@pytest.mark.parametrize(
    "code",
    [
        "from prefect.logging.handlers import _SafeStreamHandler",
        "from keras.src.trainers import trainer",
        "import tensorflow.python.eager.context",
        "from tensorflow.python.util import _pywrap_util_port",
        "model._flatten_layers()",
        "getattr(context, '_deployment_id', None)",
        "NAME = 'PREFECT__FLOW_RUN_ID'",
    ],
)
def test_each_kind_of_private_name_is_seen(code):
    assert list(private_names(ast.parse(code)))


@pytest.mark.parametrize("code", ["self._x = 1", "os._exit(0)", "f.__name__", "row._replace(a=1)"])
def test_what_is_ones_own_or_documented_may_be_used(code):
    assert not list(private_names(ast.parse(code)))
