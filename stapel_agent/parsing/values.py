"""Finds JSON in a passage, but no part of broken JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .decoding import decode, decode_tolerantly
from .passages import Passage

OPENING = re.compile(
    r"""
    [\[{][\s\[{]*+                              # every opening bracket before the first key or item
    (?P<json>
        (?: "[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\s*+\Z) | '[^'\n]*+' | -?\d[\w.+-]*+ | (?i:true|false|null|none)\b )
        \s*+ (?: [:,\]] | \Z )
        | [\w$]++: | [\]}] | // | /\*
    )?
    """,
    re.VERBOSE,
)
# The rest of JSON whose beginning is missing. Prose after an answer starts differently and may contain any bracket.
CONTINUATION = re.compile(
    r"""
    [\w\\]                                                  # within a string
    | \s*+ (?:
        "
        | [\]}] [\s\]}]*+ (?: , | \Z )
        | , \s*+ (?: ["\d\[{-] | true | false | null | \Z )
    )
    """,
    re.VERBOSE,
)
# The end of a string and what JSON has next, from within that string.
STRING_END = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"\s*+[:,\]}]', re.DOTALL)
# Brackets that a model wrote after its answer, and that close nothing.
STRAY_BRACKETS = re.compile(r"((?:\s*+[\]}])++)\s*+\Z")
# Text that ends within JSON, before a value. The beginning of that JSON is missing, if no bracket opens it.
JSON_BEFORE = re.compile(
    r"""(?: (?:\A|["'])\s*+: | (?: \A | ["'\]}\d] | \b(?:t?r?u?e|f?a?l?s?e|n?u?l?l) )\s*+, ) \s*+ \Z""", re.VERBOSE
)
BRACKET = re.compile(r'\\["\\]|["\[\]{}]')
CLOSING = {"[": "]", "{": "}"}


def values(passage: Passage) -> Iterator[tuple[int, int, Any]]:
    """Yield the start, end and value of all JSON in a passage that is not part of broken JSON."""
    text = passage.text
    if opening := OPENING.search(text):
        start, end = opening.start(), max(text.rfind("]"), text.rfind("}")) + 1
        value = decode(text[start:end])
        if value is None:
            yield from _scattered_values(passage)
        else:
            yield start, end, value


def _scattered_values(passage: Passage) -> Iterator[tuple[int, int, Any]]:
    """`values()` of a passage with more than one pair of brackets."""
    text = passage.text
    pairs, stray, quoted = _pairs(text)
    resume = reach = prose = 0
    for start, end in pairs.items():
        closed = end <= len(text)
        if start < resume or end <= reach or (start < prose and not closed):
            continue
        if not closed:
            opening = next(OPENING.finditer(text, start))
            if opening["json"] is not None:
                return
            prose = opening.end()
        elif (value := decode_tolerantly(text[start:end])) is None:
            reach = end
        else:
            resume = end
            whole = end if end > stray else _end_of_whole(passage, start, end, start in quoted)
            if whole is not None:
                yield start, whole, value


def _end_of_whole(passage: Passage, start: int, end: int, quoted: bool) -> int | None:
    """Return the end of a value before brackets that close nothing. None if it is the rest of broken JSON."""
    text = passage.text
    has_string = '"' in text[start:end]
    brackets = STRAY_BRACKETS.match(text, end)  # of the last value alone, so that what follows happens once
    if brackets and (has_string or not text[:start].strip()):
        return None if JSON_BEFORE.search(f"{passage.language or ''}{text[:start]}") else brackets.end(1)
    if not has_string or CONTINUATION.match(text, end) or (quoted and STRING_END.match(text, end)):
        return None
    return end


def _pairs(text: str) -> tuple[dict[int, int], int, set[int]]:
    """Return a dict of opening bracket -> end of its pair, the last bracket that closes nothing, and the opening
    brackets that are within strings if the whole is the rest of JSON.

    An end beyond the text means that the pair is never closed. Which quotes open a string depends on where the JSON
    starts. Brackets after an even number of quotes are paired with each other, and brackets after an odd number with
    each other. JSON is paired correctly either way.
    """
    pairs, stray, odd = {}, -1, 0
    openings: tuple[set[int], set[int]] = (set(), set())
    unclosed: tuple[dict[str, list[int]], ...] = ({"]": [], "}": []}, {"]": [], "}": []})
    for token in BRACKET.finditer(text):
        sign, position = token[0], token.start()
        if sign == '"':
            odd ^= 1
        elif sign in CLOSING:
            pairs[position] = len(text) + 1
            openings[odd].add(position)
            unclosed[odd][CLOSING[sign]].append(position)
        elif sign in unclosed[odd]:
            if unclosed[odd][sign]:
                pairs[unclosed[odd][sign].pop()] = position + 1
            else:
                stray = position
    return pairs, stray, openings[1 - odd] if stray == len(text.rstrip()) - 1 else set()
