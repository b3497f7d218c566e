"""Admit nodes to a run: only those with its numerics and its code may train folds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from foldproof.tasks.clusters.messages import JoinRequest, NodeInfo
from foldproof.tasks.common.json_diff import json_diff
from foldproof.tasks.common.text import some_and_count
from foldproof.tasks.machine.numerics import Numerics

MAX_DIFFERENCES = 3  # differences in one message


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
        changed = [name for name, _, _ in json_diff(policy.code, node.code)]
        names = some_and_count(changed, MAX_DIFFERENCES)
        remedy = "give all nodes the same, and restart their workers"
        return f"model.builder: has other code ({names}); {remedy}"
    if not policy.fingerprints or node.fingerprint in policy.fingerprints:
        return ""
    lines = some_and_count(list(_lines(policy.fingerprints[0], node.fingerprint)), MAX_DIFFERENCES)
    remedy = "leave it out, or set compute.mixed: true to accept that bits may differ"
    return f"compute.mixed: its numerics differ in {lines}; {remedy}"


def common_numerics(own: Numerics | None, nodes: Sequence[NodeInfo]) -> Numerics:
    """Return the numerics that a run on these nodes records in its key.

    Where all nodes are like this machine, they are this machine's, so that the run has the
    same key as a local one.
    """
    fingerprints = [node.fingerprint for node in nodes]
    if own is not None and all(found == own.fingerprint() for found in fingerprints):
        return own
    return Numerics.elsewhere(fingerprints)


def _lines(here: Any, there: Any) -> Iterator[str]:
    """Yield what differs, a line each; of lists, only what the other has not."""
    for name, ours, theirs in json_diff(here, there):
        if isinstance(ours, list) and isinstance(theirs, list):
            own, other = set(map(str, ours)), set(map(str, theirs))
            yield f"{name}: {_few(own - other)} here, {_few(other - own)} there"
        else:
            yield f"{name}: {ours} here, {theirs} there"


def _few(values: set[str]) -> str:
    return (
        " ".join(sorted(values)[:MAX_DIFFERENCES])
        + (" ..." if len(values) > MAX_DIFFERENCES else "")
        or "none"
    )
