"""JSON Schema of form fields for which a setting's type alone would give a poor one.

The titles of a choice's branches are the tabs that the form shows. A branch without a type
is drawn as a box of JSON; one of type object would be empty there.
"""

from collections.abc import Sequence
from typing import Any

from foldproof.tasks.config.model import ModelSpec
from foldproof.tasks.config.named.keras_parts import HARMLESS_CALLBACKS
from foldproof.tasks.config.train import EarlyStopping
from foldproof.tasks.data.sources.kinds.bundled import NAMES
from foldproof.tasks.evaluation.metrics import METRICS as KNOWN
from foldproof.tasks.prefect_ui.offered_builders import offered_builders

Shape = dict[str, Any]

CALLBACK_NAMES = tuple(path.partition(":")[2] for path in HARMLESS_CALLBACKS)
METRIC_NAMES = tuple(metric.name for metric in KNOWN if metric.scores != "labels")


def choice(title: str, names: Sequence[str]) -> Shape:
    """Return a box with a list to choose one name from; the first is chosen already."""
    return {"title": title, "type": "string", "enum": list(names), "default": names[0]}


def named_or_own(names: Sequence[str], kind: str, known: str = "built in") -> Shape:
    """Return a box for a known name or for a class or function of the user's."""
    own = {"title": f"own {kind}", "type": "string", "pattern": "^[^:]+:[^:]+$"}
    return {"anyOf": [choice(known, names), own]}


def builders() -> Shape:
    """Return the box for the builder: the built-in ones, those of the study, or another."""
    return named_or_own(offered_builders(), "builder", known="offered")


def or_json(title: str, names: Sequence[str], what: str) -> Shape:
    """Return a box for a word, or for an object as JSON."""
    return {"anyOf": [choice(title, names), {"title": f"{what} (JSON)"}], "default": names[0]}


def _numbered(boxes: dict[str, Shape]) -> dict[str, Shape]:
    return {name: box | {"position": place} for place, (name, box) in enumerate(boxes.items())}


TEXT: Shape = {"type": "string"}
SOURCES: Shape = {
    "anyOf": [choice("bundled", NAMES), {"title": "file or folder", "type": "string"}]
}
WORKERS: Shape = {
    "anyOf": [
        choice("auto", ["auto"]),
        {"title": "number", "type": "integer", "minimum": 1, "default": 1},
    ]
}
METRICS: Shape = {
    "anyOf": [
        choice("auto", ["auto"]),
        {"title": "chosen", "type": "array", "items": {"type": "string", "enum": METRIC_NAMES}},
        {"title": "own, too (JSON)"},
    ]
}
OPTIMIZER: Shape = {
    "anyOf": [
        {"title": "name", "type": "string", "default": "adam"},
        {"title": "with parameters (JSON)"},
    ],
    "description": "A Keras optimizer, for a builder that did not compile its model; with "
    'parameters as JSON, such as {"name": "adamw", "params": {"weight_decay": 0.01}}.',
}
LEARNING_RATE: Shape = {
    "anyOf": [
        {"title": "number", "type": "number", "exclusiveMinimum": 0, "default": 0.001},
        {"title": "schedule (JSON)"},
    ],
    "description": "A number, or a Keras schedule as JSON, such as "
    '{"name": "CosineDecay", "params": {"initial_learning_rate": 0.01, "decay_steps": 500}}.',
}
CALLBACKS: Shape = {
    "anyOf": [
        {
            "title": "chosen",
            "type": "array",
            "items": {
                "type": "string",
                "enum": CALLBACK_NAMES,
            },
        },
        {"title": "with parameters (JSON)"},
    ],
    "description": "Keras callbacks, made afresh for every fold; with parameters as JSON, such as "
    '[{"name": "ReduceLROnPlateau", "params": {"monitor": "loss", "patience": 3}}].',
}
EARLY_STOPPING: Shape = or_json("off or on", ["off", "on"], "own settings") | {
    "description": "on stops when val_loss, on a part of the training rows that is held out, no "
    "longer improves; its other settings are monitor, fraction and so on, as JSON."
}
PATIENCE: Shape = {
    "type": "integer",
    "minimum": 0,
    "default": EarlyStopping.model_fields["patience"].default,
    "description": "Epochs without improvement before it stops; counts when early stopping is on.",
}
CLASS_WEIGHTS: Shape = or_json("preset", ["off", "balanced"], "by label") | {
    "description": "off weighs all alike; balanced, or a weight for each label as JSON, such as "
    '{"malignant": 2, "benign": 1}.'
}
MORE: Shape = {
    "type": "object",
    "default": {},
    "description": "All other settings as JSON, by section, named as in a settings file, such as "
    '{"data": {"task": "regression"}, "train": {"loss": "mae"}, "compute": {"retries": 5}}.',
}
MODEL: dict[str, Shape] = {
    "builder": builders()
    | {"title": "Builder", "description": ModelSpec.model_fields["builder"].description},
    "params": {
        "title": "Arguments of the builder (params)",
        "type": "object",
        "default": {},
        "description": ModelSpec.model_fields["params"].description,
    },
    "settings": {
        "title": "Settings of its own (settings)",
        "type": "object",
        "default": {},
        "description": "Where they differ from those of all models, as JSON, such as "
        '{"train": {"epochs": 20}}.',
    },
}
MODELS: Shape = {
    "title": "Models",
    "description": "Two or more; everything below is the same for all of them.",
    "type": "array",
    "minItems": 2,
    "items": {"title": "Model", "type": "object", "properties": _numbered(MODEL)},
    "default": [
        {"builder": "tasks.models:mlp", "params": {}, "settings": {}},
        {
            "builder": "sklearn.linear_model:LogisticRegression",
            "params": {"max_iter": 1000},
            "settings": {},
        },
    ],
}
VERIFICATION: dict[str, Shape] = _numbered(
    {
        "run_dir": {
            "title": "Folder of the report (run_dir)",
            "type": "string",
            "description": "OUT/runs/RUN_ID, as a finished run names it.",
        },
        "folds": {
            "title": "Folds to refit (folds)",
            "description": "How many, evenly over the run.",
            "anyOf": [
                {"title": "number", "type": "integer", "minimum": 0, "default": 3},
                choice("all", ["all"]),
            ],
            "default": 3,
        },
        "level": choice("What must agree (level)", ["bit", "numeric", "statistical"])
        | {
            "description": "bit: every bit; numeric: every score but for rounding; statistical: "
            "metrics within the spread of the run's folds."
        },
        "source": {
            "title": "Where the data is now (source)",
            "type": "string",
            "default": "",
            "description": "Only if it moved since the run.",
        },
    }
)
