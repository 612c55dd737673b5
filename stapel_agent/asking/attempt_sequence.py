"""The attempts made for one request: decides the next one, and combines their outcomes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import (
    AnswerMissing,
    ParameterRefused,
    ProviderBusy,
    ProviderError,
    ProviderTimeout,
    RateLimited,
    SchemaMismatch,
)
from stapel_agent.providers import LlmProvider, withdraw_refusal
from stapel_agent.telemetry import waiting
from stapel_agent.types import Completion, CompletionRequest, Usage

from . import api_keys
from .attempt import Attempt
from .fallback_chain import Candidate, Chain
from .reader import Reader
from .retries import MAX_DELAY, allows_fallback, allows_other_key, delay_before_retry

logger = logging.getLogger(__name__)

MOST_REFUSED_FIELDS = 4
"""A provider that rejects more fields than this package adds is not asked again."""

UNUSABLE = (SchemaMismatch, AnswerMissing)
"""Errors that asking again may fix if the request has a schema."""


class Attempts:
    """Iterates over the attempts for one request. Each follows a failed one; `completion()` returns the outcome.

    Sync or async iteration waits for the delay before a retry and for a slot at the provider.
    Raises an AgentError immediately if no provider can be asked.
    """

    def __init__(self, request: CompletionRequest, read: Reader) -> None:
        self._chain = Chain(request)
        self._read = read
        self._made: list[Attempt] = []
        self.request = self._chain.request

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Attempt:
        while attempt := self._following():
            with waiting():
                if attempt.delay:
                    time.sleep(attempt.delay)
                has_place = attempt.place.take(self._patience)
            if self._is_due(attempt, has_place=has_place):
                return attempt
        raise StopIteration

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Attempt:
        while attempt := self._following():
            with waiting():
                if attempt.delay:
                    await asyncio.sleep(attempt.delay)
                has_place = await attempt.place.atake(self._patience)
            if self._is_due(attempt, has_place=has_place):
                return attempt
        raise StopAsyncIteration

    @property
    def cache_keys(self) -> set[str]:
        """The cache keys that the rows of these attempts may have."""
        return self._chain.cache_keys

    @property
    def has_turned(self) -> bool:
        """Whether the current attempt is the first one at this provider, and the provider is a fallback."""
        *earlier, last = self._made
        is_first = not any(attempt.provider is last.provider for attempt in earlier)
        return is_first and last.request.provider != self.request.provider

    def reused(self, earlier: Completion) -> Completion:
        """Return an earlier answer of the current provider, which replaces the attempt."""
        return replace(earlier, usage=self._spent)

    @property
    def answered(self) -> CompletionRequest:
        """The request as it was sent to the last provider."""
        return self._made[-1].request

    def completion(self) -> Completion:
        """Return the answer of the last attempt, or raise its error with the usage of all attempts."""
        last = self._made[-1]
        if last.error is not None:
            last.error.usage = self._spent
            last.error.text = next((attempt.text for attempt in reversed(self._made) if attempt.text), None)
            last.error.args = (f"{last.error}{self._circumstances(last)}",)
            raise last.error
        return Completion(
            text=last.text or "",
            provider=last.request.provider,
            model=last.request.model,
            usage=self._spent,
            value=last.value,
        )

    @property
    def _spent(self) -> Usage:
        if len(self._made) == 1:
            return self._made[0].usage
        return sum((attempt.usage for attempt in self._made), Usage())

    @property
    def _patience(self) -> float:
        """Seconds to wait for a busy provider: only briefly if a fallback is left."""
        return self.request.deadline.remaining(MAX_DELAY if self._chain.has_more else agent_settings.CLI_TIMEOUT)

    def _following(self) -> Attempt | None:
        if not self._made:
            return self._to(self._chain.next())
        last = self._made[-1]
        if last.error is None:
            return None
        again = self._correction(last) or self._without_refused(last) or self._with_other_key(last) or self._retry(last)
        if again is None:
            self._withdraw_refusals(last.provider)
        return again or self._fallback(last)

    def _correction(self, last: Attempt) -> Attempt | None:
        made = sum(isinstance(attempt.error, UNUSABLE) for attempt in self._made)
        if last.request.schema is None or not isinstance(last.error, UNUSABLE) or made > agent_settings.SCHEMA_RETRIES:
            return None
        correction = last.error.correction if isinstance(last.error, SchemaMismatch) else last.request.correction
        return self._to(Candidate(last.provider, replace(last.request, correction=correction)))

    def _without_refused(self, last: Attempt) -> Attempt | None:
        """Repeat the question without the field or value that the provider refused, once for each."""
        if not isinstance(last.error, ParameterRefused):
            return None
        *earlier, refused = [fault.memory for fault in self._refusals_by(last.provider)]
        if refused in earlier or len(earlier) >= MOST_REFUSED_FIELDS:
            return None
        logger.warning(
            "provider %r rejects %s for model %r; requests omit or change it if the next attempt succeeds; see %s",
            last.request.provider,
            last.error.parameter,
            last.request.model,
            last.error.setting.format(size=last.request.model_size, source=str(last.request.source)),
        )
        return self._to(Candidate(last.provider, last.request))

    def _withdraw_refusals(self, provider: LlmProvider) -> None:
        """Send the last refused field again next time, unless a call without it has succeeded.

        An earlier field was really refused if the call without it failed with a differently worded error.
        """
        last: ParameterRefused | None = None
        for attempt in reversed([attempt for attempt in self._made if attempt.provider is provider]):
            if attempt.result is not None:
                break
            if isinstance(attempt.error, ParameterRefused):
                last = last or attempt.error
                if _wording(attempt.error) == _wording(last):
                    withdraw_refusal(attempt.error)

    def _refusals_by(self, provider: LlmProvider) -> list[ParameterRefused]:
        errors = (attempt.error for attempt in self._made if attempt.provider is provider)
        return [error for error in errors if isinstance(error, ParameterRefused)]

    def _with_other_key(self, last: Attempt) -> Attempt | None:
        """Repeat the question with an untried key, if the last error was specific to its key."""
        if last.api_key is None or not allows_other_key(last.error):
            return None
        tried = {made.api_key for made in self._made if made.provider is last.provider}
        key = api_keys.next_key(last.request.provider, last.provider, tried)
        return None if key is None else self._to(Candidate(last.provider, last.request, key))

    def _retry(self, last: Attempt) -> Attempt | None:
        here = [attempt for attempt in self._made if attempt.provider is last.provider]
        retries = sum(attempt.is_retry for attempt in here)
        delays = [delay_before_retry(fault, retries, self._patience) for fault in _retryable(here)]
        shortest = min((delay for delay in delays if delay is not None), default=None)
        return None if shortest is None else self._to(Candidate(last.provider, last.request), shortest)

    def _fallback(self, last: Attempt) -> Attempt | None:
        return self._to(self._chain.next()) if allows_fallback(last.error) else None

    def _to(self, candidate: Candidate | None, delay: float | None = None) -> Attempt | None:
        if candidate is None:
            return None
        if candidate.api_key is None and (key := api_keys.next_key(candidate.request.provider, candidate.provider)):
            candidate = replace(candidate, api_key=key)
        attempt = Attempt(candidate, self._read, delay)
        self._made.append(attempt)
        return attempt

    def _is_due(self, attempt: Attempt, *, has_place: bool) -> bool:
        name = attempt.request.provider
        if not has_place:
            place = f"MAX_CONCURRENCY[{name!r}] is {attempt.place.limit}, and no slot became free in time"
            attempt.fail(ProviderBusy(f"{place}: raise it, or try again later"))
        elif self.request.deadline.is_over:
            attempt.place.leave()
            too_late = ProviderTimeout(f"the DEADLINE of {self.request.deadline.seconds:g} s has passed")
            too_late.may_be_billed = False  # the provider was not called
            attempt.fail(too_late)
        return attempt.error is None

    def _circumstances(self, last: Attempt) -> str:
        """Describe the rest of a failure: which providers declined before, and which were skipped."""
        declined = {
            attempt.request.provider: attempt.error
            for attempt in self._made
            if attempt.provider is not last.provider and attempt.error
        }
        notes = [f"before it, {name!r}: {fault.failure}: {fault}" for name, fault in declined.items()]
        notes += [f"skipped, cooling down: {name!r}" for name in self._chain.passed_over]
        if allows_fallback(last.error):
            notes += [f"skipped, {name!r}: {fault}" for name, fault in self._chain.unusable.items()]
        return f" ({'; '.join(notes)})" if notes else ""


def _wording(fault: ProviderError) -> list[str]:
    """Return the words of a message without numbers and ids, which may differ for each request."""
    return [word for word in str(fault).split() if not any(map(str.isdigit, word))]


def _retryable(made: Sequence[Attempt]) -> Sequence[ProviderError]:
    """Return the errors at one provider that a retry may follow: the last one, or each rate limit of a key."""
    *_, last = made
    of_each_key = {attempt.api_key: attempt.error for attempt in made}
    limited = [fault for fault in of_each_key.values() if isinstance(fault, RateLimited)]
    if allows_other_key(last.error) and limited:
        return limited
    return [last.error] if isinstance(last.error, ProviderError) else []
