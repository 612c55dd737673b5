"""The prompt cache: may an earlier answer be reused, where is it found, where is it kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.cache import caches
from django.utils import timezone

from stapel_agent import log_content
from stapel_agent.conf import agent_settings
from stapel_agent.database import aon_ledger, on_ledger, works_in_callers_thread
from stapel_agent.exceptions import AgentError, WrongSetting
from stapel_agent.models import KeptAnswer, PromptLog, Translation
from stapel_agent.providers import in_own_thread
from stapel_agent.redaction import describe, traceback_of
from stapel_agent.settings_validation import require_cache_kinds
from stapel_agent.telemetry import reused
from stapel_agent.types import NOT_KNOWN, Completion, CompletionRequest, Saving

from .hit_counts import note

logger = logging.getLogger(__name__)

STORING_SECONDS = 1.0
"""What is paid is stored even when the request's deadline is over, if that takes no longer."""

Result = TypeVar("Result")


class CachePolicy:
    """Where earlier answers are kept. Subclass it and name it in CACHE_POLICY.

    One instance serves a process and its threads. `request.cache_key` holds everything that changes
    what a right answer is, the caller's scope included: equal keys may share an answer. A fault
    raised here costs the reuse, never the call.
    """

    def should_cache(self, source: str) -> bool:
        """May answers of this source be reused? By default as CACHE_LOOKUP says."""
        return agent_settings.CACHE_LOOKUP.get(source, False) is True

    def lookup(self, request: CompletionRequest) -> Completion | None:
        """The answer to this request, if one is kept and no older than CACHE_TTL seconds."""
        raise NotImplementedError(f"{type(self).__name__} must implement lookup()")

    def store(self, request: CompletionRequest, completion: Completion) -> None:
        """Keep an answer that counts. By default nothing: the ledger has it, unless the request is a part of one."""

    def lookup_many(self, requests: Sequence[CompletionRequest]) -> list[Completion | None]:
        """`lookup()` of several requests, in their order. Override it where one round trip can do it."""
        return [self.lookup(request) for request in requests]

    def store_many(self, answered: Sequence[tuple[CompletionRequest, Completion]]) -> None:
        """`store()` of several answers. Override it where one round trip can do it."""
        for request, completion in answered:
            self.store(request, completion)


class PromptLogCachePolicy(CachePolicy):
    """The ledger is the cache: nothing is stored twice, and an answer is as auditable as its call.

    Translations, many of which share a row there, are kept text by text in a table of their own. Neither has answers of
    a source whose texts are not stored.
    """

    def lookup(self, request: CompletionRequest) -> Completion | None:
        if not log_content.is_full(request.source):
            return None
        if not request.in_ledger:
            return self.lookup_many([request])[0]
        look = partial(_latest_answer, request.cache_key, _oldest())
        kept = on_ledger(look, timeout=request.deadline.left)
        if kept is None:
            return None
        return _earlier(request, kept.text, Saving(kept.tokens, kept.cost_usd or Decimal(0)))

    def lookup_many(self, requests: Sequence[CompletionRequest]) -> list[Completion | None]:
        parts = [request.cache_key for request in requests if _is_part(request)]
        timeout = requests[0].deadline.left if requests else None
        known = on_ledger(partial(_known, parts, _oldest()), timeout=timeout) if parts else {}
        return [
            self.lookup(request) if request.in_ledger else _earlier(request, known.get(request.cache_key))
            for request in requests
        ]

    def store_many(self, answered: Sequence[tuple[CompletionRequest, Completion]]) -> None:
        translations = [_translation(*pair) for pair in answered if _is_part(pair[0])]
        if translations:
            timeout = answered[0][0].deadline.left
            on_ledger(partial(_remember, translations), timeout=timeout and max(timeout, STORING_SECONDS))


