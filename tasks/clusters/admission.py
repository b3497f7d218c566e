"""Which nodes may train folds of a run: those that have its numerics and its code."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foldproof.tasks.clusters.messages import Passport, Request
from foldproof.tasks.machine.numerics import Numerics

NAMED = 3  # differences that one line names


@dataclass(frozen=True)
class Terms:
    """What nodes are measured by.

    Attributes:
        request: what each is asked.
        prints: the numerics that are welcome; none named: any.
        code: what each must have.
    """

    request: Request
    prints: tuple[dict[str, Any], ...]
    code: dict[str, str]


def objection(passport: Passport, terms: Terms) -> str:
    """Return why a node is refused, in one line, or nothing."""
    if passport.problem:
        return passport.problem
    if not passport.devices:
        return "offers no slot"
    if passport.code != terms.code:
        lines = list(_differences(terms.code, passport.code))
        names = _listed([line.partition(":")[0] for line in lines])
        remedy = "give all nodes the same, and restart their workers"
        return f"model.builder: has other code ({names}); {remedy}"
    if not terms.prints or passport.fingerprint in terms.prints:
        return ""
    lines = list(_differences(terms.prints[0], passport.fingerprint))
    remedy = "leave it out, or set compute.mixed: true to accept that bits may differ"
    return f"compute.mixed: its numerics differ in {_listed(lines)}; {remedy}"


def common_numerics(own: Numerics | None, passports: Sequence[Passport]) -> Numerics:
    """Return the numerics that a run on these nodes has.

    Where all nodes are like this machine, they are this machine's, so that the run has the
    same key as a local one.
    """
    prints = [passport.fingerprint for passport in passports]
    if own is not None and all(found == own.fingerprint() for found in prints):
        return own
    return Numerics.elsewhere(prints)


def _listed(lines: Sequence[str]) -> str:
    more = len(lines) - NAMED
    return ", ".join(lines[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _differences(here: Any, there: Any, name: str = "") -> Iterator[str]:
    """Yield what differs between two values of plain JSON, by dotted name."""
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        for part in sorted({*here, *there}):
            yield from _differences(here.get(part), there.get(part), f"{name}.{part}".strip("."))
    elif isinstance(here, list) and isinstance(there, list):
        only_here = sorted(map(str, set(map(str, here)) - set(map(str, there))))
        only_there = sorted(map(str, set(map(str, there)) - set(map(str, here))))
        if only_here or only_there or here != there:
            yield f"{name}: {_few(only_here)} here, {_few(only_there)} there"
    elif here != there:
        yield f"{name}: {here} here, {there} there"


def _few(values: Sequence[str]) -> str:
    return " ".join(values[:NAMED]) + (" ..." if len(values) > NAMED else "") or "none"
