"""Error bodies that arrive in part, or compressed although nobody asked for it."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from stapel_agent.exceptions import OutOfCredit, ProviderError, RateLimited
from stapel_agent.providers.anthropic import AnthropicProvider
from stapel_agent.providers.openai_compat import OpenAICompatProvider
from stapel_agent.providers.wire import attempt_limits
from tests.scripted_server import Reply, ScriptedServer

KEY = "key-of-a-test"
QUOTA = {
    "error": {
        "message": "You exceeded your current quota, please check your plan and billing details.",
        "type": "insufficient_quota",
        "param": None,
        "code": "insufficient_quota",
    }
}
CODE_FIRST = {"error": {"code": "insufficient_quota", "message": "no"}}
GZIP = {"Content-Encoding": "gzip"}

Fault = Callable[[Reply], ProviderError]


ANTHROPIC = [pytest.param(name, marks=pytest.mark.sdk) for name in ("anthropic", "anthropic async")]


@pytest.fixture(params=["openai-compat", "openai-compat async", *ANTHROPIC])
def fault_of(request: pytest.FixtureRequest, agent: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Fault:
    """Returns the exception for a reply, through each built-in HTTP provider."""
    monkeypatch.setattr(attempt_limits, "ERROR_BODY_SECONDS", 0.3)
    kind = AnthropicProvider if "anthropic" in request.param else OpenAICompatProvider

    def fault(reply: Reply) -> ProviderError:
        with ScriptedServer(reply) as server:
            keys = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server.url, "OPENAI_COMPAT_BASE_URL": server.url}
            agent(**keys, OPENAI_COMPAT_API_KEY=KEY)
            call: dict[str, Any] = {"prompt": "say", "model": "m", "timeout": 30}
            with pytest.raises(ProviderError) as raised:
                asyncio.run(kind().acomplete(**call)) if "async" in request.param else kind().complete(**call)
        return raised.value

    return fault


@pytest.mark.parametrize("ending", ["hang", "close", "reset"])
@pytest.mark.parametrize("missing", [2, 40, 70])
def test_error__incomplete_body(fault_of: Fault, missing: int, ending: Any) -> None:
    """An empty account is known by what arrived of its error. The text itself is not shown: a key may be cut in it."""
    body = json.dumps(QUOTA).encode()
    fault = fault_of(Reply(body[:-missing], status=429, content_length=len(body), ending=ending))
    assert (type(fault), str(fault)) == (OutOfCredit, "HTTP 429: the body of the error is incomplete")


def test_error__whose_code_arrives(fault_of: Fault) -> None:
    """A code counts, although the object around it is not closed."""
    body = json.dumps(CODE_FIRST).encode()
    assert type(fault_of(Reply(body[:-9], status=429, content_length=len(body), ending="hang"))) is OutOfCredit


def test_error__in_part_without_a_clue(fault_of: Fault) -> None:
    """Without words or a code, the status decides."""
    assert type(fault_of(Reply(b'{"err', status=429, content_length=99, ending="hang"))) is RateLimited


@pytest.mark.parametrize("ending", ["hang", "close"])
def test_error__with_a_part_of_a_key(fault_of: Fault, ending: Any) -> None:
    """No part of a key that the vendor repeats is shown, if the connection ends in the middle of it."""
    body = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}).encode()
    assert KEY[:6] not in str(fault_of(Reply(body[:-6], status=401, content_length=len(body), ending=ending)))


@pytest.mark.parametrize("sizes", [(None,), (20, None)], ids=["one member", "two members"])
def test_error__compressed(fault_of: Fault, sizes: tuple[int | None, ...]) -> None:
    """The message and the code of a compressed error are read."""
    text = json.dumps(QUOTA).encode()
    body = b"".join(gzip.compress(text[start:end]) for start, end in zip((0, *sizes), sizes, strict=False))
    fault = fault_of(Reply(body, status=429, headers=GZIP))
    assert (type(fault), str(fault)) == (OutOfCredit, f"HTTP 429: {QUOTA['error']['message']}")


def test_error__compressed_in_part(fault_of: Fault) -> None:
    """What can be decompressed of an error that broke off decides."""
    packed = zlib.compressobj(0, wbits=31)
    body = packed.compress(json.dumps(QUOTA).encode()) + packed.flush()
    fault = fault_of(Reply(body[:-12], status=429, headers=GZIP, content_length=len(body), ending="close"))
    assert (type(fault), str(fault)) == (OutOfCredit, "HTTP 429: the body of the error is incomplete")


def test_error__compressed_without_bounds(fault_of: Fault) -> None:
    """The start of an endless error decides, and no more of it is unpacked."""
    bomb = gzip.compress(json.dumps(CODE_FIRST).encode() + b" " * 64 * 1024 * 1024)
    assert type(fault_of(Reply(bomb, status=429, headers=GZIP))) is OutOfCredit


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "zstd"])
def test_error__of_another_coding(fault_of: Fault, coding: str) -> None:
    """An error of a coding that nobody asked for is reported by its status and its coding."""
    fault = fault_of(Reply(b"\x0b\x02", status=429, headers={"Content-Encoding": coding}))
    assert (type(fault), f"the content coding {coding!r}" in str(fault)) == (RateLimited, True)
