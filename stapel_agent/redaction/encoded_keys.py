"""Finds keys in a text, even if they are escaped, encoded, broken up or cut. Takes linear time for any text."""

from __future__ import annotations

import re
from base64 import b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from itertools import chain
from string import ascii_letters, digits, octdigits, punctuation

from stapel_agent.safety import HIDDEN

from .cut_keys import LOWER, cut_key_spans

LAYERS = 4
"""How many escapes may be nested, as in JSON inside of JSON inside of a URL."""
ENCODED_LENGTH = 8
"""A shorter key is found only as it is written: its encoded forms would match ordinary words."""

LINE_BREAKS = r"\n\r\v\f\x85\u2028\u2029"
ESCAPE = re.compile(
    rf"""
    \\u([0-9A-Fa-f]{{4}}) | \\u\{{([0-9A-Fa-f]{{1,6}})\}} | \\U([0-9A-Fa-f]{{8}}) | \\x([0-9A-Fa-f]{{2}})
    | %([0-9A-Fa-f]{{2}}) | %u([0-9A-Fa-f]{{4}})
    | &(?:\#0*+(?:[0-9]{{1,7}}+ | [xX]0*+[0-9A-Fa-f]{{1,6}}+);? | [A-Za-z]{{2,31}};)
    | \\(?:[!-/:-@\[-`{{-~] | [0-3][0-7]{{2}})  # also in Markdown
    | \\[nrt]                           # an escaped line break or tab
    | (?:\r\n | [\t{LINE_BREAKS}])[ \t]*+  # a line break, also that of a folded header
    | \x1b\[[0-?]{{0,32}}[@-~]           # a color of a terminal
    | [{HIDDEN}\ufffd]+
    """,
    re.VERBOSE,
)
QUOTED_PRINTABLE = re.compile(r"=([0-9A-Fa-f]{2})|=[ \t]{0,8}(?:\r?\n|(?:\\r)?\\n)")
"""The escapes of mail. On their own: "=ab" is also the start of a value in a URL."""
LAST_CODE_POINT = 0x10FFFF
URL_SAFE = str.maketrans("+/", "-_")
BASE64_DIGITS = frozenset(f"{ascii_letters}{digits}+/-_=")


@dataclass(frozen=True)
class Form:
    """One way in which a key may be written. Up to `margin` more base64 digits on each side contain parts of it."""

    text: str
    ignores_case: bool = False
    margin: int = 0


def key_spans(text: str, keys: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield where the `keys`, or long parts of them, start and end in `text`, in any order. They may overlap."""
    keys = frozenset(keys)
    yield from _spans(text, keys)
    if QUOTED_PRINTABLE.search(text):
        mail = _Layer(text, QUOTED_PRINTABLE)
        yield from ((mail.start(start), mail.end(end)) for start, end in _spans(mail.text, keys))


def _spans(text: str, keys: Set[str]) -> Iterator[tuple[int, int]]:
    forms = [form for key in keys for form in _forms(key)]
    layers: list[_Layer] = []
    for _ in range(LAYERS + 1):
        lowered = text.lower() if text.isascii() else text.translate(LOWER)
        for start, end in chain(_found(text, lowered, forms), cut_key_spans(lowered, keys)):
            for layer in reversed(layers):
                start, end = layer.start(start), layer.end(end)
            yield start, end
        if not ESCAPE.search(text):
            return
        layers.append(layer := _Layer(text))
        text = layer.text


@lru_cache(maxsize=256)
def _forms(key: str) -> tuple[Form, ...]:
    if len(key) < ENCODED_LENGTH:
        return (Form(key),)
    octets = key.encode("utf-8", "surrogatepass")
    cores = [_base64_core(octets, shift) for shift in range(3)]
    cores += [safe for core in cores if (safe := core.translate(URL_SAFE)) != core]
    lowered = (key.translate(LOWER), octets.hex())
    return (*(Form(text, ignores_case=True) for text in lowered), *(Form(core, margin=3) for core in cores))


def _base64_core(octets: bytes, shift: int) -> str:
    """Return the base64 digits that depend on `octets` alone if `shift` bytes, modulo 3, stand before them."""
    whole = b64encode(bytes(shift) + octets).decode()
    return whole[-(-shift * 8 // 6) : (shift + len(octets)) * 8 // 6]


def _found(text: str, lowered: str, forms: Iterable[Form]) -> Iterator[tuple[int, int]]:
    for form in forms:
        searched = lowered if form.ignores_case else text
        start = searched.find(form.text)
        while start >= 0:
            yield _with_margin(text, start, start + len(form.text), form.margin)
            start = searched.find(form.text, start + 1)


def _with_margin(text: str, start: int, end: int, margin: int) -> tuple[int, int]:
    first, last = max(0, start - margin), min(len(text), end + margin)
    while start > first and text[start - 1] in BASE64_DIGITS:
        start -= 1
    while end < last and text[end] in BASE64_DIGITS:
        end += 1
    return start, end


class _Layer:
    """A text without one level of escapes, and the way back to the places in the escaped text."""

    def __init__(self, escaped: str, escapes: re.Pattern[str] = ESCAPE) -> None:
        # Each escape has two marks, before and after it: its place here, and its place in the escaped text.
        self._here, self._there = [0], [0]
        pieces: list[str] = []
        size = end = 0
        for escape in escapes.finditer(escaped):
            sign = _unescaped(escape)
            size += escape.start() - end
            self._here += (size, size + len(sign))
            self._there += escape.span()
            pieces += (escaped[end : escape.start()], sign)
            size, end = size + len(sign), escape.end()
        self.text = "".join((*pieces, escaped[end:]))

    def start(self, place: int) -> int:
        """Return where a span that starts at `place` here starts in the escaped text."""
        mark = bisect_right(self._here, place) - 1
        return self._there[mark] + place - self._here[mark]

    def end(self, place: int) -> int:
        """Return where a span that ends at `place` here ends in the escaped text."""
        mark = bisect_left(self._here, place)
        if mark == len(self._here) or self._here[mark] != place:
            mark -= 1
        return self._there[mark] + place - self._here[mark]


def _unescaped(escape: re.Match[str]) -> str:
    if escape.lastindex:
        code_point = int(escape[escape.lastindex], 16)
        return chr(code_point) if code_point <= LAST_CODE_POINT else "\ufffd"
    match escape[0][0]:
        case "&":
            return unescape(escape[0])
        case "\\" if escape[0][1] in punctuation:
            return escape[0][1]
        case "\\" if escape[0][1] in octdigits:
            return chr(int(escape[0][1:], 8))
        case _:
            return ""
