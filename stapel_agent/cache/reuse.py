"""Finds and stores answers through CACHE_POLICY. Its errors prevent the reuse, never the call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, TypeVar

from asgiref.sync import sync_to_async

from stapel_agent.column_ranges import MAX_TOKEN_COUNT, is_whole, money
from stapel_agent.conf import agent_settings
from stapel_agent.database import aon_ledger, works_in_callers_thread
from stapel_agent.exceptions import AgentError, WrongSetting
from stapel_agent.providers import in_own_thread
from stapel_agent.redaction import describe, traceback_of
from stapel_agent.settings_validation import require_cache_kinds
from stapel_agent.telemetry import reused
from stapel_agent.types import NOT_KNOWN, Completion, CompletionRequest, Saving

from .base import CachePolicy
from .forgetting import Selection
from .hit_counts import note
from .ledger_cache import PromptLogCachePolicy

logger = logging.getLogger(__name__)

MOST_TOKENS = 4 * MAX_TOKEN_COUNT
"""The most tokens of a call: the sum of four columns."""

Result = TypeVar("Result")


def is_reusable(request: CompletionRequest) -> bool:
    if "policy" in request.cache_faults:
        return False
    try:
        require_cache_kinds()
        return bool(_policy().should_cache(request.source))
    except Exception as fault:
        _report(request, "policy", fault)
        return False


def recall(request: CompletionRequest) -> dict[int, str]:
    """The stored answers to the parts of a request, by part number."""
    if request.skip_cache or "lookup" in request.cache_faults or not is_reusable(request):
        return {}
    try:
        found = _policy().lookup_many(request.parts_as_asked)
        known = zip(range(len(request.parts)), found, strict=False)
        texts = {
            number: str.__str__(answer.text) for number, answer in known if answer and isinstance(answer.text, str)
        }
    except Exception as fault:
        _report(request, "lookup", fault)
        return {}
    _count(request, len(texts))
    return texts


def find(request: CompletionRequest, read: Callable[[str], Any]) -> Completion | None:
    """Find an earlier answer that the verb can still read, or answers to some parts of the request. Or return None."""
    if request.parts:
        texts = recall(request)
        return Completion("", request.provider, request.model, value=texts, cached=True) if texts else None
    if "lookup" in request.cache_faults:
        return None
    try:
        found = _policy().lookup(request)
        answer = reread(request, str.__str__(found.text), read) if found else None
        saving = found.saving if found and _can_be_added(found.saving) else NOT_KNOWN
    except Exception as fault:
        _report(request, "lookup", fault)
        return None
    if answer:
        _count(request, 1, saving)
    return answer


def _can_be_added(saving: Any) -> bool:
    """Whether a policy's `saving` has figures that the counts of hits can add up."""
    return (
        type(saving) is Saving
        and is_whole(saving.tokens, 0, MOST_TOKENS)
        and type(saving.cost_usd) is Decimal
        and money(saving.cost_usd) is not None
    )


def _count(request: CompletionRequest, hits: int, saving: Saving = NOT_KNOWN) -> None:
    """Record the reuse in metrics and in the counts of hits."""
    if hits:
        reused(request, "kept", hits)
        note(request, hits, saving)


def keep(request: CompletionRequest, completion: Completion) -> None:
    """Store a fresh answer, or the answers to the parts of a request, for reuse."""
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
    """Run a policy's step off the event loop, unless it is `idle`: the base class's method, which does not block.

    A host's own policy gets its own thread and a provider's timeout, so that the ledger never waits for it.
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
    """Return the class that CACHE_POLICY names. Raises WrongSetting."""
    try:
        named: Any = agent_settings.CACHE_POLICY
    except Exception as fault:
        raise WrongSetting(f"CACHE_POLICY is not a cache policy: {describe(fault)}") from fault
    if not (isinstance(named, type) and issubclass(named, CachePolicy)):
        raise WrongSetting(f"CACHE_POLICY is not a cache policy: {named!r}")
    return named


def _policy() -> CachePolicy:
    named: Any = policy_class()
    return _instance(named)


@lru_cache(maxsize=8)
def _instance(named: type[CachePolicy]) -> CachePolicy:
    return named()


def reread(request: CompletionRequest, text: str, read: Callable[[str], Any]) -> Completion | None:
    """Turn an earlier answer's `text` into a cost-free answer. Returns None if the verb cannot read it."""
    try:
        value = read(text)
    except AgentError:
        return None
    return Completion(text=text, provider=request.provider, model=request.model, value=value, cached=True)


def forget(selection: Selection) -> int | None:
    """Let CACHE_POLICY forget the selected translations. Returns how many, or None if it does not say.

    Raises WrongSetting, or NotImplementedError if the policy cannot forget.
    """
    return _policy().forget(selection)


def _report(request: CompletionRequest, step: str, fault: Exception) -> None:
    """Log the error and skip this step for the rest of the request: each further try could take seconds."""
    request.cache_faults.add(step)
    logger.error("cache %s failed, the call continues without it: %s", step, describe(fault))
    logger.debug("%s", traceback_of(fault))
