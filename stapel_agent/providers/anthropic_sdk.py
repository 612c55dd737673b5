"""The Anthropic SDK, imported on first use. Its clients are pooled and ignore the environment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from stapel_agent.exceptions import AccessDenied

from .anthropic_events import EventWork
from .wire.attempt_limits import current_bounds
from .wire.connection_pool import ClientPool
from .wire.content_coding import REQUEST_HEADERS
from .wire.http import CONNECT_SECONDS, bounded_transport, no_cookies

if TYPE_CHECKING:
    from anthropic import Anthropic, AsyncAnthropic

MISSING_SDK = "the Anthropic SDK is not installed: pip install 'anthropic>=2.7,<3'"


def sdk() -> Any:
    """Return the module `anthropic`. Raises AccessDenied if it is not installed."""
    try:
        import anthropic
    except ImportError:
        raise AccessDenied(MISSING_SDK) from None
    return anthropic


def make_client(key: str, base_url: str) -> Anthropic:
    import httpx2

    transport = bounded_transport(httpx2.HTTPTransport, base_url)
    http_client = httpx2.Client(transport=transport, event_hooks={"response": [_on_head]}, **_http_options())
    client: Anthropic = sdk().Anthropic(http_client=http_client, **_client_options(key, base_url))
    return _without_environment(client)


def make_async_client(key: str, base_url: str) -> AsyncAnthropic:
    import httpx2

    transport = bounded_transport(httpx2.AsyncHTTPTransport, base_url)
    http_client = httpx2.AsyncClient(transport=transport, event_hooks={"response": [_aon_head]}, **_http_options())
    client: AsyncAnthropic = sdk().AsyncAnthropic(http_client=http_client, **_client_options(key, base_url))
    return _without_environment(client)


def _http_options() -> dict[str, Any]:
    import httpx2

    # A small compressed body can expand to gigabytes, which the SDK would read at once. So compression is not
    # requested, and compressed bodies are not decompressed.
    return {
        "timeout": httpx2.Timeout(None, connect=CONNECT_SECONDS),
        "cookies": no_cookies(),
        "headers": REQUEST_HEADERS,
    }


def _on_head(response: Any) -> None:
    # The SDK reads the body of an error before it raises, and drops one whose end does not arrive.
    bounds = current_bounds()
    bounds.answered(response.status_code, response.headers)
    response.headers.pop("Content-Encoding", None)
    watch = bounds.kept if response.status_code >= 300 else EventWork().count
    response.stream = _watched_stream(response.stream, watch)


async def _aon_head(response: Any) -> None:
    _on_head(response)


def _watched_stream(stream: Any, watch: Callable[[bytes], bytes]) -> Any:
    """Return `stream`, each part of which goes through `watch`."""
    import httpx2

    class WatchedStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
        def close(self) -> None:
            stream.close()

        async def aclose(self) -> None:
            await stream.aclose()

        def __iter__(self) -> Iterator[bytes]:
            return map(watch, stream)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for chunk in stream:
                yield watch(chunk)

    return WatchedStream()


def _client_options(key: str, base_url: str) -> dict[str, Any]:
    # Every option is set, because the SDK reads missing ones from the environment. That could change the address,
    # put prompts into traces, and send your OpenTelemetry baggage to the vendor.
    return {
        "api_key": key,
        "base_url": base_url,
        "webhook_key": "",
        "max_retries": 0,
        "open_telemetry": {"propagation": False},
    }


SdkClient = TypeVar("SdkClient", "Anthropic", "AsyncAnthropic")


def _without_environment(client: SdkClient) -> SdkClient:
    # The SDK adds the headers in ANTHROPIC_CUSTOM_HEADERS, and has no argument to prevent this.
    client._custom_headers = {}
    return client


clients = ClientPool(make_client, make_async_client)
