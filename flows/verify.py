"""Verify a finished run: `python flows/verify.py RUN_DIR`."""

import sys

from tasks.verify_command import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
