"""Show what makes fits of a model differ: `python flows/audit.py [--config FILE.yaml]`."""

import sys

from tasks.audit_command import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
