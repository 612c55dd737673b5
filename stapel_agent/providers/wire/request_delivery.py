"""Tracks how far a request got: whether the server may have received it."""

from __future__ import annotations

import socket
import struct
import sys
import time
from typing import Any

HANDSHAKES = (b"CONNECT ", b"\x05", b"\x01")
"""The first bytes of a proxy handshake (HTTP, SOCKS5), which is not the request itself."""
RESET_SECONDS = 1.0
"""If the system has no counter: a reused connection that is reset this soon was dead before the request."""
BYTES_ACKNOWLEDGED = 120
"""The offset of `tcpi_bytes_acked`, a u64, in Linux's `struct tcp_info`."""


class Delivery:
    """The state of the latest request on one connection. A stream reports each write and read to it."""

    def __init__(self, connection: Any) -> None:
        self._socket = connection
        self._requests = 0
        self._is_written = True
        self._has_failed = False
        self._is_dead = False
        self._received = 0
        self._size = 0
        self._acknowledged_before: int | None = None
        self._written_at = 0.0

    @property
    def may_be_taken(self) -> bool:
        """Whether the request was sent in full, over a connection that was alive when it was sent."""
        return self._is_written and self._requests > 0 and not self._has_failed and not self._is_dead

    def writing(self, buffer: bytes) -> None:
        """Call before a write. The first write after a read starts another request."""
        if self._is_written:
            self._requests += not buffer.startswith(HANDSHAKES)
            self._is_written = self._has_failed = self._is_dead = False
            self._received = self._size = 0
            self._acknowledged_before = _acknowledged(self._socket)
        self._size += len(buffer)

    def written(self) -> None:
        """Call after a write. On an event loop, a write to a closed connection may return without an error."""
        self._has_failed |= _is_closed(self._socket)

    def failed_to_write(self) -> None:
        self._has_failed = True

    def reading(self) -> None:
        """Call before a read. The request is complete by now, because no client reads earlier."""
        if not self._is_written:
            self._is_written = True
            self._written_at = time.monotonic()

    def received(self, size: int) -> None:
        """Call after a read. A size of 0 is the end of the stream."""
        self._received += size
        if not size:
            self._ended(is_reset=False)

    def failed_to_read(self) -> None:
        self._ended(is_reset=True)

    def _ended(self, *, is_reset: bool) -> None:
        """Detect a reused connection that the server had closed before the request: no answer, and nothing was read."""
        if self._requests < 2 or self._received:
            return
        before, now = self._acknowledged_before, _acknowledged(self._socket)
        if before is None or now is None:
            self._is_dead = is_reset and time.monotonic() - self._written_at < RESET_SECONDS
        else:
            self._is_dead = now - before < self._size


def _is_closed(connection: Any) -> bool:
    return connection is not None and connection.fileno() == -1


def _acknowledged(connection: Any) -> int | None:
    """Return the number of bytes that the server's machine has acknowledged, or None if the system cannot tell."""
    if sys.platform != "linux" or connection is None:
        return None
    try:
        state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_ACKNOWLEDGED + 8)
        return int(struct.unpack_from("=Q", state, BYTES_ACKNOWLEDGED)[0]) or None
    except (OSError, struct.error):
        return None
