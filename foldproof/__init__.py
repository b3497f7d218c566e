"""Cross-validation of Keras models that you can prove.

    import foldproof

    result = foldproof.cross_validate(build, X, y, cv=5)
    result.summary, result.scores["roc_auc"], result.path

Public, and kept from version to version, are

- the names in `__all__`, with their parameters and attributes that have no leading underscore;
- the commands `foldproof cv`, `compare`, `verify`, `audit`, `list`, `status`, `stop` and `ui`,
  their flags and exit codes, and the same as scripts in `flows/`;
- the settings, as YAML and as sections in Python;
- the files of a report, with their columns;
- the entrypoints of the Prefect flows, such as `flows/cv.py:cross_validate`.

All else, that is every module below `foldproof.tasks`, `foldproof.flows` and
`foldproof.deployments`, may change with any version. A public name is imported when it is first
asked for, so that `import foldproof` takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foldproof.flows.compare import compare_models
    from foldproof.flows.python_api import cross_validate
    from foldproof.tasks.common.errors import InputError, RunFailed
    from foldproof.tasks.common.process.kept import shutdown
    from foldproof.tasks.comparison.result import ComparisonResult
    from foldproof.tasks.config.compute import ComputeSpec
    from foldproof.tasks.config.data import CsvSpec, DataSpec
    from foldproof.tasks.config.model import ModelSpec
    from foldproof.tasks.config.split import SplitSpec
    from foldproof.tasks.config.train import EarlyStopping, TrainSpec
    from foldproof.tasks.report.result import Result

    __version__: str

__all__ = [
    "ComparisonResult",
    "ComputeSpec",
    "CsvSpec",
    "DataSpec",
    "EarlyStopping",
    "InputError",
    "ModelSpec",
    "Result",
    "RunFailed",
    "SplitSpec",
    "TrainSpec",
    "__version__",
    "compare_models",
    "cross_validate",
    "shutdown",
]

_HOMES = {  # of each public name, relative to this package
    "ComparisonResult": "tasks.comparison.result",
    "ComputeSpec": "tasks.config.compute",
    "CsvSpec": "tasks.config.data",
    "DataSpec": "tasks.config.data",
    "EarlyStopping": "tasks.config.train",
    "InputError": "tasks.common.errors",
    "ModelSpec": "tasks.config.model",
    "Result": "tasks.report.result",
    "RunFailed": "tasks.common.errors",
    "SplitSpec": "tasks.config.split",
    "TrainSpec": "tasks.config.train",
    "__version__": "tasks.common.version",
    "compare_models": "flows.compare",
    "cross_validate": "flows.python_api",
    "shutdown": "tasks.common.process.kept",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for.

    Raises:
        AttributeError: there is none of that name.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{_HOMES[name]}")
    found = getattr(home, "VERSION" if name == "__version__" else name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """List the public names, imported yet or not."""
    return sorted({*globals(), *__all__})
