"""One translation job: which segments remain to be asked for, and the final result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from stapel_agent.asking import candidate_of
from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import (
    AgentError,
    InvalidAnswer,
    ProviderBusy,
    ProviderDeclined,
    ProviderError,
    ProviderTimeout,
    ProviderUnusable,
    RateLimited,
    RequestRejected,
)
from stapel_agent.telemetry import unchanged
from stapel_agent.types import Completion, CompletionRequest, Usage

from .chunk import Chunk
from .entry import Entry
from .glossary import Glossary
from .language import detector
from .plural_forms import expanded
from .segment import Reservation, Segment, Segments, Task
from .translation_request import Texts

TOKENS_BESIDES = 8
"""Tokens per text in an answer for its number, quotes and comma."""
GROWTH = 2
"""A translation may have this many times the estimated tokens of its source."""
VAIN_ASKINGS = 10
"""After this many consecutive failed questions about a single segment, no segment is retried."""
VAIN_REJECTIONS = 3
"""After this many single segments are rejected and nothing has been answered, the job stops asking."""
DEADLINE = "deadline"
GLOSSARY_MISSED = "glossary_missed"
NO_TEXT = Entry("")
NOTHING = Completion("", provider="", model="")
"""The translation of no entries."""

Placed = tuple[str, Segment, str]
"""The whitespace before a text, the text, and the whitespace after it."""


@dataclass(frozen=True)
class Translations:
    """The translations by key, in the caller's order, and the reasons for the texts without one.

    `warnings` maps keys to what their translations lack. `unchanged` lists the keys of texts that came back
    untranslated.
    """

    texts: Mapping[str, str]
    failed: Mapping[str, str]
    warnings: Mapping[str, str] = field(default_factory=dict)
    unchanged: Sequence[str] = ()


class Job:
    """The segments of one request. Raises an AgentError at once if no provider can be asked."""

    def __init__(self, texts: Texts, request: CompletionRequest) -> None:
        facts = {"from": texts.from_lang, "to": texts.to}
        asked = replace(request, system_prompt=texts.instructions, metadata={**request.metadata, **facts})
        self.request = candidate_of(asked).request
        limit = (self.request.max_tokens - TOKENS_BESIDES) // GROWTH
        glossary = Glossary(texts.glossary, texts.to, texts.from_lang)
        self._segments = Segments(Task(texts.from_lang, texts.to, limit, glossary))
        self._texts = texts
        self._usage = Usage()
        self._fault: AgentError | None = None
        self._answered_by: Completion | None = None
        self._has_turned = False
        self._vain_askings = self._vain_rejections = 0
        self._end = ""

    @cached_property
    def _entries(self) -> Mapping[str, Placed]:
        return {key: self._entry(entry) for key, entry in self._texts.read_entries.items()}

    def whole(self) -> Chunk:
        """All segments as one chunk. It is looked up in the cache and never sent."""
        segments = dict.fromkeys(segment for _, segment, _ in self._entries.values())
        asked = dict.fromkeys(part for segment in segments for part in segment.asked)
        if asked:
            detector()  # loading takes a second, which would block an event loop
        return Chunk(self.request, list(asked), 0)

    def chunks(self) -> list[Chunk]:
        """The first questions, with as many unknown segments in each as fit into an answer.

        Groups without known segments come first: concurrent requests for the same texts then share these questions.
        """
        groups, rest = list[list[Segment]](), list[Segment]()
        for group in self._groups(self.whole().segments):
            unknown = [segment for segment in group if not segment.is_translated]
            if len(unknown) == len(group):
                groups.append(group)
            else:
                rest += unknown
        groups += self._groups(rest)
        self.request = replace(self.request, metadata={**self.request.metadata, "chunks": len(groups)})
        return [Chunk(self.request, segments, number) for number, segments in enumerate(groups, 1)]

    def second_questions(self) -> list[Chunk]:
        """Questions about all postponed segments. Asked together, they need only a few more calls."""
        segments = self.whole().segments
        postponed = [segment for segment in segments if segment.is_postponed and not segment.is_translated]
        groups = enumerate(self._groups(postponed), 1)
        return [Chunk(self.request, segments, number, retries=1, asked_again=1) for number, segments in groups]

    def admits(self, chunk: Chunk) -> bool:
        """Whether there is anything to ask and a chance of an answer. Without a chance, the segments fail."""
        if not chunk.segments or (chunk.asked_again and self._vain_askings >= VAIN_ASKINGS):
            return False
        end = DEADLINE if self.request.deadline.is_over else self._end
        if end:
            chunk.fail(None, end)
        return not end

    def take(self, chunk: Chunk, answer: Completion) -> None:
        """Accept a model's answer to a chunk's question."""
        self._usage += answer.usage
        if not answer.cached:
            self._answered_by = answer
        self._has_turned = self._has_turned or answer.provider != self.request.provider
        chunk.take(answer.value)
        chunk.is_reused = answer.cached

    def follow_ups(self, chunk: Chunk) -> list[Chunk]:
        """The questions that follow a chunk, answered or not."""
        if chunk.fault is None:
            self._vain_askings = 0
        else:
            self._vain_askings += len(chunk.segments) == 1 and not chunk.is_to_be_cut
            self._note(chunk.fault, chunk)
        return list(chunk.follow_ups())

    def joined(self, chunk: Chunk) -> Completion | None:
        """The answer to a chunk with a single, cut segment: the joined answers to its pieces. None for other chunks."""
        (segment, *others) = chunk.segments
        translation = segment.own_translation
        if others or segment.reservations or not segment.is_cut or translation is None or self._has_turned:
            return None
        return Completion("", self.request.provider, self.request.model, value={0: translation})

    def completion(self) -> Completion:
        """The result of the job. If every text that needs a call failed, raises the last error, with all usage."""
        whole = self.whole().segments
        for segment in whole:
            segment.settle()
        outcome = self._outcome()
        is_answered = any(segment.asked for key, (_, segment, _) in self._entries.items() if key in outcome.texts)
        if outcome.failed and not is_answered:
            fault = self._fault or self._end_of_all(outcome)
            fault.usage, fault.failed = self._usage, dict(outcome.failed)
            raise fault
        if outcome.unchanged:
            unchanged(self.request, len(outcome.unchanged))
        by = self._answered_by or (self.request if is_answered else NOTHING)
        return Completion("", by.provider, by.model, usage=self._usage, value=outcome)

    def _outcome(self) -> Translations:
        texts, failed, warnings, as_sent = dict[str, str](), dict[str, str](), dict[str, str](), list[str]()
        for key, (before, segment, after) in self._entries.items():
            translation, reservations = segment.translation, segment.reservations
            missed = _missed(reservations)
            if translation is None:
                failed[key] = segment.failure
            elif missed and agent_settings.TRANSLATE_GLOSSARY_MISSED == "failed":
                failed[key] = missed
            else:
                texts[key] = f"{before}{translation}{after}"
                warnings |= {key: missed} if missed else {}
                as_sent += [key] * any(reservation.is_unchanged for reservation in reservations)
        return Translations(texts, failed, warnings, tuple(as_sent))

    def _end_of_all(self, outcome: Translations) -> AgentError:
        if self.request.deadline.is_over:
            return ProviderTimeout(f"the DEADLINE of {self.request.deadline.seconds:g} s has passed")
        return InvalidAnswer(next(iter(outcome.failed.values())))

    def _note(self, fault: AgentError, chunk: Chunk) -> None:
        self._fault = fault
        self._usage += Usage() if fault.usage is None else fault.usage  # without tokens, its cost may be unknown
        self._vain_rejections += isinstance(fault, RequestRejected) and len(chunk.segments) == 1
        is_vain = self._vain_rejections >= VAIN_REJECTIONS and self._answered_by is None
        if self.request.deadline.is_over:
            chunk.fail(fault, DEADLINE)
        elif is_vain or _meets_all(fault):
            self._end = f"{fault.failure}: {fault}"

    def _entry(self, entry: Entry) -> Placed:
        text = entry.text
        core = text.strip()
        if not core:
            return text, self._segments.of(NO_TEXT), ""
        start = text.index(core)
        blanks = len(text) - len(core)
        limit = max(1, entry.max_length - blanks) if entry.max_length else 0
        placed = replace(
            entry, text=expanded(core, entry.format, self._texts.from_lang, self._texts.to), max_length=limit
        )
        return text[:start], self._segments.of(placed), text[start + len(core) :]

    def _groups(self, segments: Sequence[Segment]) -> Iterator[list[Segment]]:
        group, tokens = list[Segment](), 0
        for segment in segments:
            needed = tokens_in_answer(segment)
            is_full = len(group) >= agent_settings.TRANSLATE_CHUNK_ENTRIES
            if group and (is_full or tokens + needed > self.request.max_tokens):
                yield group
                group, tokens = [], 0
            group.append(segment)
            tokens += needed
        if group:
            yield group


def tokens_in_answer(segment: Segment) -> int:
    """The tokens that an answer may need for a segment, on the high side."""
    return segment.tokens * GROWTH + TOKENS_BESIDES


def _meets_all(fault: AgentError) -> bool:
    """Whether every further question would fail with the same error."""
    if isinstance(fault, ProviderDeclined):
        return not isinstance(fault, RateLimited | ProviderBusy)
    return isinstance(fault, ProviderUnusable) or not isinstance(fault, ProviderError)


def _missed(reservations: Sequence[Reservation]) -> str:
    """A description of the glossary terms that a translation lacks, or an empty string."""
    terms = dict.fromkeys(term for reservation in reservations for term in reservation.missed_terms)
    return f"{GLOSSARY_MISSED}: {', '.join(map(repr, terms))}" if terms else ""
