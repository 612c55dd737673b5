"""The Anthropic provider: the real SDK against a scripted Messages API on loopback, both sync and async."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import logging
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from stapel_agent.exceptions import (
    AccessDenied,
    AnswerInterrupted,
    AnswerMissing,
    InvalidAnswer,
    OutOfCredit,
    ParameterRefused,
    ProviderDown,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestInterrupted,
    RequestRejected,
)
from stapel_agent.models import PromptLog
from stapel_agent.providers import anthropic_sdk
from stapel_agent.providers.anthropic import Access, AnthropicProvider
from stapel_agent.providers.anthropic_events import EventWork
from stapel_agent.providers.base import ProviderResult
from stapel_agent.providers.wire import attempt_limits
from stapel_agent.types import Usage
from tests.scripted_server import Reply, ScriptedServer

from .message_stream import (
    MESSAGE_STOP,
    error_document,
    error_event,
    event,
    message,
    message_delta,
    message_start,
    stream,
    text_block,
    thinking_block,
    unfinished_stream,
)

pytestmark = [pytest.mark.sdk, pytest.mark.any_database]

KEY = "sk-ant-api03-test-key"
QUESTION = {"prompt": "Say hello.", "model": "claude-x"}
ANSWER = ProviderResult("Hello", input_tokens=25, output_tokens=15)
SPENT = Usage(input_tokens=25, output_tokens=1)


@dataclass(frozen=True)
class Fault:
    """Everything in a ProviderError that a caller can see."""

    type: type[ProviderError]
    message: str
    usage: Usage | None = None
    text: str | None = None


class Asker:
    """Calls the provider synchronously, or on its own event loop."""

    def __init__(self, *, on_loop: bool) -> None:
        self._on_loop = on_loop

    def times(self, count: int, **arguments: Any) -> list[ProviderResult]:
        provider = AnthropicProvider()
        arguments = {**QUESTION, **arguments}
        if not self._on_loop:
            return [provider.complete(**arguments) for _ in range(count)]

        async def ask() -> list[ProviderResult]:
            return [await provider.acomplete(**arguments) for _ in range(count)]

        return asyncio.run(ask())

    def __call__(self, **arguments: Any) -> ProviderResult:
        return self.times(1, **arguments)[0]

    def fault(self, **arguments: Any) -> Fault:
        with pytest.raises(ProviderError) as caught:
            self(**arguments)
        return Fault(type(caught.value), str(caught.value), caught.value.usage, caught.value.text)


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Asker:
    """The provider, called both ways."""
    return Asker(on_loop=request.param == "async")


@pytest.fixture
def server(agent: Callable[..., None]) -> Iterator[ScriptedServer]:
    """A Messages API at the configured address. It answers "Hello" until its replies are changed."""
    with ScriptedServer(stream(message("Hello"))) as scripted:
        agent(ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=scripted.url)
        yield scripted


def test_complete__whole_answer(ask: Asker, server: ScriptedServer) -> None:
    """Text blocks are joined, thinking and unknown events are left out, and each token count has its own field."""
    server.replies = [
        stream(
            message_start(cache_read_input_tokens=7, cache_creation_input_tokens=3),
            event("ping"),
            thinking_block("It asks for a greeting."),
            text_block("Hel", "lo, ", index=1),
            event("content_block_pondered", index=1, mood="calm"),
            text_block("wörld", index=2),
            message_delta(output_tokens=40, output_tokens_details={"thinking_tokens": 12}),
            MESSAGE_STOP,
        )
    ]

    assert ask() == ProviderResult(
        "Hello, wörld",
        input_tokens=25,
        output_tokens=40,
        thinking_tokens=12,
        cache_read_tokens=7,
        cache_write_tokens=3,
    )


def test_complete__cache_writes_by_their_lifetime(ask: Asker, server: ScriptedServer) -> None:
    """If the sum of the cache writes is missing, it is that of its parts."""
    parts = {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 100}
    start = message_start(cache_creation_input_tokens=None, cache_creation=parts)
    server.replies = [stream(start, text_block("Hello"), message_delta(), MESSAGE_STOP)]

    assert ask() == ProviderResult("Hello", 25, 15, cache_write_tokens=400, cache_write_1h_tokens=100)


def test_complete__cache_writes_at_the_end(ask: Asker, server: ScriptedServer) -> None:
    """A gateway may state the parts of the cache writes only at the end, for which the SDK knows no such field."""
    parts = {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 300}
    end = message_delta(input_tokens=25, cache_creation_input_tokens=400, cache_creation=parts)
    server.replies = [stream(message_start(input_tokens=0), text_block("Hello"), end, MESSAGE_STOP)]

    assert ask() == ProviderResult("Hello", 25, 15, cache_write_tokens=400, cache_write_1h_tokens=300)


@pytest.mark.parametrize(
    ("stated", "metadata"),
    [
        ({"web_search_requests": 3, "web_fetch_requests": 5}, {"web_searches": 3}),
        ({"web_search_requests": 0, "tool_search_requests": 2}, {"other_tool_uses": 2}),
        ({"web_search_requests": None, "web_fetch_requests": 5, "odd": "x"}, {}),
        (None, {}),
        ("many", {}),
    ],
    ids=str,
)
def test_complete__tool_uses(ask: Asker, server: ScriptedServer, stated: Any, metadata: dict[str, int]) -> None:
    """The uses of the vendor's tools that it bills are in the metadata."""
    server.replies = [stream(message_start(), text_block("x"), message_delta(server_tool_use=stated), MESSAGE_STOP)]

    assert ask() == ProviderResult("x", 25, 15, metadata=metadata)


