"""Keep Prefect's log handlers from writing to the terminal."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from foldproof.tasks.prefect_server.prefect_internals import console_handlers, set_up_logging


@contextmanager
def quiet_prefect(verbose: bool) -> Iterator[None]:
    """Keep Prefect's log off the terminal; it still goes to the API."""
    if verbose:
        yield
        return
    os.environ.setdefault("DO_NOT_TRACK", "1")
    set_up_logging()  # which would undo this later
    consoles = console_handlers()
    levels = [handler.level for handler in consoles]
    for handler in consoles:
        handler.setLevel(logging.CRITICAL + 1)
    told = logging.raiseExceptions
    logging.raiseExceptions = False  # or logs that a lost server cannot take are printed about
    try:
        yield
    finally:
        logging.raiseExceptions = told
        for handler, level in zip(consoles, levels, strict=True):
            handler.setLevel(level)
