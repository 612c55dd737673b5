"""Fetches linked images for providers that cannot. Always uses stapel-core's `safe_fetch`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import replace

from stapel_core.net.safe_fetch import SafeFetchError, fetch_bytes

from stapel_agent.asking import candidate_of
from stapel_agent.conf import agent_settings
from stapel_agent.database import agive_back, give_back
from stapel_agent.exceptions import InvalidImage, ProviderTimeout
from stapel_agent.providers import in_own_thread
from stapel_agent.types import CompletionRequest, InlineImage, LinkedImage

from .reading import TOO_LARGE, TYPES, inline_image, numbered
from .reserved_addresses import is_reserved
from .socket_deadline import socket_deadline

FETCH_SECONDS = 30.0
SILENCE_SECONDS = 10.0
GRACE_SECONDS = 0.5
"""How much longer a fetch may take than its caller waits, so that the caller reports the timeout."""

UNREACHABLE = "could not be fetched: its server is unreachable or closed the connection"
# Our own words: safe_fetch's messages reveal the resolved address, and whether a private name exists.
REASONS = {
    "blocked_ip": "could not be fetched: its host has no public address",
    "dns_resolution_failed": "could not be fetched: its host has no public address",
    "scheme_not_https": "could not be fetched: its server redirects to a URL without https",
    "too_many_redirects": "could not be fetched: it redirects too many times",
    "redirect_no_location": "could not be fetched: its server returned an error",
    "bad_status": "could not be fetched: its server returned an error",
    "too_large": TOO_LARGE,
}

Fetch = Future[InlineImage]


def fetched(request: CompletionRequest) -> CompletionRequest:
    """If IMAGE_FETCH is on, fetch the linked images and make them inline. Raises InvalidImage or ProviderTimeout."""
    if not _is_wanted(request):
        return request
    give_back()
    seconds = request.deadline.remaining(FETCH_SECONDS)
    fetches = _started(request, seconds)
    done, pending = wait(fetches, seconds, return_when=FIRST_EXCEPTION)
    broken = [fetch for fetch in fetches if fetch in done and fetch.exception()]
    if pending and not broken:
        raise _too_late(request, seconds)
    return _filled(request, [fetch.result() for fetch in broken or fetches])


async def afetched(request: CompletionRequest) -> CompletionRequest:
    """`fetched()` on an event loop."""
    if not _is_wanted(request):
        return request
    await agive_back()
    seconds = request.deadline.remaining(FETCH_SECONDS)
    fetches = _started(request, seconds)
    try:
        async with asyncio.timeout(seconds):
            images = await asyncio.gather(*map(asyncio.wrap_future, fetches))
    except TimeoutError:
        raise _too_late(request, seconds) from None
    return _filled(request, images)


def _is_wanted(request: CompletionRequest) -> bool:
    """Whether there is an image to fetch. Raises an AgentError if no provider can take the request."""
    if agent_settings.IMAGE_FETCH is not True or not any(isinstance(image, LinkedImage) for image in request.images):
        return False
    candidate_of(request)
    return True


def _started(request: CompletionRequest, seconds: float) -> list[Fetch]:
    """Start a fetch in its own thread for each link."""
    return [
        in_own_thread(_fetch, position=position, url=image.url, seconds=seconds)
        for position, image in enumerate(request.images)
        if isinstance(image, LinkedImage)
    ]


def _fetch(position: int, url: str, seconds: float) -> InlineImage:
    with numbered(position):
        return inline_image(_content(url, seconds), url=url)


def _content(url: str, seconds: float) -> bytes:
    limit, max_bytes = seconds + GRACE_SECONDS, int(agent_settings.IMAGE_MAX_BYTES)
    try:
        # safe_fetch checks its deadline only between large chunks of the body.
        with socket_deadline(limit, _refuse_reserved):
            answer = fetch_bytes(
                url,
                max_bytes=max_bytes,
                timeout=min(SILENCE_SECONDS, limit),
                total_deadline=limit,
                accept=TYPES,
            )
    except SafeFetchError as fault:
        raise InvalidImage(REASONS.get(fault.code, UNREACHABLE).format(max_bytes)) from None
    except Exception:
        raise InvalidImage(UNREACHABLE) from None
    return answer.content


def _refuse_reserved(host: str) -> None:
    if is_reserved(host):
        raise SafeFetchError("blocked_ip")


def _filled(request: CompletionRequest, images: Sequence[InlineImage]) -> CompletionRequest:
    inline = iter(images)
    filled = (next(inline) if isinstance(image, LinkedImage) else image for image in request.images)
    return replace(request, images=tuple(filled))


def _too_late(request: CompletionRequest, seconds: float) -> ProviderTimeout:
    if seconds < FETCH_SECONDS:
        return ProviderTimeout(f"the images could not be fetched in time (DEADLINE is {request.deadline.seconds:g} s)")
    return ProviderTimeout(f"the images could not be fetched within {FETCH_SECONDS:g} s: send their content instead")
