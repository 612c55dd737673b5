"""Check existing translations against their sources, and estimate the maximum cost of new ones."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from stapel_agent import cache
from stapel_agent.asking import candidate_of
from stapel_agent.budgets import Estimate, estimated
from stapel_agent.conf import agent_settings
from stapel_agent.types import CompletionRequest

from . import numbers
from .entry import Entry
from .glossary import Glossary
from .job import Job
from .locale_patterns import is_same_pattern, misplaced_time
from .masking import Damaged, Protected
from .plural_forms import expanded_as
from .segment import Segments, Task
from .translation_request import Texts

Terms: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Most:
    """The maximum cost of a translation. `cost_usd` is None if a price is unknown."""

    calls: int
    tokens: int
    cost_usd: Decimal | None

    @classmethod
    def total(cls, parts: Iterable[Most]) -> Most:
        """Add up `parts`. If the cost of one of them is unknown, so is the total cost."""
        listed = list(parts)
        known = [part.cost_usd for part in listed if part.cost_usd is not None]
        cost_usd = sum(known, Decimal(0)) if len(known) == len(listed) else None
        return cls(sum(part.calls for part in listed), sum(part.tokens for part in listed), cost_usd)


@dataclass(frozen=True)
class Review:
    """What is wrong with a translation, and why a person is to look at one that is not wrong."""

    fault: str = ""
    doubt: str = ""


def review(entry: Entry, translation: str, from_lang: str, to: str, terms: Terms = ()) -> Review:
    """Check a translation of `entry` like a model's answer, with the terms of a glossary and their translations."""
    if fault := misplaced_time(entry.text, translation):
        return Review(fault)
    if is_same_pattern(entry.text, translation):
        return Review()
    source = expanded_as(entry.text.strip(), translation.strip(), entry.format, from_lang, to)
    task = Task(from_lang, to, sys.maxsize, _glossary(terms, to, from_lang))
    segment = Segments(task).of(replace(entry, text=source, context=""))
    given = segment.protected.with_own_marks(translation.strip())
    try:
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


def most(texts: Texts, request: CompletionRequest) -> Most:
    """Return the maximum cost of translating `texts`, if every question is asked as often as the settings allow."""
    job = Job(texts, request)
    whole = job.whole()
    whole.take(cache.recall(whole.question()))
    vendor = candidate_of(job.request).provider.vendor
    retries, spends = agent_settings.TRANSLATE_RETRIES, list[Estimate]()
    for chunk in job.chunks():
        # All together, retries for failures, one retry for untranslated texts, and finally each text alone.
        spends += [estimated(chunk.question(), vendor)] * (retries + 2)
        alone = map(chunk.alone, chunk.segments if retries else ())
        spends += [estimated(question.question(), vendor) for question in alone]
    return Most.total(Most(1, spend.tokens, spend.usd) for spend in spends)