class DjangoCachePolicy(CachePolicy):
    """Django's cache framework: Redis, Memcached, or whatever `CACHES[alias]` is."""

    alias: ClassVar[str] = "default"
    """The entry of CACHES; override it in a subclass."""

    def lookup(self, request: CompletionRequest) -> Completion | None:
        return _earlier(request, caches[self.alias].get(self._key(request)))

    def store(self, request: CompletionRequest, completion: Completion) -> None:
        caches[self.alias].set(self._key(request), completion.text, timeout=agent_settings.CACHE_TTL)

    def lookup_many(self, requests: Sequence[CompletionRequest]) -> list[Completion | None]:
        known = caches[self.alias].get_many(map(self._key, requests))
        return [_earlier(request, known.get(self._key(request))) for request in requests]

    def store_many(self, answered: Sequence[tuple[CompletionRequest, Completion]]) -> None:
        texts = {self._key(request): completion.text for request, completion in answered}
        caches[self.alias].set_many(texts, timeout=agent_settings.CACHE_TTL)

    @staticmethod
    def _key(request: CompletionRequest) -> str:
        return f"stapel_agent:{request.cache_key}"


class NoCachePolicy(CachePolicy):
    """No answer is ever reused, whatever CACHE_LOOKUP says."""

    def should_cache(self, source: str) -> bool:
        return False

    def lookup(self, request: CompletionRequest) -> Completion | None:
        return None


def is_reusable(request: CompletionRequest) -> bool:
    """Whether an answer to this request may be another caller's too."""
    if "policy" in request.cache_faults:
        return False
    try:
        require_cache_kinds()
        return bool(_policy().should_cache(request.source))
    except Exception as fault:
        _report(request, "policy", fault)
        return False


def recall(request: CompletionRequest) -> dict[int, str]:
    """What is kept of the parts of a request, by their number."""
    if request.skip_cache or "lookup" in request.cache_faults or not is_reusable(request):
        return {}
    try:
        found = _policy().lookup_many(request.parts_as_asked)
        known = zip(range(len(request.parts)), found, strict=False)
        texts = {number: answer.text for number, answer in known if answer and isinstance(answer.text, str)}
    except Exception as fault:
        _report(request, "lookup", fault)
        return {}
    _count(request, len(texts))
    return texts


def find(request: CompletionRequest, read: Callable[[str], Any]) -> Completion | None:
    """An earlier answer to a reusable request, which the verb can still read, or to some of its parts; or None."""
    if request.parts:
        texts = recall(request)
        return Completion("", request.provider, request.model, value=texts, cached=True) if texts else None
    if "lookup" in request.cache_faults:
        return None
    try:
        found = _policy().lookup(request)
        answer = found and reread(request, found.text, read)
    except Exception as fault:
        _report(request, "lookup", fault)
        return None
    if not (found and answer):
        return None
    _count(request, 1, found.saving)
    return answer


def _count(request: CompletionRequest, hits: int, saving: Saving = NOT_KNOWN) -> None:
    """Note what was reused, for who watches and for who asks what was saved."""
    if hits:
        reused(request, "kept", hits)
        note(request, hits, saving)


def keep(request: CompletionRequest, completion: Completion) -> None:
    """Let a fresh answer to a reusable request be reused, or those to its parts."""
    try:
        policy = _policy()
        if request.parts:
            parts, texts = request.parts_as_asked, completion.value
            policy.store_many([(parts[number], replace(completion, text=text)) for number, text in texts.items()])
        else:
            policy.store(request, completion)
    except Exception as fault:
        _report(request, "store", fault)


async def ais_reusable(request: CompletionRequest) -> bool:
    """`is_reusable()` on an event loop."""
    return bool(await _in_thread(request, partial(is_reusable, request), CachePolicy.should_cache))


async def arecall(request: CompletionRequest) -> dict[int, str]:
    """`recall()` on an event loop."""
    return await _in_thread(request, partial(recall, request)) or {}


async def afind(request: CompletionRequest, read: Callable[[str], Any]) -> Completion | None:
    """`find()` on an event loop."""
    return await _in_thread(request, partial(find, request, read))


async def akeep(request: CompletionRequest, completion: Completion) -> None:
    """`keep()` on an event loop."""
    idle = None if request.parts else CachePolicy.store
    await _in_thread(request, partial(keep, request, completion), idle)


