"""One run without Prefect: plan, pre-flight checks, allowlist, fold retries, progress display.

Imports everything below, and no Prefect.
"""
