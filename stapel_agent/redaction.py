"""Take credentials out of a text before it is logged, stored or answered."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .conf import ENVIRONMENT_KEYS, agent_settings

REDACTED = "[redacted]"
EXAMINED_LENGTH, DESCRIPTION_LENGTH = 64 * 1024, 300

# Quantifiers are bounded or single: a long hostile text costs linear time.
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

# Always matches to the end of a URL, so that none of it is looked at twice.
URL = re.compile(r"""(https?://[^\s"'<>?#]*+)(\?[^\s"'<>]*+)?""", re.IGNORECASE)


KEY_NAME = re.compile(r"(?i)(^|[_-])(keys?|token|secret|password|authorization)$")
"""What the settings call a value, or several, that is a credential."""


def redact(text: str) -> str:
    """`text` without the configured keys, queries of URLs, and anything else shaped like a credential."""
    text = _without(text, configured_keys())
    text = URL.sub(lambda url: f"{url[1]}?{REDACTED}" if url[2] else url[1], text)
    return CREDENTIALS.sub(REDACTED, text)


def configured_keys() -> set[str]:
    """Every key in the settings: the environment's two, and those of the entries of PROVIDERS."""
    named = {name: getattr(agent_settings, name) for name in ENVIRONMENT_KEYS}
    return {key for key in (*_keys_in(named), *_keys_in(agent_settings.PROVIDERS)) if key}


def _keys_in(value: Any, *, is_key: bool = False) -> Iterator[str]:
    """The keys below a setting: a text, a list of them, or `{"env": NAME}`, under a name that says so."""
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
    """`text` with each stretch that any of `keys` covers replaced: keys may overlap, or be part of one another."""
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
    """What a foreign fault is, in a line for the log."""
    # The first line alone: in the others a database quotes the row, prompt and all.
    first_line = str(fault)[:EXAMINED_LENGTH].partition("\n")[0]
    return redact(f"{type(fault).__name__}: {first_line}")[:DESCRIPTION_LENGTH]


def traceback_of(fault: BaseException, *, may_quote: bool = True) -> str:
    """Where it comes from, for the log of a bug; its messages may quote what was asked or answered."""
    if may_quote:
        return redact("".join(traceback.format_exception(fault)))
    return "".join([*traceback.format_tb(fault.__traceback__), type(fault).__name__])
