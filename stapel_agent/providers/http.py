"""HTTP for every vendor: pooled clients, the bounds of an attempt, and status code -> exception."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import re
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ssl import SSLContext
from typing import Any, Generic, Protocol, TypeVar
from urllib.request import getproxies, proxy_bypass

import httpx

from stapel_agent.exceptions import (
    AccessDenied,
    InvalidAnswer,
    OutOfCredit,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from stapel_agent.redaction import redact

MAX_ANSWER_BYTES = 16 * 1024 * 1024
CONNECT_SECONDS = 10.0
EXCERPT_LENGTH = 300

FAULT_BY_STATUS: dict[int, type[ProviderError]] = {
    401: AccessDenied,
    402: OutOfCredit,
    403: AccessDenied,
    408: ProviderUnavailable,
    409: ProviderUnavailable,
    429: RateLimited,
}
EMPTY_ACCOUNT = re.compile(r"credit balance is too low|insufficient[ _](?:balance|credit|funds|quota)", re.IGNORECASE)
MONEY = re.compile(r"credit|quota|billing|balance|arrears|recharge|余额|欠费", re.IGNORECASE)
PACE = re.compile(r"rate.?limit|per (?:second|minute|min|hour|day)|try again in", re.IGNORECASE)

# What a transport raises, before `bounded_attempt` says what it means for the attempt.
TRANSPORT_FAULTS = (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError)


def classify(status: int, message: str) -> ProviderError:
    """The fault that an HTTP status means, whoever the vendor is. `message` is short and holds no secret."""
    if 300 <= status < 400:
        return ProviderUnavailable(f"HTTP {status}: a redirect, not followed; set the base URL to where it leads")
    fault = FAULT_BY_STATUS.get(status) or (ProviderUnavailable if status >= 500 else RequestRejected)
    if _out_of_credit(status, message):
        fault = OutOfCredit
    return fault(f"HTTP {status}: {message}" if message else f"HTTP {status}")


def _out_of_credit(status: int, message: str) -> bool:
    if status in (400, 401, 402, 403, 429) and EMPTY_ACCOUNT.search(message):
        return True
    # A rate limit's text often names a quota, and points to the billing page for a larger one.
    return status in (401, 402, 403, 429) and bool(MONEY.search(message)) and not PACE.search(message)


def excerpt(body: str | bytes) -> str:
    """What an error body says, on one short line without credentials."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    # Cut after redaction, for half a key is no longer recognised; cut before too, to bound its cost.
    return redact(" ".join(_stated_message(text[: 64 * 1024]).split()))[:EXCERPT_LENGTH]


def _stated_message(text: str) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    while found and isinstance(found, dict | list):
        if isinstance(found, list):
            found = found[0]
        else:
            stated = (found.get(name) for name in ("error", "message", "detail", "msg"))
            found = next((value for value in stated if value and isinstance(value, str | dict | list)), None)
    return found if isinstance(found, str) else text


class SizeLimit:
    """Counts what has been received, and refuses more than MAX_ANSWER_BYTES."""

    def __init__(self) -> None:
        self.received = 0

    def count(self, chunk: bytes) -> bytes:
        self.received += len(chunk)
        if self.received > MAX_ANSWER_BYTES:
            raise InvalidAnswer(f"the answer is larger than {MAX_ANSWER_BYTES:,} bytes")
        return chunk


