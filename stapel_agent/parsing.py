"""JSON out of a model's reply: pure, and linear in time for a reply of any shape."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NamedTuple, NoReturn

MAX_DEPTH = 200
"""Objects and arrays that may stand within each other; deeper is no answer."""

UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def parse_json_response(text: str) -> tuple[dict[str, Any] | list[Any] | None, str | None]:
    """The JSON object or array in a model's reply, and the prose around it; None for what there is none of.

    `<think>` blocks are left out of both. A reply that is JSON as a whole is that answer. Otherwise the last
    closed fence that holds nothing but JSON wins; then the last JSON in the text; then, for prose has such
    by chance, the last empty value or array of mere numbers.

    A pair of brackets counts as a whole. Where it is not JSON, nothing in it is an answer; where one that
    begins like JSON is never closed, nothing after it is, up to the next fence. Trailing commas are tolerated;
    scalars, numbers that no double can hold, and a nesting over MAX_DEPTH are not. The result is `storable`.
    """
    reply = _without_thoughts(storable(text).strip().lstrip("\ufeff").strip())
    try:
        value = _decode(reply)
    except (ValueError, RecursionError):
        return _find(reply)
    return (value, None) if isinstance(value, dict | list) else (None, reply)


def parse_translation_response(text: str) -> dict[str, Any]:
    """The JSON object in a model's reply. Raises ValueError if there is none."""
    result, _ = parse_json_response(text)
    if not isinstance(result, dict):
        raise ValueError("the answer holds no JSON object")
    return result


def storable(value: Any) -> Any:
    """A copy of a JSON-like value that any database and UTF-8 can hold: NUL and lone surrogates become U+FFFD.

    Tuples become lists, as in JSON. A string with nothing to replace is returned as it is.
    """
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


def _storable_text(text: str) -> str:
    try:
        if b"\0" not in text.encode():
            return text
    except UnicodeEncodeError:
        pass
    return UNSTORABLE.sub("\ufffd", text)


# Every quantifier in this module is possessive, or certain to succeed: none is tried in two ways.
STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
STRINGS = re.compile(STRING, re.DOTALL)
# Strings are kept, and so are commas with nothing before them, which are no trailing ones.
TRAILING_COMMA = re.compile(rf"({STRING}|[\[{{,:]\s*+,)|,(?=\s*+[\]}}])", re.DOTALL)
STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
SHAPE = bytes.maketrans(b"123456789E", b"000000000e")
HUGE = (b"e0", b"e+0", b"0" * 309)  # how a number beyond a double looks, at least
UNSTORABLE_ESCAPES = (r"\ud", r"\uD", r"\u0000")


def _decode(text: str) -> Any:
    """The value of a text that is JSON. Raises ValueError."""
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise ValueError("nested too deeply")
    shape = text.encode().translate(SHAPE)
    # The hooks for numbers double the time of decoding: only a text that may need them pays for them.
    value = (CAREFUL if any(look in shape for look in HUGE) else QUICK).decode(text)
    return storable(value) if any(escape in text for escape in UNSTORABLE_ESCAPES) else value


def _decode_tolerantly(text: str) -> Any:
    """`_decode()`, but with trailing commas forgiven, and None for what is no JSON."""
    for candidate in dict.fromkeys((text, TRAILING_COMMA.sub(r"\1", text))):
        try:
            return _decode(candidate)
        except (ValueError, RecursionError):
            continue
    return None


def _depth(text: str) -> int:
    steps = STRINGS.sub("", text).encode().translate(STEPS, NO_BRACKETS)
    return max(accumulate(memoryview(steps).cast("b")), default=0)


def _double(literal: str) -> float:
    number = float(literal)
    if math.isinf(number):
        raise ValueError("number beyond a double")
    return number


def _integer(literal: str) -> int:
    _double(literal)  # first, for int() takes quadratic time on a million digits
    return int(literal)


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


QUICK = json.JSONDecoder(parse_constant=_constant)
CAREFUL = json.JSONDecoder(parse_constant=_constant, parse_float=_double, parse_int=_integer)

# --- finding: where in a text that is not JSON as a whole

