"""The exit codes of all commands."""

DONE, FAILED, WRONG_INPUT, INCOMPLETE = 0, 1, 2, 3
