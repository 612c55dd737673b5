"""A text, or a part of one, that is asked for and kept by itself."""

from __future__ import annotations

from functools import cached_property

from stapel_agent.tokens import token_estimate

from .plausibility import doubt
from .protection import Damaged, Protected
from .sentence_boundaries import cut


class Passage:
    """One source text without the blanks around it, and its translation as soon as that is there.

    Until then `failure` says why there is none, and `remark` what was wrong with the last one, in words that a model
    may read: with marks in place of what they stand for.
    """

    def __init__(self, source: str, others: Passages) -> None:
        self.source = source
        self.tokens = token_estimate(source)
        self._others = others
        self.remark = ""
        self._failure = ""
        self._translation: str | None = None
        self._pieces: list[tuple[Passage, str]] = []

    @cached_property
    def protected(self) -> Protected:
        return Protected(self.source)

    @property
    def asked(self) -> list[Passage]:
        """What has to be asked for, so that this one is translated: itself, the pieces it is cut into, or nothing."""
        if self._pieces:
            return [passage for piece, _ in self._pieces for passage in piece.asked]
        return [self] if self.protected.has_words else []

    @property
    def is_cut(self) -> bool:
        return bool(self._pieces)

    @property
    def translation(self) -> str | None:
        if not self._pieces:
            return self._translation if self.protected.has_words else self.source
        texts = [(piece.translation, blanks) for piece, blanks in self._pieces]
        return None if any(text is None for text, _ in texts) else "".join(f"{text}{blanks}" for text, blanks in texts)

    @property
    def failure(self) -> str:
        """Why there is no translation."""
        if self._pieces:
            return next(piece.failure for piece, _ in self._pieces if piece.translation is None)
        return self._failure

    def cut(self, limit: int) -> bool:
        """Have it asked for in pieces of `limit` tokens; whether there is a border to cut it at."""
        pieces = cut(self.source, limit)
        if len(pieces) > 1:
            self._pieces = [(self._others.of(piece), blanks) for piece, blanks in pieces]
            for piece, _ in self._pieces:
                piece.fail(piece.failure or self._failure)
        return len(pieces) > 1

    def checked(self, reply: object) -> str:
        """What a model gave as the translation of the masked text, put back together. Raises Damaged."""
        if reply is None:
            raise Damaged("is missing")
        if not isinstance(reply, str):
            raise Damaged("is no text")
        translation = reply.strip()
        if fault := doubt(self.protected.masked, translation):
            raise Damaged(fault)
        return self.protected.restore(translation)

    def accept(self, translation: str) -> None:
        """Take a translation that has been checked before."""
        self._translation = translation

    def fail(self, failure: str) -> None:
        """Note why there is no translation."""
        self._failure = failure

    def damaged(self, remark: str) -> None:
        """Note what was wrong with a translation."""
        self.remark = remark
        self.fail(f"invalid_answer: the translation {self.protected.in_full(remark)}")


class Passages:
    """The passages of one translation: one for each text, however often it occurs. Over `limit` tokens it is cut."""

    def __init__(self, limit: int) -> None:
        self._limit = max(1, limit)
        self._passages: dict[str, Passage] = {}

    def of(self, source: str) -> Passage:
        if source not in self._passages:
            self._passages[source] = passage = Passage(source, self)
            if passage.tokens > self._limit:
                passage.cut(self._limit)
        return self._passages[source]
