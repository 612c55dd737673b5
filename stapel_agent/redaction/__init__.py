"""Removes credentials from texts before they are logged, stored or returned."""

from .configured_keys import configured_keys, remember_keys
from .messages import (
    REDACTED,
    describe,
    message_of,
    redact,
    redact_start,
    redacted_json,
    traceback_of,
    without_keys,
)

__all__ = [
    "REDACTED",
    "configured_keys",
    "describe",
    "message_of",
    "redact",
    "redact_start",
    "redacted_json",
    "remember_keys",
    "traceback_of",
    "without_keys",
]
