"""Benchmarks against what people use today: `python -m benchmarks.report`, or `pytest benchmarks`."""