def test_complete__request_on_the_wire(ask: Asker, server: ScriptedServer) -> None:
    """The request has the API's format. Unsupported keywords of the schema become descriptions."""
    schema = {
        "type": "object",
        "properties": {"age": {"type": "integer", "minimum": 0}, "name": {"type": ["string", "null"]}},
        "required": ["age"],
    }

    ask(system_prompt="Be brief.", schema=schema, max_tokens=64_000)

    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/messages")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert request.json == {
        "model": "claude-x",
        "max_tokens": 64_000,
        "messages": [{"role": "user", "content": "Say hello."}],
        "system": "Be brief.",
        "stream": True,
        "output_config": {
            "format": {
                "type": "json_schema",
                "schema": {
                    "type": "object",
                    "properties": {
                        "age": {"type": "integer", "description": "{minimum: 0}"},
                        "name": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    },
                    "required": ["age"],
                    "additionalProperties": False,
                },
            }
        },
    }


def test_complete__definitions_of_draft_7(ask: Asker, server: ScriptedServer) -> None:
    """Definitions under the name that they had until draft 7 are sent as `$defs`, with the references to them."""
    person = {"type": "object", "properties": {"name": {"type": "string"}}}
    place = {"type": "string"}
    properties = {"who": {"$ref": "#/definitions/person"}, "where": {"$ref": "#/$defs/place"}}
    schema = {"type": "object", "properties": properties, "definitions": {"person": person}, "$defs": {"place": place}}

    ask(schema=schema)

    sent = server.requests[0].json["output_config"]["format"]["schema"]
    assert sent == {
        "type": "object",
        "properties": {"who": {"$ref": "#/$defs/person"}, "where": {"$ref": "#/$defs/place"}},
        "$defs": {"person": {**person, "additionalProperties": False}, "place": place},
        "additionalProperties": False,
    }


def test_complete__settings_fill_in(ask: Asker, server: ScriptedServer, agent: Callable[..., None]) -> None:
    """Without its own cap, a request has that of MAX_TOKENS. An empty system prompt is not sent."""
    agent(MAX_TOKENS=321)

    ask(system_prompt="")

    assert server.requests[0].json == {
        "model": "claude-x",
        "max_tokens": 321,
        "messages": [{"role": "user", "content": "Say hello."}],
        "stream": True,
    }


def test_complete__cli_timeout_fills_in(ask: Asker, server: ScriptedServer, agent: Callable[..., None]) -> None:
    """Without its own timeout, an attempt has that of CLI_TIMEOUT."""
    agent(CLI_TIMEOUT=0.2)
    server.replies = [unfinished_stream(ending="hang")]

    assert ask.fault() == Fault(ProviderTimeout, "no complete answer within 0.2 s")


def test_complete__lone_surrogate(ask: Asker, server: ScriptedServer) -> None:
    """A lone surrogate in a prompt is sent as a question mark."""
    assert ask(prompt="a\ud800b", system_prompt="c\udfffd") == ANSWER

    sent = server.requests[0].json
    assert (sent["messages"], sent["system"]) == ([{"role": "user", "content": "a?b"}], "c?d")


def test_complete__one_connection(ask: Asker, server: ScriptedServer) -> None:
    """Fifty calls in one process and on one loop share one connection."""
    assert ask.times(50) == [ANSWER] * 50
    assert (len(server.requests), server.connections) == (50, 1)


def test_complete__key_rotation(ask: Asker, server: ScriptedServer, agent: Callable[..., None]) -> None:
    """The key is read from the settings at call time."""
    ask()
    agent(ANTHROPIC_API_KEY="sk-ant-api03-new-key")
    ask()

    keys = [request.headers["authorization"] for request in server.requests]
    assert keys == [f"Bearer {KEY}", "Bearer sk-ant-api03-new-key"]


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("a reason of the future", "a reason of the future"),
    ],
)
def test_complete__stop_reasons(ask: Asker, server: ScriptedServer, stop_reason: str, finish_reason: str) -> None:
    """The finish reason is one of the words that all providers use."""
    server.replies = [stream(message_start(), text_block("Hello"), message_delta(stop_reason), MESSAGE_STOP)]

    assert ask() == replace(ANSWER, finish_reason=finish_reason)


@pytest.mark.parametrize(("stop_reason", "finish_reason"), [("max_tokens", "length"), ("refusal", "content_filter")])
def test_complete__no_text_but_a_reason(
    ask: Asker, server: ScriptedServer, stop_reason: str, finish_reason: str
) -> None:
    """An answer that was refused, or cut off while thinking, keeps its finish reason, although it has no text."""
    server.replies = [stream(message_start(), thinking_block("Hm."), message_delta(stop_reason), MESSAGE_STOP)]

    assert ask() == ProviderResult("", input_tokens=25, output_tokens=15, finish_reason=finish_reason)


