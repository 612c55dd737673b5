"""Limits the time and bytes of one attempt, whatever the server does."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from ssl import SSLContext
from typing import Any, TypeVar

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
from .retry_waits import retry_after
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


class Bounds:
    """The limits of one attempt: `timeout` seconds on the wall clock, and MAX_ANSWER_BYTES on the wire.

    `peer` is the address of the server, for error messages.
    Call `answered()` when the headers arrive: from then on, an error status decides, whatever happens to its body.
    An error after a 2xx status is an incomplete answer that was billed.
    """

    def __init__(self, timeout: float, peer: str = "") -> None:
        self.timeout = timeout
        self.peer = peer
        self.deadline = time.monotonic() + timeout
        self._size = SizeLimit()
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
            self._end_within(ERROR_BODY_SECONDS)

    def _end_within(self, seconds: float) -> None:
        seconds = min(seconds, self.deadline - time.monotonic())
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

    def fault(self, cause: Exception) -> ProviderError:
        """Return the ProviderError for `cause`, which was raised during the attempt."""
        if self.status >= 300:
            return classify(self.status, "the body of the error is incomplete", retry_after=self.retry_after)
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
def bounded_attempt(timeout: float, peer: str = "") -> Iterator[Bounds]:
    """Apply the limits to `bounded` transports in this block, and turn exceptions of httpx into ProviderErrors."""
    bounds = Bounds(timeout, peer)
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
async def abounded_attempt(timeout: float, peer: str = "") -> AsyncIterator[Bounds]:
    """`bounded_attempt` for an event loop, which enforces the timeout itself."""
    with bounded_attempt(timeout, peer) as bounds:
        async with asyncio.timeout(timeout) as bounds.loop_timeout:
            yield bounds


@contextmanager
def _writing(delivery: Delivery, buffer: bytes) -> Iterator[Bounds]:
    bounds = _bounds.get()
    bounds.delivery = delivery
    delivery.writing(buffer)
    try:
        yield bounds
        delivery.written()
    except BaseException:
        delivery.failed_to_write()
        raise


@contextmanager
def _reading(delivery: Delivery) -> Iterator[None]:
    delivery.reading()
    try:
        yield
    except Exception:
        delivery.failed_to_read()
        raise


Transport = TypeVar("Transport")


def bounded(transport: Transport) -> Transport:
    """Make an HTTPTransport or AsyncHTTPTransport of httpx or httpx2 obey the enclosing `bounded_attempt`.

    Their own timeouts apply to one read each, so a server that sends one byte at a time never reaches them.
    """
    pool: Any = transport._pool  # type: ignore[attr-defined]
    wrapper = BoundedAsyncBackend if hasattr(transport, "handle_async_request") else BoundedBackend
    pool._network_backend = wrapper(pool._network_backend)
    return transport


class BoundedBackend:
    """An httpcore network backend whose operations end at the attempt's deadline."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> BoundedStream:
        # One address at a time: httpcore would give the whole timeout to each address.
        fault: Exception | None = None
        for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            seconds = _bounds.get().remaining(timeout)
            try:
                return BoundedStream(self._backend.connect_tcp(*address[:2], timeout=seconds, **options))
            except Exception as refusal:
                fault = refusal
        raise fault or OSError(f"{host!r} has no address")


class BoundedStream:
    """An httpcore network stream whose operations end at the attempt's deadline, and whose bytes are counted."""

    WRITE_SIZE = 16 * 1024

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.close = stream.close
        self.get_extra_info = stream.get_extra_info
        self._delivery = Delivery(stream.get_extra_info("socket"))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        bounds = _bounds.get()
        with _reading(self._delivery):
            chunk: bytes = self._stream.read(max_bytes, bounds.remaining(timeout))
        self._delivery.received(len(chunk))
        return bounds.count(chunk)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _writing(self._delivery, buffer) as bounds:
            # In slices: the stream would give the whole timeout to each part that a slow server accepts.
            for start in range(0, len(buffer), self.WRITE_SIZE):
                self._stream.write(buffer[start : start + self.WRITE_SIZE], bounds.remaining(timeout))

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> BoundedStream:
        try:
            return BoundedStream(self._stream.start_tls(ssl_context, server_hostname, _bounds.get().remaining(timeout)))
        except BaseException:
            self.close()
            raise


class BoundedAsyncBackend:
    """An httpcore network backend whose streams count their bytes."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    async def connect_tcp(self, *arguments: Any, **options: Any) -> BoundedAsyncStream:
        return BoundedAsyncStream(await self._backend.connect_tcp(*arguments, **options))


class BoundedAsyncStream:
    """An httpcore network stream whose bytes are counted."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.aclose = stream.aclose
        self.get_extra_info = stream.get_extra_info
        self._delivery = Delivery(stream.get_extra_info("socket"))

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _reading(self._delivery):
            chunk: bytes = await self._stream.read(max_bytes, timeout)
        self._delivery.received(len(chunk))
        return _bounds.get().count(chunk)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _writing(self._delivery, buffer):
            await self._stream.write(buffer, timeout)

    async def start_tls(self, *arguments: Any, **options: Any) -> BoundedAsyncStream:
        try:
            return BoundedAsyncStream(await self._stream.start_tls(*arguments, **options))
        except BaseException:
            # A cancelled handshake does not close the connection, and nothing else refers to it yet.
            await self.aclose()
            raise
