"""Which modules decide results, and the digest of what they say."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from foldproof.tasks.common.digest import digest_json

# Of names that begin the same, the longest counts. flows and deployments only call these.
DECIDES = {
    "common": "digests, the kinds of tasks",
    "user_code": "how a builder is found, identified and called",
    "config": "the defaults of settings, and what they mean",
    "machine": "what is set before TensorFlow starts, and the numerics fingerprint",
    "models": "the built-in builders",
    "data": "how sources are read; features, target, labels",
    "folds": "splitters, rows, seeds, keys, inner splits, outputs",
    "training": "scalers, weights, models, all engines",
    "store.fold_file": "how a fold is kept and read again",
    "workers.in_worker": "how a worker sets what bits depend on",
    "workers.environment": "the variables that are set before NumPy and TensorFlow load",
    "evaluation": "metrics, tables, intervals, paired tests",
    "report.folder": "the bytes of a report's tables",
    "report.parquet_tables": "how those are read again, for comparisons",
    "comparison": "the tables of a comparison",
    "run.plan": "what follows from settings, and from what",
}
LEFT_OUT = {
    "common.process.debug_log": "a log",
    "common.errors": "whom an error tells",
    "common.exit_codes": "what a command says at its end",
    "common.extras": "which package is missing",
    "common.json_diff": "what verify says",
    "common.places": "where foldproof lies",
    "common.text": "words",
    "common.version": "the versions themselves",
    "config.messages": "words",
    "config.yaml_file": "a way to write settings, which are in the key",
    "user_code.definitions": "refuses code, and changes none",
    "machine.devices": "which slots there are; the device is in the key",
    "machine.memory": "how many workers fit",
    "data.guesses": "words",
    "data.positive_class": "words",
    "training.error_text": "words",
    "training.progress": "what a person sees meanwhile",
    "training.trial": "whether anything trains at all",
    "store": "where files lie, and that they are whole",
    "workers": "where a fold trains; a worker that is set up otherwise refuses to",
    "evaluation.metric_names": "words",
    "comparison.page": "a page",
    "comparison.result": "shows tables",
    "comparison.prefect_flow": "the Prefect tasks",
    "comparison.studies": "runs of the models, each of which is guarded",
    "comparison.texts": "words",
    "audit": "looks at causes on purpose, and keeps nothing that a key names",
    "cli": "the terminal",
    "clusters": "on which machine a fold trains",
    "prefect_flow": "when what is called",
    "prefect_server": "whether Prefect is there",
    "prefect_ui": "what Prefect shows",
    "report": "pages, and what reads or shows a report",
    "run": "what is called, and shown in a terminal",
    "verification": "compares with what is guarded, and keeps nothing",
}
OURS = "foldproof"


def code_digest(root: Path) -> str:
    """Return the digest of the syntax trees of what decides results.

    It is that of all statements at the top of the modules, as a multiset: which module holds a
    function or constant, and in which order, does not count. Neither do docstrings, comments,
    descriptions of settings, imports of our own modules, nor in how many modules a library is
    imported. The order of the fields of a class and all names count.

    Args:
        root: the checkout.
    """
    of_modules = [_module_digests(path.read_bytes()) for path in deciding_files(root / "tasks")]
    statements = sorted(digest for found, _ in of_modules for digest in found)
    imports = sorted({digest for _, found in of_modules for digest in found})
    return digest_json([statements, imports])


def deciding_files(tasks: Path) -> Iterator[Path]:
    """Yield the files of the modules that decide results."""
    for path in sorted(tasks.rglob("*.py")):
        name = module_name(path, tasks)
        if name and listed_as(name) in DECIDES:
            yield path


def module_name(path: Path, tasks: Path) -> str:
    """Return a module's name within `tasks`, or that of a package."""
    parts = path.relative_to(tasks).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def listed_as(name: str) -> str:
    """Return the longest name of the two lists that a module's begins with, or nothing."""
    parts = name.split(".")
    beginnings = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((each for each in beginnings if each in DECIDES or each in LEFT_OUT), "")


@cache
def _module_digests(source: bytes) -> tuple[list[str], list[str]]:
    """Return the digests of a module's statements: of those that import nothing, and the others."""
    statements: list[str] = []
    imports: list[str] = []
    for statement in ast.parse(source).body:
        if not _is_left_out(statement):
            is_import = isinstance(statement, ast.Import | ast.ImportFrom)
            (imports if is_import else statements).append(digest_json(_plain(statement)))
    return statements, imports


def _is_left_out(node: object) -> bool:
    """Tell whether a node is a docstring or an import of our own that renames nothing."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    if isinstance(node, ast.ImportFrom):
        return _is_ours(node) and not any(alias.asname for alias in node.names)
    return isinstance(node, ast.Import) and all(
        alias.name.split(".")[0] == OURS and not alias.asname for alias in node.names
    )


def _is_ours(node: ast.ImportFrom) -> bool:
    return bool(node.level) or (node.module or "").split(".")[0] == OURS


def _plain(node: Any) -> Any:
    """Return a syntax tree as plain JSON, the same with every version of Python.

    `ast.dump` is not: it writes fields that are new, and leaves out empty ones or not.
    """
    if isinstance(node, list):
        return [_plain(item) for item in node if not _is_left_out(item)]
    if not isinstance(node, ast.AST):
        return None if node is None else repr(node)
    fields = {name: _plain(_counting(node, name, value)) for name, value in ast.iter_fields(node)}
    filled = {name: value for name, value in fields.items() if value not in (None, [])}
    return [type(node).__name__, filled]


def _counting(node: ast.AST, field: str, value: Any) -> Any:
    """Leave out what is written for people, and where a name of ours comes from."""
    if isinstance(node, ast.ImportFrom) and field in ("module", "level") and _is_ours(node):
        return None
    is_setting = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Field"
    if is_setting and field == "keywords":
        return [keyword for keyword in value if keyword.arg != "description"]
    return value
