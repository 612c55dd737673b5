"""Placeholders and markup on their way through a model: hidden behind numbered marks, and put back where they belong.

A mark is `⟦1⟧`: no letters that could be translated or change their case, and brackets that hardly any text has.
Where a text has them, they are hidden too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from . import messages
from .placeholders import Span, spans

MARK = re.compile(r"⟦\s?+(\d{1,6}+)\s?+⟧")
BLANKS = re.compile(r"\s++")
BREAK = re.compile(r"[\n\r\v\f\x85\u2028\u2029]")
TAG_NAME = re.compile(r"<(/?)([A-Za-z][\w:.-]*)")
POSITIONAL = re.compile(r"%[^(%]*[A-Za-z@]|\{(?:[!:][^{}]*)?\}")
NAMED_MARKS = 5


class Damaged(Exception):
    """A translation that lost, moved or made up what its source is made of; the text says what, in marks."""


@dataclass(frozen=True)
class Protected:
    """A text whose placeholders and markup are hidden: `masked` is what a translator sees."""

    source: str

    @cached_property
    def masked(self) -> str:
        pieces, position = [], 0
        for number, span in enumerate(self._spans, 1):
            pieces += [self.source[position : span.start], f"⟦{number}⟧"]
            position = span.end
        return "".join([*pieces, self.source[position:]])

    @property
    def has_marks(self) -> bool:
        return bool(self._spans)

    @property
    def has_words(self) -> bool:
        """Whether there is anything to translate."""
        position = 0
        for span in self._spans:
            if any(map(str.isalpha, self.source[position : span.start])):
                return True
            position = span.end
        return any(map(str.isalpha, self.source[position:]))

    def restore(self, translation: str) -> str:
        """`translation` with everything back in its place. Raises Damaged."""
        self._check_marks(translation)
        with_breaks = self._with_breaks(translation)
        if messages.has_branches(self.source):
            return self._as_message(with_breaks)
        return self._unmasked(with_breaks)

    def in_full(self, remark: str) -> str:
        """A remark about marks, in words: with what they stand for."""
        return MARK.sub(lambda mark: repr(self._hidden.get(int(mark[1]), mark[0])), remark)

    @cached_property
    def _spans(self) -> list[Span]:
        return spans(self.source)

    @cached_property
    def _hidden(self) -> Mapping[int, str]:
        return {number: self.source[span.start : span.end] for number, span in enumerate(self._spans, 1)}

    def _unmasked(self, text: str) -> str:
        return MARK.sub(lambda mark: self._hidden[int(mark[1])], text)

    def _check_marks(self, translation: str) -> None:
        found = [int(mark[1]) for mark in MARK.finditer(translation)]
        times = Counter(found)
        if lost := self._hidden.keys() - times.keys():
            raise Damaged(f"lost {_few(lost)}")
        if strange := times.keys() - self._hidden.keys():
            raise Damaged(f"has {_few(strange)}, which stands for nothing")
        if repeated := [number for number, count in times.items() if count > 1]:
            raise Damaged(f"has {_few(repeated)} more than once")
        self._check_order(found)
        self._check_nesting(found)
        self._check_inventions(translation)

    def _check_order(self, found: list[int]) -> None:
        """Placeholders that are told apart by their place alone keep it."""
        positional = [number for number in found if POSITIONAL.fullmatch(self._hidden[number])]
        if positional != sorted(positional):
            raise Damaged(f"has {_few(positional)} in another order")

    def _check_nesting(self, found: list[int]) -> None:
        """What is opened and closed in the source is so in the translation."""
        still_open: list[int] = []
        closing = set(self._pairs.values())
        for number in found:
            if number in self._pairs:
                still_open.append(number)
            elif number in closing and (not still_open or self._pairs[still_open.pop()] != number):
                raise Damaged(f"has {_few([number])} where it closes nothing")

    def _check_inventions(self, translation: str) -> None:
        for span in spans(MARK.sub("\ufffc", translation)):
            # A colon before a word is how some languages write, and an escape what a quote may look like.
            if span.kind not in ("name", "escape", "entity"):
                raise Damaged("has a placeholder, markup or an address that the text does not have")

    @cached_property
    def _pairs(self) -> Mapping[int, int]:
        """Opening mark -> closing mark, of tags and links; what is not closed, as `<br>`, has no pair."""
        pairs, still_open, open_count = {}, list[tuple[str, int]](), Counter[str]()
        for number, span in enumerate(self._spans, 1):
            sign, name = self._sign(span)
            if sign == "open":
                still_open.append((name, number))
                open_count[name] += 1
            while sign == "close" and open_count[name]:
                opened, opener = still_open.pop()
                open_count[opened] -= 1
                if opened == name:
                    pairs[opener] = number
                    break
        return pairs

    def _sign(self, span: Span) -> tuple[str, str]:
        hidden = self.source[span.start : span.end]
        if span.kind == "link":
            return ("close" if hidden.startswith("]") else "open"), "link"
        if span.kind != "tag" or hidden.endswith("/>"):
            return "", ""
        tag = TAG_NAME.match(hidden)
        return ("close" if tag and tag[1] else "open"), tag[2].lower() if tag else ""

    def _with_breaks(self, translation: str) -> str:
        """`translation` with the line breaks, and the blanks around them, as the source has them."""
        ours = [blanks for blanks in BLANKS.findall(self.masked) if BREAK.search(blanks)]
        theirs = sum(BREAK.search(blanks) is not None for blanks in BLANKS.findall(translation))
        if len(ours) != theirs:
            raise Damaged(f"has {theirs} line breaks in place of {len(ours)}")
        following = iter(ours)
        return BLANKS.sub(lambda blanks: next(following) if BREAK.search(blanks[0]) else blanks[0], translation)

    def _as_message(self, translation: str) -> str:
        """`translation` as a message of the source's structure."""
        signature = messages.signature(self.source)
        # Before syntax an apostrophe would quote it: two of them are one in print.
        for candidate in (translation, re.sub(r"(?<!')'(?=⟦)", "''", translation)):
            message = self._unmasked(candidate)
            if messages.signature(message) == signature:
                return message
        raise Damaged("does not keep the structure of the ICU message")


def _few(numbers: Iterable[int]) -> str:
    named = sorted(numbers)
    marks = ", ".join(f"⟦{number}⟧" for number in named[:NAMED_MARKS])
    return f"{marks} and {len(named) - NAMED_MARKS} more" if len(named) > NAMED_MARKS else marks
