"""Admit nodes to a run: only those with its numerics and its code may train folds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foldproof.tasks.clusters.messages import JoinRequest, NodeInfo
from foldproof.tasks.machine.numerics import Numerics

MOST_NAMED = 3  # differences in one message


@dataclass(frozen=True)
class AdmissionPolicy:
    """The requirements that a node must meet to train folds of a run.

    Attributes:
        request: the request that each node gets.
        fingerprints: the accepted numerics fingerprints; empty accepts any.
        code: the digest or version that each module must have.
    """

    request: JoinRequest
    fingerprints: tuple[dict[str, Any], ...]
    code: dict[str, str]


def rejection_reason(node: NodeInfo, policy: AdmissionPolicy) -> str:
    """Return why a node must be rejected, in one line; empty if it is admitted."""
    if node.problem:
        return node.problem
    if not node.devices:
        return "offers no slot"
    if node.code != policy.code:
        lines = list(_differences(policy.code, node.code))
        names = _listed([line.partition(":")[0] for line in lines])
        remedy = "give all nodes the same, and restart their workers"
        return f"model.builder: has other code ({names}); {remedy}"
    if not policy.fingerprints or node.fingerprint in policy.fingerprints:
        return ""
    lines = list(_differences(policy.fingerprints[0], node.fingerprint))
    remedy = "leave it out, or set compute.mixed: true to accept that bits may differ"
    return f"compute.mixed: its numerics differ in {_listed(lines)}; {remedy}"


def common_numerics(own: Numerics | None, nodes: Sequence[NodeInfo]) -> Numerics:
    """Return the numerics that a run on these nodes records in its key.

    Where all nodes are like this machine, they are this machine's, so that the run has the
    same key as a local one.
    """
    fingerprints = [node.fingerprint for node in nodes]
    if own is not None and all(found == own.fingerprint() for found in fingerprints):
        return own
    return Numerics.elsewhere(fingerprints)


def _listed(lines: Sequence[str]) -> str:
    more = len(lines) - MOST_NAMED
    return ", ".join(lines[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


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
    return " ".join(values[:MOST_NAMED]) + (" ..." if len(values) > MOST_NAMED else "") or "none"
