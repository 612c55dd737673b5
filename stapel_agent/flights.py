"""Identical questions under way at once: one is put to a provider, and all who ask it get what comes of it.

Within a process the others wait for the leader's future; in other processes they look now and then whether its row
of Flight is gone, and read the outcome in the ledger. Inside a transaction that hides its rows from others (SQLite, a
test), and where the table is not there yet, the callers of each process have a leader of their own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Self
from uuid import UUID

from django.db import Error, IntegrityError
from django.utils import timezone

from . import cache, ledger
from .attempts import Reader
from .conf import agent_settings
from .connection import agive_back, aon_ledger, finished, give_back, is_private, on_ledger
from .exceptions import AgentError, AttemptCancelled, AttemptLost, ProviderTimeout, fault_named
from .models import Flight, PromptLog, PromptStatus
from .types import Completion, CompletionRequest

logger = logging.getLogger(__name__)

FIRST_PAUSE, LAST_PAUSE = 0.02, 0.5
GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Landing:
    """How a flight ended: with an answer, with a failure, or with neither, as its leader was cancelled or died."""

    completion: Completion | None = None
    fault: AgentError | None = None


# The futures of the leaders in this process, by cache key. A forked child has none of its parent's leaders.
_leaders: dict[str, Future[Landing]] = {}
os.register_at_fork(after_in_child=_leaders.clear)


class Passage:
    """One request's way through: `follow()` first; where that gives None, ask a provider, and `land()` the answer."""

    def __init__(self, request: CompletionRequest, read: Reader) -> None:
        self._request = request
        self._read = read
        self._own: Future[Landing] | None = None
        self._has_row = False
        self._landing = Landing()

    def follow(self) -> Completion | None:
        """The answer to the same question of someone before, or None: then this caller leads. Raises their failure."""
        while cache.is_reusable(self._request):
            if ahead := self._ahead():
                give_back(every=True)
                landing = self._in_time(ahead)
            elif leader := self._contend():
                landing = self._watch(leader)
            else:
                return self._as_found(cache.find(self._request, self._read))
            if answer := self._as_ours(landing):
                return answer
        return None

    async def afollow(self) -> Completion | None:
        """`follow()` on an event loop."""
        while cache.is_reusable(self._request):
            if ahead := self._ahead():
                await agive_back()
                landing = await self._ain_time(ahead)
            elif leader := await self._acontend():
                landing = await self._awatch(leader)
            else:
                return self._as_found(await cache.afind(self._request, self._read))
            if answer := self._as_ours(landing):
                return answer
        return None

    def land(self, completion: Completion) -> Completion:
        """Share an answer with those who follow."""
        self._landing = Landing(completion)
        return completion

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._has_row:
                on_ledger(self._remove_row)
        except Exception as unremoved:
            _report(unremoved)
        finally:
            self._announce(fault)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._has_row:
                await finished(aon_ledger(self._remove_row))
        except Exception as unremoved:
            _report(unremoved)
        finally:
            self._announce(fault)

    def _ahead(self) -> Future[Landing] | None:
        """The leader in this process, if that is another caller."""
        if self._own is not None:
            return None
        own: Future[Landing] = Future()
        own.set_running_or_notify_cancel()  # or a follower who is cancelled would cancel it for all
        ahead = _leaders.setdefault(self._request.cache_key, own)
        if ahead is own:
            self._own = own
            return None
        return ahead

    def _in_time(self, ahead: Future[Landing]) -> Landing:
        try:
            return ahead.result(self._seconds)
        except TimeoutError:
            raise self._too_late() from None

    async def _ain_time(self, ahead: Future[Landing]) -> Landing:
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.wrap_future(ahead)
        except TimeoutError:
            raise self._too_late() from None

    def _contend(self) -> UUID | None:
        """The request that leads in another process, or None."""
        try:
            return on_ledger(self._insert_row)
        except Error as fault:
            _report(fault)
            return None

    async def _acontend(self) -> UUID | None:
        try:
            return await aon_ledger(self._insert_row)
        except Error as fault:
            _report(fault)
            return None

    def _watch(self, leader: UUID) -> Landing:
        look = partial(_landing_of, self._request.cache_key, leader)
        for pause in self._pauses():
            try:
                if landing := on_ledger(look):
                    return landing
            except Error as fault:
                _report(fault)
                break
            give_back(every=True)
            time.sleep(pause)
        return Landing()

    async def _awatch(self, leader: UUID) -> Landing:
        look = partial(_landing_of, self._request.cache_key, leader)
        await agive_back()
        for pause in self._pauses():
            try:
                if landing := await aon_ledger(look):
                    return landing
            except Error as fault:
                _report(fault)
                break
            await asyncio.sleep(pause)
        return Landing()

    def _pauses(self) -> Iterator[float]:
        pause = FIRST_PAUSE
        while not self._request.deadline.is_over:
            yield self._request.deadline.remaining(pause)
            pause = min(pause * 1.5, LAST_PAUSE)
        raise self._too_late()

    @property
    def _seconds(self) -> float | None:
        deadline = self._request.deadline
        return None if deadline.seconds is None else deadline.remaining(deadline.seconds)

    def _too_late(self) -> ProviderTimeout:
        return ProviderTimeout(f"no answer within the deadline of {self._request.deadline.seconds:g} s")

    def _insert_row(self, alias: str) -> UUID | None:
        if is_private():
            return None
        key, request_id = self._request.cache_key, self._request.request_id
        try:
            Flight(key=key, request_id=request_id).save(force_insert=True, using=alias)
        except IntegrityError:
            leader = Flight.objects.using(alias).filter(key=key).values_list("request_id", flat=True).first()
            if leader != request_id:
                return leader or self._insert_row(alias)
        self._has_row = True
        return None

    def _remove_row(self, alias: str) -> None:
        key, request_id = self._request.cache_key, self._request.request_id
        Flight.objects.using(alias).filter(key=key, request_id=request_id).delete()

    def _as_found(self, earlier: Completion | None) -> Completion | None:
        """What was kept while this caller came to lead."""
        return earlier and self.land(earlier)

    def _as_ours(self, landing: Landing) -> Completion | None:
        """Another caller's landing as this one's, which it has spent nothing on. Raises the failure."""
        if landing.fault is not None:
            fault = type(landing.fault)(str(landing.fault))
            fault.text = landing.fault.text
            raise fault
        if landing.completion is None:
            return None
        answer = cache.reread(self._request, landing.completion.text, self._read)
        return answer and self.land(
            replace(answer, provider=landing.completion.provider, model=landing.completion.model)
        )

    def _announce(self, fault: BaseException | None) -> None:
        if self._own is not None:
            _leaders.pop(self._request.cache_key, None)
            self._own.set_result(Landing(fault=fault) if isinstance(fault, AgentError) else self._landing)


