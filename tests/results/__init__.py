"""The guard of the results version: `make results` renews the record, after a proof.

`RESULTS_VERSION` in tasks/common/version.py is part of every key: folds that were stored with
the same one are taken as they are. It has to be raised whenever a result can change, and
nothing but a person's care would see to that. So record.json holds a digest of all code that
decides results, and golden.json what six small models gave with it.
"""
