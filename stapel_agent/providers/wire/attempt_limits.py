"""Limits the time and bytes of one attempt, whatever the server does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

import httpx

from stapel_agent.exceptions import (
    AnswerInterrupted,
    InvalidAnswer,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    RequestInterrupted,
)

from .error_response import classify, excerpt
from .request_delivery import Delivery
from .retry_after import retry_after
from .status_codes import exception_by_status

MAX_ANSWER_BYTES = 16 * 1024 * 1024
ERROR_BODY_SECONDS = 10.0
"""How long to wait for the body of an error after its headers, so that time is left for a retry."""

# The exceptions of a transport, which `bounded_attempt` turns into a ProviderError.
TRANSPORT_FAULTS = (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError)


class SizeLimit:
    """Counts the received bytes. Raises InvalidAnswer above MAX_ANSWER_BYTES."""

    def __init__(self) -> None:
        self.received = 0

    def count(self, chunk: bytes) -> bytes:
        self.received += len(chunk)
        if self.received > MAX_ANSWER_BYTES:
            raise InvalidAnswer(f"the answer is larger than {MAX_ANSWER_BYTES:,} bytes")
        return chunk


Refusal = Callable[["Bounds"], ProviderError]
INCOMPLETE = "the body of the error is incomplete"


def _refusal_by_status(bounds: Bounds) -> ProviderError:
    return classify(bounds.status, INCOMPLETE, retry_after=bounds.retry_after)


class Bounds:
    """The limits of one attempt: `timeout` seconds on the wall clock, and MAX_ANSWER_BYTES on the wire.

    `peer` is the address of the server, for error messages.
    Call `answered()` when the headers arrive: from then on, an error status decides, whatever happens to its body.
    An error after a 2xx status is an incomplete answer that was billed. `kept()` keeps the
    received parts of an error's body, and `refusal` makes the exception for an error status from them.
    """

    def __init__(self, timeout: float, peer: str = "", refusal: Refusal | None = None) -> None:
        self.timeout = timeout
        self.peer = peer
        self.deadline = time.monotonic() + timeout
        self._size = SizeLimit()
        self._refusal = refusal or _refusal_by_status
        self.error_body = bytearray()
        self.status = 0
        self.coding = ""
        self.retry_after: float | None = None
        self.delivery: Delivery | None = None
        self.loop_timeout: asyncio.Timeout | None = None

    @property
    def may_be_billed(self) -> bool:
        """Whether the server may have received the request, and has not answered that it did not process it."""
        if self.status >= 300:
            return exception_by_status(self.status).may_be_billed
        return bool(self.status) or (self.delivery is not None and self.delivery.may_be_taken)

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.coding = headers.get("Content-Encoding", "")
        self.retry_after = retry_after(headers)
        if status >= 300:
            self._end_soon()

    def _end_soon(self) -> None:
        seconds = min(ERROR_BODY_SECONDS, self.deadline - time.monotonic())
        self.deadline = time.monotonic() + seconds
        if self.loop_timeout is not None and not self.loop_timeout.expired():
            self.loop_timeout.reschedule(asyncio.get_running_loop().time() + seconds)

    def remaining(self, limit: float | None = None) -> float:
        """Return the seconds left for a network operation, at most `limit`. Raises `fault()` if none are left."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise self.fault(TimeoutError())
        return seconds if limit is None else min(seconds, limit)

    def count(self, chunk: bytes) -> bytes:
        """Count received bytes. If they are too many, raises InvalidAnswer, or the exception for an error status."""
        try:
            return self._size.count(chunk)
        except InvalidAnswer as fault:
            raise self.fault(fault) if self.status >= 300 else fault from None

    def kept(self, chunk: bytes) -> bytes:
        """Keep a part of an error's body, in case the rest does not arrive."""
        if self.status >= 300:
            self.error_body += chunk
        return chunk

    def fault(self, cause: Exception) -> ProviderError:
        """Return the ProviderError for `cause`, which was raised during the attempt."""
        if self.status >= 300:
            return self._refusal(self)
        if time.monotonic() >= self.deadline:
            return self._timed_out()
        text = f"{type(cause).__name__}: {excerpt(str(cause))}"
        if not self.status:
            where = f" at {self.peer}" if self.peer else ""
            if self.may_be_billed:
                return RequestInterrupted(f"the request was sent, but no answer arrived{where} ({text})")
            return ProviderUnreachable(f"the provider cannot be reached{where} ({text})")
        return AnswerInterrupted(f"the answer is incomplete ({text})")

    def _timed_out(self) -> ProviderTimeout:
        fault = ProviderTimeout(f"no complete answer within {self.timeout:g} s")
        fault.may_be_billed = self.may_be_billed
        return fault


_bounds: ContextVar[Bounds] = ContextVar("bounds")


def current_bounds() -> Bounds:
    """Return the limits of the enclosing `bounded_attempt`."""
    return _bounds.get()


@contextmanager
def bounded_attempt(timeout: float, peer: str = "", refusal: Refusal | None = None) -> Iterator[Bounds]:
    """Apply the limits to `bounded` transports in this block, and turn exceptions of httpx into ProviderErrors."""
    bounds = Bounds(timeout, peer, refusal)
    token = _bounds.set(bounds)
    try:
        yield bounds
    except TRANSPORT_FAULTS as fault:
        raise bounds.fault(fault) from None
    except BaseException as fault:  # such as a cancellation, which can only carry an attribute
        if not isinstance(fault, Exception) and not bounds.may_be_billed:
            fault.may_be_billed = False  # type: ignore[attr-defined]
        raise
    finally:
        _bounds.reset(token)


@asynccontextmanager
async def abounded_attempt(timeout: float, peer: str = "", refusal: Refusal | None = None) -> AsyncIterator[Bounds]:
    """`bounded_attempt` for an event loop, which enforces the timeout itself."""
    with bounded_attempt(timeout, peer, refusal) as bounds:
        async with asyncio.timeout(timeout) as bounds.loop_timeout:
            yield bounds