def test_complete__no_text(ask: Asker, server: ScriptedServer) -> None:
    """An answer with only thinking fails, and what it cost is kept."""
    server.replies = [stream(message_start(), thinking_block("Hm."), message_delta(), MESSAGE_STOP)]

    assert ask.fault() == Fault(AnswerMissing, "the answer contains no text", Usage(25, 15))


@pytest.mark.parametrize(
    ("details", "metadata"),
    [
        ({"type": "refusal", "category": "cyber", "explanation": "..."}, {"refusal_category": "cyber"}),
        ({"type": "refusal", "category": None}, {}),
        ({"type": "refusal", "category": "x" * 100}, {"refusal_category": "x" * 64}),
        (None, {}),
        ("odd", {}),
    ],
)
def test_complete__refusal(ask: Asker, server: ScriptedServer, details: Any, metadata: dict[str, str]) -> None:
    """A refusal has the vendor's category, if it is stated."""
    server.replies = [stream(message_start(), text_block("No."), message_delta("refusal", details), MESSAGE_STOP)]

    result = ask()
    assert (result.finish_reason, dict(result.metadata)) == ("content_filter", metadata)


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"input_tokens": "12", "output_tokens": "many"}, Usage(12, 15)),
        ({"input_tokens": -4, "output_tokens": 1e300}, Usage(None, 2**31 - 1)),
        ({"input_tokens": None, "output_tokens": None}, Usage(None, 15)),
        ({"input_tokens": [5], "output_tokens": {"a": 1}, "cache_read_input_tokens": "none"}, Usage(None, 15)),
        ({"output_tokens_details": "none"}, Usage(25, 15)),
        ({"output_tokens_details": {"thinking_tokens": "a few"}}, Usage(25, 15)),
        ({"output_tokens_details": {"thinking_tokens": 99}}, Usage(25, 15, 15)),
        ({"input_tokens": 25, "cache_read_input_tokens": 2000}, Usage(25, 15, cache_read_tokens=2000)),
        ({"input_tokens": 5, "cache_read_input_tokens": 20}, Usage(5, 15, cache_read_tokens=20)),
    ],
)
def test_complete__odd_usage(ask: Asker, server: ScriptedServer, usage: dict[str, Any], counted: Usage) -> None:
    """An invalid token count does not lose a paid answer."""
    server.replies = [stream(message_start(**usage), text_block("Hello"), message_delta(), MESSAGE_STOP)]

    answer = ask()

    assert (answer.text, answer.input_tokens) == ("Hello", counted.figures["input_tokens"])
    assert (answer.output_tokens, answer.thinking_tokens) == (counted.output_tokens, counted.thinking_tokens)


@pytest.mark.parametrize("usage", ["none", None, 7, []])
def test_complete__usage_of_another_type(ask: Asker, server: ScriptedServer, usage: object) -> None:
    """An answer with missing or invalid usage counts as free."""
    start = event("message_start", message={"role": "assistant", "content": [], "usage": usage})
    end = event("message_delta", delta={"stop_reason": "end_turn"}, usage=usage)
    server.replies = [stream(start, text_block("Hello"), end, MESSAGE_STOP)]

    assert ask() == ProviderResult("Hello")


def test_complete__long_answer(ask: Asker, server: ScriptedServer) -> None:
    """A megabyte in 20,000 pieces is joined in linear time: quadratic work would take minutes."""
    pieces = [f"{number:052}" for number in range(20_000)]
    server.replies = [stream(message(*pieces))]

    assert ask(timeout=60) == replace(ANSWER, text="".join(pieces))


def test_complete__large_event(ask: Asker, server: ScriptedServer) -> None:
    """One event of eight megabytes is read in linear time too."""
    server.replies = [stream(message("é" * 1_300_000))]

    assert ask(timeout=60) == replace(ANSWER, text="é" * 1_300_000)


@pytest.mark.parametrize(
    "lines",
    [b":\n" * 200_000, b"\r: \n" * 50_000, b"data: " + b"x" * 4_000_000 + b"\n" + b":\n" * 1_000],
    ids=["short lines", "carriage returns", "a long line first"],
)
def test_complete__event_of_many_lines(ask: Asker, server: ScriptedServer, lines: bytes) -> None:
    """An event without an end does not hold the process: the SDK would copy it once per line."""
    server.replies = [unfinished_stream(lines, ending="hang")]

    assert ask.fault(timeout=10) == Fault(InvalidAnswer, "the answer has an event that is too long or never ends")


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_complete__many_comments(ask: Asker, server: ScriptedServer, line_end: bytes) -> None:
    """A vendor may send many comments, which end like events, also in parts that arrive separately."""
    whole = (b": wait\n\n" * 20_000 + message("Hello")).replace(b"\n", line_end)
    server.replies = [stream(whole)]

    assert ask(timeout=30) == ANSWER


def test_event_work__split_anywhere() -> None:
    """The end of an event counts wherever the network splits it."""
    work = EventWork()
    for _ in range(20_000):
        for part in (b"data: {}\r", b"\n\r", b"\n", b": a\n", b"\n", b"\n"):
            assert work.count(part) == part


