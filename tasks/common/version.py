"""The version of foldproof: part of every key, so raise it whenever a result can change."""

VERSION = "0.2.0"
