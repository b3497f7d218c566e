"""Train one fold by the independent loop of `reference_training.py`, on what a run divides."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.workers.slots import Slots
from tests.support.places import ROOT


def reference(
    given: dict[str, Any], place: tuple[int, int], folder: Path, slots: Slots, threads: int = 1
) -> tuple[str, str, str]:
    """Train one fold by the independent loop and return its digests."""
    with launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run:
        job = next(job for job in run.jobs if (job.repeat, job.fold) == place)
        dataset = run.dataset
        shapes = dataset.feature_shape
        inputs = {name: f"inputs/{name}" for name in shapes} if isinstance(shapes, dict) else {}
        np.savez(
            folder / "fold.npz",
            **{
                name: np.load(job.data / place / "features.npy")
                for name, place in (inputs or {"X": ""}).items()
            },
            y=np.load(job.data / ("codes.npy" if dataset.task == "regression" else "targets.npy")),
            train=np.load(job.train_path),
            test=np.load(job.test_path),
        )
        spec = {
            **{"seed": given.get("seed", 1337), "repeat": place[0], "fold": place[1]},
            **{"folder": str(ROOT), "builder": given["model"]["builder"], "threads": threads},
            **{"shape": shapes, "n_outputs": dataset.outputs},
            **{"task": dataset.task, "epochs": given["train"]["epochs"], "batch_size": 32},
            "data": str(folder / "fold.npz"),
            "target_scaler": given["train"].get("target_scaler", "none"),
        }
    path = folder / "spec.json"
    path.write_text(json.dumps(spec))
    script = ROOT / "tests" / "support" / "reference_training.py"
    ended = subprocess.run([sys.executable, script, path], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.strip().splitlines()[-1])
    return found["initial"], found["weights"], found["predictions"]
