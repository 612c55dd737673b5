"""Extract JSON from a model's answer, without side effects and in linear time for any answer."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from operator import itemgetter
from typing import Any

MAX_DEPTH = 200  # nested objects and arrays


def parse_json_response(text: str) -> tuple[Any, str | None]:
    """Return the JSON in a model's answer and the prose around it. Each is None if the answer has none.

    If the whole answer is JSON, fenced or not, that JSON is the result. It may be a scalar, but `null` counts as no
    value. Within prose only objects and arrays count: the candidate with the highest `Rank` wins, the last one if
    several are equal. `<think>` blocks belong to neither result.

    Parts of broken JSON are never an answer: text inside brackets that do not contain JSON, text after an opening
    bracket that starts like JSON and is never closed, and text before the rest of JSON whose beginning is missing.
    Trailing commas and raw line breaks in strings are accepted. Numbers that do not fit a double and values nested
    deeper than MAX_DEPTH are rejected. Both results are `storable`.
    """
    answer = storable(text).strip().lstrip("\ufeff").strip()
    value = _decode(answer)
    if value is None:  # think tags inside a string of the answer are part of it
        answer = _without_thoughts(answer)
        value = _decode_scalar(answer)
    return _find(answer) if value is None else (value, None)


def parse_translation_response(text: str) -> dict[str, Any]:
    """Return the JSON object in a model's answer. Raises ValueError if there is none."""
    result, _ = parse_json_response(text)
    if not isinstance(result, dict):
        raise ValueError("the answer contains no JSON object")
    return result


def storable(value: Any) -> Any:
    """Return a copy of a JSON-like value that any database and UTF-8 can store.

    NUL and lone surrogates become U+FFFD. Tuples become lists, as in JSON. A string with nothing to replace is
    returned unchanged.
    """
    if isinstance(value, str):
        return _storable_text(value)
    root = [value]
    containers: list[Any] = [root]
    for container in containers:  # grows during the loop: recursion would limit the depth to the caller's stack
        for key, item in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(item, str):
                container[key] = _storable_text(item)
            elif isinstance(item, dict):
                container[key] = {_storable_text(k) if isinstance(k, str) else k: v for k, v in item.items()}
                containers.append(container[key])
            elif isinstance(item, list | tuple):
                container[key] = list(item)
                containers.append(container[key])
    return root[0]


UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def _storable_text(text: str) -> str:
    try:
        if b"\0" not in text.encode():
            return text
    except UnicodeEncodeError:
        pass
    return UNSTORABLE.sub("\ufffd", text)


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


def _decode(text: str) -> Any:
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


FENCE_AROUND = re.compile(r"(`{3,}+|~{3,}+|`)(?:[ \t]*+(?:json\w*+|te?xt|plaintext)?+\s)?", re.IGNORECASE)


def _decode_scalar(text: str) -> Any:
    """Return the value of a JSON text, or of one JSON scalar in a closed fence."""
    value = _decode(text)
    opening = FENCE_AROUND.match(text) if value is None else None
    if opening and text.endswith(opening[1]):
        value = _decode(text[opening.end() : -len(opening[1])])
    return None if opening and isinstance(value, dict | list) else value


def _decode_tolerantly(text: str) -> Any:
    """`_decode()`, but accept trailing commas."""
    value = _decode(text)
    if value is None and (fixed := TRAILING_COMMA.sub(r"\1", text)) != text:
        value = _decode(fixed)
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


THOUGHT = re.compile(
    r"""
    (?P<quoted>"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"?)    # may be a string in the answer
    | <(?P<tag>think(?:ing)?)>.*?(?:</(?P=tag)>|\Z)
    | </think(?:ing)?>                                  # the opening tag was in the prompt, not in the answer
    """,
    re.VERBOSE | re.DOTALL,
)


def _without_thoughts(text: str) -> str:
    if "think" not in text:
        return text
    kept, end = [], 0
    for match in THOUGHT.finditer(text):
        if match["quoted"]:
            continue
        kept.append(text[end : match.start()])
        end = match.end()
        if not match["tag"]:
            kept.clear()
    return "".join([*kept, text[end:]]).strip()


FENCE = re.compile(r"^[ \t]*+(`{3,}+|~{3,}+)([^\n`{\[]*+$|[^\s`{\[]*+)", re.MULTILINE)
FENCE_BEFORE = re.compile(r"(?<![`~])(?:(?:`{3,}+|~{3,}+)[^\n`~]*+\s*+|`)\Z")
FENCE_AFTER = re.compile(r"\A\s*+(?:`+|~{3,})")


class Rank(IntEnum):
    """How likely it is that JSON within prose is the answer."""

    CHANCE = 0
    """Empty, or an array of only numbers: prose may contain one by chance."""
    SAMPLE = 1
    """Part of a code sample."""
    LIGHT_LINE = 2
    """Empty, or an array of only numbers, on separate lines."""
    PLAIN = 3
    FENCED = 4
    """Alone in a closed fence that names no language other than JSON."""


