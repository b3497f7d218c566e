"""What trains a fold, in a worker only: rows, scaler, model, seeds.

Imports `folds` and what that may import.
"""
