"""Which environment variables workers need before NumPy and TensorFlow load, and which not.

They are set in `workers/environment.py`.
"""

from pathlib import Path

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
# The user's wishes in these would change results unseen: a worker runs without them.
REMOVED_VARIABLES = (
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_DETERMINISTIC_OPS",
    "TF_USE_LEGACY_KERAS",
    "KERAS_MAX_EPOCHS",
    "KERAS_MAX_STEPS_PER_EPOCH",
    "KERAS_NNX_ENABLED",
    "OMP_DYNAMIC",
    "OPENBLAS_DEFAULT_NUM_THREADS",
    "GOTO_NUM_THREADS",
)


def worker_variables(threads: int, keras_home: Path) -> dict[str, str]:
    """Return the environment variables that a worker needs before NumPy and TensorFlow load.

    Args:
        threads: BLAS threads; TensorFlow's own are set by its interface.
        keras_home: an empty folder, so that the user's keras.json is not read.
    """
    fixed = {
        "KERAS_BACKEND": "tensorflow",
        "KERAS_HOME": str(keras_home),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "MKL_DYNAMIC": "FALSE",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # the order of nvidia-smi, which slots are named by
    }
    return fixed | dict.fromkeys(THREAD_VARIABLES, str(threads))
