"""Measures the running program. `python -m tests.bench` runs all of it, or the parts it names."""
