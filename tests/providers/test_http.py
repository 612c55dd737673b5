"""HTTP for every vendor: classification of errors, limits of an attempt, and connection pools."""

import asyncio
import gc
import gzip
import importlib
import json
import os
import socket
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any

import httpx
import pytest

from stapel_agent.exceptions import (
    AccessDenied,
    AnswerInterrupted,
    AnswerRefused,
    InvalidAnswer,
    OutOfCredit,
    ProviderDown,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
    RequestInterrupted,
    RequestRejected,
)
from stapel_agent.providers.wire import attempt_limits, call_thread, http
from stapel_agent.providers.wire.attempt_limits import bounded_attempt
from stapel_agent.providers.wire.bounded_streams import bounded
from stapel_agent.providers.wire.connection_pool import ClientPool
from stapel_agent.providers.wire.error_response import classify, excerpt
from stapel_agent.providers.wire.http import Post, apost, post, proxy_for
from stapel_agent.types import Usage
from tests.scripted_server import Reply, ScriptedServer, full_listener, silent_listener, slow_reader

KEY = "a-key-that-must-not-be-seen"
A_MOMENT = 0.25
A_HANG = 40
"""The deadline of attempts that should reach it, and the seconds by which they have, however busy the machine is."""

Send = Callable[[Post], bytes]
WAYS: dict[str, Send] = {"sync": post, "async": lambda request: asyncio.run(apost(request))}


@pytest.fixture(params=sorted(WAYS))
def send(request: pytest.FixtureRequest) -> Send:
    """`post()`, and `apost()` on an event loop."""
    return WAYS[request.param]


def question(url: str, *, timeout: float = 20, content: bytes = b'{"ask": 1}') -> Post:
    return Post(httpx.URL(f"{url}/chat"), content, timeout, {"Authorization": f"Bearer {KEY}"})


@pytest.mark.parametrize(
    ("reply", "is_on_loop"),
    [
        (Reply(b"x" * 1000, 400), True),
        (Reply(b"x" * 100_000, 400), False),
        (Reply(gzip.compress(b"x" * 100_000), 400, {"Content-Encoding": "gzip"}), False),
    ],
    ids=("short", "long", "compressed"),
)
def test_apost__long_error(reply: Reply, is_on_loop: bool) -> None:
    """The body of an error is not read on the event loop if it is long, or may be, because its parsing would block."""
    readers = []

    def usage_in(body: bytes) -> Usage:
        readers.append(threading.get_ident())
        return Usage(1, 2)

    async def ask(url: str) -> int:
        with pytest.raises(ProviderError):
            await apost(replace(question(url), usage_in=usage_in))
        return threading.get_ident()

    with ScriptedServer(reply) as server:
        loop = asyncio.run(ask(server.url))
    assert (readers == [loop]) is is_on_loop


