"""Train one fold in a worker: its rows, scaler, seeds, model and engine.

Imports `folds` and what that may import.
"""
