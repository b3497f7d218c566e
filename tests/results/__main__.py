"""Renew the record of the code that decides results, after six models have run once more."""

import sys
import tempfile
from pathlib import Path

from foldproof.tasks.common.places import ROOT
from foldproof.tasks.common.version import REPORT_VERSION
from tests.results.golden import RUNS, Golden, Kind, digests, numerics_here
from tests.results.record import FILE, Record
from tests.results.renew import Unproved, check_provable, renewed


def main(root: Path = ROOT) -> int:
    """Return 0 if the record of a checkout is now that of its code, else 1."""
    before, now, golden = Record.read(root), Record.of(root), Golden.read(root)
    numerics = numerics_here()
    try:
        check_provable(before, now, golden.of(numerics))
        after = renewed(before, now, golden, Kind(numerics, _run_all(root), REPORT_VERSION))
    except Unproved as error:
        print(f"make results: {error}", file=sys.stderr)
        return 1
    after.write(root)
    now.write(root)
    same = "as it was" if now == before else "renewed"
    print(f"results version {now.results_version}: {FILE} is {same}")
    return 0


def _run_all(root: Path) -> dict[str, dict[str, object]]:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(RUNS, 1):
            print(f"{number} of {len(RUNS)}: {name}", flush=True)
            found[name] = digests(root, name, Path(folder))
    return found


if __name__ == "__main__":
    raise SystemExit(main())