def test_apost__long_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain answer needs no thread, because it is returned as it came."""
    monkeypatch.setattr(call_thread, "Thread", None)
    with ScriptedServer(Reply(b"x" * 100_000)) as server:
        assert asyncio.run(apost(question(server.url))) == b"x" * 100_000


def fault_of(send: Send, request: Post) -> tuple[type[ProviderError], str]:
    with pytest.raises(ProviderError) as caught:
        send(request)
    return type(caught.value), str(caught.value)


# --- statuses


@pytest.mark.parametrize(
    ("status", "message", "fault"),
    [
        (400, "max_tokens is too large", RequestRejected),
        (400, "Your credit balance is too low to access the API", OutOfCredit),
        (400, "the property 'balance' is not of type 'number'", RequestRejected),
        (401, "Incorrect API key provided", AccessDenied),
        (401, "No billing is set up for this account", OutOfCredit),
        (402, "", OutOfCredit),
        (403, "not available in your region", AccessDenied),
        (403, "organization exceeded current quota, please check your plan and billing details", OutOfCredit),
        (404, "no such model", RequestRejected),
        (408, "", RequestInterrupted),
        (409, "", ProviderUnavailable),
        (413, "too large", RequestRejected),
        (425, "too early", ProviderUnavailable),
        (422, "unprocessable", RequestRejected),
        (429, "slow down", RateLimited),
        (429, "You exceeded your current quota, please check your plan and billing details", OutOfCredit),
        (429, "Rate limit reached; add a payment method at https://api.invalid/account/billing", RateLimited),
        (429, "Quota exceeded: 20 requests per minute", RateLimited),
        (429, "余额不足或无可用资源包,请充值。", OutOfCredit),
        (500, "", ProviderUnavailable),
        (503, "no quota of servers left", ProviderUnavailable),
        (529, "overloaded", ProviderUnavailable),
        (429, "load balancer queue full", RateLimited),
        (429, "Your account has no balance", OutOfCredit),
        (429, "AccountBalance: 0", OutOfCredit),
        (403, "Blocked by the load balancer", AccessDenied),
        (403, "Denied by the load-balance policy", AccessDenied),
        (403, "accreditation is required", AccessDenied),
        (403, "insufficient_credits_left", OutOfCredit),
        (403, "quotation marks are not allowed", AccessDenied),
        (403, "monthly quotas are used up", OutOfCredit),
        (429, "that capacity is yours", RateLimited),
        (403, "you cannot generate limits", AccessDenied),
        (403, "UserRateLimit reached", RateLimited),
        (403, "blocked: super minute measures", AccessDenied),
        (403, "only 5 calls per minute", RateLimited),
        (403, "to unblock, retry inside the office", AccessDenied),
        (429, "Too many tokens, please wait before trying again.", RateLimited),
        (400, "the volcano credits nobody", RequestRejected),
        (400, "You don't have any credits", OutOfCredit),
        (400, "the thinking budget has been exceeded", RequestRejected),
        (400, "token budget limit exceeded", RequestRejected),
        (400, "Budget has been exceeded", OutOfCredit),
        (400, "case-sensitive content of the field", RequestRejected),
        (400, "inappropriate content-type", RequestRejected),
        (400, "the text has sensitive content", AnswerRefused),
        (400, "the request was blocked by the content moderation filter", AnswerRefused),
        (400, "invalid request: prompt blocked due to safety", AnswerRefused),
        (403, "Request blocked by Content Security Policy", AccessDenied),
        (403, "Request blocked due to security rules of this network", AccessDenied),
        (400, "guardrail 'x' does not exist; the guardrail policy is empty", RequestRejected),
        (400, "the guardrail needs a model", RequestRejected),
        (500, "The model took too long to respond for this turn. You can try again.", ProviderUnavailable),
        (500, "The request took too long to process. Processing time exceeded the timeout.", ProviderUnavailable),
        (500, "the request has been waiting too long", ProviderUnavailable),
        (500, "Too many tokens, please wait before trying again.", ProviderUnavailable),
        (500, "cannot load the model, context size unknown", ProviderUnavailable),
        (500, "prompt is too long: 9000 tokens > 8192", RequestRejected),
        (500, "Your input was much too long", RequestRejected),
        (500, "the request exceeds the available context size", RequestRejected),
        (500, "the model's context length is only 8192 tokens", RequestRejected),
        (500, "context window exceeded", RequestRejected),
        *[(status, "", RequestInterrupted) for status in (504, 520, 521, 522, 523, 524, 598, 599)],
        (525, "", ProviderDown),
        *[(status, "", ProviderDown) for status in (301, 302, 307, 308)],
        *[(status, "", RequestInterrupted) for status in (101, 300, 303, 304, 305, 600, 999)],
    ],
)
def test_classify__status_and_wording(status: int, message: str, fault: type[ProviderError]) -> None:
    """The status decides the type. The message decides only if a status has two causes."""
    assert type(classify(status, message)) is fault


@pytest.mark.parametrize(
    ("status", "message", "text"),
    [
        (429, "slow down", "HTTP 429: slow down"),
        (500, "", "HTTP 500"),
        (307, "gone", "HTTP 307: redirects are not followed; set the base URL to the target"),
    ],
)
def test_classify__message(status: int, message: str, text: str) -> None:
    """The message has the status, the vendor's message, and the fix for a redirect."""
    assert str(classify(status, message)) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"error": {"message": "No such model", "type": "x"}}', "No such model"),
        (b'{"error": "plain"}', "plain"),
        (b'{"object": "error", "message": "flat", "code": 404}', "flat"),
        (b'{"detail": [{"loc": ["body"], "msg": "field required"}]}', "field required"),
        (b'[{"error": {"message": "in a list"}}]', "in a list"),
        (b'{"error": true, "message": "beside a flag"}', "beside a flag"),
        (b'{"error": {"code": 7}}', '{"error": {"code": 7}}'),
        (b'{"error": {"message": ""}}', '{"error": {"message": ""}}'),
        (b"<html>\n <b>502</b>\n</html>", "<html> <b>502</b> </html>"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", ""),
        ("as text", "as text"),
        (b'"a bare string"', "a bare string"),
        (b"x" * 5000, "x" * 300),
        (b"[" * 100_000, "[" * 300),
        (b'{"error":' * 5000 + b"1" + b"}" * 5000, '{"error":' * 33 + '{"e'),
        ('{"error": "\\u001b[2J \\u202egpj.exe\\u0085 \x9b31m \\n x"}', "\ufffd[2J \ufffdgpj.exe \ufffd31m x"),
        (b'{"error": "Authorization: Bearer abcdefgh"}', "[redacted]"),
        (b'{"error": "bad key sk-abcdefghijkl"}', "bad key [redacted]"),
    ],
)
def test_excerpt__shapes(body: str | bytes, text: str) -> None:
    """Any body becomes one short line, without credentials."""
    assert excerpt(body) == text


