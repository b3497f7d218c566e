"""Which cause makes repeated fits of a user's own model differ.

causes -> trial (in workers) -> processes -> table -> printed, page, files.
"""
