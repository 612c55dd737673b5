"""Redacted texts: messages, descriptions and tracebacks of exceptions, and JSON."""

from __future__ import annotations

import traceback
from collections.abc import Set
from typing import Any

from .configured_keys import configured_keys
from .credential_patterns import CREDENTIALS, URL
from .encoded_keys import key_spans

REDACTED = "[redacted]"
EXAMINED_LENGTH, DESCRIPTION_LENGTH = 64 * 1024, 300
EXAMINED_TRACEBACK, TRACEBACK_LENGTH = 1024 * 1024, 64 * 1024
CUT_LENGTH = 4096
"""The end of an examined text that may hold a part of a key that is too short to be recognized."""


def redact(text: str) -> str:
    """Return `text` without keys, the queries of URLs, and anything that looks like a credential."""
    return _redact(text, configured_keys())


def redact_start(text: str, length: int) -> str:
    """Return at most `length` characters from the start of `text`, redacted. The rest of a long text is not examined.

    Redacts before it cuts, because a short part of a key is not recognized.
    """
    if len(text) <= EXAMINED_LENGTH:
        return redact(text)[:length]
    return redact(text[:EXAMINED_LENGTH])[:-CUT_LENGTH][:length]


def without_keys(text: str) -> str:
    """Return `text` with every key replaced, however it is escaped or encoded. Keys may overlap."""
    return _without(text, configured_keys())


def redacted_json(value: Any, *, only_keys: bool = False) -> Any:
    """Return a JSON value whose texts, including the names in objects, are redacted."""
    keys = configured_keys()

    def redacted(part: Any) -> Any:
        if isinstance(part, str):
            return _without(part, keys) if only_keys else _redact(part, keys)
        if isinstance(part, dict):
            return {redacted(name): redacted(item) for name, item in part.items()}
        return [redacted(item) for item in part] if isinstance(part, list) else part

    return redacted(value)


def _redact(text: str, keys: Set[str]) -> str:
    text = _without(text, keys)
    text = URL.sub(lambda url: f"{url[1]}?{REDACTED}" if url[2] else url[1], text)
    return CREDENTIALS.sub(REDACTED, text)


def _without(text: str, keys: Set[str]) -> str:
    pieces: list[str] = []
    end = 0
    for start, stop in sorted(key_spans(text, keys)):
        if start > end or not pieces:
            pieces += [text[end:start], REDACTED]
        end = max(end, stop)
    return "".join([*pieces, text[end:]])


def message_of(fault: BaseException) -> str:
    """Return the message of any exception, not redacted: a host's class may raise another one, or return anything."""
    try:
        return str.__str__(str(fault))
    except Exception:
        return "its message cannot be read"


def describe(fault: BaseException) -> str:
    """Describe an exception from outside this package in one line for the log."""
    # Only the first line: in the others a database quotes the row, including the prompt.
    line = redact_start(message_of(fault), EXAMINED_LENGTH).partition("\n")[0]
    return f"{type(fault).__name__}: {line}"[:DESCRIPTION_LENGTH]


def traceback_of(fault: BaseException, *, may_quote: bool = True) -> str:
    """Return the end of the traceback for the log. Includes the exceptions that led to `fault`.

    Without `may_quote`, it omits messages, which may quote prompts or answers.
    """
    try:
        lines = traceback.format_exception(fault) if may_quote else traceback.format_tb(fault.__traceback__)
    except Exception:  # an attribute of a host's exception cannot be read
        lines = []
    text = redact("".join(lines)[-EXAMINED_TRACEBACK:])[-TRACEBACK_LENGTH:]
    return text if may_quote and lines else f"{text}{type(fault).__name__}"
