"""What a reader of the page sees first: the main result in a sentence, and what was done."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from foldproof.tasks.common.inputs import shown_shapes
from foldproof.tasks.common.text import number, shortened
from foldproof.tasks.data.target_facts import TargetFacts
from foldproof.tasks.evaluation.tables import Tables
from foldproof.tasks.report.estimates import estimate_of
from foldproof.tasks.report.sections.glossary import metric_words

MOST_CHARS = 160  # of parameters
TRAINING = ("epochs", "batch_size", "optimizer", "learning_rate", "loss")
OF_ALL = ("scaler", "early_stopping", "class_weight", "sampler", "callbacks")


def main_result(summary: Sequence[Mapping[str, Any]], interval: str) -> str:
    """Return the first metric in a sentence, with its interval or why it has none.

    Args:
        summary: a row a metric.
        interval: what intervals are called, such as `95 % interval`.
    """
    row = summary[0]
    estimate, is_pooled = estimate_of(row)
    name = metric_words(row["metric"])
    if estimate is None:
        return f"The {name} has no value in any fold."
    said = f"On rows that its models had not seen, the {name} was {number(estimate)}"
    together = "all test rows taken together," if is_pooled else "on average over"
    over = f"{together} {row['n_folds']} of {row['n_planned']} folds"
    if row["ci_low"] is None or row["ci_high"] is None:
        return f"{said} {over}. It has no interval ({row['ci_method']})."
    ends = f"{number(row['ci_low'])} to {number(row['ci_high'])}"
    return f"{said} ({interval} {ends}), {over}."


def first_facts(tables: Tables, key: Mapping[str, Any]) -> dict[str, str]:
    """Return what was done, by name, in the order of the page."""
    return dict(_facts(tables, key))


def _facts(tables: Tables, key: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    data, split, train = key["data"], key["split"], key["train"]
    shape = shown_shapes(data["feature_shape"])
    yield "data", f"{data['rows']} rows, {shape} features, {data['settings']['task']}"
    facts = TargetFacts.of_key(key)
    if facts is not None:
        yield from _target(facts)
    yield "model", _model(key["model"])
    yield "split", _split(split)
    has_epochs = any(value is not None for value in tables.folds["epochs_run"].to_pylist())
    yield "training", _training(train, has_epochs)
    done = tables.folds.num_rows - tables.failed
    yield "coverage", f"{done} of {tables.folds.num_rows} folds finished"
    yield "seed", str(key["seed"])


def _target(facts: TargetFacts) -> Iterator[tuple[str, str]]:
    if facts.positive is not None:
        count = facts.count_of(facts.positive)
        yield "positive class", str(facts.positive)
        yield "events", f"{count} of {facts.rows} rows ({100 * count / facts.rows:.1f} %)"
    elif facts.several:
        yield "targets", shortened(", ".join(map(str, facts.several)), MOST_CHARS)
    elif facts.low is not None:
        shape = f"{shown_shapes(facts.shape)} values a row, " if facts.shape else ""
        yield "target", f"{shape}{facts.low:.6g} to {facts.high:.6g}"
    else:
        yield "classes", str(len(facts.labels))


def _model(model: Mapping[str, Any]) -> str:
    params = ", ".join(f"{name}={_plain(value)}" for name, value in model["params"].items())
    return f"{model['builder']}({shortened(params, MOST_CHARS)})"


def _split(split: Mapping[str, Any]) -> str:
    settings = split["settings"]
    repeats = settings["n_repeats"]
    several = f", {repeats} repeats" if repeats > 1 else ""
    return f"{split['folds']} folds by {split['method']}{several}"


def _training(train: Mapping[str, Any], has_epochs: bool) -> str:
    names = (*(TRAINING if has_epochs else ()), *OF_ALL)
    known = {name: train[name] for name in names if train.get(name) not in (None, [])}
    return ", ".join(
        f"{name.replace('_', ' ')} {shortened(_plain(value), MOST_CHARS)}"
        for name, value in known.items()
    )


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
