"""A loopback HTTP server that answers from a script, also slowly, endlessly, brokenly or not at all."""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal, Self


@dataclass(frozen=True)
class Request:
    """A client's request. Header names are in lower case. `connection` counts from 0."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """One answer, and how it is sent.

    `trickle` sends that part a byte at a time, `pause` seconds apart. `raw` replaces head and body by other bytes.
    After it, the connection stays ("keep"), is closed or reset, sends zeros without end, or falls silent ("hang").
    A `gate` holds the answer back until as many requests have arrived as the barrier has parties. The answer is sent
    after `thinking` seconds.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_length: int | None = None
    raw: bytes | None = None
    trickle: Literal["head", "body"] | None = None
    pause: float = 0.02
    ending: Literal["keep", "close", "reset", "endless", "hang"] = "keep"
    gate: threading.Barrier | None = None
    thinking: float = 0

    @classmethod
    def of(cls, document: Any, **options: Any) -> Self:
        """A reply whose body is `document` as JSON."""
        return cls(json.dumps(document).encode(), **options)

    @property
    def head(self) -> bytes:
        length = len(self.body) if self.content_length is None else self.content_length
        headers = {"Content-Type": "application/json", "Content-Length": str(length), **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} {_phrase(self.status)}\r\n{lines}\r\n".encode()


class ScriptedServer(socketserver.ThreadingTCPServer):
    """Serves `replies` in turn, repeating the last one, and records the `requests` and the number of `connections`."""

    request_queue_size = 128

    def __init__(self, *replies: Reply) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.replies = list(replies)
        self.requests: list[Request] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}).start()
        return self

    def __exit__(self, *fault: object) -> None:
        self.stopping.set()
        self.shutdown()
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def opened(self, connection: socket.socket) -> int:
        """Count `connection`, and return its number."""
        with self._lock:
            self._sockets.append(connection)
            self.connections += 1
            return self.connections - 1

    def reply_to(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            return self.replies[min(len(self.requests), len(self.replies)) - 1]


class _Connection(socketserver.StreamRequestHandler):
    server: ScriptedServer
    disable_nagle_algorithm = True

    def handle(self) -> None:
        number = self.server.opened(self.connection)
        with suppress(OSError, threading.BrokenBarrierError):
            while request := self._request(number):
                if not self._send(self.server.reply_to(request)):
                    break

    def _request(self, number: int) -> Request | None:
        line = self.rfile.readline()
        if not line.strip():
            return None
        method, path, _ = line.decode("latin-1").split()
        headers = {}
        while line := self.rfile.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        return Request(method, path, headers, body, number)

    def _send(self, reply: Reply) -> bool:
        """Whether the connection can be used again."""
        if reply.gate:
            reply.gate.wait(timeout=100)
        if reply.thinking:
            self.server.stopping.wait(reply.thinking)
        if reply.raw is None:
            self._write(reply.head, slowly=reply.trickle == "head", pause=reply.pause)
            self._write(reply.body, slowly=reply.trickle == "body", pause=reply.pause)
        else:
            self.connection.sendall(reply.raw)
        if reply.ending == "reset":
            self._reset()
        elif reply.ending == "hang":
            self.server.stopping.wait()
        while reply.ending == "endless" and not self.server.stopping.is_set():
            self.connection.sendall(bytes(64 * 1024))
        return reply.ending == "keep"

    def _write(self, data: bytes, *, slowly: bool, pause: float) -> None:
        if not slowly:
            self.connection.sendall(data)
            return
        for position in range(len(data)):
            if self.server.stopping.wait(pause):
                return
            self.connection.sendall(data[position : position + 1])

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()


@contextmanager
def silent_listener() -> Iterator[str]:
    """A URL whose host accepts connections and never reads from them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def slow_reader() -> Iterator[str]:
    """A URL whose host reads a few kilobytes at a time, and never answers."""
    stopping = threading.Event()

    def read(listener: socket.socket) -> None:
        with listener.accept()[0] as connection, suppress(OSError):
            while not stopping.wait(0.005) and connection.recv(4 * 1024):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = threading.Thread(target=read, args=(listener,))
        reader.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        stopping.set()
        reader.join()


@contextmanager
def full_listener() -> Iterator[str]:
    """A URL whose host never accepts a connection, because its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as queue:
        for _ in range(4):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _phrase(status: int) -> str:
    with suppress(ValueError):
        return HTTPStatus(status).phrase
    return "Unknown"
