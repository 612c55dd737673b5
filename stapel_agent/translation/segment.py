"""A segment: a text, or a part of one, that is asked for and cached separately."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from stapel_agent.token_estimation import token_estimate

from . import numbers
from .entry import Entry
from .glossary import Glossary
from .language import is_unchanged, other_language, other_letters
from .placeholders import FORMATS, Attribute, Damaged, Protected, TooSlow, readable_attributes, with_values
from .plausibility import doubt
from .plural_forms import numbered_forms
from .sentence_boundaries import cut

UNCHANGED = "is the text itself, not translated"


@dataclass(frozen=True)
class Task:
    """Settings for all segments of one translation. Segments of more than `limit` tokens are cut."""

    from_lang: str
    to: str
    limit: int
    glossary: Glossary


@dataclass(frozen=True)
class Reservation:
    """Why a usable translation is asked for once more and not shared through the cache."""

    remark: str
    is_unchanged: bool = False
    missed_terms: tuple[str, ...] = ()


class Segment:
    """One source text without surrounding whitespace, and its translation once it exists.

    Until then, `failure` says why it has no translation, and `remark` says what was wrong with the last one. A remark
    uses marks, so it can be sent to a model. `reservation` is the reservation of the accepted translation. A segment
    that `is_postponed` is asked for again together with others, after all first questions.
    """

    def __init__(self, entry: Entry, task: Task, others: Segments) -> None:
        self.entry = entry
        self.source = entry.text
        self.tokens = token_estimate(self.source)
        self._task = task
        self._others = others
        self.remark = ""
        self.reservation: Reservation | None = None
        self.is_postponed = False
        self._failure = ""
        self._translation: str | None = None
        self._held: tuple[str, Reservation] | None = None
        self._pieces: list[tuple[Segment, str]] = []

    @cached_property
    def protected(self) -> Protected:
        return Protected(self.source, self.entry.format, self.entry.protect)

    @cached_property
    def terms(self) -> Mapping[str, str]:
        """The glossary terms that occur in it."""
        return self._task.glossary.terms_in(self.protected.masked)

    @property
    def described(self) -> str:
        """What distinguishes it from the same text elsewhere, besides languages and terms. Empty for a plain text."""
        facts = {**self.entry.known, "format": self.entry.format, "protect": list(self.entry.protect)}
        given = {name: fact for name, fact in facts.items() if fact}
        return f"\n{json.dumps(given, ensure_ascii=False, sort_keys=True)}" if given else ""

    @property
    def asked(self) -> list[Segment]:
        """The segments to ask for to translate this one: itself, its pieces, or nothing, and its attributes."""
        if self._pieces:
            return [segment for piece, _ in self._pieces for segment in piece.asked]
        own = [self] if self.protected.has_words else []
        return own + [segment for parts in self._attributes.values() for _, part in parts for segment in part.asked]

    @cached_property
    def note(self) -> str:
        """Which number each plural form of a message is for, as a note for the model. Empty without plural forms."""
        forms = numbered_forms(self.source, self.entry.format, self._task.to)
        marks = {self.protected.mark_before(form.start): form.numbers for form in forms}
        several = len({name for numbers in marks.values() for name, _ in numbers}) > 1
        return "; ".join(
            f"after ⟦{mark}⟧ for {' and '.join(f'{name} = {n}' if several else n for name, n in numbers)}"
            for mark, numbers in marks.items()
        )

    @property
    def is_cut(self) -> bool:
        return bool(self._pieces)

    @property
    def is_translated(self) -> bool:
        """Whether its own words are translated. The attributes of its tags do not count."""
        return self.own_translation is not None

    @property
    def own_translation(self) -> str | None:
        """Its translation, with the tags of its source."""
        return self.translation if self._pieces else self._translation

    @property
    def translation(self) -> str | None:
        if self._pieces:
            texts = [(piece.translation, blanks) for piece, blanks in self._pieces]
            return None if any(text is None for text, _ in texts) else "".join(f"{text}{gap}" for text, gap in texts)
        text = self._translation if self.protected.has_words else self.source
        return None if text is None else self._with_attributes(text)

    @property
    def failure(self) -> str:
        """Why there is no translation."""
        if self._pieces or self._translation is not None or not self.protected.has_words:
            return next((part.failure for part in self._parts if part.translation is None), self._failure)
        return self._failure

    @property
    def reservations(self) -> list[Reservation]:
        """The reservations of its translation and of its parts."""
        own = [self.reservation] if self.reservation else []
        return own + [reservation for part in self._parts for reservation in part.reservations]

    def cut(self, limit: int) -> bool:
        """Cut it into pieces of `limit` tokens. Returns whether it could be cut."""
        pieces = cut(self.source, limit, FORMATS[self.entry.format], self.entry.protect)
        if len(pieces) > 1:
            self._pieces = [(self._others.of(replace(self.entry, text=piece)), blanks) for piece, blanks in pieces]
            for piece, _ in self._pieces:
                piece.fail(piece._failure or self._failure)
        return len(pieces) > 1

    def checked(self, reply: object) -> tuple[str, Reservation | None]:
        """Check and unmask a model's translation. Returns it with its reservation, if any. Raises Damaged."""
        if reply is None:
            raise Damaged("is missing")
        if not isinstance(reply, str):
            raise Damaged("is not a text")
        given, source, task = reply.strip(), self.protected.masked, self._task
        if fault := doubt(source, given, task.to):
            raise Damaged(fault)
        try:
            restored = self.protected.restore(given)
        except TooSlow as slow:
            raise Damaged("takes too long to search for protected text") from slow
        if fault := numbers.changed(source, given, task.from_lang, task.to):
            raise Damaged(fault)
        if self.entry.max_length and len(restored) > self.entry.max_length:
            raise Damaged(f"has {len(restored)} characters; it may have {self.entry.max_length}")
        return restored, self._reservation(given, restored)

    def _reservation(self, given: str, restored: str) -> Reservation | None:
        """Return the reservation of a complete translation, if any. Raises Damaged if it is not in the language."""
        source, task = self.protected.masked, self._task
        if is_unchanged(source, given, task.from_lang, task.to):
            return Reservation(UNCHANGED, is_unchanged=True)
        if strange := other_language(source, given, task.from_lang, task.to):
            remark, is_source = strange
            if not is_source:
                raise Damaged(remark)
            return Reservation(remark, is_unchanged=True)
        if fault := other_letters(" ".join([source, *self.terms.values()]), given, task.to):
            raise Damaged(fault)
        if missed := task.glossary.missed(self.terms, restored):
            wanted = ", ".join(f"{term!r} as {self.terms[term]!r}" for term in missed)
            return Reservation(f"does not translate {wanted}", missed_terms=tuple(missed))
        return None

    def accept(self, translation: str, reservation: Reservation | None = None) -> None:
        self._translation, self.reservation = translation, reservation

    def hold(self, translation: str, reservation: Reservation) -> None:
        """Keep a translation while it is asked for once more."""
        self._held = translation, reservation
        self.is_postponed = True

    @property
    def is_held(self) -> bool:
        return self._held is not None

    def settle(self) -> bool:
        """Accept the held translation if no better one came. Returns whether the segment is translated."""
        if self._translation is None and self._held:
            self.accept(*self._held)
        return self._translation is not None

    def fail(self, failure: str) -> None:
        """Record why there is no translation."""
        self._failure = failure

    def damaged(self, remark: str) -> None:
        """Record what was wrong with a translation."""
        self.remark = remark
        self.fail(f"invalid_answer: the translation {self.protected.in_full(remark)}")

    @cached_property
    def _attributes(self) -> Mapping[str, list[tuple[Attribute, Segment]]]:
        """The readable attributes of its tags, by tag, each with the segment for its value."""
        return {
            tag: [
                (attribute, self._others.of(replace(self.entry, text=attribute.value.strip(), max_length=0)))
                for attribute in readable_attributes(tag)
                if attribute.value.strip() == attribute.value
            ]
            for tag in self.protected.tags
        }

    @property
    def _parts(self) -> list[Segment]:
        if self._pieces:
            return [piece for piece, _ in self._pieces]
        return [part for parts in self._attributes.values() for _, part in parts]

    def _with_attributes(self, text: str) -> str | None:
        written: dict[str, str] = {}
        for tag, parts in self._attributes.items():
            values = [(attribute, part.translation) for attribute, part in parts]
            known = [(attribute, value) for attribute, value in values if value is not None]
            if len(known) < len(values):
                return None
            if known:
                written[tag] = with_values(tag, known)
        # In one pass, since a written tag may equal another tag of the source.
        tags = "|".join(map(re.escape, written))
        return re.sub(tags, lambda tag: written[tag[0]], text) if written else text


class Segments:
    """The segments of one translation, one for each distinct entry."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._limit = max(1, task.limit)
        self._segments: dict[Entry, Segment] = {}

    def of(self, entry: Entry) -> Segment:
        if entry not in self._segments:
            self._segments[entry] = segment = Segment(entry, self._task, self)
            if segment.tokens > self._limit:
                segment.cut(self._limit)
        return self._segments[entry]
