"""Figures of a report: each draws points onto matplotlib's axes, and nothing is computed here."""