def test_excerpt__key_across_the_cut(agent: Any) -> None:
    """A configured key that crosses the end of the excerpt is not cut in half."""
    agent(OPENAI_COMPAT_API_KEY=KEY)
    assert excerpt("x" * 290 + KEY) == "x" * 290 + "[redacted]"


# --- one request


def in_members(body: bytes) -> bytes:
    """Each byte in a gzip member of its own, and some that are empty (RFC 1952)."""
    return b"".join(gzip.compress(bytes([byte])) + gzip.compress(b"") for byte in body)


def padded(body: bytes) -> bytes:
    return gzip.compress(body) + bytes(2000)


def raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


@pytest.mark.parametrize(
    ("coding", "compress"),
    [
        *[("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)],
        *[("gzip", in_members), ("x-gzip", in_members), ("gzip", padded), ("deflate", raw_deflate)],
        *[("gzip, identity", gzip.compress), ("none, GZIP", gzip.compress), ("utf-8, deflate", zlib.compress)],
        *[("none", bytes), ("UTF-8", bytes), ("identity, identity", bytes), ("", bytes)],
    ],
)
def test_post__compressed(send: Send, coding: str, compress: Any) -> None:
    """No content coding is requested. The answer of a gateway that compresses anyway is unpacked."""
    with ScriptedServer(Reply(compress(b"pong"), headers={"Content-Encoding": coding})) as server:
        assert send(question(server.url)) == b"pong"
    assert server.requests[0].headers["accept-encoding"] == "identity"


@cache
def nested_bomb() -> bytes:
    return gzip.compress(gzip.compress(bytes(10**8)))


@pytest.mark.parametrize(
    "coding", ["gzip, gzip", "gzip,gzip,gzip,gzip", "br", "zstd", "compress", "gzip, br", "none, br"]
)
def test_post__compressed_otherwise(send: Send, coding: str) -> None:
    """Nested or unknown codings are not unpacked. `test_error_bodies` has those of errors."""
    with ScriptedServer(Reply(nested_bomb(), headers={"Content-Encoding": coding})) as server:
        kind, text = fault_of(send, question(server.url))
    assert (kind, "content coding" in text) == (InvalidAnswer, True)


def test_post__host_with_several_addresses(send: Send) -> None:
    """Each address of a host name is tried until one answers."""
    with ScriptedServer(Reply(b"pong")) as server:
        assert send(question(server.url.replace("127.0.0.1", "localhost"))) == b"pong"


def test_post__large_content(send: Send) -> None:
    """A request that is much larger than the socket's buffers is sent in full."""
    content = os.urandom(1024 * 1024)
    with ScriptedServer(Reply(b"pong")) as server:
        assert send(question(server.url, content=content)) == b"pong"
    assert server.requests[0].body == content


def test_post__redirect_is_not_followed(send: Send) -> None:
    """The key is not sent to the target of a redirect."""
    with ScriptedServer(Reply(b"stolen")) as elsewhere:
        redirect = Reply(status=307, headers={"Location": elsewhere.url})
        with ScriptedServer(redirect) as server:
            fault = fault_of(send, question(server.url))
    assert fault == (
        ProviderDown,
        "HTTP 307: redirects are not followed; set the base URL to the target",
    )
    assert elsewhere.connections == 0


def test_post__keeps_no_cookies(send: Send) -> None:
    """A cookie from one answer is not sent with the next request, which may be another user's."""
    with ScriptedServer(Reply(b"pong", headers={"Set-Cookie": "user=1"})) as server:
        send(question(server.url))
        send(question(server.url))
    assert [request.headers.get("cookie") for request in server.requests] == [None, None]


BROKEN = {
    "not HTTP": (Reply(raw=b"SSH-2.0-OpenSSH_9\r\n\r\n", ending="close"), RequestInterrupted),
    "reset in the body": (Reply(b'{"a', content_length=10, ending="reset"), AnswerInterrupted),
    "cut off in the body": (Reply(b'{"a', content_length=10, ending="close"), AnswerInterrupted),
    "cut off between chunks": (
        Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", ending="close"),
        AnswerInterrupted,
    ),
    "cut off in compressed content": (
        Reply(gzip.compress(os.urandom(100))[:-20], headers={"Content-Encoding": "gzip"}),
        AnswerInterrupted,
    ),
    "cut off in a second member": (
        Reply(gzip.compress(b"{}") + gzip.compress(b"{}")[:-3], headers={"Content-Encoding": "gzip"}),
        AnswerInterrupted,
    ),
    "cut off in a bare deflate stream": (
        Reply(zlib.compress(os.urandom(100))[2:-20], headers={"Content-Encoding": "deflate"}),
        AnswerInterrupted,
    ),
    "broken compression": (Reply(b"plain", headers={"Content-Encoding": "gzip"}), AnswerInterrupted),
    "longer than it claims": (Reply(b"abcdef", content_length=3, ending="close"), None),
}


@pytest.mark.parametrize("case", BROKEN)
def test_post__broken_answer(send: Send, case: str) -> None:
    """A request that was sent in full may be billed, whether an answer had begun or not."""
    reply, fault = BROKEN[case]
    with ScriptedServer(reply) as server:
        if fault is None:
            assert send(question(server.url)) == b"abc"
        else:
            assert fault_of(send, question(server.url))[0] is fault


UNDELIVERED = {
    "cut off": {"content_length": 100, "ending": "close"},
    "reset": {"content_length": 100, "ending": "reset"},
    "silent": {"content_length": 100, "ending": "hang"},
    "trickled": {"content_length": 10**6, "trickle": "body", "pause": 0.2, "body": b"x" * 1000},
    "too large": {"content_length": 10**12, "ending": "endless"},
    "not in chunks": {"headers": {"Transfer-Encoding": "chunked"}, "ending": "close"},
    "not packed": {"headers": {"Content-Encoding": "gzip"}},
    "cut off when packed": {"headers": {"Content-Encoding": "gzip"}, "body": gzip.compress(os.urandom(100))[:-20]},
}
"""Bodies of an error that never arrive in full, as options of a Reply."""


@pytest.mark.parametrize(
    ("status", "fault"),
    [(400, RequestRejected), (408, RequestInterrupted), (429, RateLimited), (503, ProviderUnavailable)],
)
@pytest.mark.parametrize("case", UNDELIVERED)
def test_post__undelivered_body_of_an_error(
    send: Send, monkeypatch: pytest.MonkeyPatch, case: str, status: int, fault: type[ProviderError]
) -> None:
    """The status of an error decides, whatever happens to its body."""
    monkeypatch.setattr(attempt_limits, "MAX_ANSWER_BYTES", 300_000)
    if case in ("silent", "trickled"):
        monkeypatch.setattr(attempt_limits, "ERROR_BODY_SECONDS", A_MOMENT)
    reply = Reply(**{"body": b"{", "status": status, **UNDELIVERED[case]})  # type: ignore[arg-type]
    with ScriptedServer(reply) as server, pytest.raises(ProviderError) as caught:
        send(question(server.url, timeout=A_HANG))
    assert (type(caught.value), caught.value.may_be_billed) == (fault, status == 408)
    assert str(caught.value).startswith(f"HTTP {status}: ")


def test_post__undelivered_body_leaves_time(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error whose body hangs leaves time for a retry."""
    monkeypatch.setattr(attempt_limits, "ERROR_BODY_SECONDS", A_MOMENT)
    started_at = time.monotonic()
    with ScriptedServer(Reply(b"{", status=503, content_length=10, ending="hang")) as server:
        assert fault_of(send, question(server.url, timeout=2 * A_HANG))[0] is ProviderUnavailable
    assert time.monotonic() - started_at < A_HANG


@pytest.mark.parametrize(("status", "may_be_billed"), [(503, False), (504, True), (200, True)])
def test_bounded_attempt__cancelled_in_the_body(status: int, may_be_billed: bool) -> None:
    """A call that is cancelled after the headers of an error may be billed only if the status allows it."""
    with pytest.raises(KeyboardInterrupt) as caught, bounded_attempt(A_HANG) as bounds:
        bounds.answered(status, {})
        raise KeyboardInterrupt
    assert getattr(caught.value, "may_be_billed", True) is may_be_billed


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", f"http://{'a' * 70}.invalid"])
def test_post__unreachable(send: Send, url: str) -> None:
    """A closed port or an impossible host name is an unreachable provider, and the message names the kind of error."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    kind, text = fault_of(send, question(url.format(port=port)))
    assert kind is ProviderUnreachable
    assert text.startswith(f"the provider cannot be reached at {url.format(port=port).removeprefix('http://')} (")


# --- limits


SLOW = {
    "trickled head": Reply(b"{}", trickle="head"),
    "trickled body": Reply(b"x" * 1000, trickle="body"),
    "silence": Reply(raw=b"", ending="hang"),
    "silence in the body": Reply(b"x", content_length=10, ending="hang"),
}


@pytest.mark.parametrize("case", SLOW)
def test_post__deadline(send: Send, case: str) -> None:
    """The attempt ends at its deadline, however the server spends the time."""
    with ScriptedServer(SLOW[case]) as server:
        started_at = time.monotonic()
        fault = fault_of(send, question(server.url, timeout=A_MOMENT))
        assert fault == (ProviderTimeout, "no complete answer within 0.25 s")
        assert time.monotonic() - started_at < A_HANG


@pytest.mark.parametrize(
    ("listener", "scheme", "size"),
    [(full_listener, "http", 10), (silent_listener, "http", 32 * 1024 * 1024), (silent_listener, "https", 10)],
    ids=["connecting", "sending", "handshake"],
)
def test_post__deadline_before_the_answer(send: Send, listener: Any, scheme: str, size: int) -> None:
    """A host that never accepts the connection, the request or the handshake is given up at the deadline."""
    with listener() as url:
        started_at = time.monotonic()
        request = question(url.replace("http", scheme), timeout=A_MOMENT, content=bytes(size))
        assert fault_of(send, request)[0] is ProviderTimeout
        assert time.monotonic() - started_at < A_HANG
    gc.collect()  # a connection left open raises a warning here


def test_post__connecting_is_given_up_earlier(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that does not answer is not a timeout while time is left: another provider may answer."""
    monkeypatch.setattr(http, "_TIMEOUT", httpx.Timeout(None, connect=0.2))
    with full_listener() as url:
        assert fault_of(send, question(url))[0] is ProviderUnreachable


ENDLESS = {
    "endless body": Reply(headers={"Content-Length": str(10**12)}, ending="endless"),
    "endless head": Reply(raw=b"HTTP/1.1 200 OK\r\nX: ", ending="endless"),
    "small on the wire, huge unpacked": Reply(gzip.compress(bytes(10**7)), headers={"Content-Encoding": "gzip"}),
    "small members, huge together": Reply(gzip.compress(bytes(200_000)) * 2, headers={"Content-Encoding": "gzip"}),
    "huge bare deflate": Reply(zlib.compress(bytes(10**7))[2:-4], headers={"Content-Encoding": "deflate"}),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_post__size_limit(send: Send, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer above the size limit is refused, on the wire and unpacked."""
    monkeypatch.setattr(attempt_limits, "MAX_ANSWER_BYTES", 300_000)
    with ScriptedServer(ENDLESS[case]) as server:
        kind, text = fault_of(send, question(server.url))
    if case == "endless head":
        assert kind is RequestInterrupted
    else:
        assert (kind, text) == (InvalidAnswer, "the answer is larger than 300,000 bytes")


def test_post__too_many_members(send: Send) -> None:
    """An answer of very many empty gzip members is refused, because each takes time."""
    with ScriptedServer(Reply(gzip.compress(b"") * 20_000, headers={"Content-Encoding": "gzip"})) as server:
        assert fault_of(send, question(server.url)) == (InvalidAnswer, "the answer is compressed in too many parts")


def test_bounded__outside_an_attempt() -> None:
    """A bounded transport cannot be used without limits by mistake."""
    with (
        ScriptedServer(Reply(b"pong")) as server,
        httpx.Client(transport=bounded(httpx.HTTPTransport())) as client,
        pytest.raises(LookupError),
    ):
        client.post(server.url)


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> ModuleType:
    """httpx, which this package uses, and its fork, which the Anthropic SDK uses."""
    pytest.importorskip(request.param)
    return importlib.import_module(request.param)


def test_bounded__slow_reader(library: Any) -> None:
    """A host that accepts a large request slowly does not extend the deadline."""
    small_buffer = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)]
    transport = bounded(library.HTTPTransport(socket_options=small_buffer))
    with slow_reader() as url, library.Client(transport=transport) as client:
        started_at = time.monotonic()
        with pytest.raises((ProviderTimeout, library.WriteTimeout)), bounded_attempt(A_MOMENT):
            client.post(url, content=bytes(16 * 1024 * 1024))
        assert time.monotonic() - started_at < A_HANG


def test_bounded__size_on_the_wire(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bounded transport counts the bytes on the wire, not what they unpack to."""
    monkeypatch.setattr(attempt_limits, "MAX_ANSWER_BYTES", 300_000)
    transport = bounded(library.HTTPTransport())
    packed = ENDLESS["small on the wire, huge unpacked"]
    with ScriptedServer(packed) as server, library.Client(transport=transport) as client, bounded_attempt(60):
        assert len(client.post(server.url).content) == 10**7


def test_bounded_attempt__other_exceptions_pass() -> None:
    """An exception that is not the transport's is raised unchanged."""
    with pytest.raises(KeyError), bounded_attempt(5):
        raise KeyError("x")


# --- connection pools


def test_clients__hundred_calls_one_connection() -> None:
    """Sequential calls share one connection."""
    with ScriptedServer(Reply(b"pong")) as server:
        assert [post(question(server.url)) for _ in range(100)] == [b"pong"] * 100
    assert server.connections == 1


def test_clients__hundred_calls_on_a_loop_one_connection() -> None:
    """Sequential calls on an event loop share one connection."""

    async def ask(url: str) -> list[bytes]:
        return [await apost(question(url)) for _ in range(100)]

    with ScriptedServer(Reply(b"pong")) as server:
        assert asyncio.run(ask(server.url)) == [b"pong"] * 100
    assert server.connections == 1


def test_clients__connection_after_a_fault() -> None:
    """A broken answer closes its connection, not the client."""
    with ScriptedServer(Reply(b"a", content_length=9, ending="close"), Reply(b"pong")) as server:
        fault_of(post, question(server.url))
        assert [post(question(server.url)) for _ in range(3)] == [b"pong"] * 3
    assert server.connections == 2


def test_clients__threads() -> None:
    """Parallel threads get their own answers, over at most one connection each."""
    together = Reply(b"pong", gate=threading.Barrier(8))
    with ScriptedServer(together) as server, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(post, [question(server.url)] * 64))
    assert answers == [b"pong"] * 64
    assert server.connections == 8


def test_clients__tasks() -> None:
    """Parallel tasks are in flight together."""

    async def ask(url: str) -> list[bytes]:
        return await asyncio.gather(*(apost(question(url)) for _ in range(8)))

    with ScriptedServer(Reply(b"pong", gate=threading.Barrier(8))) as server:
        assert asyncio.run(ask(server.url)) == [b"pong"] * 8


def test_clients__short_lived_loops() -> None:
    """Each event loop has its own connection, and closes it when it ends."""
    with ScriptedServer(Reply(b"pong")) as server:
        assert [asyncio.run(apost(question(server.url))) for _ in range(3)] == [b"pong"] * 3
        assert server.connections == 3
        gc.collect()  # a connection left open raises a warning here


def test_clients__loop_that_was_just_closed() -> None:
    """A loop that ends without cleaning up is forgotten at the next call."""
    pool: ClientPool[Any, Any] = ClientPool(httpx.Client, httpx.AsyncClient)

    async def client() -> Any:
        return await pool.async_client()

    loop = asyncio.new_event_loop()
    first = loop.run_until_complete(client())
    loop.close()

    async def clients() -> list[Any]:
        return [await client(), await client()]

    second, third = asyncio.run(clients())
    assert second is third is not first
    assert (second.is_closed, pool._async_clients) == (True, {})


def test_clients__per_configuration() -> None:
    """A client is created once for each configuration."""
    made: list[Any] = []

    def make(base_url: str, key: str) -> httpx.Client:
        made.append((base_url, key))
        return httpx.Client()

    pool: ClientPool[Any, Any] = ClientPool(make, httpx.AsyncClient)
    clients = [pool.client("u", "1"), pool.client("u", "2"), pool.client("u", "1")]
    assert clients[0] is clients[2] is not clients[1]
    assert made == [("u", "1"), ("u", "2")]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_clients__fork() -> None:
    """A forked child opens its own connection and does not touch its parent's."""
    with ScriptedServer(Reply(b"pong")) as server:
        assert post(question(server.url)) == b"pong"
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if post(question(server.url)) == b"pong" else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert post(question(server.url)) == b"pong"
    assert [request.connection for request in server.requests] == [0, 1, 0]


# --- the environment's proxy


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({}, "https://api.invalid/v1", None),
        ({"https_proxy": "http://proxy:1"}, "https://api.invalid/v1", "http://proxy:1"),
        ({"https_proxy": "http://proxy:1"}, "http://api.invalid/v1", None),
        ({"all_proxy": "proxy:1"}, "https://api.invalid/v1", "http://proxy:1"),
        ({"https_proxy": "http://proxy:1", "no_proxy": "api.invalid"}, "https://api.invalid/v1", None),
        (
            {"https_proxy": "http://proxy:1", "no_proxy": "api.invalid:81"},
            "https://api.invalid:80/v1",
            "http://proxy:1",
        ),
    ],
)
def test_proxy_for__environment(
    no_proxies: pytest.MonkeyPatch, variables: dict[str, str], url: str, proxy: str | None
) -> None:
    """The usual variables select the proxy for a URL, and its exceptions."""
    for name, value in variables.items():
        no_proxies.setenv(name, value)
    assert proxy_for(url) == proxy


