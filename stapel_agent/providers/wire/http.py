"""HTTP for all providers: transports, clients, and a POST request with its answer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ssl import SSLContext
from typing import TypeVar
from urllib.request import getproxies, proxy_bypass

import httpx

from stapel_agent.exceptions import AccessDenied, ProviderError
from stapel_agent.types import Usage

from .attempt_limits import Bounds, abounded_attempt, bounded_attempt
from .bounded_streams import bounded
from .call_thread import read_off_loop
from .connection_pool import ClientPool
from .content_coding import REQUEST_HEADERS, unpacked
from .error_body import ErrorBody
from .optional_fields import OptionalFields

CONNECT_SECONDS = 10.0
SECRET_PARAMETER = re.compile(r"key|token|secret|pass|auth|signature|credential|jwt|^(?:sig|code)$", re.IGNORECASE)
"""Names of query parameters that hold a credential. Others, such as Azure's `api-version`, are sent."""
NO_ACCESS = (401, 403)
"""The statuses of an answer to a request without a key."""
ENDPOINTS = ("/chat/completions", "/v1/messages")
"""The paths that this package adds to a root."""
ROOT_FIX = (
    "must begin with http:// or https://, without a password or key, and without the path of an endpoint such as"
    " /chat/completions: set it to the bare root of the API"
)
"""The fix for a base URL that `api_root()` rejects."""

Transport = TypeVar("Transport")


@cache
def ssl_context() -> SSLContext:
    """Return the TLS context, one per process, because reading the certificates takes tens of milliseconds."""
    return httpx.create_ssl_context()


@lru_cache(maxsize=64)
def api_root(text: str) -> httpx.URL | None:
    """Return `text` as the root URL of an API, or None if it is not the http(s) URL of one, without a secret."""
    try:
        root = httpx.URL(text)
    except httpx.InvalidURL:
        return None
    # httpx logs the URL of each request at INFO. A password in it would also be sent instead of the key.
    has_secret = bool(root.userinfo) or any(map(SECRET_PARAMETER.search, root.params))
    is_endpoint = root.path.rstrip("/").endswith(ENDPOINTS)
    return root if root.scheme in ("http", "https") and root.host and not (has_secret or is_endpoint) else None


def proxy_for(url: str) -> str | None:
    """Return the proxy from the environment for `url`, if any. Call it once per client, not per request."""
    target = httpx.URL(url)
    proxies = getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(target.netloc.decode("ascii")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def bounded_transport(kind: Callable[..., Transport], origin: str) -> Transport:
    """Return a transport of httpx or httpx2 for the clients of one origin. Raises AccessDenied."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=60)
    try:
        return bounded(kind(verify=ssl_context(), limits=limits, proxy=proxy_for(origin)))
    except (ImportError, ValueError, httpx.InvalidURL) as fault:
        raise AccessDenied(f"the environment's proxy cannot be used ({type(fault).__name__})") from None


# The attempt has the deadline. Only connecting has a shorter timeout.
_TIMEOUT = httpx.Timeout(None, connect=CONNECT_SECONDS)


def _make_client(origin: str) -> httpx.Client:
    transport = bounded_transport(httpx.HTTPTransport, origin)
    return httpx.Client(transport=transport, timeout=_TIMEOUT, cookies=no_cookies(), headers=REQUEST_HEADERS)


def _make_async_client(origin: str) -> httpx.AsyncClient:
    transport = bounded_transport(httpx.AsyncHTTPTransport, origin)
    return httpx.AsyncClient(transport=transport, timeout=_TIMEOUT, cookies=no_cookies(), headers=REQUEST_HEADERS)


def no_cookies() -> CookieJar:
    """Return a jar that stores no cookies, because one client serves all users."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


clients: ClientPool[httpx.Client, httpx.AsyncClient] = ClientPool(_make_client, _make_async_client)


@dataclass(frozen=True)
class Post:
    """One POST request: `content` to `url`, answered within `timeout` seconds.

    `setting` is the name of the base URL's setting, and `path` is the path below it. `own_codes` maps the vendor's
    error codes to failures. `optional_fields` are fields in `content` that the call omits if the vendor refuses them.
    `usage_in` returns the tokens that the body of an error states. `empty_key` is the name of the key's setting if it
    is empty. `model_fix` is the fix to show if the server has no such model.
    """

    url: httpx.URL
    content: bytes
    timeout: float
    headers: Mapping[str, str] = field(repr=False)
    setting: str = ""
    path: str = ""
    own_codes: Mapping[str, str] = field(default_factory=dict)
    optional_fields: tuple[OptionalFields, ...] = ()
    usage_in: Callable[[bytes], Usage] = lambda body: Usage()
    empty_key: str = ""
    model_fix: str = ""

    @property
    def peer(self) -> str:
        return peer_of(self.url, self.setting)

    @property
    def origin(self) -> str:
        return f"{self.url.scheme}://{self.url.netloc.decode('ascii')}"


def post(request: Post) -> bytes:
    """Send `request` and return the body of a 2xx answer. Raises ProviderError for any other answer."""
    with bounded_attempt(request.timeout, request.peer, partial(_refused_in_part, request)) as bounds:
        client = clients.client(request.origin)
        with client.stream("POST", request.url, content=request.content, headers=request.headers) as response:
            bounds.answered(response.status_code, response.headers)
            body = b"".join(map(bounds.kept, response.iter_raw()))
    return _accepted(request, bounds, body)


async def apost(request: Post) -> bytes:
    """`post()` for a caller on an event loop."""
    async with abounded_attempt(request.timeout, request.peer, partial(_refused_in_part, request)) as bounds:
        client = await clients.async_client(request.origin)
        async with client.stream("POST", request.url, content=request.content, headers=request.headers) as response:
            bounds.answered(response.status_code, response.headers)
            body = b"".join([bounds.kept(chunk) async for chunk in response.aiter_raw()])
    # A plain answer is returned as it came. An error is searched, and a compressed body may be of any length.
    length = math.inf if bounds.coding else len(body) if bounds.status >= 300 else 0
    return await read_off_loop(length, _accepted, request=request, bounds=bounds, body=body)


def _accepted(request: Post, bounds: Bounds, body: bytes) -> bytes:
    if not 200 <= bounds.status < 300:
        raise _fault(request, ErrorBody(bounds, body, is_whole=True))
    return unpacked(body, bounds.coding)


def _refused_in_part(request: Post, bounds: Bounds) -> ProviderError:
    return _fault(request, ErrorBody(bounds, is_whole=False))


def _fault(request: Post, body: ErrorBody) -> ProviderError:
    path = request.url.raw_path.partition(b"?")[0].decode("ascii")
    version = ", which ends in /v1 for most APIs" if path == request.path else ""
    fix = f"the request went to {path!r}: {base_url_fix(request.setting, request.path)}{version}"
    fault = body.fault(
        address_fix=fix if request.setting else "",
        model_fix=request.model_fix,
        optional_fields=request.optional_fields,
        usage_in=request.usage_in,
        own_codes=request.own_codes,
    )
    if request.empty_key and body.status in NO_ACCESS:
        fault.args = (f"{fault}; {request.empty_key} is empty",)
    return fault


def peer_of(url: httpx.URL, setting: str) -> str:
    """Return the address of a request, and the setting it comes from."""
    address = url.netloc.decode("ascii")
    return f"{address}, set in {setting}" if setting else address


def base_url_fix(setting: str, path: str) -> str:
    return f"set {setting} to the part of the API's URL before {path}"