class Bounds:
    """What one attempt may take: `timeout` seconds on the wall clock, and MAX_ANSWER_BYTES on the wire.

    Set `status` when the answer's head is in: a fault after a 2xx one is an answer that broke off, and was paid.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.deadline = time.monotonic() + timeout
        self.size = SizeLimit()
        self.status: int | None = None

    def remaining(self, limit: float | None = None) -> float:
        """Seconds that a network operation may take, `limit` at most. Raises ProviderTimeout when none are left."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise self._timed_out()
        return seconds if limit is None else min(seconds, limit)

    def fault(self, cause: Exception) -> ProviderError:
        """What `cause`, raised while the attempt was under way, means for it."""
        if time.monotonic() >= self.deadline:
            return self._timed_out()
        text = f"{type(cause).__name__}: {excerpt(str(cause))}"
        if self.status is None:
            return ProviderUnavailable(f"the provider cannot be reached ({text})")
        if self.status >= 300:
            return classify(self.status, "the body of the error broke off")
        return InvalidAnswer(f"the answer broke off ({text})")

    def _timed_out(self) -> ProviderTimeout:
        return ProviderTimeout(f"no complete answer within {self.timeout:g} s")


_bounds: ContextVar[Bounds] = ContextVar("bounds")


@contextmanager
def bounded_attempt(timeout: float) -> Iterator[Bounds]:
    """Bound all that `bounded` transports do in this block, and turn the faults of httpx into ProviderErrors."""
    bounds = Bounds(timeout)
    token = _bounds.set(bounds)
    try:
        yield bounds
    except TRANSPORT_FAULTS as fault:
        raise bounds.fault(fault) from None
    finally:
        _bounds.reset(token)


@asynccontextmanager
async def abounded_attempt(timeout: float) -> AsyncIterator[Bounds]:
    """`bounded_attempt` for an event loop, which keeps the time itself."""
    with bounded_attempt(timeout) as bounds:
        async with asyncio.timeout(timeout):
            yield bounds


Transport = TypeVar("Transport")


def bounded(transport: Transport) -> Transport:
    """Make an HTTPTransport or AsyncHTTPTransport, of httpx or of httpx2, obey the `bounded_attempt` it is used in.

    Their own timeouts hold for one read each: a peer that trickles a byte at a time never meets them.
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
        # One address at a time: the backend would give the whole timeout to each of them.
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

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        bounds = _bounds.get()
        return bounds.size.count(self._stream.read(max_bytes, bounds.remaining(timeout)))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In slices: the stream would give the whole timeout to each part that a slow peer lets through.
        for start in range(0, len(buffer), self.WRITE_SIZE):
            self._stream.write(buffer[start : start + self.WRITE_SIZE], _bounds.get().remaining(timeout))

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
        self.write = stream.write
        self.aclose = stream.aclose
        self.get_extra_info = stream.get_extra_info

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return _bounds.get().size.count(await self._stream.read(max_bytes, timeout))

    async def start_tls(self, *arguments: Any, **options: Any) -> BoundedAsyncStream:
        try:
            return BoundedAsyncStream(await self._stream.start_tls(*arguments, **options))
        except BaseException:
            # A cancelled handshake closes nothing by itself, and the connection is known to nobody else yet.
            await self.aclose()
            raise


class Closable(Protocol):
    def close(self) -> None: ...


Client = TypeVar("Client", bound=Closable)
AsyncClient = TypeVar("AsyncClient", bound=AbstractAsyncContextManager[Any])


class ClientPool(Generic[Client, AsyncClient]):
    """Clients made on first use and kept: one per configuration and process, or event loop for async ones.

    A configuration is what the two makers take as arguments. No lock guards it, since a forked child
    could inherit one held for ever; a client made twice in a race is dropped before it connects.
    """

    def __init__(self, make: Callable[..., Client], make_async: Callable[..., AsyncClient]) -> None:
        self._make = make
        self._make_async = make_async
        self._clients: dict[tuple[Hashable, ...], Client] = {}
        self._async_clients: dict[Any, tuple[AsyncClient, AsyncGenerator[None]]] = {}
        atexit.register(self._close)

    def client(self, *configuration: Hashable) -> Client:
        # The process id: a forked child must not write on its parent's connections.
        key = (os.getpid(), *configuration)
        client = self._clients.get(key)
        return client if client is not None else self._clients.setdefault(key, self._make(*configuration))

    async def async_client(self, *configuration: Hashable) -> AsyncClient:
        key = (asyncio.get_running_loop(), os.getpid(), *configuration)
        if key not in self._async_clients:
            self._forget_closed_loops()
            client = self._make_async(*configuration)
            lifetime = self._lifetime(key, client)
            self._async_clients[key] = client, lifetime
            await anext(lifetime)
        return self._async_clients[key][0]

    async def _lifetime(self, key: Hashable, client: AsyncClient) -> AsyncGenerator[None]:
        # A loop closes its async generators while it can still close their connections.
        async with client:
            try:
                yield
            finally:
                self._async_clients.pop(key, None)

    def _close(self) -> None:
        for (process, *_), client in list(self._clients.items()):
            if process == os.getpid():
                client.close()

    def _forget_closed_loops(self) -> None:
        for key in list(self._async_clients):
            if key[0].is_closed():
                self._async_clients.pop(key, None)


@cache
def ssl_context() -> SSLContext:
    """The one TLS context of this process: reading the certificates costs tens of milliseconds."""
    return httpx.create_ssl_context()


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for `url`, if any. To be asked once per client, not per request."""
    target = httpx.URL(url)
    proxies = getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(target.netloc.decode("ascii")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _transport(kind: Callable[..., Transport], origin: str) -> Transport:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=60)
    try:
        return bounded(kind(verify=ssl_context(), limits=limits, proxy=proxy_for(origin)))
    except (ImportError, ValueError, httpx.InvalidURL) as fault:
        raise ProviderUnavailable(f"the environment's proxy cannot be used ({type(fault).__name__})") from None


