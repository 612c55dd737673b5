"""The management commands and their shared code."""

INTERRUPTED = 130
"""The exit status after Ctrl-C."""
CLOSED_PIPE = 141
"""The exit status after the reader of the output has gone, as a shell reports it."""
