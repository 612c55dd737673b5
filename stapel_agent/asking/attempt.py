"""One call to one provider, with its duration and its outcome."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, NamedTuple, Self

from stapel_agent import log_content
from stapel_agent.column_ranges import bounded_count
from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import (
    AgentError,
    AttemptCancelled,
    OverBudget,
    ProviderBug,
    ProviderTimeout,
)
from stapel_agent.prices import ESTIMATED, NOTHING_SPENT, PROVIDER, Cost, cost_of
from stapel_agent.providers import LlmProvider, ProviderResult, in_own_thread
from stapel_agent.redaction import describe
from stapel_agent.telemetry import provider_call
from stapel_agent.types import Prefix, Usage

from . import api_keys, circuit_breaker
from .answer_completeness import require_whole
from .attempt_tracing import attempt_span
from .concurrency_limit import Place
from .exception_mapping import NOT_TAKEN_ON, as_agent_error
from .fallback_chain import Candidate
from .plain_result import figures_of, plain_result
from .reader import Reader, as_text, off_loop
from .unstated_usage import unstated_halves

logger = logging.getLogger(__name__)

EARLY_SECONDS = 0.05
"""A timer may end this much too early."""


class Figures(NamedTuple):
    """What an attempt spent, and the halves of it that its provider did not state."""

    usage: Usage
    cost: Cost
    unstated_halves: frozenset[str]


class Attempt:
    """One call to one provider, made by `ask()`, with its duration and its outcome: a `value` or an `error`.

    Use it as a context manager around the call. On exit it lets the next caller use the provider and stores any
    `Exception` as the `error`. Only other exceptions (a cancelled task, an interrupt) leave the block.
    `delay` is the number of seconds to wait before a retry, or None if the attempt is not a retry.
    """

    def __init__(self, candidate: Candidate, read: Reader, delay: float | None = None) -> None:
        self.request = candidate.request
        self.provider = candidate.provider
        self.api_key = candidate.api_key
        self.is_retry = delay is not None
        self.delay = delay or 0
        self.place = Place(self.request.provider)
        self.result: ProviderResult | None = None
        self.error: AgentError | None = None
        self.value: Any = None
        self.duration_ms = 0
        self._read = read
        self._thread_call: Future[ProviderResult] | None = None
        self._worked_out: tuple[ProviderResult | None, AgentError | None, Figures] | None = None

    def ask(self) -> None:
        with attempt_span(self), self._outcome():
            with provider_call(self.request.provider):
                result = self._complete()
            self.value = self._read(self._taken(result))

    async def aask(self) -> None:
        """`ask()` on an event loop."""
        with attempt_span(self), self._outcome():
            with provider_call(self.request.provider):
                result = await self._acomplete()
            text = self._taken(result)
            self.value = await off_loop(self._read, text, self._read, text=text)

    def fail(self, fault: BaseException) -> None:
        """Store the exception that ended the attempt as its `error`."""
        self.error = as_agent_error(fault, self.request.provider, may_quote=log_content.is_full(self.request.source))

    @property
    def usage(self) -> Usage:
        """The tokens that this attempt spent, whether or not its answer is usable."""
        return self._figures.usage

    @property
    def cost(self) -> Cost:
        """The cost: zero if the provider did not accept the request, unknown if the token counts are unknown."""
        return self._figures.cost

    @property
    def unstated_halves(self) -> frozenset[str]:
        """The halves of the usage, `input_tokens` and `output_tokens`, that the provider did not state."""
        return self._figures.unstated_halves

    @property
    def _figures(self) -> Figures:
        """Computed once per outcome, because every report of the outcome reads them."""
        known = self._worked_out
        if known is None or known[0] is not self.result or known[1] is not self.error:
            reported = self._reported
            unstated, cost = unstated_halves(reported, self.text), self._priced(reported)
            figures = Figures(self._with_cost(reported, cost, unstated), cost, unstated)
            known = self._worked_out = self.result, self.error, figures
        return known[2]

    def _with_cost(self, reported: Usage, cost: Cost, unstated: frozenset[str]) -> Usage:
        """Return the usage with its cost, unless that is unknown or more may be billed."""
        is_part = self.may_cost_more or cost.basis == ESTIMATED or (unstated and cost.basis != PROVIDER)
        if is_part or cost.usd is None:
            return replace(reported, cost_usd=None, unknown=reported.unknown | {"cost_usd"})
        return reported if reported.cost_usd is cost.usd else replace(reported, cost_usd=cost.usd)

    @property
    def may_cost_more(self) -> bool:
        """Whether the vendor may bill more than the known usage, because the outcome of the call is unknown."""
        return self.result is None and self.error is not None and self.error.may_be_billed

    def _priced(self, reported: Usage) -> Cost:
        if not reported and self._was_not_taken_on:
            return NOTHING_SPENT
        try:
            request, terms = self.request, self.result.metadata if self.result else None
            return cost_of(reported, request.provider, request.model, self.vendor, terms, request.options)
        except Exception as fault:  # from a price list or the host's settings; the call is already paid for
            logger.error("cannot price a call to provider %r: %s", self.request.provider, describe(fault))
            return Cost()

    @property
    def _was_not_taken_on(self) -> bool:
        if self.error is None or self.error.may_be_billed:
            return False
        return isinstance(self.error, (*NOT_TAKEN_ON, OverBudget, ProviderTimeout, AttemptCancelled))

    @property
    def _reported(self) -> Usage:
        if self.result is None:
            return (self.error and self.error.usage) or Usage()
        return Usage(**figures_of(self.result))

    @property
    def vendor(self) -> str | None:
        """The vendor whose price list applies, if the provider names one."""
        try:
            named = self.provider.vendor
            return str.__str__(named) if isinstance(named, str) else None
        except Exception:  # from a host's class
            return None

    @property
    def key_fingerprint(self) -> str | None:
        """The fingerprint of the API key that this attempt uses."""
        return api_keys.fingerprint(self.api_key) if self.api_key else None

    @property
    def text(self) -> str | None:
        """The text that the model wrote, whether or not it is usable."""
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
        else:  # the caller stopped waiting, but the call is still running
            self._thread_call.add_done_callback(lambda call: self.place.leave())
        if fault is not None:
            self.fail(fault)
        return isinstance(fault, Exception)

    @property
    def _seconds(self) -> float:
        return self.request.deadline.remaining(agent_settings.CLI_TIMEOUT)

    @property
    def _patience(self) -> float | None:
        """How many seconds the caller waits; None if the provider enforces the timeout itself."""
        return None if self.provider.supports_timeout else self._seconds

    @property
    def _arguments(self) -> dict[str, Any]:
        """The keywords of `complete()`: the three that every provider takes, and the ones that this one declares."""
        request = self.request
        optional: dict[str, Any] = {
            "schema": request.schema,
            "images": request.images,
            "max_tokens": request.max_tokens,
            "timeout": self._seconds,
        }
        if request.effort:
            optional["effort"] = request.effort
        if request.options:
            optional["options"] = request.options
        if self.api_key:
            optional["api_key"] = self.api_key
        if request.system_prompt:
            length = len(request.system_prompt) if request.stable_length is None else request.stable_length
            optional["prefix"] = Prefix(length, agent_settings.PROMPT_CACHE.get(request.source))
        declared = {name: value for name, value in optional.items() if getattr(self.provider, f"supports_{name}")}
        return {"prompt": request.message, "model": request.model, "system_prompt": request.system_prompt, **declared}

    def _complete(self) -> ProviderResult:
        patience = self._patience
        if patience is None or self.request.deadline.seconds is None:
            return self.provider.complete(**self._arguments)
        call = self._in_own_thread()
        wait({call}, patience)
        if not call.done():
            raise self._too_late(patience)
        return call.result()

    def _too_late(self, patience: float) -> ProviderTimeout:
        """Return the timeout error for a provider that does not enforce timeouts itself."""
        limit, deadline = agent_settings.CLI_TIMEOUT, self.request.deadline.seconds
        bound = f"DEADLINE is {deadline:g} s" if patience < limit else f"CLI_TIMEOUT is {limit:g} s"
        return ProviderTimeout(f"provider {self.request.provider!r} timed out: {bound}")

    async def _acomplete(self) -> ProviderResult:
        patience = self._patience
        if patience is None:
            return await self._answer()
        limit = asyncio.timeout(patience)
        try:
            async with limit:
                return await self._answer()
        except TimeoutError:
            if limit.expired():
                raise self._too_late(patience) from None
            raise

    async def _answer(self) -> ProviderResult:
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
            self._name_limit()
            if not stray and not isinstance(fault, Exception):
                raise
        finally:
            circuit_breaker.record_outcome(self.request.provider, self.error)
            api_keys.record_outcome(self.api_key, self.error)

    def _name_limit(self) -> None:
        """Name the setting behind a timeout that the provider enforced, because the provider knows only the seconds."""
        if not (isinstance(self.error, ProviderTimeout) and self.provider.supports_timeout):
            return
        limit, deadline = agent_settings.CLI_TIMEOUT, self.request.deadline
        if self.duration_ms >= (limit - EARLY_SECONDS) * 1000:
            self.error.args = (f"{self.error} (CLI_TIMEOUT is {limit:g} s)",)
        elif deadline.seconds is not None and deadline.remaining(limit) < EARLY_SECONDS:
            self.error.args = (f"{self.error} (DEADLINE is {deadline.seconds:g} s)",)

    def _taken(self, result: ProviderResult) -> str:
        """Accept the provider's result and return its text. Raises an error if the result is unusable."""
        self._stop_clock()
        is_result = isinstance(result, ProviderResult)
        if is_result:
            self.result = plain_result(result)
        if not is_result or self.result is None or not isinstance(result.text, str):
            raise ProviderBug(f"provider {self.request.provider!r} did not return a ProviderResult whose text is a str")
        require_whole(self.result, self.request, self.usage, self.provider, is_text=self._read is as_text)
        return self.result.text

    def _stop_clock(self) -> None:
        self.duration_ms = bounded_count((time.perf_counter() - self._started_at) * 1000) or 0


def _is_cancelled() -> bool:
    """Whether the current task has been cancelled."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0
