"""One run without Prefect: plan, checks, allowlist, model trial, fold retries, progress display.

Imports everything below, and no Prefect.
"""
