"""Network streams that obey the limits of the attempt, and report how far a request got."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any, TypeVar

from .attempt_limits import Bounds, current_bounds
from .request_delivery import Delivery


@contextmanager
def _writing(delivery: Delivery, buffer: bytes) -> Iterator[Bounds]:
    bounds = current_bounds()
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
            seconds = current_bounds().remaining(timeout)
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
        bounds = current_bounds()
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
            seconds = current_bounds().remaining(timeout)
            return BoundedStream(self._stream.start_tls(ssl_context, server_hostname, seconds))
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
        return current_bounds().count(chunk)

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
