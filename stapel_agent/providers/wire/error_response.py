"""Reads an error response: its codes and its message. `classify` chooses the exception."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import unescape
from types import MappingProxyType
from typing import Any

from stapel_agent.column_ranges import token_count
from stapel_agent.exceptions import (
    InvalidAnswer,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from stapel_agent.redaction import redact_start

from .error_rules import BUSY, EXCEPTION_BY_NAME, PACE, RULES, TOO_LONG, WRONG_ADDRESS
from .retry_after import stated_wait
from .status_codes import STATUS_BY_TYPE, exception_by_status
from .vendor_json import mapping, text_of

NO_CODES: Mapping[str, str] = MappingProxyType({})
CODE_LENGTH = 64
CODE_DEPTH = 3
MESSAGE_FIELDS = ("error", "message", "detail", "msg", "base_resp", "status_msg", "errors", "error_msg")
CODE_FIELDS = ("code", "type", "status", "reason", "error_code", "error_type", "status_code")
CODE_IN_PART = re.compile(rf'"(?:{"|".join(CODE_FIELDS)})"\s{{0,9}}:\s{{0,9}}"?([A-Za-z0-9_.-]{{1,64}})(?=["\s,}}])')
STATUS_IN_WORDS = re.compile(r"\b(?:error code:|request failed with status code) ([45]\d\d)\b", re.IGNORECASE)
"""How the clients of gateways word a status: "Error code: 429", "Request failed with status code 429"."""
NOT_FOUND = "404 NOT_FOUND"
"""Z.ai's message if the path does not exist, with the status 200 and the code 500."""
EXCERPT_LENGTH = 300
EXAMINED_LENGTH = 64 * 1024

PAGE = "an HTML page"
HTML = re.compile(r"\s*(?:<!doctype html|<html)", re.IGNORECASE)
TITLE = re.compile(r"<title[^<>]{0,100}>([^<]{0,500})", re.IGNORECASE)
TITLE_LENGTH = 100


def classify(
    status: int,
    message: str,
    *,
    clues: str = "",
    codes: frozenset[str] = frozenset(),
    own_codes: Mapping[str, str] = NO_CODES,
    retry_after: float | None = None,
) -> ProviderError:
    """Return the exception for an error answer.

    `message` is short and contains no secrets. `clues` are the words that decide, if others do. `codes` are the
    `error_codes()` of the body. `own_codes` maps codes of this vendor to the names of failures.
    """
    if 300 <= status < 400:
        return exception_by_status(status)(f"HTTP {status}: redirects are not followed; set the base URL to the target")
    kind = _kind(status, clues or message, codes, own_codes)
    return kind(f"HTTP {status}: {message}" if message else f"HTTP {status}", retry_after=retry_after)


def _kind(status: int, message: str, codes: frozenset[str], own_codes: Mapping[str, str]) -> type[ProviderError]:
    if own := _own_kind(codes, own_codes):
        return own
    for rule in RULES:
        if rule.holds(status, message, codes):
            return rule.exception
    return exception_by_status(status)


def _own_kind(codes: frozenset[str], own_codes: Mapping[str, str]) -> type[ProviderError] | None:
    """Return the exception that a code of this vendor stands for."""
    named = (failure for code, failure in own_codes.items() if code.lower() in codes)
    return next((EXCEPTION_BY_NAME[failure] for failure in named if failure in EXCEPTION_BY_NAME), None)


def stated_fault(
    document: Mapping[str, Any], *, own_codes: Mapping[str, str] = NO_CODES, address_fix: str = ""
) -> ProviderError:
    """Return the exception for an error inside a 200 answer, by the status that its code stands for, or its message.

    `document` is what states the error. `address_fix` is the fix to show if the server has no such endpoint.
    """
    body = json.dumps(document)
    message, codes, wait = excerpt(body), error_codes(body), stated_wait(body)
    said = f"the answer is an error: {message}"
    elsewhere = RequestRejected(f"{said}; {address_fix}" if address_fix else said)
    if message == NOT_FOUND:
        return elsewhere
    if status := stated_status(document) or _status_in(message):
        return classify(status, message, codes=codes, own_codes=own_codes, retry_after=wait)
    if own := _own_kind(codes, own_codes):
        return own(said, retry_after=wait)
    kind: type[ProviderError] = _kind(400, message, codes, NO_CODES)
    if kind is not RequestRejected:
        return kind(said, retry_after=wait)
    if BUSY.search(message):
        return ProviderUnavailable(said, retry_after=wait)
    if PACE.search(message):
        return RateLimited(said, retry_after=wait)
    if TOO_LONG.search(message):
        return RequestRejected(said)
    return elsewhere if WRONG_ADDRESS.search(message) else InvalidAnswer(said)


