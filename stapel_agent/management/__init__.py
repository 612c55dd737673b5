"""The management commands and their shared code."""

INTERRUPTED = 130
"""The exit status after Ctrl-C."""
