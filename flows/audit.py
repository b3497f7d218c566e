"""Show what makes fits of a model differ: `python flows/audit.py [--config FILE.yaml]`."""

import sys

if __name__ == "__main__":
    from foldproof.tasks.run.views.status_line import greet

    greet(sys.argv[1:])  # before anything that takes time to import
    from foldproof.tasks.cli.audit import main

    raise SystemExit(main(sys.argv[1:]))
