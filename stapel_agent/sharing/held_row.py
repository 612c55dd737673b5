"""A row that a caller holds during a call. It is removed when the call ends, on an event loop or not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID, uuid4

from stapel_agent.database import give_back, in_background, on_ledger, thread_connection, uncancelled
from stapel_agent.deadline import Deadline
from stapel_agent.telemetry import waiting

from . import leases

Result = TypeVar("Result")


class HeldRow:
    """A context manager around a call that may hold a row under a lease. Removing the row is retried if it fails.

    Entered before the call's first work on the ledger.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._lease_if_any: UUID | None = None
        self._has_row = False
        self._has_ended = False
        self._opens_connection = False

    @property
    def _lease(self) -> UUID:
        """The id of the lease. Most calls hold no row, and need none."""
        if self._lease_if_any is None:
            self._lease_if_any = uuid4()
        return self._lease_if_any

    def __enter__(self) -> Self:
        self._opens_connection = thread_connection().connection is None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._has_ended = True
        try:
            if self._has_row:
                on_ledger(self._remove_row, timeout=self._deadline.left_to_store)
        except Exception as unremoved:
            self._keep_for_later(unremoved)
        finally:
            self._leave(fault)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._has_ended = True
        try:
            if self._has_row and isinstance(fault, GeneratorExit):  # the loop is gone, and nothing can be awaited
                in_background(self._remove_row)
            elif self._has_row:
                await uncancelled(self._remove_row, timeout=self._deadline.left_to_store)
        except Exception as unremoved:
            self._keep_for_later(unremoved)
        finally:
            self._leave(fault)

    def _give_back(self) -> None:
        """Close the connections that others could use while this call waits, and the one that it has opened itself."""
        give_back(ours=self._opens_connection)

    def _pause(self, seconds: float) -> None:
        """Wait before the next look at another call's row."""
        self._give_back()
        with waiting():
            time.sleep(seconds)

    async def _apause(self, seconds: float) -> None:
        with waiting():
            await asyncio.sleep(seconds)

    def _inserting(self, insert: Callable[[str], Result]) -> Callable[[str], Result]:
        """Work that may insert the row. If the call ended before it did, the row is removed at once."""

        def work(alias: str) -> Result:
            found = insert(alias)
            if self._has_ended:
                self._remove_row(alias)
            return found

        return work

    def _remove_row(self, alias: str) -> None:
        raise NotImplementedError

    def _leave(self, fault: BaseException | None) -> None:
        """End the lease. Subclasses add what else ends with the call."""
        if self._lease_if_any is not None:
            leases.stop(self._lease_if_any)

    def _report(self, fault: Exception) -> None:
        raise NotImplementedError

    def _keep_for_later(self, fault: Exception) -> None:
        self._report(fault)
        leases.remove_later(self._lease)
