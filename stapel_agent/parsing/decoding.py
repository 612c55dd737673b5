"""Decodes a text that is JSON, or nearly."""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import Any

from .storable_text import storable

MAX_DEPTH = 200  # nested objects and arrays

# In these patterns every quantifier is possessive or certain to succeed, so that nothing backtracks.
STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
STRINGS = re.compile(STRING, re.DOTALL)
# Keeps strings, and commas with nothing before them, which are not trailing commas.
TRAILING_COMMA = re.compile(rf"({STRING}|[\[{{,:]\s*+,)|,(?=\s*+[\]}}])", re.DOTALL)
UNSTORABLE_ESCAPE = re.compile(r"\\u(?:0000|[dD])")
ONE_DIGIT = bytes.maketrans(b"123456789", b"000000000")
DIGITS_OF_HUGE = b"0" * 309
STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def decode(text: str) -> Any:
    """Return the value of a JSON text, or None if it is not JSON."""
    if is_deep(text):
        return None
    # A hook for every integer would double the decoding time.
    decoder = CAREFUL if DIGITS_OF_HUGE in text.encode().translate(ONE_DIGIT) else QUICK
    try:
        value = decoder.decode(text)
    except (ValueError, RecursionError):
        return None
    return storable(value) if "\\" in text and UNSTORABLE_ESCAPE.search(text) else value


def decode_tolerantly(text: str) -> Any:
    """`decode()`, but accept trailing commas."""
    value = decode(text)
    if value is None and (fixed := TRAILING_COMMA.sub(r"\1", text)) != text:
        value = decode(fixed)
    return value


def is_deep(text: str) -> bool:
    """Whether a JSON text has more than MAX_DEPTH nested objects and arrays."""
    return text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH


def _depth(text: str) -> int:
    steps = STRINGS.sub("", text).encode().translate(STEPS, NO_BRACKETS)
    return max(accumulate(memoryview(steps).cast("b")), default=0)


def _double(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError(f"{literal[:20]} is not a finite double")
    return number


def _integer(literal: str) -> int:
    _double(literal)  # before int(), which takes quadratic time for a million digits
    return int(literal)


# Not strict: models write raw line breaks and tabs into strings.
QUICK = json.JSONDecoder(parse_constant=_double, parse_float=_double, strict=False)
CAREFUL = json.JSONDecoder(parse_constant=_double, parse_float=_double, parse_int=_integer, strict=False)
