"""Tests of several packages together: real fits, real files, one run."""
