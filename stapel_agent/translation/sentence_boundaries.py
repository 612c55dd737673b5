"""Cut a text that is too long for one answer at its paragraphs, lines, sentences or words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stapel_agent.token_estimation import BYTES_PER_TOKEN, byte_length, token_estimate

from .placeholders import FORMATS, GUESS, Format, Span, spans

BLANKS = re.compile(r"\s++|(?:(?<=[。！？，、；])|(?<=[。！？][」』）”’]))(?![\s」』）”’])")
BREAK = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
SENTENCE_END = re.compile(r"[.!?…。！？][\"')\]»”’]{0,3}\Z")
PARAGRAPH, LINE, SENTENCE, WORD = range(4)

Pieces = list[tuple[str, str]]
"""Pieces, each with the whitespace before the next. Joined, they are the text."""


def cut(text: str, limit: int, format: Format = FORMATS[GUESS], protect: Sequence[str] = ()) -> Pieces:
    """Cut `text` into pieces of at most `limit` tokens, as far as its borders allow.

    Protected parts, such as code or a link's address, are never cut. Neither are messages with branches.
    """
    if token_estimate(text) <= limit:
        return [(text, "")]
    whole = spans(text, format, protect)
    if any(span.kind == "icu" for span in whole):
        return [(text, "")]
    return list(_pieces(text, list(_borders(text, whole)), limit * BYTES_PER_TOKEN))


@dataclass(frozen=True, slots=True)
class Border:
    """Where a text may be cut: the whitespace from `start` to `end`, and the bytes before each position."""

    start: int
    end: int
    kind: int
    weight: int
    weight_after: int


def _pieces(text: str, borders: list[Border], limit: int) -> Iterator[tuple[str, str]]:
    start, first, weight, whole_weight = 0, 0, 0, byte_length(text)
    while first < len(borders) and whole_weight - weight > limit:
        last = bisect_right(borders, weight + limit, first, key=lambda border: border.weight)
        in_reach = borders[first : max(last, first + 1)]
        # One short segment does no harm, but many short ones do.
        late = [border for border in in_reach if border.weight - weight > limit // 2]
        best = min(late or in_reach[-1:], key=lambda border: (border.kind, -border.start))
        yield text[start : best.start], text[best.start : best.end]
        start, weight = best.end, best.weight_after
        first = bisect_right(borders, best.start, first, key=lambda border: border.start)
    yield text[start:], ""


def _borders(text: str, kept: Sequence[Span]) -> Iterator[Border]:
    whole = iter([(span.start, span.end) for span in kept])
    start, end = next(whole, (len(text), len(text)))
    position = weight = 0
    for blanks in BLANKS.finditer(text):
        while end <= blanks.start() and start < len(text):
            start, end = next(whole, (len(text), len(text)))
        if blanks.start() == 0 or blanks.start() > start or blanks.end() == len(text):
            continue
        weight += byte_length(text[position : blanks.start()])
        after = weight + byte_length(blanks[0])
        yield Border(blanks.start(), blanks.end(), _kind(text, blanks), weight, after)
        position, weight = blanks.end(), after


def _kind(text: str, blanks: re.Match[str]) -> int:
    breaks = len(BREAK.findall(blanks[0]))
    if breaks:
        return LINE if breaks == 1 else PARAGRAPH
    return SENTENCE if SENTENCE_END.search(text, max(0, blanks.start() - 4), blanks.start()) else WORD