def sweep(*, older_than: float | None = None) -> None:
    """Remove what leaders that died have left: rows older than an attempt and its grace may take."""
    age = agent_settings.CLI_TIMEOUT if older_than is None else older_than
    oldest = timezone.now() - timedelta(seconds=age + GRACE_SECONDS)
    on_ledger(lambda alias: Flight.objects.using(alias).filter(created_at__lt=oldest).delete())


def _landing_of(key: str, leader: UUID, alias: str) -> Landing | None:
    """How the leader's flight ended, or None while it goes on. One whose leader is dead is ended here."""
    flights = Flight.objects.using(alias).filter(key=key, request_id=leader)
    flight = flights.first()
    if flight is not None and not _is_overdue(flight.created_at):
        return None
    row = PromptLog.objects.using(alias).filter(request_id=leader).order_by("created_at").last()
    if flight is None:
        return _landing_in(row)
    if row is not None and not _is_overdue(row.created_at + timedelta(milliseconds=row.duration_ms or 0)):
        return None
    flights.delete()
    ledger.close_lost(request_id=leader)
    return Landing()


def _landing_in(row: PromptLog | None) -> Landing:
    """What the last row of a request that is over says of it."""
    if row is None or row.status == PromptStatus.PENDING:
        return Landing()
    metadata = row.metadata or {}
    if row.status == PromptStatus.SUCCESS:
        return Landing(Completion(row.response or "", provider=metadata.get("provider", ""), model=row.model))
    fault = fault_named(metadata.get("failure"))(row.error_message or "")
    if isinstance(fault, AttemptCancelled | AttemptLost):
        return Landing()
    fault.text = row.response
    return Landing(fault=fault)


def _is_overdue(sign_of_life: datetime) -> bool:
    return timezone.now() - sign_of_life > timedelta(seconds=agent_settings.CLI_TIMEOUT + GRACE_SECONDS)


def _report(fault: Exception) -> None:
    logger.error("single flight: %s; this process goes on by itself", type(fault).__name__)
