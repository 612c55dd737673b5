"""One provider asked once is an Attempt; Attempts walks those that one request is worth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from . import cooldown
from .bulkhead import Place
from .chain import Candidate, Chain
from .conf import agent_settings
from .exceptions import (
    AgentError,
    AnswerRefused,
    AnswerTruncated,
    ProviderBug,
    ProviderBusy,
    ProviderDeclined,
    ProviderError,
    ProviderTimeout,
    SchemaMismatch,
)
from .faults import named
from .providers.base import LlmProvider, ProviderResult
from .providers.threads import in_own_thread
from .retries import MAX_DELAY, delay_before_retry
from .types import Completion, CompletionRequest, Usage

Reader = Callable[[str], Any]
"""What a verb makes of an answer's text; raises an AnswerError where it is not what was asked for."""


class Attempt:
    """One call of one provider, made by `ask()`, with its time and its outcome: a `value`, or an `error`.

    A context manager, to be left when the call is over: it lets the next caller at the provider in, and keeps what
    went wrong inside as the `error`; only what is no `Exception` (a cancelled task, an interrupt) leaves the block.
    """

    def __init__(self, candidate: Candidate, read: Reader, delay: float = 0) -> None:
        self.request = candidate.request
        self.provider = candidate.provider
        self.delay = delay
        self.place = Place(self.request.provider)
        self.result: ProviderResult | None = None
        self.error: AgentError | None = None
        self.value: Any = None
        self.duration_ms = 0
        self._read = read
        self._thread_call: Future[ProviderResult] | None = None

    def ask(self) -> None:
        """Call the provider."""
        with self._outcome():
            self._take(self._complete())

    async def aask(self) -> None:
        """`ask()` on an event loop."""
        with self._outcome():
            async with asyncio.timeout(self._patience):
                result = await self._acomplete()
            self._take(result)

    def fail(self, fault: BaseException) -> None:
        """Keep what ended the attempt."""
        self.error = named(fault, self.request.provider)

    @property
    def usage(self) -> Usage:
        """What this attempt has spent, whether or not its answer counts."""
        if self.result is None:
            return (self.error and self.error.usage) or Usage()
        result = self.result
        return Usage(
            result.input_tokens,
            result.output_tokens,
            result.thinking_tokens,
            result.cache_read_tokens,
            result.cache_write_tokens,
        )

    @property
    def text(self) -> str | None:
        """What the model wrote, whether or not it counts."""
        if self.result is None:
            return self.error.text if self.error else None
        return self.result.text

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._thread_call is None:
            self.place.leave()
        else:  # nobody waits for it any more, and still it is under way
            self._thread_call.add_done_callback(lambda call: self.place.leave())
        if fault is not None:
            self.fail(fault)
        return isinstance(fault, Exception)

    @property
    def _seconds(self) -> float:
        return self.request.deadline.remaining(agent_settings.CLI_TIMEOUT)

    @property
    def _patience(self) -> float | None:
        """How long a caller waits; None where the provider itself keeps the time."""
        return None if self.provider.supports_timeout else self._seconds

    @property
    def _arguments(self) -> dict[str, Any]:
        """The keywords of `complete()`: the three that every provider takes, and those this one declares."""
        request = self.request
        optional = {"schema": request.schema, "max_tokens": request.max_tokens, "timeout": self._seconds}
        declared = {name: value for name, value in optional.items() if getattr(self.provider, f"supports_{name}")}
        return {"prompt": request.message, "model": request.model, "system_prompt": request.system_prompt, **declared}

    def _complete(self) -> ProviderResult:
        if self._patience is None or self.request.deadline.seconds is None:
            return self.provider.complete(**self._arguments)
        return self._in_own_thread().result(self._patience)

    async def _acomplete(self) -> ProviderResult:
        if type(self.provider).acomplete is LlmProvider.acomplete:
            return await asyncio.wrap_future(self._in_own_thread())
        return await self.provider.acomplete(**self._arguments)

    def _in_own_thread(self) -> Future[ProviderResult]:
        self._thread_call = in_own_thread(self.provider.complete, **self._arguments)
        return self._thread_call

    @contextmanager
    def _outcome(self) -> Iterator[None]:
        self._started_at = time.perf_counter()
        try:
            yield
        except BaseException as fault:
            if self.result is None:
                self._stop_clock()
            stray = isinstance(fault, asyncio.CancelledError) and not _is_cancelled()
            self.fail(ProviderBug("the provider cancelled itself") if stray else fault)
            if not stray and not isinstance(fault, Exception):
                raise
        finally:
            cooldown.note(self.request.provider, self.error)

    def _take(self, result: ProviderResult) -> None:
        """Accept the provider's answer. Raises what is wrong with it."""
        self._stop_clock()
        if not isinstance(result, ProviderResult) or not isinstance(result.text, str):
            raise ProviderBug(f"provider {self.request.provider!r} returned no ProviderResult with a text")
        self.result = _plain(result)
        if result.finish_reason == "length":
            raise AnswerTruncated(f"truncated at {self.usage.output_tokens or self.request.max_tokens} tokens")
        if result.finish_reason == "content_filter":
            raise AnswerRefused("the model, or its vendor's content filter, refused to answer")
        self.value = self._read(self.result.text)

    def _stop_clock(self) -> None:
        self.duration_ms = round((time.perf_counter() - self._started_at) * 1000)