@pytest.mark.parametrize(
    ("status", "kind", "text", "fault"),
    [
        (400, "invalid_request_error", "max_tokens: must be positive", RequestRejected),
        (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", OutOfCredit),
        (401, "authentication_error", "invalid x-api-key", AccessDenied),
        (402, "billing_error", "Your account has a billing problem.", OutOfCredit),
        (403, "permission_error", "Your key may not use this model.", AccessDenied),
        (404, "not_found_error", "model: claude-x", RequestRejected),
        (413, "request_too_large", "Request exceeds the maximum size", RequestRejected),
        (429, "rate_limit_error", "This request would exceed your rate limit of 50 per minute", RateLimited),
        (500, "api_error", "Internal server error", ProviderUnavailable),
        (504, "timeout_error", "The request took too long", RequestInterrupted),
        (529, "overloaded_error", "Overloaded", ProviderUnavailable),
    ],
)
class TestErrors:
    def test_complete__http_error(
        self, ask: Asker, server: ScriptedServer, status: int, kind: str, text: str, fault: type[ProviderError]
    ) -> None:
        """An error answer raises the exception for its status and text, after one request: the SDK does not retry."""
        server.replies = [Reply.of(error_document(kind, text), status=status)]

        assert ask.fault() == Fault(fault, f"HTTP {status}: {text}")
        assert len(server.requests) == 1

    def test_complete__error_in_the_stream(
        self, ask: Asker, server: ScriptedServer, status: int, kind: str, text: str, fault: type[ProviderError]
    ) -> None:
        """An error inside the stream raises the same exception, with the text and usage so far."""
        server.replies = [stream(message_start(), text_block("Hel"), error_event(kind, text))]

        assert ask.fault() == Fault(fault, f"HTTP {status}: {text}", SPENT, "Hel")


@pytest.mark.parametrize("rest", [text_block(" and more"), message(" and another")], ids=["text", "message"])
def test_complete__text_after_the_end(ask: Asker, server: ScriptedServer, rest: bytes) -> None:
    """What follows the end of a message is no part of the answer."""
    server.replies = [stream(message("Hello"), rest)]

    assert ask().text == "Hello"


@pytest.mark.parametrize("status", [429, 500, 529])
def test_complete__error_with_usage(ask: Asker, server: ScriptedServer, status: int) -> None:
    """The tokens that an error answer states are kept: they are billed."""
    usage = {"input_tokens": 500, "cache_read_input_tokens": 30, "output_tokens": 40}
    server.replies = [Reply.of({**error_document("odd", "no"), "usage": usage}, status=status)]

    assert ask.fault().usage == Usage(500, 40, cache_read_tokens=30)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["overloaded_error", "rate_limit_error", "api_error", "authentication_error", "odd"])
@pytest.mark.parametrize("usage", [{}, {"input_tokens": 0, "output_tokens": 0}], ids=["stated", "not stated"])
def test_complete__error_in_the_stream_is_booked(
    facade: Any, server: ScriptedServer, agent: Callable[..., None], kind: str, usage: dict[str, int]
) -> None:
    """An answer that ends in an error after it began is charged its estimate, and never counts as free."""
    agent(ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=server.url, DEFAULT_PROVIDER="anthropic", RETRIES=0)
    server.replies = [stream(message_start(**usage), error_event(kind, "no"))]

    assert facade.complete("hello", "small")["status"] == "failure"
    row = PromptLog.objects.get()
    assert row.cost_basis == "estimated"
    assert row.estimated_cost_usd is not None and row.estimated_tokens


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (
            Reply(b"<html>Bad gateway</html>", status=502),
            Fault(ProviderUnavailable, "HTTP 502: <html>Bad gateway</html>"),
        ),
        (Reply(status=500), Fault(ProviderUnavailable, "HTTP 500")),
        (Reply(b"null", status=400), Fault(RequestRejected, "HTTP 400: null")),
        (Reply(b'["no such model"]', status=404), Fault(RequestRejected, "HTTP 404: no such model")),
        (Reply(b"\xff\xfe", status=400), Fault(RequestRejected, "HTTP 400: \ufffd\ufffd")),
        (stream(event("error", error="none")), Fault(ProviderUnavailable, "HTTP 500: none")),
        (stream(b"event: error\ndata: out of order\n\n"), Fault(ProviderUnavailable, "HTTP 500: out of order")),
    ],
)
def test_complete__error_of_another_form(ask: Asker, server: ScriptedServer, reply: Reply, fault: Fault) -> None:
    """An error in another format, as from a gateway, is classified too."""
    server.replies = [reply]

    assert ask.fault() == fault


