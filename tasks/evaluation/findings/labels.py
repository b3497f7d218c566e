"""The target: labels that are one, a positive class that nobody chose, rare ones, few events."""

from collections import defaultdict
from collections.abc import Iterator

from foldproof.tasks.data.target_facts import WARNING, positive_line
from foldproof.tasks.evaluation.findings.types import Check, Evidence, Finding
from foldproof.tasks.evaluation.intervals.pooled_counts import ONE_CLASS

MAJORITY = 0.8  # of the rows, from which accuracy says little
FEW_EVENTS = 20  # rows of a class, below which its proportion is a guess


def spellings(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on labels that differ by case or blanks only."""
    known = defaultdict(list)
    for label in evidence.dataset.labels:
        known[" ".join(str(label).split()).casefold()].append(label)
    for alike in known.values():
        if len(alike) > 1:
            named = " and ".join(map(repr, alike))
            message = f"the labels {named} differ by case or blanks only"
            yield Finding("FP106", message, "write them alike", named)


def guessed(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on a positive label that nobody chose, where it may be the other one."""
    facts = evidence.dataset.facts
    line = positive_line(facts, evidence.study.data.positive is not None)
    if line.startswith(WARNING):
        message, _, remedy = line.removeprefix(WARNING).rpartition("; ")
        yield Finding("FP107", message, remedy, repr(facts.positive))


def imbalance(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on accuracy where one class has most of the rows."""
    facts = evidence.dataset.facts
    if "accuracy" not in evidence.summary or not facts.counts:
        return
    most = max(facts.counts)
    if most >= MAJORITY * facts.rows:
        label = facts.labels[facts.counts.index(most)]
        message = f"to say {label!r} of every row has an accuracy of {most / facts.rows:.3f}"
        remedy = "look at balanced_accuracy, sensitivity and specificity"
        yield Finding("FP108", message, remedy, repr(label))


def few_events(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on proportions of a class with few rows."""
    facts = evidence.dataset.facts
    if evidence.dataset.task != "binary" or not {"roc_auc", *ONE_CLASS} & evidence.summary.keys():
        return
    fewest = min(facts.counts)
    if fewest < FEW_EVENTS:
        label = facts.labels[facts.counts.index(fewest)]
        message = f"only {fewest} rows are {label!r}: what is said of them is known roughly only"
        yield Finding("FP109", message, "read the intervals, not the means", repr(label))


CHECKS: tuple[Check, ...] = (spellings, guessed, imbalance, few_events)