def _plain(result: ProviderResult) -> ProviderResult:
    """`result` without what a host's own subclasses of it and of `str` may do when they are touched."""
    return ProviderResult(
        str.__str__(result.text),
        result.input_tokens,
        result.output_tokens,
        result.thinking_tokens,
        result.cache_read_tokens,
        result.cache_write_tokens,
        str(result.finish_reason),
        result.metadata,
    )


def _is_cancelled() -> bool:
    """Whether somebody has cancelled the task that this is done in."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


class Attempts:
    """The attempts one request is worth, each made when the one before it has failed, and what came of them.

    Iterate, synchronously or not: that is where a caller waits for a retry's time and for a place at the provider.
    Raises an AgentError at once where no provider is to be asked at all.
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
            if attempt.delay:
                time.sleep(attempt.delay)
            if self._is_due(attempt, has_place=attempt.place.take(self._patience)):
                return attempt
        raise StopIteration

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Attempt:
        while attempt := self._following():
            await asyncio.sleep(attempt.delay)
            if self._is_due(attempt, has_place=await attempt.place.atake(self._patience)):
                return attempt
        raise StopAsyncIteration

    @property
    def has_turned(self) -> bool:
        """Whether the attempt at hand is the first at another provider than the request's own."""
        *earlier, last = self._made
        is_first = not any(attempt.provider is last.provider for attempt in earlier)
        return is_first and last.request.provider != self.request.provider

    def reused(self, earlier: Completion) -> Completion:
        """An earlier answer of the provider at hand, in place of the attempt."""
        return replace(earlier, usage=self._spent)

    @property
    def answered(self) -> CompletionRequest:
        """The request as the last provider was asked it."""
        return self._made[-1].request

    def completion(self) -> Completion:
        """The answer of the last attempt. Raises its error, with all that was spent, if there is none."""
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
        return sum((attempt.usage for attempt in self._made), Usage())

    @property
    def _patience(self) -> float:
        """Seconds to wait for a provider that is busy: not long, where there is another one to ask."""
        return self.request.deadline.remaining(MAX_DELAY if self._chain.has_more else agent_settings.CLI_TIMEOUT)

    def _following(self) -> Attempt | None:
        """The attempt that is worth making now, or None."""
        if not self._made:
            return self._to(self._chain.next())
        last = self._made[-1]
        return self._correction(last) or self._retry(last) or self._fallback(last)

    def _correction(self, last: Attempt) -> Attempt | None:
        made = sum(isinstance(attempt.error, SchemaMismatch) for attempt in self._made)
        if not isinstance(last.error, SchemaMismatch) or made > agent_settings.SCHEMA_RETRIES:
            return None
        return self._to(Candidate(last.provider, replace(last.request, correction=last.error.correction)))

    def _retry(self, last: Attempt) -> Attempt | None:
        if not isinstance(last.error, ProviderError):
            return None
        asked = sum(attempt.provider is last.provider and not attempt.result for attempt in self._made)
        delay = delay_before_retry(last.error, asked - 1, self._patience)
        return None if delay is None else self._to(Candidate(last.provider, last.request), delay)

    def _fallback(self, last: Attempt) -> Attempt | None:
        return self._to(self._chain.next()) if isinstance(last.error, ProviderDeclined) else None

    def _to(self, candidate: Candidate | None, delay: float = 0) -> Attempt | None:
        if candidate is None:
            return None
        attempt = Attempt(candidate, self._read, delay)
        self._made.append(attempt)
        return attempt

    def _is_due(self, attempt: Attempt, *, has_place: bool) -> bool:
        name = attempt.request.provider
        if not has_place:
            attempt.fail(ProviderBusy(f"MAX_CONCURRENCY calls of provider {name!r} are under way"))
        elif self.request.deadline.is_over:
            attempt.place.leave()
            attempt.fail(ProviderTimeout(f"the deadline of {self.request.deadline.seconds:g} s is over"))
        return attempt.error is None

    def _circumstances(self, last: Attempt) -> str:
        """What else there is to know about a failure: who declined before, and who was not even asked."""
        declined = {
            attempt.request.provider: attempt.error
            for attempt in self._made
            if attempt.provider is not last.provider and attempt.error
        }
        notes = [f"before it, {name!r}: {fault.failure}: {fault}" for name, fault in declined.items()]
        notes += [f"passed over, cooling down: {name!r}" for name in self._chain.passed_over]
        return f" ({'; '.join(notes)})" if notes else ""
