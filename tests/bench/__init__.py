"""Measure the running program: `python -m tests.bench` runs all parts, or the named ones."""
