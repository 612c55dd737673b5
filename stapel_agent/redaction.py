"""Remove credentials from a text before it is logged, stored or returned."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .conf import ENVIRONMENT_KEYS, agent_settings

REDACTED = "[redacted]"
EXAMINED_LENGTH, DESCRIPTION_LENGTH = 64 * 1024, 300

# Every quantifier is bounded or the only one, so a long hostile text takes linear time.
CREDENTIALS = re.compile(
    r"""
    \b(?:sk|pk|rk|gsk|xai|hf|gh[opsu]|github_pat)[-_][A-Za-z0-9_\-]{6,512}
    | \bAIza[A-Za-z0-9_\-]{20,512} | \bA[KS]IA[A-Z0-9]{16}         # vendors' key prefixes
    | \beyJ[A-Za-z0-9_\-]{4,4096}\.[A-Za-z0-9_\-.]{4,8192}         # a JSON Web Token
    | (?i:bearer|basic)[ ][^\s"',;]{4,4096}                       # Authorization: Bearer ...
    | (?<=://)[^/\s@:]{0,256}:[^/\s@]{1,256}(?=@)                 # user:password in a URL
    | (?i:(?:api[-_]?key|password|passwd|secret|token|authorization))["']?\s{0,4}[=:]\s{0,4}["']?
      (?:(?i:bearer|basic)[ ])?[^\s"',;&]{4,4096}                 # key=value, "key": "value"
    """,
    re.VERBOSE,
)

# Always matches to the end of a URL, so that no part is scanned twice.
URL = re.compile(r"""(https?://[^\s"'<>?#]*+)(\?[^\s"'<>]*+)?""", re.IGNORECASE)


KEY_NAME = re.compile(r"(?i)(^|[_-])(keys?|token|secret|password|authorization)$")
"""Names of settings whose values are credentials."""


def redact(text: str) -> str:
    """Return `text` without the configured keys, the queries of URLs, and anything that looks like a credential."""
    text = _without(text, configured_keys())
    text = URL.sub(lambda url: f"{url[1]}?{REDACTED}" if url[2] else url[1], text)
    return CREDENTIALS.sub(REDACTED, text)


def configured_keys() -> set[str]:
    """Return every key in the settings: the two built-in key settings, and the keys in PROVIDERS."""
    named = {name: getattr(agent_settings, name) for name in ENVIRONMENT_KEYS}
    return {key for key in (*_keys_in(named), *_keys_in(agent_settings.PROVIDERS)) if key}


def _keys_in(value: Any, *, is_key: bool = False) -> Iterator[str]:
    """Yield the keys in a setting: a string, a list of strings, or `{"env": NAME}`, under a name like "api_key"."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            if is_key and name == "env":
                yield os.environ.get(str(part), "")
            else:
                yield from _keys_in(part, is_key=is_key or bool(KEY_NAME.search(str(name))))
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _keys_in(part, is_key=is_key)
    elif is_key and value:
        yield str(value)


def _without(text: str, keys: Iterable[str]) -> str:
    """Return `text` with all `keys` replaced. Keys may overlap or contain each other."""
    pieces: list[str] = []
    end = 0
    for start, stop in sorted(span for key in keys for span in _places(text, key)):
        if start > end or not pieces:
            pieces += [text[end:start], REDACTED]
        end = max(end, stop)
    return "".join([*pieces, text[end:]])


def _places(text: str, key: str) -> Iterator[tuple[int, int]]:
    start = text.find(key)
    while start >= 0:
        yield start, start + len(key)
        start = text.find(key, start + 1)


def describe(fault: BaseException) -> str:
    """Describe an exception from outside this package in one line for the log."""
    # Only the first line: in the others a database quotes the row, including the prompt.
    first_line = str(fault)[:EXAMINED_LENGTH].partition("\n")[0]
    return redact(f"{type(fault).__name__}: {first_line}")[:DESCRIPTION_LENGTH]


def traceback_of(fault: BaseException, *, may_quote: bool = True) -> str:
    """Return the traceback for the log. Without `may_quote`, it omits messages, which may quote prompts or answers."""
    if may_quote:
        return redact("".join(traceback.format_exception(fault)))
    return "".join([*traceback.format_tb(fault.__traceback__), type(fault).__name__])