async def _in_thread(
    request: CompletionRequest, step: Callable[[], Result], idle: Callable[..., Any] | None = None
) -> Result | None:
    """A policy's step off the event loop, unless the policy has left it `idle`, as it is in the base class.

    A host's own policy gets a thread of its own, and no longer than a provider: the ledger must not wait for it.
    """
    try:
        policy = policy_class()
        if idle is not None and getattr(policy, idle.__name__) is idle:
            return step()
        if works_in_callers_thread():
            return await sync_to_async(step)()
        if policy is PromptLogCachePolicy:
            return await aon_ledger(lambda alias: step(), timeout=request.deadline.left)
        async with asyncio.timeout(request.deadline.remaining(agent_settings.CLI_TIMEOUT)):
            return await asyncio.wrap_future(in_own_thread(step))
    except Exception as fault:
        _report(request, "policy", fault)
        return None


def policy_class() -> type[CachePolicy]:
    """What CACHE_POLICY names. Raises WrongSetting."""
    try:
        named: Any = agent_settings.CACHE_POLICY
    except Exception as fault:
        raise WrongSetting(f"CACHE_POLICY is no cache policy: {describe(fault)}") from fault
    if not (isinstance(named, type) and issubclass(named, CachePolicy)):
        raise WrongSetting(f"CACHE_POLICY is no cache policy: {named!r}")
    return named


def _policy() -> CachePolicy:
    named: Any = policy_class()
    return _instance(named)


@lru_cache(maxsize=8)
def _instance(named: type[CachePolicy]) -> CachePolicy:
    return named()


def reread(request: CompletionRequest, text: str, read: Callable[[str], Any]) -> Completion | None:
    """`text`, which once answered this request, as an answer that cost nothing; None if the verb cannot read it."""
    try:
        value = read(text)
    except AgentError:
        return None
    return Completion(text=text, provider=request.provider, model=request.model, value=value, cached=True)


def sweep(*, before: datetime | None = None) -> int:
    """Remove the translations that are too old to be reused, or made `before` a moment. Returns how many."""
    since = max(_oldest(), before) if before else _oldest()
    removed = 0
    while batch := on_ledger(partial(_forget, since)):
        removed += batch
    return removed


def stale(*, before: datetime) -> int:
    """How many `sweep()` would remove."""
    old = Translation.objects.filter(created_at__lt=max(_oldest(), before))
    return on_ledger(lambda alias: old.using(alias).count())


def forget(requests: Collection[UUID], alias: str) -> int:
    """Remove the translations that were made for these requests."""
    return Translation.objects.using(alias).filter(request_id__in=requests).delete()[0]


def _is_part(request: CompletionRequest) -> bool:
    """Whether its answer is kept by itself, in the table of translations."""
    return not request.in_ledger and log_content.is_full(request.source)


def _oldest() -> datetime:
    return timezone.now() - timedelta(seconds=agent_settings.CACHE_TTL)


def _known(keys: Sequence[str], since: datetime, alias: str) -> dict[str, str]:
    return Translation.objects.using(alias).known(keys, since=since)


def _remember(translations: Sequence[Translation], alias: str) -> None:
    Translation.objects.using(alias).remember(translations)


def _forget(since: datetime, alias: str) -> int:
    return Translation.objects.using(alias).forget_batch(since=since)


def _translation(request: CompletionRequest, completion: Completion) -> Translation:
    return Translation(
        key=request.cache_key,
        text=completion.text,
        provider=completion.provider[:64],
        model=completion.model[:128],
        request_id=request.request_id,
    )


def _latest_answer(cache_key: str, since: datetime, alias: str) -> KeptAnswer | None:
    return PromptLog.objects.using(alias).latest_answer(cache_key, since=since)


def _earlier(request: CompletionRequest, text: str | None, saving: Saving = NOT_KNOWN) -> Completion | None:
    if text is None:
        return None
    return Completion(text=text, provider=request.provider, model=request.model, cached=True, saving=saving)


def _report(request: CompletionRequest, step: str, fault: Exception) -> None:
    """Log it, and let this request ask no more: a place that cannot be reached costs seconds each time."""
    request.cache_faults.add(step)
    logger.error("cache %s failed, the call goes on without it: %s", step, describe(fault))
    logger.debug("%s", traceback_of(fault))