def stated_status(document: Mapping[str, Any]) -> int | None:
    """Return the error status that a document states as a number, or for which its code stands."""
    codes = [*_stated_codes(document)]
    numbers = (token_count(code) for code in codes)
    words = (STATUS_BY_TYPE.get(str(code).lower().partition(".")[0]) for code in codes)
    return next((status for status in (*numbers, *words) if status and 400 <= status < 600), None)


def _status_in(message: str) -> int | None:
    found = STATUS_IN_WORDS.search(message)
    return int(found[1]) if found else None


def error_codes(body: str | bytes) -> frozenset[str]:
    """Return the codes and types in an error body, in lower case. A dotted code also counts as its first part."""
    text = text_of(body)
    try:
        found = json.loads(text) if len(text) <= EXAMINED_LENGTH else None
    except (ValueError, RecursionError):
        found = None
    codes = _stated_codes(found) if found is not None else _codes_in_part(text[:EXAMINED_LENGTH])
    stated = (str(code).lower() for code in codes)
    short = {code for code in stated if 0 < len(code) <= CODE_LENGTH}
    return frozenset(short | {code.partition(".")[0] for code in short})


def _codes_in_part(text: str) -> list[str]:
    """Return the codes in a JSON object that is too long, or whose end is missing."""
    return CODE_IN_PART.findall(text) if text.lstrip()[:1] in ("{", "[") else []


def _stated_codes(found: Any, depth: int = 0) -> Iterator[str | int]:
    if isinstance(found, list):
        found = found[0] if found else None
    if not isinstance(found, dict) or depth > CODE_DEPTH:
        return
    yield from (found[name] for name in CODE_FIELDS if isinstance(found.get(name), str | int))
    for name in ("error", "details", "metadata", "base_resp", "errors"):
        yield from _stated_codes(found.get(name), depth + 1)


def excerpt(body: str | bytes) -> str:
    """Return the message of an error body as one short line, without credentials or control characters."""
    text = text_of(body)
    if title := _title_of_page(text):
        return f"{PAGE}, {title!r}"
    # Redacted first, because a key that is broken up by a space is not recognized.
    line = " ".join(redact_start(_stated_message(text), EXAMINED_LENGTH).split())
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in line)[:EXCERPT_LENGTH]


def _title_of_page(text: str) -> str | None:
    """Return the title of an HTML page, from a proxy, a login or another server that answered instead of the API."""
    title = TITLE.search(text[:EXAMINED_LENGTH]) if HTML.match(text) else None
    return " ".join(redact_start(unescape(title[1]), EXAMINED_LENGTH).split())[:TITLE_LENGTH] if title else None


def is_of_another_address(status: int, message: str) -> bool:
    """Whether the API is not at this address. False if the API is there but does not know the model."""
    return status in (404, 405) and "model" not in message.lower()


def _stated_message(text: str, depth: int = 0) -> str:
    try:
        document = found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    while found and isinstance(found, dict | list):
        if isinstance(found, list):
            found = found[0]
        else:
            stated = (found.get(name) for name in MESSAGE_FIELDS)
            found = next((value for value in stated if value and isinstance(value, str | dict | list)), None)
    message = found if isinstance(found, str) else text
    raw = _upstream_error(document)
    return f"{message}: {_stated_message(raw, depth + 1)}" if raw and depth < CODE_DEPTH else message


def _upstream_error(document: Any) -> str:
    """Return the error of the vendor behind OpenRouter, whose own message only says that there was one."""
    raw = mapping(mapping(mapping(document).get("error")).get("metadata")).get("raw")
    return raw if isinstance(raw, str) else json.dumps(raw) if isinstance(raw, dict) else ""