def test_post__through_a_proxy(send: Send, no_proxies: pytest.MonkeyPatch) -> None:
    """Requests go to the environment's proxy, within the same limits."""
    with ScriptedServer(Reply(b"pong"), Reply(b"x" * 1000, trickle="body")) as proxy:
        no_proxies.setenv("http_proxy", proxy.url)
        target = f"http://model-{proxy.server_address[1]}.invalid"
        assert send(question(target)) == b"pong"
        assert fault_of(send, question(target, timeout=A_MOMENT))[0] is ProviderTimeout
    assert {request.path for request in proxy.requests} == {f"{target}/chat"}


@pytest.mark.parametrize("proxy", ["ftp://user:hidden-word@proxy:1", "http://proxy:no-port"])
def test_post__unusable_proxy(send: Send, no_proxies: pytest.MonkeyPatch, proxy: str) -> None:
    """An unusable proxy is reported, without its password."""
    no_proxies.setenv("http_proxy", proxy)
    kind, text = fault_of(send, question("http://behind-an-unusable-proxy.invalid"))
    assert kind is AccessDenied
    assert text.startswith("the environment's proxy cannot be used (")
    assert "hidden-word" not in text


# --- secrets


def test_post__repr_holds_no_key() -> None:
    """A request in a traceback's locals does not show the key."""
    request = question("http://127.0.0.1")
    assert KEY not in repr(request)
    assert json.loads(request.content) == {"ask": 1}
