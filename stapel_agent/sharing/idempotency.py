"""The same key from the same caller is one call: later calls get the first answer, and no provider is asked twice.

A row of IdempotencyRecord represents the call from before it is made. It has no answer while the call is under way,
`leases` keeps it alive, and it is removed when the call fails, so that the call can be retried. A second caller polls
the row and holds no connection in between. Caller, key and payload are kept as digests only; the ids of the user and
the workspace say whose answers an erasure removes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from stapel_agent import database, ledger
from stapel_agent.database import UtcNow, on_ledger
from stapel_agent.exceptions import IdempotencyConflict, InvalidRequest, LedgerUnavailable, ProviderTimeout
from stapel_agent.ledger import opaque_id
from stapel_agent.models import IdempotencyRecord
from stapel_agent.types import CompletionRequest

from . import leases
from .flight_leaders import Leader
from .held_row import HeldRow
from .idempotency_records import may_be_over, remove_batch

logger = logging.getLogger(__name__)

CONTENTIONS = 5
SWEEPING_SHARE = 32
"""One answer in this many also removes expired records."""

# A provider that repeats the call it is answering would wait for itself.
_held_here: ContextVar[frozenset[str]] = ContextVar("held_here", default=frozenset())
_holders: dict[uuid.UUID, Leader] = {}
os.register_at_fork(after_in_child=_holders.clear)


class Once(HeldRow):
    """One call under its caller's key: call `follow()`; if it returns None, make the call and `keep()` the answer.

    A context manager around the call: a call whose answer was not kept can be retried. Does nothing without a key.
    `payload` is everything that is asked, as JSON-like values.
    """

    def __init__(self, request: CompletionRequest, payload: Any) -> None:
        super().__init__(request.deadline)
        self.request = request
        self._payload = payload
        self._silence = leases.Silence()
        self._digest = self._payload_digest = ""
        self._answer: dict[str, Any] | None = None
        self._is_private = False

    def follow(self) -> dict[str, Any] | None:
        """The first answer, after waiting for a call under way. Raises an AgentError if it cannot be given."""
        if self.request.idempotency_key is None:
            return None
        database.refuse_event_loop()
        self._begin()
        for pause in self._deadline.pauses():
            with self._looking():
                first = on_ledger(self._inserting(self._take), timeout=self._deadline.left)
            if self._is_settled(first):
                return self._answer
            self._pause(pause)
        raise self._too_late()

    async def afollow(self) -> dict[str, Any] | None:
        """`follow()` on an event loop."""
        if self.request.idempotency_key is None:
            return None
        self._begin()
        await database.agive_back()
        for pause in self._deadline.pauses():
            with self._looking():
                first = await database.uncancelled(self._inserting(self._take), timeout=self._deadline.left)
            if self._is_settled(first, asyncio.get_running_loop()):
                return self._answer
            await self._apause(pause)
        raise self._too_late()

    def keep(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Keep this answer for later calls with the same key. An error here never loses the answer."""
        if self._has_row:
            with self._reported():
                on_ledger(partial(self._write, answer), timeout=self._deadline.left_to_store)
        return answer

    async def akeep(self, answer: dict[str, Any]) -> dict[str, Any]:
        """`keep()` on an event loop."""
        if self._has_row:
            with self._reported():
                await database.uncancelled(partial(self._write, answer), timeout=self._deadline.left_to_store)
        return answer

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Log an error inside the block: it must not lose a paid answer."""
        try:
            yield
        except Exception as fault:
            self._report(fault)

    def _report(self, fault: Exception) -> None:
        logger.error("idempotency: %s; the key may be used again", type(fault).__name__)

    def _begin(self) -> None:
        request = self.request
        caller = [request.caller] if request.caller else [request.workspace_id, request.user_id]
        self._digest = _digest([caller, request.idempotency_key])
        self._payload_digest = _digest(self._payload)
        if self._digest in _held_here.get():
            raise InvalidRequest("the idempotency_key is in use by the call that makes this one: choose another key")

    @contextmanager
    def _looking(self) -> Iterator[None]:
        self._has_row = True  # until it is known: a row that arrives late must be removed too
        try:
            yield
        except Exception as fault:
            logger.error("idempotency: %s; no provider is called", type(fault).__name__)
            raise LedgerUnavailable(
                f"the idempotency_key cannot be looked up ({type(fault).__name__}), so no provider was called: "
                "check that the ledger's database is reachable and migrated"
            ) from None

    def _take(self, alias: str) -> IdempotencyRecord | None:
        """The record of an earlier call with this key; None if this is the first call, whose record now exists."""
        self._is_private = database.is_private()
        records = IdempotencyRecord.objects.using(alias).filter(pk=self._digest)
        for _ in range(CONTENTIONS):
            first: IdempotencyRecord | None = leases.annotated(records, may_be_over=may_be_over()).first()
            if first is None:
                with suppress(IntegrityError), transaction.atomic(alias):
                    self._insert(alias)
                    return None
            elif first.lease == self._lease:  # an earlier try of the insert had arrived
                return None
            elif not self._is_over(first):
                return first
            elif records.filter(lease=first.lease).filter(may_be_over()).delete()[0] and first.answer is None:
                ledger.close_lost(request_id=first.request_id)
        raise TimeoutError(f"{CONTENTIONS} other callers were faster")

    def _is_over(self, first: Any) -> bool:
        """Whether a record is no longer valid: its answer has expired, or its process is dead."""
        if first.answer is not None or self._is_private:  # a private caller cannot wait
            return bool(first.may_be_over)
        return self._silence.is_final(first.is_silent, first.is_long_silent)

    def _insert(self, alias: str) -> None:
        IdempotencyRecord.objects.using(alias).create(
            digest=self._digest,
            payload_digest=self._payload_digest,
            request_id=self.request.request_id,
            lease=self._lease,
            user_id=opaque_id(self.request.user_id),
            workspace_id=opaque_id(self.request.workspace_id),
            seen_at=UtcNow(),
            created_at=UtcNow(),
        )

    def _is_settled(self, first: IdempotencyRecord | None, loop: asyncio.AbstractEventLoop | None = None) -> bool:
        """Whether this call is to be made, or its `_answer` is known. Raises if waiting cannot help."""
        if first is None:
            self._hold(Leader(loop=loop))
            return True
        self._has_row = False
        if first.payload_digest != self._payload_digest:
            raise IdempotencyConflict("the idempotency_key was used before with another payload: choose a new one")
        if first.answer is not None:
            self._answer = json.loads(first.answer)
        elif self._is_private or _needs_this_thread(first):
            raise InvalidRequest(
                "the call with this idempotency_key is under way, and a transaction on SQLite cannot wait for it: "
                "make the call outside the transaction"
            )
        return first.answer is not None

    def _hold(self, holder: Leader) -> None:
        _held_here.set(_held_here.get() | {self._digest})
        _holders[self._lease] = holder
        if not self._is_private:  # or nobody else can see the row
            leases.start(self._lease, lambda: holder.is_gone)

    def _write(self, answer: dict[str, Any], alias: str) -> None:
        self._own(alias).update(answer=json.dumps(answer, ensure_ascii=True))
        self._has_row = False
        if self._lease.int % SWEEPING_SHARE == 0:
            remove_batch(alias)

    def _remove_row(self, alias: str) -> None:
        self._own(alias).filter(answer=None).delete()
        self._has_row = False

    def _own(self, alias: str) -> QuerySet[IdempotencyRecord]:
        # By its lease: another call may have taken over.
        return IdempotencyRecord.objects.using(alias).filter(pk=self._digest, lease=self._lease)

    def _leave(self, fault: BaseException | None) -> None:
        super()._leave(fault)
        holder = None if self._lease_if_any is None else _holders.pop(self._lease_if_any, None)
        if holder is not None:
            _held_here.set(_held_here.get() - {self._digest})
        if self._has_row:
            leases.remove_later(self._lease)

    def _too_late(self) -> ProviderTimeout:
        seconds = self._deadline.seconds
        return ProviderTimeout(f"no answer to the idempotency_key within the DEADLINE of {seconds:g} s")


def _needs_this_thread(first: IdempotencyRecord) -> bool:
    holder = _holders.get(first.lease)
    return holder is not None and holder.needs_this_thread


def _digest(value: Any) -> str:
    try:
        canonical = json.dumps(value, sort_keys=True, ensure_ascii=True, default=_plain)
    except Exception as fault:  # also from an object of a host's class
        raise InvalidRequest(
            f"a call with an idempotency_key takes only arguments that can be written as JSON ({type(fault).__name__})"
        ) from None
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)