@pytest.mark.parametrize("status", [429, 529])
@pytest.mark.parametrize(
    "options",
    [
        {"ending": "reset"},
        {"trickle": "body", "body": b"{" * 1000, "pause": 0.2},
        {"headers": {"Content-Encoding": "gzip"}, "content_length": 1},
        {"headers": {"Transfer-Encoding": "chunked"}, "ending": "close"},
    ],
    ids=["reset", "slow", "not gzip", "not chunks"],
)
def test_complete__undelivered_body_of_an_error(
    ask: Asker, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, status: int, options: dict[str, Any]
) -> None:
    """The status of an error decides, whatever happens to its body. `test_retries` has other bodies."""
    monkeypatch.setattr(attempt_limits, "MAX_ANSWER_BYTES", 300_000)
    server.replies = [Reply(**{"body": b"{", "status": status, "content_length": 1000, **options})]

    fault = ask.fault(timeout=1 if "trickle" in options else 30)
    assert fault.type is (RateLimited if status == 429 else ProviderUnavailable)
    assert fault.message.startswith(f"HTTP {status}: ")


def test_complete__redirect(ask: Asker, server: ScriptedServer) -> None:
    """A redirect is not followed: it would send the prompt to a host that nobody configured."""
    with ScriptedServer(stream(message("Hello"))) as elsewhere:
        server.replies = [Reply(status=307, headers={"Location": f"{elsewhere.url}/v1/messages"})]

        assert ask.fault().type is ProviderDown
        assert elsewhere.requests == []


def test_complete__keeps_no_cookies(ask: Asker, server: ScriptedServer) -> None:
    """A cookie from one answer is not sent with the next request: one client serves every user."""
    server.replies = [Reply(message("Hello"), headers={"Set-Cookie": "user=1"})]

    assert ask.times(2) == [ANSWER, ANSWER]
    assert [request.headers.get("cookie") for request in server.requests] == [None, None]


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_complete__stream_cut_off(ask: Asker, server: ScriptedServer, ending: Any) -> None:
    """A stream that breaks off is not an answer, and its text and usage are kept."""
    server.replies = [unfinished_stream(message_start(), text_block("Hel"), ending=ending)]

    fault = ask.fault()

    assert fault == Fault(AnswerInterrupted, fault.message, SPENT, "Hel")
    assert fault.message.startswith("the answer is incomplete (")


@pytest.mark.parametrize(
    "last",
    [
        *([], [MESSAGE_STOP], [message_delta(None)]),
        *([message_delta(None), MESSAGE_STOP], [message_delta(""), MESSAGE_STOP]),
        [event("content_block_start", index=1, content_block={"type": "text", "text": ""}), message_delta()],
        [message_delta(), event("content_block_delta", index=0, delta={"type": "text_delta", "text": ""})],
    ],
    ids=["nothing", "no delta", "no reason", "null", "empty", "open block", "reopened block"],
)
def test_complete__stream_without_an_end(ask: Asker, server: ScriptedServer, last: list[bytes]) -> None:
    """A stream that ends cleanly before the message does, or without a stop reason, is not an answer."""
    server.replies = [stream(message_start(), text_block("Hel"), *last)]

    usage = replace(SPENT, output_tokens=1 if last in ([], [MESSAGE_STOP]) else 15)
    assert ask.fault() == Fault(AnswerInterrupted, "the answer ended before it was complete", usage, "Hel")


@pytest.mark.parametrize(
    ("reasons", "kind"),
    [
        (("max_tokens", "end_turn"), "length"),
        (("end_turn", "max_tokens"), "length"),
        (("max_tokens", None), "length"),
        (("refusal", "end_turn"), "content_filter"),
        (("end_turn", "refusal"), "content_filter"),
    ],
)
def test_complete__two_stop_reasons(
    ask: Asker, server: ScriptedServer, reasons: tuple[str | None, ...], kind: str
) -> None:
    """A truncated or refused answer stays one, whatever a gateway says before or after that."""
    server.replies = [stream(message_start(), text_block("Hello"), *map(message_delta, reasons), MESSAGE_STOP)]

    assert ask() == replace(ANSWER, finish_reason=kind)


@pytest.mark.parametrize("last", [MESSAGE_STOP, b"", b"event: message_st"], ids=["complete", "no stop", "half a stop"])
@pytest.mark.parametrize("ending", ["close", "reset", "hang"])
def test_complete__cut_off_after_the_end(ask: Asker, server: ScriptedServer, ending: Any, last: bytes) -> None:
    """An error of the connection does not lose an answer of which at most the last event is missing."""
    server.replies = [unfinished_stream(message_start(), text_block("Hello"), message_delta(), last, ending=ending)]

    assert ask(timeout=3 if ending == "hang" else 30) == ANSWER


@pytest.mark.parametrize(("reason", "kind"), [("end_turn", "stop"), ("max_tokens", "length")])
def test_complete__no_last_event(ask: Asker, server: ScriptedServer, reason: str, kind: str) -> None:
    """A stream that ends cleanly with the stop reason is an answer: the last event would add nothing."""
    server.replies = [stream(message_start(), text_block("Hello"), message_delta(reason))]

    assert ask() == replace(ANSWER, finish_reason=kind)


def test_complete__error_instead_of_the_last_event(ask: Asker, server: ScriptedServer) -> None:
    """An error that the vendor states before the last event is not suppressed."""
    server.replies = [stream(message_start(), text_block("Hi"), message_delta(), error_event("api_error", "Broken."))]

    assert ask.fault().text == "Hi"


