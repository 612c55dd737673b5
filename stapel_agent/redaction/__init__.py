"""Removes credentials from texts before they are logged, stored or returned."""

from .configured_keys import KEY_LENGTH, remember_keys, settings_with_short_keys
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
    "KEY_LENGTH",
    "REDACTED",
    "describe",
    "message_of",
    "redact",
    "redact_start",
    "redacted_json",
    "remember_keys",
    "settings_with_short_keys",
    "traceback_of",
    "without_keys",
]
