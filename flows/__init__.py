"""The flows of foldproof: what a person runs."""
