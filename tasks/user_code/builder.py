"""Import and call the user's builder in a worker, and check what it returns."""

import difflib
import importlib
import inspect
import re
from collections.abc import Callable
from typing import Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import error_line, nearest, shortened
from foldproof.tasks.user_code.builder_call import BuilderCall
from foldproof.tasks.user_code.opened_files.hooks import handed_paths
from foldproof.tasks.user_code.references import located
from foldproof.tasks.user_code.search_path import extend_path

# What a builder may ask for; input_shapes where the data has several inputs.
OFFERED_ARGUMENTS = ("input_shape", "input_shapes", "n_outputs", "n_classes", "task")
BOLD = re.compile(r"\x1b\[1m(.*?)\x1b\[0m", re.DOTALL)
ANSI = re.compile(r"\x1b\[[0-9;]*m|\{\{.*?\}\}")  # colours, and TensorFlow's names of graph nodes


def load_builder(call: BuilderCall) -> Callable[..., Any]:
    """Import a builder, or unpickle one that was sent by value.

    Raises:
        InputError: with the reason why it cannot be had.
    """
    extend_path(call.search)
    if call.pickled:
        import cloudpickle

        return _callable(call, cloudpickle.loads(call.pickled))
    module, _, name = call.reference.partition(":")
    try:
        with handed_paths():
            found: Any = importlib.import_module(located(module))
    except (Exception, SystemExit) as error:  # importing runs the user's code: anything comes out
        raise InputError(
            "model.builder", f"cannot import {module!r} ({error_line(error)})"
        ) from error
    for part in name.split("."):
        if not hasattr(found, part):
            names = [n for n in dir(found) if n[0] != "_" and callable(getattr(found, n, None))]
            hint = nearest(part, names).strip() if names else "it has no functions"
            raise InputError("model.builder", f"module {module!r} has no {part!r}; {hint}")
        found = getattr(found, part)
    return _callable(call, found)


def call_builder(builder: Callable[..., Any], call: BuilderCall) -> Any:
    """Call a builder with the arguments that its signature takes.

    Raises:
        InputError: it takes none of a configured parameter's name, or needs another one.
    """
    signature = inspect.signature(builder)
    takes_all = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    _check_params(signature, call.params, takes_all)
    known = {name: value for name, value in call.offered.items() if name in signature.parameters}
    given = {**known, **_copied(call.params)}
    _check_shapes(signature, given, call)
    _check_required(signature, given)
    with handed_paths():
        return builder(**given)


def short_error(error: BaseException, most: int = 100) -> str:
    """Return an error's type and the first line of its message, shortened.

    Keras puts words of its own before what a layer says, which then is bold, or comes last.
    """
    text = str(error).rpartition("Error encountered:")[2]
    bold = BOLD.search(text)
    lines = (bold[1] if bold else text).strip().splitlines() or [""]
    first = ANSI.sub("", lines[0]).strip()
    line = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return shortened(line, most)


def _callable(call: BuilderCall, found: Any) -> Callable[..., Any]:
    if not callable(found):
        kind = type(found).__name__
        raise InputError("model.builder", f"{call.reference} is a {kind}; give a function")
    return found  # type: ignore[no-any-return]


def _check_params(signature: inspect.Signature, params: dict[str, Any], takes_all: bool) -> None:
    for name in params:
        if name not in signature.parameters and not takes_all:
            own = [
                each
                for each, parameter in signature.parameters.items()
                if each not in OFFERED_ARGUMENTS and parameter.kind is not parameter.VAR_POSITIONAL
            ]
            hint = nearest(name, own).strip() if own else "it takes none"
            raise InputError(f"model.params.{name}", f"the builder does not take it; {hint}")


def _check_shapes(signature: inspect.Signature, given: dict[str, Any], call: BuilderCall) -> None:
    """Refuse a builder that needs the shape of one input where there are several, or the reverse.

    Raises:
        InputError: it does.
    """
    needed = {name for name, each in signature.parameters.items() if each.default is each.empty}
    shape, missing = call.input_shape, needed - given.keys()
    if isinstance(shape, dict) and "input_shape" in missing:
        names = ", ".join(shape)
        problem = f"{call.reference} asks for input_shape, but data.inputs names several ({names})"
        remedy = "let it take input_shapes, a dict by these names"
        raise InputError("model.builder", f"{problem}; {remedy}")
    if not isinstance(shape, dict) and "input_shapes" in missing:
        problem = f"{call.reference} asks for input_shapes, but the data has one input"
        remedy = "let it take input_shape, or name inputs in data.inputs"
        raise InputError("model.builder", f"{problem}; {remedy}")


def _check_required(signature: inspect.Signature, given: dict[str, Any]) -> None:
    for name, parameter in signature.parameters.items():
        variadic = parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        if name not in given and parameter.default is parameter.empty and not variadic:
            raise InputError(
                f"model.params.{name}", f"missing; the builder needs it; {_argument_hint(name)}"
            )
        if name in given and parameter.kind is parameter.POSITIONAL_ONLY:
            raise InputError("model.builder", f"{name!r} is positional only; let it be named")


def _argument_hint(name: str) -> str:
    """Return how to supply a required argument: by an offered name, or in the settings."""
    close = difflib.get_close_matches(name, OFFERED_ARGUMENTS, n=1, cutoff=0.8)
    give = f"--model.params '{{\"{name}\": ...}}'"
    return f"did you mean {close[0]}, which it is handed? Else {give}" if close else f"give {give}"


def _copied(params: dict[str, Any]) -> dict[str, Any]:
    """Copy the parameters, so that a builder cannot change those of later folds."""
    import copy

    return copy.deepcopy(params)