THOUGHT = re.compile(
    r"""
    (?P<quoted>"[^\n]*+)                        # the rest of the line may be in a JSON string
    | <(?P<tag>think(?:ing)?)>.*?(?:</(?P=tag)>|\Z)
    | </think(?:ing)?>                          # its opening tag was given to the model, not by it
    """,
    re.VERBOSE | re.DOTALL,
)
FENCE = re.compile(r"^[ \t]*+(`{3,}+|~{3,}+)([^\n`{\[]*+$|[^\s`{\[]*+)", re.MULTILINE)
FENCE_BEFORE = re.compile(
    r"(?:^[ \t]*+(?:`{3,}+|~{3,}+)[^\n`]*+|(?<![`~])(?:`{3,}+|~{3,}+)\w*+|(?<!`)`)\s*+\Z", re.MULTILINE
)
FENCE_AFTER = re.compile(r"\s*+(?:`+|~{3,})")
BRACKET = re.compile(r'\\["\\]|["\[\]{}]')
CLOSING = {"[": "]", "{": "}"}
BEGINNING = re.compile(
    r"""
    [\s\[{]*+                                   # what opens before the first key or item is in the same case
    (?P<json>
        (?: "[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(?:"|\\?\Z) | '[^'\n]*+' | [\w$.+-]++ ) \s*+ (?: [:,\]}] | \Z )
        | [\]}] | // | /\*
    )?+
    """,
    re.VERBOSE,
)


class Candidate(NamedTuple):
    """A value found at text[start:end]; the greatest is the answer."""

    rank: int
    start: int
    end: int
    value: Any


def _find(text: str) -> tuple[Any, str | None]:
    answer = max(_candidates(text), default=None)
    if answer is None:
        return None, text or None
    before, after = text[: answer.start], text[answer.end :]
    if fence := FENCE_BEFORE.search(before):
        before = before[: fence.start()]
        after = after[closing.end() :] if (closing := FENCE_AFTER.match(after)) else after
    return answer.value, "\n".join(filter(None, (before.strip(), after.strip()))) or None


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


def _candidates(text: str) -> Iterator[Candidate]:
    for offset, content, fenced in _passages(text):
        length = len(content.strip())
        for start, end, value in _values(content):
            rank = 2 if fenced and end - start == length else int(_is_telling(value))
            yield Candidate(rank, offset + start, offset + end, value)


def _is_telling(value: dict[str, Any] | list[Any]) -> bool:
    if isinstance(value, dict):
        return bool(value)
    return any(isinstance(item, str | list | dict) for item in value)


def _passages(text: str) -> Iterator[tuple[int, str, bool]]:
    """What stands between the fences: its offset, itself, and whether they are an opening and its closing one."""
    start, opening = 0, None
    for fence in FENCE.finditer(text):
        closed = opening is not None and fence[1].startswith(opening[1]) and not fence[2].strip()
        yield start, text[start : fence.start()], closed
        start, opening = fence.end(), None if closed else fence
    yield start, text[start:], False


def _values(text: str) -> Iterator[tuple[int, int, Any]]:
    """Start, end and value of all JSON in `text` that is not a piece of something larger."""
    pairs, stray = _pairs(text)
    resume = reach = prose = 0
    for start, end in pairs.items():
        closed = end < len(text)
        if start < resume or end <= reach or (start < prose and not closed):
            continue
        beginning = BEGINNING.match(text, start)
        assert beginning
        prose = beginning.end()
        if beginning["json"] is None:
            reach = end if closed else reach
        elif not closed:
            return
        elif (value := _decode_tolerantly(text[start : end + 1])) is None:
            reach = max(end, stray)  # a quote that is not escaped may have hidden the true end
        else:
            yield start, end + 1, value
            resume = end


def _pairs(text: str) -> tuple[dict[int, int], int]:
    """Each opening bracket's closing one, or len(text), in order; and the last that closes none.

    Which quotes open a string depends on where the JSON begins: brackets after an even number of quotes
    are paired among themselves, and those after an odd number too. JSON is paired rightly either way.
    """
    pairs, stray, odd = {}, -1, 0
    unclosed: tuple[dict[str, list[int]], ...] = ({"]": [], "}": []}, {"]": [], "}": []})
    for token in BRACKET.finditer(text):
        sign, position = token[0], token.start()
        if sign == '"':
            odd ^= 1
        elif sign in CLOSING:
            pairs[position] = len(text)
            unclosed[odd][CLOSING[sign]].append(position)
        elif sign in unclosed[odd]:
            if unclosed[odd][sign]:
                pairs[unclosed[odd][sign].pop()] = position
            else:
                stray = position
    return pairs, stray