# The deadline is the attempt's; only an address that does not answer is given up earlier.
_TIMEOUT = httpx.Timeout(None, connect=CONNECT_SECONDS)


def _make_client(origin: str) -> httpx.Client:
    return httpx.Client(transport=_transport(httpx.HTTPTransport, origin), timeout=_TIMEOUT, cookies=_no_cookies())


def _make_async_client(origin: str) -> httpx.AsyncClient:
    transport = _transport(httpx.AsyncHTTPTransport, origin)
    return httpx.AsyncClient(transport=transport, timeout=_TIMEOUT, cookies=_no_cookies())


def _no_cookies() -> CookieJar:
    """A jar that keeps nothing: one client serves every user."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


clients: ClientPool[httpx.Client, httpx.AsyncClient] = ClientPool(_make_client, _make_async_client)


@dataclass(frozen=True)
class Post:
    """One POST request: `content` to `url`, answered within `timeout` seconds."""

    url: httpx.URL
    content: bytes
    timeout: float
    headers: Mapping[str, str] = field(repr=False)

    @property
    def origin(self) -> str:
        return f"{self.url.scheme}://{self.url.netloc.decode('ascii')}"


def post(request: Post) -> bytes:
    """Send `request`; the body of a 2xx answer. Anything else is raised as a ProviderError."""
    with bounded_attempt(request.timeout) as bounds:
        client = clients.client(request.origin)
        with client.stream("POST", request.url, content=request.content, headers=request.headers) as response:
            bounds.status = response.status_code
            # Counted anew: what is small on the wire may be huge when unpacked.
            body = b"".join(map(SizeLimit().count, response.iter_bytes()))
    return _accepted(response.status_code, body)


async def apost(request: Post) -> bytes:
    """`post()` for a caller on an event loop."""
    async with abounded_attempt(request.timeout) as bounds:
        client = await clients.async_client(request.origin)
        async with client.stream("POST", request.url, content=request.content, headers=request.headers) as response:
            bounds.status = response.status_code
            unpacked = SizeLimit()
            body = b"".join([unpacked.count(chunk) async for chunk in response.aiter_bytes()])
    return _accepted(response.status_code, body)


def _accepted(status: int, body: bytes) -> bytes:
    if not 200 <= status < 300:
        raise classify(status, excerpt(body))
    return body
