"""Over real connections, requests that a vendor may have received are `interrupted`, and others are `unreachable`."""

from __future__ import annotations

import asyncio
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from stapel_agent.exceptions import ProviderError, ProviderTimeout, ProviderUnreachable, RequestInterrupted
from stapel_agent.models import PromptLog
from stapel_agent.providers.anthropic import AnthropicProvider
from stapel_agent.providers.wire import http
from stapel_agent.providers.wire.connection_pool import ClientPool
from stapel_agent.providers.wire.http import Post, apost, post
from stapel_agent.providers.wire.request_delivery import Delivery
from tests.scripted_server import Reply, ScriptedServer, full_listener, silent_listener

from .message_stream import message, stream

QUESTION = {"prompt": "say", "model": "m", "max_tokens": 9}
LARGE = 8 * 1024 * 1024
LARGER_THAN_A_BUFFER = 256 * 1024
GOOD = {"openai-compat": Reply(b'{"choices": [{"message": {"content": "{}"}}]}'), "anthropic": stream(message("{}"))}


class Client:
    """Calls a URL several times in a row, and keeps the last exception."""

    def __init__(self, provider: str, *, on_loop: bool, agent: Callable[..., None]) -> None:
        self.provider = provider
        self._on_loop = on_loop
        self._agent = agent

    def fault(self, url: str, times: int = 1, *, size: int = 10, seconds: float = 20) -> ProviderError:
        """The exception of the last of so many requests. The others are answered."""
        with pytest.raises(ProviderError) as caught:
            self.ask(url, times, size=size, seconds=seconds)
        return caught.value

    def ask(self, url: str, times: int = 1, *, size: int = 10, seconds: float = 20) -> None:
        self._agent(ANTHROPIC_API_KEY="sk-ant-test", ANTHROPIC_BASE_URL=url)

        async def ask() -> None:
            for _ in range(times):
                await self._aone(url, size, seconds)

        if self._on_loop:
            asyncio.run(ask())
            return
        for _ in range(times):
            self._one(url, size, seconds)

    def _one(self, url: str, size: int, seconds: float) -> None:
        if self.provider == "anthropic":
            AnthropicProvider().complete(**{**QUESTION, "prompt": "x" * size, "timeout": seconds})
        else:
            post(Post(httpx.URL(url), b"x" * size, seconds, {}))

    async def _aone(self, url: str, size: int, seconds: float) -> None:
        if self.provider == "anthropic":
            await AnthropicProvider().acomplete(**{**QUESTION, "prompt": "x" * size, "timeout": seconds})
        else:
            await apost(Post(httpx.URL(url), b"x" * size, seconds, {}))


@pytest.fixture(params=["sync", "async"])
def on_loop(request: pytest.FixtureRequest) -> bool:
    return request.param == "async"


@pytest.fixture(params=["openai-compat", pytest.param("anthropic", marks=pytest.mark.sdk)])
def client(request: pytest.FixtureRequest, on_loop: bool, agent: Callable[..., None]) -> Client:
    """httpx and the Anthropic SDK's own client, synchronously and on an event loop."""
    return Client(request.param, on_loop=on_loop, agent=agent)


@contextmanager
def listener(serve: Callable[[socket.socket], None], receive_buffer: int = 0) -> Iterator[str]:
    """A URL whose connections are served one after the other. `receive_buffer` is the size of their buffer in bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        if receive_buffer:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)

        def accept() -> None:
            while True:
                try:
                    connection = listening.accept()[0]
                except OSError:
                    return
                with connection:
                    serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def read_request(connection: socket.socket) -> None:
    """Read one request to its end."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


# --- not received


def test_unreachable__nobody_listens(client: Client) -> None:
    """A refused connection received nothing."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    fault = client.fault(f"http://127.0.0.1:{port}")
    assert (type(fault), fault.failure, fault.may_be_billed) == (ProviderUnreachable, "unreachable", False)


def test_unreachable__closed_while_it_is_sent(client: Client) -> None:
    """A request that breaks off while it is sent was not received."""

    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        reset(connection)

    with listener(serve) as url:
        fault = client.fault(url, size=LARGE)
    assert (type(fault), fault.may_be_billed) == (ProviderUnreachable, False)


def test_unreachable__reused_connection_not_read(client: Client) -> None:
    """A reused connection that the server had closed received nothing."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(GOOD[client.provider].head + GOOD[client.provider].body)
        select.select([connection], [], [], 20)
        reset(connection)

    # The buffer is too small for the request, so the system cannot acknowledge bytes that are not read.
    with listener(serve, receive_buffer=4096) as url:
        fault = client.fault(url, 2, size=LARGER_THAN_A_BUFFER)
    assert (type(fault), fault.may_be_billed) == (ProviderUnreachable, False)


