"""JSON out of a model's answer: pure, and linear in time for an answer of any shape."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

MAX_DEPTH = 200  # objects and arrays within each other


def parse_json_response(text: str) -> tuple[dict[str, Any] | list[Any] | None, str | None]:
    """The JSON object or array in a model's answer, and the prose around it; None for what there is none of.

    `<think>` blocks are left out of both. An answer that is JSON as a whole is that JSON. Otherwise the last
    closed fence that holds nothing but JSON wins; then the last JSON in the text; then, for prose may hold
    such by chance, the last empty value or array of mere numbers.

    No piece of something broken is an answer. Between two fences that is: what stands within a pair of
    brackets that is not JSON; after one that begins like JSON and is never closed; and before one that closes
    nothing. Trailing commas are forgiven. Scalars, numbers beyond a double, and more than MAX_DEPTH objects
    and arrays within each other are no answer. Both results are `storable`.
    """
    answer = _without_thoughts(storable(text).strip().lstrip("\ufeff").strip())
    value = _decode(answer)
    if value is None:
        return _find(answer)
    return (value, None) if isinstance(value, dict | list) else (None, answer)


def parse_translation_response(text: str) -> dict[str, Any]:
    """The JSON object in a model's answer. Raises ValueError if there is none."""
    result, _ = parse_json_response(text)
    if not isinstance(result, dict):
        raise ValueError("the answer holds no JSON object")
    return result


def storable(value: Any) -> Any:
    """A copy of a JSON-like value that any database and UTF-8 can hold: NUL and lone surrogates become U+FFFD.

    Tuples become lists, as in JSON. A string with nothing to replace is returned as it is.
    """
    if isinstance(value, str):
        return _storable_text(value)
    root = [value]
    containers: list[Any] = [root]
    for container in containers:  # grows on the way: recursion would tie the depth to the caller's stack
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


# In these patterns every quantifier is possessive or bound to succeed, so that none is tried in two ways.
STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
STRINGS = re.compile(STRING, re.DOTALL)
# Strings are kept, and so are commas with nothing before them, which are no trailing ones.
TRAILING_COMMA = re.compile(rf"({STRING}|[\[{{,:]\s*+,)|,(?=\s*+[\]}}])", re.DOTALL)
UNSTORABLE_ESCAPE = re.compile(r"\\u(?:0000|[dD])")
ONE_DIGIT = bytes.maketrans(b"123456789", b"000000000")
DIGITS_OF_HUGE = b"0" * 309
STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _decode(text: str) -> Any:
    """The value of a text that is JSON, or None."""
    if is_deep(text):
        return None
    # A hook for every integer would double the time of decoding.
    decoder = CAREFUL if DIGITS_OF_HUGE in text.encode().translate(ONE_DIGIT) else QUICK
    try:
        value = decoder.decode(text)
    except (ValueError, RecursionError):
        return None
    return storable(value) if "\\" in text and UNSTORABLE_ESCAPE.search(text) else value


def _decode_tolerantly(text: str) -> Any:
    """`_decode()`, with trailing commas forgiven."""
    value = _decode(text)
    if value is None and (mended := TRAILING_COMMA.sub(r"\1", text)) != text:
        value = _decode(mended)
    return value


def is_deep(text: str) -> bool:
    """Whether a JSON text has more than MAX_DEPTH objects and arrays within each other."""
    return text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH


def _depth(text: str) -> int:
    steps = STRINGS.sub("", text).encode().translate(STEPS, NO_BRACKETS)
    return max(accumulate(memoryview(steps).cast("b")), default=0)


def _double(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError(f"{literal[:20]} is no finite double")
    return number


def _integer(literal: str) -> int:
    _double(literal)  # first: int() takes quadratic time on a million digits
    return int(literal)


QUICK = json.JSONDecoder(parse_constant=_double, parse_float=_double)
CAREFUL = json.JSONDecoder(parse_constant=_double, parse_float=_double, parse_int=_integer)


THOUGHT = re.compile(
    r"""
    (?P<quoted>"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"?)    # may be a string of the answer
    | <(?P<tag>think(?:ing)?)>.*?(?:</(?P=tag)>|\Z)
    | </think(?:ing)?>                                  # its opening tag was given to the model, not by it
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


def _find(text: str) -> tuple[Any, str | None]:
    """What `parse_json_response()` answers for a text that is not JSON as a whole."""
    _, start, end, value = max(_candidates(text), default=(0, 0, 0, None))
    before, after = text[:start], text[end:]
    if fence := FENCE_BEFORE.search(before):
        before, after = before[: fence.start()], FENCE_AFTER.sub("", after)
    return value, "\n".join(filter(None, (before.strip(), after.strip()))) or None


def _candidates(text: str) -> Iterator[tuple[int, int, int, Any]]:
    """Rank, start, end and value of all that may be the answer: the greatest is."""
    for offset, passage, fenced in _passages(text):
        length = len(passage.strip())
        for start, end, value in _values(passage):
            telling = any(isinstance(item, str | list | dict) for item in value)
            rank = 2 if fenced and end - start == length else int(telling)
            yield rank, offset + start, offset + end, value


def _passages(text: str) -> Iterator[tuple[int, str, bool]]:
    """What stands between the fences: its offset, itself, and whether they are an opening and its closing one."""
    start, opening = 0, None
    for fence in FENCE.finditer(text):
        closed = opening is not None and fence[1].startswith(opening[1]) and not fence[2].strip()
        yield start, text[start : fence.start()], closed
        start, opening = fence.end(), None if closed else fence
    yield start, text[start:], False


OPENING = re.compile(
    r"""
    [\[{][\s\[{]*+                              # all that opens before the first key or item begins alike
    (?P<json>
        (?: "[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(?:"|\\?\s*+\Z) | '[^'\n]*+' | -?\d[\w.+-]*+ | (?i:true|false|null|none)\b )
        \s*+ (?: [:,\]] | \Z )
        | [\w$]++: | [\]}] | // | /\*
    )?
    """,
    re.VERBOSE,
)
BRACKET = re.compile(r'\\["\\]|["\[\]{}]')
CLOSING = {"[": "]", "{": "}"}


def _values(text: str) -> Iterator[tuple[int, int, Any]]:
    """Start, end and value of all JSON in `text` that is not a piece of something broken."""
    if opening := OPENING.search(text):
        start, end = opening.start(), max(text.rfind("]"), text.rfind("}")) + 1
        value = _decode(text[start:end])
        if value is None:
            yield from _scattered_values(text)
        else:
            yield start, end, value


def _scattered_values(text: str) -> Iterator[tuple[int, int, Any]]:
    """`_values()` of a text where more than one thing has brackets."""
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
            if end > stray:
                yield start, end, value


def _pairs(text: str) -> tuple[dict[int, int], int]:
    """Opening bracket -> where its pair ends (beyond the text: never); and the last bracket that closes nothing.

    Which quotes open a string depends on where the JSON begins: brackets after an even number of quotes
    are paired among themselves, and so are those after an odd number. JSON is paired rightly either way.
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
