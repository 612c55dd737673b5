"""Measured promises. Each module also runs alone: `python -m benchmarks.overhead`."""
