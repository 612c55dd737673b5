"""How long a vendor asks you to wait before a retry: stated in a header, or only in the body of the error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .vendor_json import text_of

LONGEST = 366 * 24 * 60 * 60.0
LONGEST_IN_A_BODY = 24 * 60 * 60.0
"""A body may quote the prompt, so it cannot name more than the longest wait that vendors name there."""
EXAMINED_LENGTH = 64 * 1024

UNITS: Mapping[str, float] = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
PART = rf"(\d{{1,9}}(?:\.\d{{1,12}})?)\d*+\s?({'|'.join(UNITS)})(?![a-z])"
DURATION = rf"((?:{PART}(?:,?\s(?:and\s)?)?){{1,5}})"

STATED: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        # Gemini: "retryDelay": "34.074824224s", a google.rpc.RetryInfo. Quotes are escaped if a gateway wraps the body.
        rf'"retryDelay\\*"\s?:\s?\\*"{DURATION}',
        # OpenAI and Groq: "Please try again in 6m0s." Azure: "Please retry after 26 seconds."
        # Gemini: "Please retry in 34.07s."
        rf"(?:try(?: your request)? again|retry)(?: your request)? (?:in|after) {DURATION}",
        # GitHub Models: "Please wait 10 hours 58 minutes before trying again."
        rf"please wait {DURATION}before",
    )
)
"""How bodies state a wait. The first pattern that matches counts. docs/dialects.md lists the sources."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110)."""
    milliseconds, stated = headers.get("retry-after-ms", ""), headers.get("retry-after", "").strip()
    with suppress(ValueError):
        if (seconds := _wait(float(milliseconds) / 1000)) is not None:
            return seconds
    with suppress(ValueError):
        return _wait(float(stated))
    try:
        moment = parsedate_to_datetime(stated)
    except (ValueError, OverflowError):
        return None
    return _wait((moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def stated_wait(body: bytes | str) -> float | None:
    """Return the seconds to wait that the body of an error states, or None."""
    text = text_of(body[:EXAMINED_LENGTH])
    found = next((match for pattern in STATED if (match := pattern.search(text))), None)
    if found is None:
        return None
    parts = re.findall(PART, found[1], re.IGNORECASE | re.ASCII)
    return _wait(sum(float(number) * UNITS[unit.lower()] for number, unit in parts), LONGEST_IN_A_BODY)


def _wait(seconds: float, longest: float = LONGEST) -> float | None:
    # Ignore values that no vendor can mean (NaN, a century). A time in the past means now.
    return max(0.0, seconds) if seconds <= longest else None