@pytest.mark.parametrize(
    "events",
    [
        b"event: content_block_delta\ndata: {broken\n\n",
        b"event: content_block_delta\ndata: 5\n\n",
        b"event: content_block_delta\ndata: \xff\n\n",
        b"event: content_block_delta\ndata: " + b"[" * 100_000 + b"\n\n",
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": 5}),
        event("content_block_delta", index=0, delta=None),
        event("message_delta", delta="none", usage={"output_tokens": 5}),
    ],
)
def test_complete__malformed_event(ask: Asker, server: ScriptedServer, events: bytes) -> None:
    """A malformed event ends the answer, and its text and usage are kept."""
    server.replies = [stream(message_start(), text_block("Hel"), events, text_block("lo"), MESSAGE_STOP)]

    fault = ask.fault()

    assert (fault.type, fault.text) == (AnswerInterrupted, "Hel")
    assert fault.usage is not None
    assert fault.usage.input_tokens == 25


def test_complete__text_of_null(ask: Asker, server: ScriptedServer) -> None:
    """A gateway's null in place of an empty text does not cost you the answer."""
    start = event("content_block_start", index=0, content_block={"type": "text", "text": None})
    nothing = event("content_block_delta", index=0, delta={"type": "text_delta", "text": None})
    server.replies = [stream(message_start(), start, nothing, text_block("Hello"), message_delta(), MESSAGE_STOP)]

    assert ask() == ANSWER


@pytest.mark.parametrize("body", [b"", b"<html>Welcome</html>", json.dumps({"choices": []}).encode(), b"\0" * 5000])
def test_complete__no_event_stream(ask: Asker, server: ScriptedServer, body: bytes) -> None:
    """A page that is not an event stream is not an answer."""
    server.replies = [Reply(body)]

    assert ask.fault() == Fault(AnswerInterrupted, "the answer ended before it was complete", Usage())


def test_complete__packed_answer(ask: Asker, server: ScriptedServer) -> None:
    """A compressed body that was not requested is not unpacked, because a small one can fill the memory."""
    packed = gzip.compress(message("Hello"))
    server.replies = [Reply(packed, headers={"Content-Encoding": "gzip"})]

    assert ask.fault().type is AnswerInterrupted


@pytest.mark.parametrize(
    "reply",
    [
        unfinished_stream(ending="hang"),
        stream(message("Hello"), trickle="head"),
        stream(message("Hello"), trickle="body"),
        stream(event("ping"), *[event("ping")] * 100, trickle="body", pause=0.001, content_length=10**9),
    ],
    ids=["silent", "trickled head", "trickled body", "trickled pings"],
)
def test_complete__timeout(ask: Asker, server: ScriptedServer, reply: Reply) -> None:
    """The whole attempt ends at its timeout, whatever the server still sends."""
    server.replies = [reply]

    assert ask.fault(timeout=0.4) == Fault(ProviderTimeout, "no complete answer within 0.4 s")


def test_complete__timeout_in_the_middle(ask: Asker, server: ScriptedServer) -> None:
    """An attempt that times out keeps the text and usage so far."""
    server.replies = [unfinished_stream(message_start(), text_block("Hel"), ending="hang")]

    assert ask.fault(timeout=3) == Fault(ProviderTimeout, "no complete answer within 3 s", SPENT, "Hel")


def test_complete__endless_answer(ask: Asker, server: ScriptedServer) -> None:
    """An endless answer ends at the size limit."""
    server.replies = [unfinished_stream(message_start(), text_block("Hel"), ending="endless")]

    assert ask.fault(timeout=60) == Fault(InvalidAnswer, "the answer is larger than 16,777,216 bytes", SPENT, "Hel")


def test_complete__schema_without_types(ask: Asker, server: ScriptedServer) -> None:
    """A part of a schema that lists its values needs no type, directly or by reference."""
    parts = {"kind": {"enum": ["car", 5, None]}, "version": {"const": 1}, "colour": {"$ref": "#/$defs/colour"}}
    defined = {"colour": {"enum": ["red", "blue"]}}
    ask(schema={"type": "object", "properties": parts, "$defs": defined})

    sent = server.requests[0].json["output_config"]["format"]["schema"]
    assert (sent["properties"], sent["$defs"]) == (parts, defined)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "object"}, "Anthropic's structured output needs each object of the schema to name its properties"),
        (
            {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}},
            "Anthropic's structured output needs each object of the schema to name its properties",
        ),
        (
            {},
            "the schema does not fit Anthropic's structured output: "
            "each part of it needs a 'type', 'enum', 'const', 'anyOf' or '$ref'",
        ),
        (
            {"type": "object", "properties": {"any": True}},
            "the schema does not fit Anthropic's structured output: "
            "each part of it needs a 'type', 'enum', 'const', 'anyOf' or '$ref'",
        ),
    ],
)
def test_complete__schema_that_does_not_fit(
    ask: Asker, server: ScriptedServer, schema: dict[str, Any], message: str
) -> None:
    """A schema that the vendor's decoder does not support is refused before anything is spent."""
    assert ask.fault(schema=schema) == Fault(RequestRejected, message)
    assert server.requests == []


