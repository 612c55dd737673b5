"""Identical questions at the same time: one provider is asked once, and every caller gets the outcome.

Within a process, followers wait for their leader's future. In other processes they poll the leader's row of Flight,
whose lease shows that it is alive, and read the outcome in the ledger. Each process has its own leader where others
cannot see the ledger's rows (a transaction on SQLite, a test), where LOG_CONTENT keeps the answer out of them, and
before the table is migrated.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from functools import cached_property, partial
from uuid import UUID

from django.db import IntegrityError

from stapel_agent import cache, database, log_content
from stapel_agent.asking import Attempts, Reader, name_of, off_loop
from stapel_agent.database import UtcNow, aon_ledger, on_ledger
from stapel_agent.exceptions import AgentError, OverBudget, ProviderTimeout
from stapel_agent.models import Flight
from stapel_agent.telemetry import reused, waiting
from stapel_agent.types import Completion, CompletionRequest, Usage

from . import leases
from .flight_leaders import Leader, leaders
from .flight_outcome import FlightOutcome, outcome_of
from .held_row import HeldRow

WAITING_LOGGER = f"{__name__}.waiting"
logger = logging.getLogger(__name__)
waiting_logger = logging.getLogger(WAITING_LOGGER)

SLICE_SECONDS = 1.0
NOTICE_SECONDS = 3.0


# A provider that asks the question it is answering would wait for itself.
_led_here: ContextVar[frozenset[str]] = ContextVar("led_here", default=frozenset())


class LongWait:
    """Looks for the outcome in another process, and logs it once if that takes long."""

    def __init__(self, look: Callable[[str], FlightOutcome | None]) -> None:
        self._look = look
        self._notice_at = time.monotonic() + NOTICE_SECONDS

    def __call__(self, alias: str) -> FlightOutcome | None:
        if time.monotonic() > self._notice_at:
            self._notice_at = math.inf
            waiting_logger.info("waiting for another process that asks the same question")
        return self._look(alias)


class SingleFlight(HeldRow):
    """One request among identical ones: call `follow()`; if it returns None, ask a provider and `land()` the answer.

    A context manager around the call.
    """

    def __init__(self, attempts: Attempts, read: Reader) -> None:
        super().__init__(attempts.request.deadline)
        self._attempts = attempts
        self._request = attempts.request
        self._read = read
        self._is_reusable = False
        self._shares = False
        self._own: Leader | None = None
        self._outcome = FlightOutcome()

    def follow(self) -> Completion | None:
        """Another caller's answer to the same question, after waiting for it. Raises that caller's failure.

        None if this caller must ask a provider: nobody else asks, or the answer cannot be shared.
        """
        self._is_reusable = cache.is_reusable(self._request)
        if not self._request.parts and (earlier := self.find(self._request)):  # parts have just been looked up
            return earlier
        self._shares = self._may_reuse and self._key not in _led_here.get()
        while self._shares:
            if ahead := self._ahead(Leader()):
                if ahead.needs_this_thread:
                    break
                outcome = self._wait(ahead)
            elif leader := self._contend():
                outcome = self._watch(leader)
            else:
                earlier = self.find(self._request)  # stored while this caller became the leader
                return earlier and self.land(earlier)
            if answer := self._as_ours(outcome):
                return answer
        return None

    async def afollow(self) -> Completion | None:
        """`follow()` on an event loop."""
        self._is_reusable = await cache.ais_reusable(self._request)
        if not self._request.parts and (earlier := await self.afind(self._request)):
            return earlier
        self._shares = self._may_reuse and self._key not in _led_here.get()
        await database.agive_back()
        while self._shares:
            if ahead := self._ahead(Leader(loop=asyncio.get_running_loop())):
                outcome = await self._await_outcome(ahead)
            elif leader := await self._acontend():
                outcome = await self._awatch(leader)
            else:
                earlier = await self.afind(self._request)
                return earlier and self.land(earlier)
            text = outcome.completion.text if outcome.completion else ""
            answer: Completion | None = await off_loop(self._read, text, self._as_ours, outcome=outcome)
            if answer:
                return answer
        return None

    def find(self, request: CompletionRequest) -> Completion | None:
        """The cached answer to `request`: this flight's own, or the one put to a fallback."""
        return cache.find(request, self._read) if self._may_reuse else None

    async def afind(self, request: CompletionRequest) -> Completion | None:
        return await cache.afind(request, self._read) if self._may_reuse else None

    def keep(self, request: CompletionRequest, completion: Completion) -> None:
        """Cache the answer to `request`."""
        if self._is_reusable:
            cache.keep(request, completion)

    async def akeep(self, request: CompletionRequest, completion: Completion) -> None:
        if self._is_reusable:
            await cache.akeep(request, completion)

    def land(self, completion: Completion) -> Completion:
        """Share an answer with the followers."""
        self._outcome = FlightOutcome(completion)
        return completion

    @property
    def _may_reuse(self) -> bool:
        return self._is_reusable and not self._request.skip_cache

    @cached_property
    def _key(self) -> str:
        # Callers that read an answer in another way may accept what this one rejects.
        identity = f"{self._request.cache_key} {name_of(self._read)}"
        return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()

    def _ahead(self, own: Leader) -> Leader | None:
        """The leader in this process, if it is another caller."""
        if self._own is not None:
            return None
        ahead = leaders.ahead(self._key, own)
        if ahead is None:
            self._own = own
            _led_here.set(_led_here.get() | {self._key})
        return ahead

    def _wait(self, ahead: Leader) -> FlightOutcome:
        self._give_back()
        while not self._deadline.is_over:
            try:
                with waiting():
                    return ahead.outcome.result(self._deadline.remaining(SLICE_SECONDS))
            except TimeoutError:
                if ahead.is_gone:
                    return FlightOutcome()
        raise self._too_late()

    async def _await_outcome(self, ahead: Leader) -> FlightOutcome:
        while not self._deadline.is_over:
            try:
                with waiting():
                    async with asyncio.timeout(self._deadline.remaining(SLICE_SECONDS)):
                        return await asyncio.wrap_future(ahead.outcome)
            except TimeoutError:
                if ahead.is_gone:
                    return FlightOutcome()
        raise self._too_late()

    def _contend(self) -> UUID | None:
        """The id of the request that leads in another process, or None."""
        self._has_row = True  # until it is known: a row that arrives late must be removed too
        try:
            return self._contended(on_ledger(self._inserting(self._insert_row), timeout=self._deadline.left))
        except Exception as fault:
            self._alone(fault)
            return None

    async def _acontend(self) -> UUID | None:
        self._has_row = True
        try:
            inserting = self._inserting(self._insert_row)
            return self._contended(await database.uncancelled(inserting, timeout=self._deadline.left))
        except Exception as fault:
            self._alone(fault)
            return None

    def _contended(self, leader: UUID | None) -> UUID | None:
        if self._has_row and (own := self._own):
            leases.start(self._lease, lambda: own.is_gone)
        return leader

    def _watch(self, leader: UUID) -> FlightOutcome:
        look = self._look(leader)
        for pause in self._deadline.pauses():
            try:
                outcome = on_ledger(look, timeout=self._deadline.left)
            except Exception as fault:
                self._alone(fault)
                return FlightOutcome()
            if outcome is not None:
                return outcome
            self._pause(pause)
        raise self._too_late()

    async def _awatch(self, leader: UUID) -> FlightOutcome:
        look = self._look(leader)
        for pause in self._deadline.pauses():
            try:
                outcome = await aon_ledger(look, timeout=self._deadline.left)
            except Exception as fault:
                self._alone(fault)
                return FlightOutcome()
            if outcome is not None:
                return outcome
            await self._apause(pause)
        raise self._too_late()

    def _look(self, leader: UUID) -> Callable[[str], FlightOutcome | None]:
        flight = (self._key, leader, self._request.provider, self._attempts.cache_keys)
        return LongWait(partial(outcome_of, *flight, leases.Silence()))

    def _too_late(self) -> ProviderTimeout:
        return ProviderTimeout(f"no answer within the DEADLINE of {self._deadline.seconds:g} s")

    def _alone(self, fault: Exception) -> None:
        """Continue as if nobody else asked: an error here must not lose the answer."""
        self._report(fault)
        self._shares = False

    def _insert_row(self, alias: str) -> UUID | None:
        if database.is_private() or not log_content.is_full(self._request.source):
            self._has_row = False
            return None
        flight = Flight(key=self._key, request_id=self._request.request_id, lease=self._lease, seen_at=UtcNow())
        try:
            flight.save(force_insert=True, using=alias)
        except IntegrityError:
            ahead = Flight.objects.using(alias).filter(key=self._key).first()
            self._has_row = ahead is not None and ahead.lease == self._lease  # an earlier try arrived
            # None: the flight has just ended. There is nobody to follow, and the answer may be cached already.
            return None if ahead is None or self._has_row else ahead.request_id
        return None

    def _remove_row(self, alias: str) -> None:
        Flight.objects.using(alias).filter(key=self._key, lease=self._lease).delete()

    def _as_ours(self, outcome: FlightOutcome) -> Completion | None:
        """Return another caller's answer as this caller's own, which cost nothing. Raises the failure."""
        if outcome.fault is not None:
            fault = type(outcome.fault)(str(outcome.fault))
            fault.text, fault.usage = outcome.fault.text, Usage()
            raise fault
        if outcome.completion is None:
            return None
        theirs = outcome.completion
        answer = cache.reread(self._request, theirs.text, self._read)
        if answer is None:
            return None
        reused(self._request, "shared", len(self._request.parts) or 1)
        return self.land(replace(answer, provider=theirs.provider, model=theirs.model))

    def _leave(self, fault: BaseException | None) -> None:
        super()._leave(fault)
        if self._own is not None:
            _led_here.set(_led_here.get() - {self._key})
            if isinstance(fault, AgentError) and not isinstance(fault, OverBudget):  # followers have their own budgets
                self._outcome = FlightOutcome(fault=fault)
            leaders.leave(self._key, self._own, self._outcome)

    def _report(self, fault: Exception) -> None:
        logger.error("single flight: %s; this call asks a provider itself", type(fault).__name__)
