"""What the databases have in common: the query, the table of its rows, their order."""
