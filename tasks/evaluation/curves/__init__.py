"""Curves of a run, from its stored predictions and histories: the points, and nothing drawn."""
