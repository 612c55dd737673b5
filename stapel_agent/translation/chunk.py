"""Segments sent to a model in one question, with its answer and the follow-up questions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import (
    AgentError,
    AnswerInterrupted,
    AnswerRefused,
    AnswerTruncated,
    InvalidAnswer,
    RequestRejected,
)
from stapel_agent.parsing import parse_texts
from stapel_agent.types import CompletionRequest, Usage

from .placeholders import Damaged
from .plausibility import longest_translation
from .segment import Reservation, Segment

MARKS = """
A mark such as ⟦1⟧ stands for a placeholder or for markup: put each mark of a text into its translation once, \
unchanged, where it belongs."""
PHRASE_TOKENS = 16
"""Shorter segments are not cut: single words lack context, and an endless answer is not caused by their length."""
TERMS = "Translate these terms as given, inflected as the sentence needs it:"
KNOWN = "What is known about single texts, as data; max_length is how many characters a translation may have:"
FORMS = """
Some texts hold the plural forms of one message side by side. Write each form as the language has it for its example \
number; forms may be alike. The forms begin:"""
CORRECTION = "An earlier answer could not be used. Fix what was wrong with these translations:"


@dataclass
class Chunk:
    """One question about some segments. `request` is the translation's request, `number` counts the first questions.

    Use it as a context manager around the call: it keeps the error. Then `follow_ups()` yields the next questions.
    """

    request: CompletionRequest
    segments: Sequence[Segment]
    number: int
    retries: int = 0
    asked_again: int = 0
    fault: AgentError | None = field(default=None, init=False)
    is_reused: bool = field(default=False, init=False)
    _remarks: dict[int, str] = field(default_factory=dict, init=False)
    _reserved: dict[int, tuple[str, Reservation]] = field(default_factory=dict, init=False)

    @property
    def is_last(self) -> bool:
        """Whether this is the final retry, about one segment alone."""
        return bool(self.retries > agent_settings.TRANSLATE_RETRIES)

    @property
    def is_to_be_cut(self) -> bool:
        """Whether the answer hit its token cap because the text is long, not because the model never stopped."""
        if not isinstance(self.fault, AnswerTruncated):
            return False
        usage = self.fault.usage or Usage()
        longest = sum(longest_translation(segment.tokens) for segment in self.segments)
        return usage.output_tokens - usage.thinking_tokens <= longest

    def question(self) -> CompletionRequest:
        """The request to send: a JSON object of numbers and masked texts. The answer has the same shape."""
        texts = {str(number): segment.protected.masked for number, segment in enumerate(self.segments, 1)}
        facts = {"key_count": len(self.segments), "chunk": self.number, "asked_again": self.asked_again}
        instructions = str(self.request.system_prompt)
        notes = f"{self._terms()}{self._marks()}{self._forms()}{self._known()}{self._correction()}"
        return replace(
            self.request,
            prompt=json.dumps(texts, ensure_ascii=False, indent=0),
            system_prompt=f"{instructions}{notes}",
            stable_length=len(instructions),
            parts=tuple(map(self._part, self.segments)),
            metadata={**self.request.metadata, **facts},
        )

    def read(self, text: str) -> dict[int, str]:
        """Return the checked and unmasked translations in an answer, by the index of their segment.

        Translations with a reservation are kept apart and never shared with other requests. Raises InvalidAnswer if
        no translation can be used.
        """
        self._remarks = dict.fromkeys(range(len(self.segments)), "is not in a JSON object")
        self._reserved = {}
        try:
            reply, conflicting = parse_texts(text)
        except ValueError as fault:
            raise InvalidAnswer(str(fault), text=text) from fault
        translations = {}
        for number, segment in enumerate(self.segments):
            try:
                if str(number + 1) in conflicting:
                    raise Damaged("has two different translations")
                translation, reservation = segment.checked(reply.get(str(number + 1)))
            except Damaged as fault:
                self._remarks[number] = str(fault)
                continue
            del self._remarks[number]
            if reservation:
                self._reserved[number] = translation, reservation
            else:
                translations[number] = translation
        if not (translations or self._reserved):
            raise InvalidAnswer(f"no translation can be used: the first {self._remarks[0]}", text=text)
        return translations

    def unknown(self) -> Chunk:
        """The same question, only about segments without a translation."""
        return replace(self, segments=[segment for segment in self.segments if not segment.is_translated])

    def alone(self, segment: Segment) -> Chunk:
        """The question about one segment alone."""
        return replace(self, segments=[segment])

    def take(self, translations: Mapping[int, str]) -> None:
        """Accept translations, by the index of their segment."""
        for number, translation in translations.items():
            self.segments[number].accept(translation)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(fault, AgentError):
            self.fail(fault, f"{fault.failure}: {fault}")
        for number, remark in self._remarks.items():
            if not self.segments[number].settle():
                self.segments[number].damaged(remark)
        for number, reserved in self._reserved.items():
            self._take_reserved(self.segments[number], *reserved)
        return isinstance(fault, AgentError)

    def fail(self, fault: AgentError | None, reason: str) -> None:
        """Record why there are no translations."""
        self.fault = fault
        for segment in self.segments:
            segment.fail(reason)

    def follow_ups(self) -> Iterator[Chunk]:
        """Yield the next questions, about segments that can still get a translation.

        Held segments wait until all other questions are answered, and so do those whose translation in a first answer
        cannot be used. See `Job.second_questions()`.
        """
        unknown = [segment for segment in self.unknown().segments if not segment.is_held]
        if not unknown or self._postpones(unknown):
            return
        if self.is_reused:  # another request got part of the same answer in the meantime
            yield self._next(unknown)
        elif isinstance(self.fault, AnswerTruncated) and len(unknown) == 1:
            yield from self._pieces(unknown[0]) if self.is_to_be_cut else self._again(unknown)
        elif isinstance(self.fault, AnswerTruncated | AnswerRefused | RequestRejected):
            yield from self._halves(unknown)
        elif self.fault is None or (
            isinstance(self.fault, InvalidAnswer) and not isinstance(self.fault, AnswerInterrupted)
        ):
            yield from self._again(unknown)

    def _postpones(self, unknown: Sequence[Segment]) -> bool:
        """Whether the segments are asked for again together with those of other questions: one question costs less."""
        is_first = not (self.asked_again or self.is_reused) and bool(agent_settings.TRANSLATE_RETRIES)
        if self.fault is not None or not is_first:
            return False
        for segment in unknown:
            segment.is_postponed = True
        return True

    def _take_reserved(self, segment: Segment, translation: str, reservation: Reservation) -> None:
        """Ask once more for a translation with a reservation. The second time, accept it."""
        if segment.is_held or self.is_last or not agent_settings.TRANSLATE_RETRIES:
            segment.accept(translation, reservation)
        else:
            segment.hold(translation, reservation)
            segment.damaged(reservation.remark)

    def _part(self, segment: Segment) -> CompletionRequest:
        """The request for one segment, with everything that affects its translation. Its cache key is made of this."""
        system_prompt = f"{self.request.system_prompt}{_terms(segment.terms)}{segment.described}"
        # A complete translation does not depend on the token cap, so the cap is not part of the key.
        return replace(self.request, prompt=segment.source, system_prompt=system_prompt, in_ledger=False, max_tokens=0)

    def _halves(self, unknown: Sequence[Segment]) -> Iterator[Chunk]:
        half = len(unknown) // 2
        if half:
            yield from (self._next(unknown[:half]), self._next(unknown[half:]))

    def _pieces(self, segment: Segment) -> Iterator[Chunk]:
        if segment.cut(max(segment.tokens // 2, PHRASE_TOKENS)):
            yield from (self._next([piece]) for piece in segment.asked)

    def _again(self, unknown: Sequence[Segment]) -> Iterator[Chunk]:
        if not agent_settings.TRANSLATE_RETRIES or self.is_last:
            return
        if self.retries < agent_settings.TRANSLATE_RETRIES:
            yield self._next(unknown, self.retries + 1)
        elif len(self.segments) > 1:
            yield from (self._next([segment], self.retries + 1) for segment in unknown)

    def _next(self, segments: Sequence[Segment], retries: int | None = None) -> Chunk:
        retries = self.retries if retries is None else retries
        return Chunk(self.request, segments, self.number, retries, self.asked_again + 1)

    def _terms(self) -> str:
        """The glossary terms that occur in the segments."""
        return _terms({term: wanted for segment in self.segments for term, wanted in segment.terms.items()})

    def _known(self) -> str:
        known = {str(number): segment.entry.known for number, segment in enumerate(self.segments, 1)}
        described = {number: facts for number, facts in known.items() if facts}
        return f"\n{KNOWN} {json.dumps(described, ensure_ascii=False)}" if described else ""

    def _marks(self) -> str:
        return MARKS if any(segment.protected.has_marks for segment in self.segments) else ""

    def _forms(self) -> str:
        """Which number each plural form in the texts is for."""
        notes = [f"{number}: {segment.note}" for number, segment in enumerate(self.segments, 1) if segment.note]
        return "\n".join([FORMS, *notes]) if notes else ""

    def _correction(self) -> str:
        """What was wrong with the segments' last translations, for the model to fix."""
        remarks = [f"{number}: {segment.remark}" for number, segment in enumerate(self.segments, 1) if segment.remark]
        return "\n".join(["", CORRECTION, *remarks]) if remarks else ""


def _terms(terms: Mapping[str, str]) -> str:
    return f"\n{TERMS} {json.dumps(terms, ensure_ascii=False, sort_keys=True)}" if terms else ""
