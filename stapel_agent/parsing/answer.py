"""The JSON in a model's answer, and the prose around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from operator import itemgetter
from typing import Any, NamedTuple

from .decoding import conflicts_in, decode
from .passages import Rank, passages
from .storable_text import storable
from .thoughts import without_thoughts
from .values import OPENING, values

SEARCHED_LENGTH = 512 * 1024
"""The longest text, in characters, in which JSON is looked for piece by piece. That takes up to 10 seconds per MiB."""


class Flaw(StrEnum):
    """Why an answer has no JSON, as something to say about it."""

    NOTHING = "contains no JSON"
    NULL = "is null"
    CONFLICT = "repeats a key with different values"
    TOO_LONG = f"is not JSON alone, and has more than {SEARCHED_LENGTH:,} characters, too many to search"


class JsonAnswer(NamedTuple):
    """The JSON in an answer and the prose around it. If there is no JSON, `flaw` says why."""

    value: Any
    comment: str | None
    flaw: Flaw | None = None


def parse_json_response(text: str) -> tuple[Any, str | None]:
    """Return the JSON in a model's answer and the prose around it. Each is None if the answer has none.

    If the whole answer is JSON, fenced or not, that JSON is the result. It may be a scalar, but `null` counts as no
    value. Within prose only objects and arrays count: the candidate with the highest `Rank` wins, the last one if
    several are equal. What the model thinks, in the tags of any family of models, belongs to neither result.

    Parts of broken JSON are never an answer: text inside brackets that do not contain JSON, text after an opening
    bracket that starts like JSON and is never closed, and text before the rest of JSON whose beginning is missing. Nor
    is JSON before an object that is cut off, unless it stands in a fence of its own.
    JSON in which a key has different values is no answer either: nobody knows which one is meant.
    Trailing commas, raw line breaks in strings, and closing brackets too many at the end are accepted. Numbers that do
    not fit a double and values nested deeper than MAX_DEPTH are rejected. Both results are `storable`. Within prose of
    more than SEARCHED_LENGTH, only JSON from the first bracket to the last is found.
    """
    value, comment, _ = find_json(text)
    return value, comment


def find_json(text: str) -> JsonAnswer:
    """`parse_json_response()`, and why there is no JSON."""
    found = _parsed(text)
    if found.value is None:
        return JsonAnswer(None, found.comment, _flaw(found.answer))
    has_conflict, _ = conflicts_in(found.json)
    return JsonAnswer(None, found.answer, Flaw.CONFLICT) if has_conflict else JsonAnswer(found.value, found.comment)


NULL = re.compile(r"(?:[`~]++(?:json\w*+)?+)?\s*+null\s*+[`~]*+", re.IGNORECASE)


def _flaw(answer: str) -> Flaw:
    if len(answer) > SEARCHED_LENGTH and OPENING.search(answer):
        return Flaw.TOO_LONG
    return Flaw.NULL if NULL.fullmatch(answer) else Flaw.NOTHING


def parse_translation_response(text: str) -> dict[str, Any]:
    """Return the JSON object in a model's answer, without keys that have different values in it. Raises ValueError if
    it has no object.
    """
    return parse_texts(text)[0]


def parse_texts(text: str) -> tuple[dict[str, Any], frozenset[str]]:
    """`parse_translation_response()`, and the keys that have different values."""
    found = _parsed(text)
    if not isinstance(found.value, dict):
        raise ValueError("the answer contains no JSON object")
    _, conflicting = conflicts_in(found.json)
    return {key: value for key, value in found.value.items() if key not in conflicting}, conflicting


def has_json(text: str) -> bool:
    """Whether `text` has JSON in it, even if a key has different values."""
    return _parsed(text).value is not None


class Found(NamedTuple):
    """The JSON found in an answer, its value, the prose around it, and the answer without what the model thought."""

    value: Any
    comment: str | None
    json: str
    answer: str


def _parsed(text: str) -> Found:
    answer = storable(text).strip().lstrip("\ufeff").strip()
    value = decode(answer)
    if value is None:  # think tags inside a string of the answer are part of it
        answer = without_thoughts(answer)
        value = _decode_scalar(answer)
    return _find(answer) if value is None else Found(value, None, answer, answer)


FENCE_AROUND = re.compile(r"(`{3,}+|~{3,}+|`)(?:[ \t]*+(?:json\w*+|te?xt|plaintext)?+\s)?", re.IGNORECASE)


def _decode_scalar(text: str) -> Any:
    """Return the value of a JSON text, or of one JSON scalar in a closed fence."""
    value = decode(text)
    opening = FENCE_AROUND.match(text) if value is None else None
    if opening and text.endswith(opening[1]):
        value = decode(text[opening.end() : -len(opening[1])])
    return None if opening and isinstance(value, dict | list) else value


OBJECT_BEGUN = re.compile(r'\{\s*+"[^"\n]*+"\s*+:')
FENCE_BEFORE = re.compile(r"(?<![`~])(?:(?:`{3,}+|~{3,}+)[^\n`~]*+\s*+|`)\Z")
FENCE_AFTER = re.compile(r"\A\s*+(?:`+|~{3,})")


def _find(text: str) -> Found:
    """Find the JSON in a text that may also have prose."""
    _, start, end, value = max(_candidates(text), default=(Rank.CHANCE, 0, 0, None), key=itemgetter(0, 1))
    before, after = text[:start], text[end:]
    fence = FENCE_BEFORE.search(before)
    if _is_cut_off(after) and not (fence and FENCE_AFTER.match(after)):
        return Found(None, text, "", text)
    if fence:
        before, after = before[: fence.start()], FENCE_AFTER.sub("", after)
    comment = "\n".join(filter(None, (before.strip(), after.strip()))) or None
    return Found(value, comment, text[start:end], text)


def _is_cut_off(after: str) -> bool:
    """Whether another object begins after a candidate and is never closed: the candidate may be only a draft of it."""
    if (begun := OBJECT_BEGUN.search(after)) is None:
        return False
    rest = after[begun.start() :]
    return rest.count("{") > rest.count("}")


def _candidates(text: str) -> Iterator[tuple[Rank, int, int, Any]]:
    """Yield the rank, start, end and value of every candidate for the answer."""
    opening, closing = OPENING.search(text), max(text.rfind("]"), text.rfind("}")) + 1
    if opening and (value := decode(text[opening.start() : closing])) is not None:  # its strings may contain fences
        yield Rank.PLAIN, opening.start(), closing, value
        return
    if len(text) > SEARCHED_LENGTH:
        return
    for passage in passages(text):
        for start, end, value in values(passage):
            yield passage.rank(start, end, value), passage.offset + start, passage.offset + end, value
