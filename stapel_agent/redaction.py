"""Take credentials out of a text before it is logged, stored or answered."""

from __future__ import annotations

import re
import traceback

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


def redact(text: str) -> str:
    """`text` without the configured keys, queries of URLs, and anything else shaped like a credential."""
    for name in ENVIRONMENT_KEYS:
        key = getattr(agent_settings, name)
        if key:
            text = text.replace(str(key), REDACTED)
    text = URL.sub(lambda url: f"{url[1]}?{REDACTED}" if url[2] else url[1], text)
    return CREDENTIALS.sub(REDACTED, text)


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
