"""Benchmarks: what a fold, a run and a gigabyte cost, beside what people use today.

`python -m tests.bench` prints one table; `--full` adds the long cases. Every peer and
every measured run of ours is a process of its own.
"""
