"""The version of the package, and those of its results and reports, which are part of keys.

A new version of the package finds the folds that an earlier one stored, as long as both have
the same version of results. `make results` proves that they do: see tests/results.
"""

VERSION = "0.2.0"
RESULTS_VERSION = "0.2.0"  # raise it whenever the same key can lead to another result
REPORT_VERSION = 2  # raise it whenever the same folds can lead to another report; in no fold's key
