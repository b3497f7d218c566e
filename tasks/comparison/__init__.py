"""Several models on the same folds: run together, tested in pairs, reported as one folder."""