def _find(text: str) -> tuple[Any, str | None]:
    """The result of `parse_json_response()` for a text of which only a part may be JSON."""
    _, start, end, value = max(_candidates(text), default=(Rank.CHANCE, 0, 0, None), key=itemgetter(0, 1))
    before, after = text[:start], text[end:]
    if fence := FENCE_BEFORE.search(before):
        before, after = before[: fence.start()], FENCE_AFTER.sub("", after)
    return value, "\n".join(filter(None, (before.strip(), after.strip()))) or None


def _candidates(text: str) -> Iterator[tuple[Rank, int, int, Any]]:
    """Yield the rank, start, end and value of every candidate for the answer."""
    opening, closing = OPENING.search(text), max(text.rfind("]"), text.rfind("}")) + 1
    if opening and (value := _decode(text[opening.start() : closing])) is not None:  # its strings may contain fences
        yield Rank.PLAIN, opening.start(), closing, value
        return
    for segment in _segments(text):
        for start, end, value in _values(segment.text):
            yield segment.rank(start, end, value), segment.offset + start, segment.offset + end, value


@dataclass(frozen=True)
class _Passage:
    """The text between two fences. `language` is None outside fences; `closed` says whether both fences exist."""

    offset: int
    text: str
    language: str | None
    closed: bool

    def rank(self, start: int, end: int, value: Any) -> Rank:
        is_json = self.language is None or bool(JSON_LANGUAGE.fullmatch(self.language))
        if self.closed and is_json and end - start == len(self.text.strip()):
            return Rank.FENCED
        is_light = not any(isinstance(item, str | list | dict) for item in value)
        if is_light:
            return Rank.LIGHT_LINE if self._stands_alone(start, end) and is_json else Rank.CHANCE
        is_sample = self.closed or not is_json or CODE_BEFORE.search(self.text, max(0, start - CODE_LENGTH), start)
        return Rank.SAMPLE if is_sample else Rank.PLAIN

    def _stands_alone(self, start: int, end: int) -> bool:
        before, after = (
            LINE_BEFORE.search(self.text, max(0, start - CODE_LENGTH), start),
            LINE_AFTER.match(self.text, end),
        )
        return bool(before and after)


CODE_LENGTH = 32
CODE_BEFORE = re.compile(r"(?:[=(`]|\breturn|\bawait|\bprint)\s*+\Z")
JSON_LANGUAGE = re.compile(r"(?:json.*|te?xt|plaintext|output|answer|result|)", re.IGNORECASE | re.DOTALL)
LINE_BEFORE = re.compile(r"(?:\A|\n)[ \t]*+\Z")
LINE_AFTER = re.compile(r"[ \t\r]*+(?:\n|\Z)")


def _segments(text: str) -> Iterator[_Passage]:
    """Yield the parts of a text between its fences."""
    start, opening = 0, None
    for fence in FENCE.finditer(text):
        closed = opening is not None and fence[1].startswith(opening[1]) and not fence[2].strip()
        yield _Passage(start, text[start : fence.start()], _language(opening), closed)
        start, opening = fence.end(), None if closed else fence
    yield _Passage(start, text[start:], _language(opening), closed=False)


def _language(opening: re.Match[str] | None) -> str | None:
    return None if opening is None else opening[2].strip()


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
BRACKET = re.compile(r'\\["\\]|["\[\]{}]')
CLOSING = {"[": "]", "{": "}"}


def _values(text: str) -> Iterator[tuple[int, int, Any]]:
    """Yield the start, end and value of all JSON in `text` that is not part of broken JSON."""
    if opening := OPENING.search(text):
        start, end = opening.start(), max(text.rfind("]"), text.rfind("}")) + 1
        value = _decode(text[start:end])
        if value is None:
            yield from _scattered_values(text)
        else:
            yield start, end, value


def _scattered_values(text: str) -> Iterator[tuple[int, int, Any]]:
    """`_values()` of a text with more than one pair of brackets."""
    pairs, stray = _pairs(text)
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
        elif (value := _decode_tolerantly(text[start:end])) is None:
            reach = end
        else:
            resume = end
            if end > stray or ('"' in text[start:end] and not CONTINUATION.match(text, end)):
                yield start, end, value


def _pairs(text: str) -> tuple[dict[int, int], int]:
    """Return a dict of opening bracket -> end of its pair, and the last bracket that closes nothing.

    An end beyond the text means that the pair is never closed. Which quotes open a string depends on where the JSON
    starts. Brackets after an even number of quotes are paired with each other, and brackets after an odd number with
    each other. JSON is paired correctly either way.
    """
    pairs, stray, odd = {}, -1, 0
    unclosed: tuple[dict[str, list[int]], ...] = ({"]": [], "}": []}, {"]": [], "}": []})
    for token in BRACKET.finditer(text):
        sign, position = token[0], token.start()
        if sign == '"':
            odd ^= 1
        elif sign in CLOSING:
            pairs[position] = len(text) + 1
            unclosed[odd][CLOSING[sign]].append(position)
        elif sign in unclosed[odd]:
            if unclosed[odd][sign]:
                pairs[unclosed[odd][sign].pop()] = position + 1
            else:
                stray = position
    return pairs, stray