@pytest.fixture
def poisoned_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[ScriptedServer]:
    """Set each variable and file from which the SDK could read a host, a credential or a header to another address."""
    with ScriptedServer(stream(message("Stolen"))) as thief:
        profile = {
            "version": "1.0",
            "base_url": thief.url,
            "authentication": {"type": "oidc_federation", "federation_rule_id": "fdrl_x"},
            "organization_id": "poison",
            "workspace_id": "poison",
        }
        (tmp_path / "configs").mkdir()
        for name in ("default", "poison"):
            (tmp_path / "configs" / f"{name}.json").write_text(json.dumps(profile))
        (tmp_path / "active_config").write_text("poison")
        poison = {
            "ANTHROPIC_API_KEY": "poison",
            "ANTHROPIC_AUTH_TOKEN": "poison",
            "ANTHROPIC_BASE_URL": thief.url,
            "ANTHROPIC_CONFIG_DIR": str(tmp_path),
            "ANTHROPIC_CUSTOM_HEADERS": "X-Poison: poison\nAuthorization: Bearer poison\nX-Api-Key: poison",
            "ANTHROPIC_FEDERATION_RULE_ID": "poison",
            "ANTHROPIC_IDENTITY_TOKEN": "poison",
            "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content",
            "ANTHROPIC_ORGANIZATION_ID": "poison",
            "ANTHROPIC_PROFILE": "poison",
            "ANTHROPIC_WEBHOOK_SIGNING_KEY": "poison",
            "ANTHROPIC_WORKSPACE_ID": "poison",
        }
        for name, value in poison.items():
            monkeypatch.setenv(name, value)
        yield thief


def test_complete__poisoned_environment(
    ask: Asker, server: ScriptedServer, poisoned_environment: ScriptedServer
) -> None:
    """No host, credential or header comes from the environment."""
    assert ask() == ANSWER

    (request,) = server.requests
    assert poisoned_environment.requests == []
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert "poison" not in str(request)


@pytest.mark.parametrize("base_url", ["", None])
def test_client__vendor_by_default(
    poisoned_environment: ScriptedServer, agent: Callable[..., None], base_url: str | None
) -> None:
    """An empty ANTHROPIC_BASE_URL means the vendor's, not the environment's. Traces contain no prompt."""
    agent(ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=base_url)

    client = anthropic_sdk.make_client(*Access.of(AnthropicProvider().endpoint).client)

    assert (client.base_url.host, client.max_retries) == ("api.anthropic.com", 0)
    assert client.open_telemetry["traces"]["content_mode"] == "metadata_only"
    assert "poison" not in str(vars(client))
    client.close()


@pytest.mark.otel
def test_complete__baggage_stays_home(ask: Asker, server: ScriptedServer) -> None:
    """A host's OpenTelemetry baggage is not sent to the vendor."""
    baggage, context = import_module("opentelemetry.baggage"), import_module("opentelemetry.context")
    token = context.attach(baggage.set_baggage("user", "alice@example.org"))
    try:
        ask()
    finally:
        context.detach(token)

    assert "alice" not in str(server.requests[0].headers)


