"""The packages of a cross-validation, in the order of their imports.

Imports point one way, and `make lint` checks it: common, user_code, config, machine and data,
folds, training, store, workers and evaluation, clusters and report, run, prefect_ui and
prefect_server, prefect_flow, then verification, audit and comparison, and cli on top.
"""
