"""An estimator that needs a whole GPU, and looks at who trains beside it; no TensorFlow."""

import os
import time
from pathlib import Path

from sklearn.linear_model import LogisticRegression

from foldproof.tasks.workers.environment import GPU_MEMORY_VARIABLE


class Hungry(LogisticRegression):
    """Run out of memory wherever there is a limit, in the folds whose first row is odd."""

    def __init__(self, folder="."):
        super().__init__()
        self.folder = folder

    def fit(self, X, y):
        mark = Path(self.folder) / f"trains-{os.getpid()}"
        mark.touch()
        limit = os.environ.get(GPU_MEMORY_VARIABLE)
        time.sleep(0.2)
        beside = len(list(Path(self.folder).glob("trains-*"))) - 1
        hungry = len(X) % 2 == 1
        with (Path(self.folder) / "log").open("a") as log:
            log.write(f"{int(hungry)} {limit or 'alone'} {beside} {os.getpid()}\n")
        mark.unlink()
        if hungry and limit is not None:
            raise MemoryError("no room")
        return super().fit(X, y)


def build(folder):
    """Return the estimator."""
    return Hungry(folder)
