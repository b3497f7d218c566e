"""The slow imports of all workers: the fork server loads this module before it forks them."""

import gc
import os
import sys

PRELOAD_VARIABLE = "FOLDPROOF_PRELOAD"
LOG_VARIABLE = "FOLDPROOF_WORKER_LOG"


def _redirect_output(path: str) -> None:
    """Redirect the output of libraries to a file; workers inherit that."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


if os.environ.get(LOG_VARIABLE):
    _redirect_output(os.environ[LOG_VARIABLE])
if os.environ.get(PRELOAD_VARIABLE) == "tensorflow":
    import keras  # noqa: F401
    import tensorflow  # noqa: F401
if os.environ.get(PRELOAD_VARIABLE):
    import foldproof.tasks.training.fold
    import foldproof.tasks.training.trial.model_trial
    import foldproof.tasks.workers.in_worker  # noqa: F401
# What is loaded now stays: workers need not look through it for garbage, nor copy its pages.
gc.collect()
gc.freeze()
