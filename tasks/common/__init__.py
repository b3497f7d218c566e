"""What everything stands on: errors, digests, the version, and where foldproof lies.

Imports nothing else of foldproof.
"""
