"""Measured promises. Each module runs alone: `python -m benchmarks.overhead`."""
