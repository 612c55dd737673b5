"""What a vendor's refusal means: HTTP status and body -> exception, once for all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape

from stapel_agent.exceptions import (
    AccessDenied,
    OutOfCredit,
    ProviderDown,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RequestInterrupted,
    RequestRejected,
)
from stapel_agent.redaction import redact

EXCERPT_LENGTH = 300
EXAMINED_LENGTH = 64 * 1024

FAULT_BY_STATUS: dict[int, type[ProviderError]] = {
    401: AccessDenied,
    402: OutOfCredit,
    403: AccessDenied,
    408: ProviderUnavailable,
    409: ProviderUnavailable,
    429: RateLimited,
    500: ProviderUnavailable,
    502: ProviderUnavailable,
    503: ProviderUnavailable,
    529: ProviderUnavailable,
    # A gateway gave up: what it had passed on may still be worked on, and billed (520 to 524 are Cloudflare's).
    **dict.fromkeys((504, *range(520, 525)), RequestInterrupted),
}
MAX_RETRY_AFTER = 366 * 24 * 60 * 60.0
PAGE = "an HTML page"
HTML = re.compile(r"\s*(?:<!doctype html|<html)", re.IGNORECASE)
TITLE = re.compile(r"<title[^<>]{0,100}>([^<]{0,500})", re.IGNORECASE)
TITLE_LENGTH = 100
EMPTY_ACCOUNT = re.compile(r"credit balance is too low|insufficient[ _](?:balance|credit|funds|quota)", re.IGNORECASE)
MONEY = re.compile(r"credit|quota|billing|balance|arrears|recharge|余额|欠费", re.IGNORECASE)
PACE = re.compile(r"rate.?limit|per (?:second|minute|min|hour|day)|try again in", re.IGNORECASE)


def classify(status: int, message: str, *, retry_after: float | None = None) -> ProviderError:
    """The fault that an HTTP status means, whoever the vendor is. `message` is short and holds no secret."""
    if 300 <= status < 400:
        return ProviderDown(f"HTTP {status}: a redirect, not followed; set the base URL to where it leads")
    fault = FAULT_BY_STATUS.get(status) or (ProviderDown if status >= 500 else RequestRejected)
    if _out_of_credit(status, message):
        fault = OutOfCredit
    return fault(f"HTTP {status}: {message}" if message else f"HTTP {status}", retry_after=retry_after)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds after which to ask again: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110)."""
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


def _wait(seconds: float) -> float | None:
    # What no vendor can mean (NaN, a century) is no statement; a moment that has passed is now.
    return max(0.0, seconds) if seconds <= MAX_RETRY_AFTER else None


def _out_of_credit(status: int, message: str) -> bool:
    if status in (400, 401, 402, 403, 429) and EMPTY_ACCOUNT.search(message):
        return True
    # A rate limit's text often names a quota, and points to the billing page for a larger one.
    return status in (401, 402, 403, 429) and bool(MONEY.search(message)) and not PACE.search(message)


def excerpt(body: str | bytes) -> str:
    """What an error body says, on one short line without credentials, and without what a terminal obeys."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    if title := _title_of_page(text):
        return f"{PAGE}, {title!r}"
    # Cut after redaction, for half a key is no longer recognised; cut before too, to bound its cost.
    if len(text) > EXAMINED_LENGTH:
        text = text[:EXAMINED_LENGTH].rpartition(" ")[0] or text[:EXAMINED_LENGTH]  # not in the middle of a key
    line = " ".join(_stated_message(text).split())
    return redact("".join(sign if sign.isprintable() else "\ufffd" for sign in line))[:EXCERPT_LENGTH]


def _title_of_page(text: str) -> str | None:
    """What an HTML page calls itself: of a proxy, a login or another server, which answered in the API's place."""
    title = TITLE.search(text[:EXAMINED_LENGTH]) if HTML.match(text) else None
    return redact(" ".join(unescape(title[1]).split()))[:TITLE_LENGTH] if title else None


def is_of_another_address(status: int, message: str) -> bool:
    """Whether nothing like the API is there, rather than a model that it does not know."""
    return status in (404, 405) and "model" not in message.lower()


def _stated_message(text: str) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    while found and isinstance(found, dict | list):
        if isinstance(found, list):
            found = found[0]
        else:
            stated = (found.get(name) for name in ("error", "message", "detail", "msg"))
            found = next((value for value in stated if value and isinstance(value, str | dict | list)), None)
    return found if isinstance(found, str) else text
