"""Tests of one module each; the tree mirrors that of the modules."""
