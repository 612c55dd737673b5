"""Decodes a text that is JSON, or nearly."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
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


def conflicts_in(text: str) -> tuple[bool, frozenset[str]]:
    """Whether any object of the JSON at the beginning of `text` has a key with different values, and such keys of the
    outermost object. Decoders keep the last of the values; RFC 8259 does not say which one is meant. Keys that differ
    only in what cannot be stored are one.
    """
    for candidate in _spellings(text):
        keys = _Conflicts()
        try:
            if not _repeats_a_key(candidate):
                break
            decoder = json.JSONDecoder(object_pairs_hook=keys, parse_int=NUMBER, parse_float=NUMBER, strict=False)
            decoder.raw_decode(candidate)
        except (ValueError, RecursionError):
            continue
        return keys.found, keys.outermost
    return False, frozenset()


def _spellings(text: str) -> Iterator[str]:
    yield text
    yield TRAILING_COMMA.sub(r"\1", text)


def _repeats_a_key(text: str) -> bool:
    """Whether any object has a key twice, whatever its values. Most answers need no closer look."""
    found: list[bool] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        found.append(len({storable(key) for key, _ in pairs}) < len(pairs))

    json.JSONDecoder(object_pairs_hook=note, strict=False).raw_decode(text)
    return any(found)


NUMBER = "\0{}".format
"""Reads a number as a text that no string is equal to, and in linear time."""


class _Conflicts:
    """Makes the objects of a JSON text, and remembers the keys that have different values."""

    def __init__(self) -> None:
        self.found = False
        self.outermost = frozenset[str]()

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs = [(storable(key), value) for key, value in pairs]
        last = dict(pairs)
        different = (key for key, value in pairs if last[key] != value) if len(last) < len(pairs) else ()
        self.outermost = frozenset(different)  # objects are read from the inside out
        self.found = self.found or bool(self.outermost)
        return last


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