def test_complete__proxy_of_the_environment(
    ask: Asker, agent: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's proxy is used, as with every other provider."""
    with ScriptedServer(stream(message("Hello"))) as proxy:
        agent(ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL="http://api.test/anthropic")
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")

        assert ask() == ANSWER
        assert proxy.requests[0].path == "http://api.test/anthropic/v1/messages"


def test_complete__key_is_nowhere(ask: Asker, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    """The key is in no log, not even at DEBUG, in no exception and in no repr, even if the vendor echoes it."""
    caplog.set_level(logging.DEBUG)
    server.replies = [
        stream(message("Hello")),
        Reply.of(error_document("authentication_error", f"invalid key: {KEY}"), status=401),
        unfinished_stream(message_start(), ending="close"),
    ]

    ask()
    refused = ask.fault()
    broken = ask.fault()

    assert refused == Fault(AccessDenied, "HTTP 401: invalid key: [redacted]")
    assert "POST" in caplog.text
    assert KEY not in caplog.text + str(broken) + repr(AnthropicProvider()) + repr(anthropic_sdk.clients)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (
            {"ANTHROPIC_API_KEY": ""},
            Fault(AccessDenied, "ANTHROPIC_API_KEY is empty: set it to a key of the Anthropic API"),
        ),
        (
            {"ANTHROPIC_API_KEY": "secret\n"},
            Fault(AccessDenied, "ANTHROPIC_API_KEY contains a space, a line break or a non-ASCII letter: set it again"),
        ),
        *(
            (
                {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": base_url},
                Fault(
                    AccessDenied,
                    "ANTHROPIC_BASE_URL must begin with http:// or https://, without a password or key, and without "
                    "the path of an endpoint such as /chat/completions: set it to the bare root of the API",
                ),
            )
            for base_url in ("api.anthropic.com", "ftp://api.anthropic.com", "http://", "http://[::1", "/v1")
        ),
    ],
)
def test_configuration__problems(
    ask: Asker, agent: Callable[..., None], monkeypatch: pytest.MonkeyPatch, keys: dict[str, str], fault: Fault
) -> None:
    """An invalid setting is named with its fix, by the check and by the call."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    agent(**keys)

    assert AnthropicProvider().configuration_error() == fault.message
    assert ask.fault() == fault


def test_acomplete__short_lived_loops(server: ScriptedServer, recwarn: pytest.WarningsRecorder) -> None:
    """Short event loops, as of async_to_sync, leave no client, connection or warning behind."""
    ask = async_to_sync(AnthropicProvider().acomplete)

    assert [ask(**QUESTION) for _ in range(10)] == [ANSWER] * 10

    gc.collect()
    assert server.connections == 10
    assert anthropic_sdk.clients._async_clients == {}
    assert [str(warning.message) for warning in recwarn] == []


def test_acomplete__at_the_same_time(server: ScriptedServer) -> None:
    """Parallel calls on one loop have their own answers and durations."""
    slow = unfinished_stream(message_start(), ending="hang")
    server.replies = [slow, stream(message("Hello"))]
    provider = AnthropicProvider()

    async def ask() -> list[ProviderResult | BaseException]:
        first = asyncio.create_task(provider.acomplete(**QUESTION, timeout=5))
        while not server.requests:
            await asyncio.sleep(0)
        others = [provider.acomplete(**QUESTION, timeout=100) for _ in range(10)]
        return [*await asyncio.gather(*others), *await asyncio.gather(first, return_exceptions=True)]

    *answers, late = asyncio.run(ask())

    assert answers == [ANSWER] * 10
    assert isinstance(late, ProviderTimeout)


def run_python(script: str, *arguments: str) -> list[str]:
    """The lines that `script` prints in its own process, in which warnings are errors."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (finished.returncode, finished.stderr) == (0, "")
    return finished.stdout.splitlines()


PROCESS = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
os.environ["ANTHROPIC_API_KEY"] = "sk-ant-api03-test-key"
from stapel_agent.providers.anthropic import AnthropicProvider
from stapel_agent.providers.base import ProviderError
"""


def test_import__only_when_asked() -> None:
    """Importing, creating and checking the provider does not import the SDK, which takes seconds."""
    script = """
    provider = AnthropicProvider()
    print(provider.configuration_error(), {"anthropic", "httpx2", "pydantic"} & set(sys.modules))
    """

    assert run_python(PROCESS + textwrap.dedent(script)) == ["None set()"]


def test_import__off_the_event_loop(server: ScriptedServer) -> None:
    """The first call on an event loop imports the SDK in a thread, so the loop is not blocked."""
    script = """
    import asyncio, threading
    from django.conf import settings
    settings.STAPEL_AGENT = {"ANTHROPIC_BASE_URL": sys.argv[1]}

    class Witness:
        def find_spec(self, name, *place):
            if name == "anthropic":
                print("in the loop's thread:", threading.current_thread() is threading.main_thread())

    sys.meta_path.insert(0, Witness())
    print(asyncio.run(AnthropicProvider().acomplete(prompt="Hello", model="claude-x")).text)
    """

    assert run_python(PROCESS + textwrap.dedent(script), server.url) == ["in the loop's thread: False", "Hello"]


def test_import__before_the_limit(server: ScriptedServer) -> None:
    """If importing the SDK takes longer than an attempt, the first request is still sent."""
    script = """
    import time
    from django.conf import settings
    settings.STAPEL_AGENT = {"ANTHROPIC_BASE_URL": sys.argv[1]}

    class SlowDisk:
        def find_spec(self, name, *place):
            if name == "anthropic":
                time.sleep(5)

    sys.meta_path.insert(0, SlowDisk())
    print(AnthropicProvider().complete(prompt="Hello", model="claude-x", timeout=5).text)
    """

    assert run_python(PROCESS + textwrap.dedent(script), server.url) == ["Hello"]


def test_import__missing_sdk() -> None:
    """Without the SDK, the module can be imported, and check and call say what to install."""
    script = """
    import asyncio
    sys.modules["anthropic"] = None
    provider = AnthropicProvider()
    print(provider.configuration_error())
    for call in (provider.complete, lambda **question: asyncio.run(provider.acomplete(**question))):
        try:
            call(prompt="Hello", model="claude-x")
        except ProviderError as fault:
            print(type(fault).__name__, fault)
    """
    fix = "the Anthropic SDK is not installed: pip install 'anthropic>=2.7,<3'"

    assert run_python(PROCESS + textwrap.dedent(script)) == [fix, *[f"AccessDenied {fix}"] * 2]


def test_acomplete__effort_refused_to_parallel_calls(server: ScriptedServer) -> None:
    """Each of several calls is told that its field was refused, although the first has recorded that."""
    refused = error_document("invalid_request_error", "output_config: Extra inputs are not permitted")
    server.replies = [Reply.of(refused, status=400, gate=threading.Barrier(3))]
    question = {"prompt": "Say hello.", "model": "claude-sonnet-5", "effort": "low"}

    async def ask() -> list[Any]:
        provider = AnthropicProvider()
        return await asyncio.gather(*(provider.acomplete(**question) for _ in range(3)), return_exceptions=True)

    assert [type(fault) for fault in asyncio.run(ask())] == [ParameterRefused] * 3