def test_unreachable__reused_connection_that_was_closed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reused connection received nothing if the server closed it a moment earlier, unnoticed by the client."""
    answered = threading.Event()

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(GOOD[client.provider].head + GOOD[client.provider].body)
        connection.close()
        answered.set()

    for library in ("httpcore", "httpcore2"):
        for backend in ("sync", "anyio"):
            pytest.importorskip(library)
            monkeypatch.setattr(f"{library}._backends.{backend}.is_socket_readable", lambda connection: False)
    with listener(serve) as url:
        fault = client.fault(url, 2)
    assert answered.is_set()
    assert (type(fault), fault.may_be_billed) == (ProviderUnreachable, False)


def test_timeout__before_it_is_sent(client: Client) -> None:
    """A timeout while connecting or sending cost nothing."""
    with full_listener() as url:
        fault = client.fault(url, seconds=0.3)
        assert (type(fault), fault.may_be_billed) == (ProviderTimeout, False)
    with silent_listener() as url:
        fault = client.fault(url, size=LARGE, seconds=0.5)
        assert (type(fault), fault.may_be_billed) == (ProviderTimeout, False)


# --- possibly received

TAKEN = {
    "closed": Reply(raw=b"", ending="close"),
    "reset": Reply(raw=b"", ending="reset"),
    "closed in the head": Reply(raw=b"HTTP/1.1 200 OK\r\nX: ", ending="close"),
    "closed after a promise": Reply(raw=b"HTTP/1.1 103 Early Hints\r\n\r\n", ending="close"),
    **{str(status): Reply(b"gone", status=status) for status in (504, 520, 521, 522, 523, 524)},
}


@pytest.mark.parametrize("case", TAKEN)
def test_interrupted__sent_in_full(client: Client, case: str) -> None:
    """A request that was sent in full without an answer may be billed, on a new and on a reused connection."""
    with ScriptedServer(TAKEN[case], GOOD[client.provider], TAKEN[case]) as server:
        for times in (1, 2) if case != "reset" else (1,):
            fault = client.fault(server.url, times)
            assert (type(fault), fault.failure, fault.may_be_billed) == (RequestInterrupted, "interrupted", True)


def test_interrupted__reused_connection_after_a_while(client: Client) -> None:
    """A reused connection that breaks while the model thinks had received the request."""
    for ending in ("close", "reset"):
        gone = Reply(raw=b"", ending=ending, thinking=1.2)  # type: ignore[arg-type]
        with ScriptedServer(GOOD[client.provider], gone) as server:
            assert type(client.fault(server.url, 2)) is RequestInterrupted
            assert server.connections == 1


def test_timeout__after_it_was_sent(client: Client) -> None:
    """A timeout while the model thinks may be billed."""
    with ScriptedServer(Reply(raw=b"", ending="hang")) as server:
        fault = client.fault(server.url, seconds=3)
    assert (type(fault), fault.may_be_billed) == (ProviderTimeout, True)


@pytest.mark.parametrize("sent", [False, True])
def test_cancelled__before_and_after_it_was_sent(agent: Callable[..., None], sent: bool) -> None:
    """A cancellation says whether the request was sent."""

    async def cancelled(url: str, came: Callable[[], bool]) -> BaseException:
        task = asyncio.create_task(apost(Post(httpx.URL(url), b"x", 20, {})))
        await asyncio.sleep(0.1)
        while not came():
            await asyncio.sleep(0.01)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as fault:
            return fault
        raise AssertionError("it was not cancelled")

    if sent:
        with ScriptedServer(Reply(raw=b"", ending="hang")) as server:
            fault = asyncio.run(cancelled(server.url, lambda: bool(server.requests)))
    else:
        with full_listener() as url:
            fault = asyncio.run(cancelled(url, lambda: True))
    assert getattr(fault, "may_be_billed", True) is sent


def test_tunnel__is_no_request(monkeypatch: pytest.MonkeyPatch, on_loop: bool, agent: Callable[..., None]) -> None:
    """A proxy that closes the connection instead of opening a tunnel forwarded nothing."""
    with ScriptedServer(Reply(raw=b"", ending="close")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setattr(http, "clients", ClientPool(http._make_client, http._make_async_client))
        fault = Client("openai-compat", on_loop=on_loop, agent=agent).fault("https://vendor.invalid")
    assert (type(fault), [request.method for request in proxy.requests]) == (ProviderUnreachable, ["CONNECT"])


def test_delivery__where_the_system_counts_nothing() -> None:
    """Without the system's count, a clean end without an answer may be billed. A reset right after sending may not."""
    for is_reset in (False, True):
        delivery = Delivery(None)
        for _ in range(2):
            delivery.writing(b"POST / HTTP/1.1")
            delivery.reading()
        assert delivery.may_be_taken
        if is_reset:
            delivery.failed_to_read()
        else:
            delivery.received(0)
        assert delivery.may_be_taken is not is_reset


# --- consequences


@pytest.mark.django_db
@pytest.mark.any_database
def test_dead_connection__is_retried(facade, agent) -> None:
    """A pooled connection that was dead when it was reused costs a retry, and no answer."""
    used = []

    def serve(connection: socket.socket) -> None:
        used.append(connection)
        read_request(connection)
        connection.sendall(GOOD["openai-compat"].head + GOOD["openai-compat"].body)
        if len(used) == 1:
            select.select([connection], [], [], 20)  # until it is reused
            reset(connection)

    # As above, the system cannot acknowledge the whole request, however busy the machine is.
    with listener(serve, receive_buffer=4096) as url:
        agent(DEFAULT_PROVIDER="openai-compat", OPENAI_COMPAT_BASE_URL=url)
        asked = [facade.complete_json("x" * LARGER_THAN_A_BUFFER, "small")["status"] for _ in range(2)]
    assert asked == ["ok", "ok"]
    assert len(used) == 2
    assert set(PromptLog.objects.values_list("status", flat=True)) <= {"success", "failure"}
