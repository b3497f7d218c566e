"""Code that runs inside a worker and trains one fold: rows, scaler, seeds, model, engine.

Imports `folds` and what that may import.
"""
