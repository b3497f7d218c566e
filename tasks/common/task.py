"""The kinds of tasks: what a model predicts."""

from typing import Literal

Task = Literal["binary", "multiclass", "regression"]
