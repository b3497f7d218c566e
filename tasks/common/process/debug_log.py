"""What our modules log for the curious: what went wrong and was no reason to stop."""

import logging
import sys


class _Printer(logging.Handler):
    """Print records to what standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record, with its traceback."""
        print(self.format(record), file=sys.stderr, flush=True)


def show_debug_log() -> None:
    """Print what is logged from now on; nothing of it is printed otherwise."""
    log = logging.getLogger("foldproof")
    log.setLevel(logging.DEBUG)
    log.propagate = False  # Prefect's console would print it once more
    if not any(isinstance(handler, _Printer) for handler in log.handlers):
        log.addHandler(_Printer())
