"""The management commands, and what they share."""

INTERRUPTED = 130
"""How a shell sees an end by Ctrl-C."""
