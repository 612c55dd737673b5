"""Check existing translations against their sources, and estimate the maximum cost of new ones."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from stapel_agent import cache
from stapel_agent.asking import candidate_of
from stapel_agent.budgets import Estimate, estimated, expected
from stapel_agent.conf import agent_settings
from stapel_agent.types import CompletionRequest

from . import numbers
from .entry import Entry
from .glossary import Glossary
from .job import Job, tokens_in_answer
from .placeholders import Damaged, Protected, is_same_pattern, misplaced_time
from .plural_forms import expanded_as
from .segment import Segments, Task
from .translation_request import Texts

LINE_BREAK = re.compile(r"\n|\\n")
"""A line break, as it is or as an escape."""
Terms: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Cost:
    """The cost of some calls. `cost_usd` is None if a price is unknown."""

    tokens: int = 0
    cost_usd: Decimal | None = Decimal(0)

    @classmethod
    def of(cls, spends: Iterable[Estimate]) -> Cost:
        """Add up what calls cost."""
        return sum((cls(spend.tokens, spend.usd) for spend in spends), cls())

    def __add__(self, other: Cost) -> Cost:
        """Add another cost. If one of the two is unknown, so is the sum."""
        known = [usd for usd in (self.cost_usd, other.cost_usd) if usd is not None]
        return Cost(self.tokens + other.tokens, sum(known, Decimal(0)) if len(known) == 2 else None)


@dataclass(frozen=True)
class CostRange:
    """What a translation costs if each question is asked once, and if all are asked as often as the settings allow."""

    expected: Cost = Cost()
    most: Cost = Cost()

    def __add__(self, other: CostRange) -> CostRange:
        return CostRange(self.expected + other.expected, self.most + other.most)


@dataclass(frozen=True)
class Review:
    """What is wrong with a translation, and why a person is to look at one that is not wrong."""

    fault: str = ""
    doubt: str = ""


def review(entry: Entry, translation: str, from_lang: str, to: str, terms: Terms = ()) -> Review:
    """Check a translation of `entry` like a model's answer, with the terms of a glossary and their translations.

    Line breaks in other places are no fault, since people wrap lines as their language needs it.
    """
    found = _review(entry, translation, from_lang, to, terms)
    ours, theirs = (len(LINE_BREAK.findall(text.strip())) for text in (entry.text, translation))
    if not found.fault or ours == theirs or entry.format == "fluent":
        return found
    source, flat = (LINE_BREAK.sub(" ", text.strip()) for text in (entry.text, translation))
    if _review(replace(entry, text=source), flat, from_lang, to, terms).fault:
        return found
    return Review(doubt=f"has {theirs} line breaks in place of {ours}")


def _review(entry: Entry, translation: str, from_lang: str, to: str, terms: Terms) -> Review:
    if fault := misplaced_time(entry.text, translation):
        return Review(fault)
    if is_same_pattern(entry.text, translation):
        return Review()
    source = expanded_as(entry.text.strip(), translation.strip(), entry.format, from_lang, to)
    task = Task(from_lang, to, sys.maxsize, _glossary(terms, to, from_lang))
    segment = Segments(task).of(replace(entry, text=source, context=""))
    try:
        given = segment.protected.with_own_marks(translation.strip())
        if segment.protected.has_words:
            _, reservation = segment.checked(given)
            return Review(doubt=reservation.remark if reservation else "")
        _check_signs(segment.protected, given, task)
    except Damaged as fault:
        return Review(segment.protected.in_full(str(fault)))
    return Review()


@lru_cache(maxsize=4)
def _glossary(terms: Terms, to: str, from_lang: str) -> Glossary:
    return Glossary(dict(terms), to, from_lang)


def _check_signs(protected: Protected, given: str, task: Task) -> None:
    """Check a translation of a text without words, whose punctuation may differ. Raises Damaged."""
    protected.restore(given)
    if fault := numbers.changed(protected.masked, given, task.from_lang, task.to):
        raise Damaged(fault)


def cost_range(texts: Texts, request: CompletionRequest) -> CostRange:
    """Return what translating `texts` costs, without those that are known already."""
    job = Job(texts, request)
    whole = job.whole()
    whole.take(cache.recall(whole.question()))
    vendor = candidate_of(job.request).provider.vendor
    retries, once, often = agent_settings.TRANSLATE_RETRIES, list[Estimate](), list[Estimate]()
    for chunk in job.chunks():
        question = chunk.question()
        once.append(expected(question, vendor, sum(map(tokens_in_answer, chunk.segments))))
        # All together, retries for failures, one retry for untranslated texts, and finally each text alone.
        often += [estimated(question, vendor)] * (retries + 2)
        alone = map(chunk.alone, chunk.segments if retries and len(chunk.segments) > 1 else ())
        often += [estimated(each.question(), vendor) for each in alone]
    return CostRange(Cost.of(once), Cost.of(often))
