"""The openai-compat provider: its requests, the answers it reads, and its errors."""

import asyncio
import json
import logging
import threading
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from stapel_agent.column_ranges import money
from stapel_agent.exceptions import (
    AccessDenied,
    AnswerInterrupted,
    AnswerMissing,
    InvalidAnswer,
    OutOfCredit,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from stapel_agent.providers import openai_compat
from stapel_agent.providers.base import ProviderResult
from stapel_agent.providers.dialects import streamed_answer
from stapel_agent.providers.openai_compat import OpenAICompatProvider, response_format
from stapel_agent.types import Usage
from tests.scripted_server import Reply, Request, ScriptedServer

KEY = "a-key-of-no-known-shape-0123456789"
USAGE = {"prompt_tokens": 7, "completion_tokens": 3}
SPENT = Usage(7, 3)

Ask = Callable[..., ProviderResult]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """The provider, called synchronously and on an event loop."""
    provider = OpenAICompatProvider()
    call = provider.complete if request.param == "sync" else async_to_sync(provider.acomplete)
    return lambda **arguments: call(**{"prompt": "hello", "model": "m", **arguments})


def answer(content: Any = "pong", *, finish_reason: Any = "stop", usage: Any = None, **message: Any) -> dict[str, Any]:
    """The body of a successful answer."""
    choice = {"message": {"role": "assistant", "content": content, **message}, "finish_reason": finish_reason}
    return {"id": "1", "choices": [choice], "usage": USAGE if usage is None else usage}


@pytest.fixture
def exchange(ask: Ask, agent: Any) -> Callable[..., tuple[Request, ProviderResult]]:
    """One call to a server with one reply: the request, and its result."""

    def call(reply: Reply | None = None, path: str = "/v1", **arguments: Any) -> tuple[Request, ProviderResult]:
        with ScriptedServer(reply or Reply.of(answer())) as server:
            agent(OPENAI_COMPAT_BASE_URL=server.url + path)
            result = ask(**arguments)
        return server.requests[0], result

    return call


@pytest.fixture
def fault(exchange: Any) -> Callable[..., tuple[type[ProviderError], str, Usage | None, str | None]]:
    """The exception of one call: its type, message and usage."""

    def call(reply: Reply, **arguments: Any) -> tuple[type[ProviderError], str, Usage | None, str | None]:
        with pytest.raises(ProviderError) as caught:
            exchange(reply, **arguments)
        return type(caught.value), str(caught.value), caught.value.usage, caught.value.text

    return call


# --- the request


def test_complete__request(exchange: Any, agent: Any) -> None:
    """Everything in the call is sent, with the key."""
    agent(OPENAI_COMPAT_API_KEY=KEY)
    request, result = exchange(system_prompt="Be brief.", max_tokens=9)
    assert result == ProviderResult("pong", input_tokens=7, output_tokens=3)
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.json == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}],
        "max_tokens": 9,
    }


def test_complete__request_by_default(exchange: Any, agent: Any) -> None:
    """Without a key and a system prompt, neither is sent. Without a cap, MAX_TOKENS applies."""
    agent(MAX_TOKENS=55, OPENAI_COMPAT_MAX_TOKENS_PARAM="max_completion_tokens")
    request, _ = exchange()
    assert "authorization" not in request.headers
    assert request.json == {
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "max_completion_tokens": 55,
    }


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("", "/chat/completions"),
        ("/", "/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("/api/paas/v4", "/api/paas/v4/chat/completions"),
        ("/v1?api-version=3", "/v1/chat/completions?api-version=3"),
        ("/v1/?api-version=3&in=a%2Fb", "/v1/chat/completions?api-version=3&in=a%2Fb"),
        ("/a%2Fb/v1", "/a%2Fb/v1/chat/completions"),
        ("/a%3Fb/%252F/v1%2F", "/a%3Fb/%252F/v1%2F/chat/completions"),
        ("/arn%3Aaws/a b/ü/{x}//", "/arn%3Aaws/a%20b/%C3%BC/%7Bx%7D/chat/completions"),
        ("/v1#part", "/v1/chat/completions"),
    ],
)
def test_complete__path(exchange: Any, path: str, sent: str) -> None:
    """The endpoint is below the base URL, with or without a trailing slash, and an encoded character stays encoded."""
    request, _ = exchange(path=path)
    assert request.path == sent


@pytest.mark.parametrize(
    ("prompt", "arrives"),
    [
        ("x" * 200_000, "x" * 200_000),
        ("ж" * 200_000, "ж" * 200_000),
        ('\x00\x1f\u2028"\\ 😀', '\x00\x1f\u2028"\\ 😀'),
        ("half \ud83d of a pair", "half ? of a pair"),
        ("", ""),
    ],
    ids=["200 KB", "400 KB of Cyrillic", "control characters", "lone surrogate", "empty"],
)
def test_complete__body_is_valid_json(exchange: Any, prompt: str, arrives: str) -> None:
    """The body is valid UTF-8 and JSON, whatever the prompt contains."""
    request, _ = exchange(prompt=prompt, system_prompt=prompt)
    assert json.loads(request.body.decode("utf-8"))["messages"][-1] == {"role": "user", "content": arrives}


def test_complete__schema_is_not_json(fault: Any) -> None:
    """A schema that cannot be written as JSON is refused before anything is sent."""
    schema = {"type": "object", "properties": {"a": {"type": "number", "enum": [float("nan")]}}}
    assert fault(Reply(), schema=schema)[:2] == (
        RequestRejected,
        "the request cannot be written as JSON (ValueError)",
    )


def test_complete__schema_is_sent(exchange: Any) -> None:
    """A schema is sent as `response_format`."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    request, _ = exchange(schema=schema)
    assert request.json["response_format"] == response_format(schema)


def test_response_format__strict_subset() -> None:
    """A closed object is sent in the strict subset: every property required, no constraint keywords."""
    schema = {
        "type": "object",
        "title": "Answer",
        "properties": {
            "city": {"type": "string", "minLength": 1},
            "people": {"type": ["array", "null"], "items": {"$ref": "#/$defs/person"}, "maxItems": 3},
            "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "guide": {"$ref": "#/$defs/person", "description": "Who leads.", "default": None},
        },
        "required": ["city"],
        "$defs": {"person": {"type": "object", "properties": {"name": {"type": "string"}}}},
    }
    assert response_format(schema) == {
        "type": "json_schema",
        "json_schema": {
            "name": "answer",
            "strict": True,
            "schema": {
                "type": "object",
                "title": "Answer",
                "properties": {
                    "city": {"type": "string"},
                    "people": {"type": ["array", "null"], "items": {"$ref": "#/$defs/person"}},
                    "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "guide": {"anyOf": [{"$ref": "#/$defs/person"}], "description": "Who leads."},
                },
                "required": ["city", "either", "guide", "people"],
                "additionalProperties": False,
                "$defs": {
                    "person": {
                        "type": "object",
                        "properties": {"name": {"type": "string"}},
                        "required": ["name"],
                        "additionalProperties": False,
                    }
                },
            },
        },
    }


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True},
        {"type": "object"},
        {"type": "object", "properties": {"a": {"type": "object"}}},
        {"type": "object", "properties": {"a": {"type": ["null", "object"]}}},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object"}}}},
        {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}]}}},
        {"type": "object", "properties": {"a": {"type": "array"}}},
        {"type": "object", "properties": {"a": {"type": ["array", "null"]}}},
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/b", "type": "object", "properties": {}}},
            "$defs": {"b": {"type": "object", "properties": {}}},
        },
        {"type": "object", "properties": {"a": {"type": "string"}}, "patternProperties": {"^x": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"not": {"type": "null"}}}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"type": "object", "properties": {}}]},
        {"type": "array", "items": {"type": "string"}},
        {"properties": {"a": {"type": "string"}}},
        {},
    ],
)
def test_response_format__beyond_the_strict_subset(schema: dict[str, Any]) -> None:
    """A schema outside of the subset is sent unchanged without `strict`, and never narrowed."""
    assert response_format(schema) == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": False, "schema": schema},
    }


# --- the answer


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (answer([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), ProviderResult("ab", 7, 3)),
        (
            answer([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "a"}]),
            ProviderResult("a", 7, 3),
        ),
        (answer([{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "a"}]), ProviderResult("a", 7, 3)),
        (answer([{"type": "output_text", "text": "a"}, {"text": "b"}]), ProviderResult("ab", 7, 3)),
        (answer({"type": "text", "text": "a"}), ProviderResult("a", 7, 3)),
        (answer([{"text": "hm", "thought": True}, {"text": "a"}]), ProviderResult("a", 7, 3)),
        (answer([{"type": ["text"], "text": "b"}, {"type": "text", "text": "a"}]), ProviderResult("a", 7, 3)),
        (answer("a", reasoning_content="because"), ProviderResult("a", 7, 3)),
        (answer("a", reasoning="because"), ProviderResult("a", 7, 3)),
        (answer("a", finish_reason="length"), ProviderResult("a", 7, 3, finish_reason="length")),
        (answer(None, finish_reason="length"), ProviderResult("", 7, 3, finish_reason="length")),
        (
            answer("a", finish_reason="model_context_window_exceeded"),
            ProviderResult("a", 7, 3, finish_reason="length"),
        ),
        (answer(None, finish_reason="content_filter"), ProviderResult("", 7, 3, finish_reason="content_filter")),
        (
            answer(None, refusal="I cannot help with that."),
            ProviderResult("I cannot help with that.", 7, 3, finish_reason="content_filter"),
        ),
        (answer("a", refusal=""), ProviderResult("a", 7, 3)),
        (
            answer([{"type": "text", "text": "Well."}, {"type": "refusal", "refusal": "I cannot."}]),
            ProviderResult("I cannot.", 7, 3, finish_reason="content_filter"),
        ),
        (answer("a", finish_reason=None), ProviderResult("a", 7, 3)),
        (answer("a", finish_reason="eos"), ProviderResult("a", 7, 3)),
        (answer("a", finish_reason=["stop"]), ProviderResult("a", 7, 3, finish_reason="['stop']")),
        (answer("a", finish_reason="zapped"), ProviderResult("a", 7, 3, finish_reason="zapped")),
        (answer(None, reasoning_content='{"a": 1}'), ProviderResult('{"a": 1}', 7, 3)),
        (answer("", reasoning='Hm.</think>{"a": 1}'), ProviderResult('Hm.</think>{"a": 1}', 7, 3)),
        (answer(" \n", reasoning_content='["b"]'), ProviderResult('["b"]', 7, 3)),
        (answer("a", tool_calls=[{"id": "1"}]), ProviderResult("a", 7, 3)),
        ({**answer("a"), "error": None}, ProviderResult("a", 7, 3)),
        ({**answer("a"), "error": {"message": "ok"}}, ProviderResult("a", 7, 3)),
        ({"choices": [{"message": {"content": "a"}}]}, ProviderResult("a")),
    ],
)
def test_complete__answers(exchange: Any, body: dict[str, Any], result: ProviderResult) -> None:
    """The text is the message's content. The finish reason is one of three words."""
    assert exchange(Reply.of(body))[1] == result


NATIVE_REASONS = [
    ("stop", "MAX_TOKENS", "length"),
    (None, "length", "length"),
    ("stop", "SAFETY", "content_filter"),
    ("stop", "end_turn", "stop"),
    ("stop", "abort", "stop"),
    ("length", "stop", "length"),
    ("tool_calls", "length", "tool_calls"),
    ("stop", ["length"], "stop"),
]


@pytest.mark.parametrize(("word", "native", "reason"), NATIVE_REASONS)
def test_read_answer__reason_of_the_vendor_behind_a_router(word: str | None, native: Any, reason: str) -> None:
    """A router's "stop" is no complete answer if the vendor behind it says that the answer was cut off or refused."""
    choice = {"message": {"content": "a"}, "finish_reason": word, "native_finish_reason": native}
    result = openai_compat.read_answer(json.dumps({"choices": [choice]}).encode())
    assert result == ProviderResult("a", 0, 0, finish_reason=reason)


def chunk(content: Any = None, finish_reason: str | None = None, **fields: Any) -> bytes:
    """One event of a stream."""
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    return f"data: {json.dumps({'choices': [choice], **fields})}\n\n".encode()


def beside(delta: str, so_far: str | None = None, finish_reason: str | None = None) -> bytes:
    """One event of a stream in which each event also has all of the text so far."""
    parts = {"delta": {"content": delta}, "message": {"content": so_far or delta}}
    return f"data: {json.dumps({'choices': [{**parts, 'finish_reason': finish_reason}]})}\n\n".encode()


WHOLE = json.dumps(answer("a")).encode()
FIGURES = b'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}\n\n'
DONE = b"data: [DONE]\n\n"
# https://github.com/decolua/9router/issues/3492, https://github.com/gumieri/nenya/issues/17,
# https://github.com/open-webui/computer/issues/193
STREAMS = {
    "chunks": (chunk("") + chunk("a") + chunk("b") + chunk(None, "stop") + FIGURES + DONE, ProviderResult("ab", 7, 3)),
    "cut off": (chunk("a") + chunk(None, "length") + FIGURES, ProviderResult("a", 7, 3, finish_reason="length")),
    "comments": (b": ping\r\n\r\nevent: x\r\n" + chunk("a", "stop") + FIGURES + DONE, ProviderResult("a", 7, 3)),
    "odd parts": (chunk(["x"]) + chunk(5) + b"data:\n\n" + chunk("a", "stop"), ProviderResult("a")),
    "parts of a text": (chunk([{"type": "text", "text": "a"}]) + chunk("b", "stop"), ProviderResult("ab")),
    "a byte order mark": (b"\xef\xbb\xbf" + chunk("a") + chunk("b", "stop"), ProviderResult("ab")),
    # https://docs.perplexity.ai/docs/sonar/pro-search/stream-mode
    "the text so far beside each delta": (beside("a") + beside("b", "ab", "stop"), ProviderResult("ab")),
    "an end after the answer": (WHOLE + DONE, ProviderResult("a", 7, 3)),
    "an error after the answer": (
        WHOLE + b'\ndata: {"error": {"message": "no [DONE]"}}\n' + DONE,
        ProviderResult("a", 7, 3),
    ),
}


@pytest.mark.parametrize("case", STREAMS)
def test_read_answer__stream(case: str) -> None:
    """Some gateways stream although nobody asked for it. The answer is paid for, and it is whole."""
    body, result = STREAMS[case]
    assert openai_compat.read_answer(body) == result


BROKEN_STREAMS: dict[str, tuple[bytes, type[ProviderError], str, str | None]] = {
    "no end": (chunk("a"), AnswerInterrupted, "the answer ended before it was complete", "a"),
    "an invalid chunk within": (
        chunk("a") + b"data: {]\n\n" + chunk("b", "stop") + DONE,
        AnswerInterrupted,
        "the answer ended before it was complete",
        "a",
    ),
    "no end and no text": (chunk(""), AnswerInterrupted, "the answer ended before it was complete", None),
    "an error": (
        b'data: {"error": {"message": "Slow down", "code": 429}}\n' + DONE,
        RateLimited,
        "HTTP 429: Slow down",
        None,
    ),
    "an error within": (
        chunk("a") + b'data: {"error": {"message": "broke off"}}\n\n',
        InvalidAnswer,
        "the answer is an error: broke off",
        "a",
    ),
    # https://openrouter.ai/docs/api-reference/streaming
    "an error that ended the answer": (
        chunk("a") + chunk("", "error", error={"code": 429, "message": "Slow down"}) + DONE,
        RateLimited,
        "HTTP 429: Slow down",
        "a",
    ),
    "an error of MiniMax": (
        b'data: {"base_resp": {"status_code": 1002, "status_msg": "slow"}}',
        RateLimited,
        "the answer is an error: slow",
        None,
    ),
    "an error in a choice": (
        chunk("a") + b'data: {"choices": [{"delta": {}, "error": {"message": "bad", "code": 502}}]}\n' + DONE,
        ProviderUnavailable,
        "HTTP 502: bad",
        "a",
    ),
    "messages without deltas": (WHOLE + b"\n" + WHOLE, AnswerMissing, "the answer contains no text", None),
    "another API": (b'data: {"type": "message_start"}', InvalidAnswer, "the answer has no choices", None),
    "a page": (
        b"<html>\n" + WHOLE,
        InvalidAnswer,
        f"the answer is not a JSON object: {'<html> ' + WHOLE.decode()!r}",
        None,
    ),
}


@pytest.mark.parametrize("case", BROKEN_STREAMS)
def test_read_answer__broken_stream(case: str) -> None:
    """A stream without its end is no answer, and an error in it is that of the vendor."""
    body, kind, message, text = BROKEN_STREAMS[case]
    with pytest.raises(ProviderError) as raised:
        openai_compat.read_answer(body)
    assert (type(raised.value), str(raised.value), raised.value.text) == (kind, message, text)


def test_read_answer__stream_without_a_finish_reason() -> None:
    """A stream may end with [DONE] although it broke off. Its figures are kept."""
    with pytest.raises(AnswerInterrupted) as raised:
        openai_compat.read_answer(chunk("a") + FIGURES + DONE)
    assert (raised.value.usage, raised.value.text) == (Usage(7, 3), "a")


def test_read_answer__stream_of_too_many_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work for a stream is bounded, and what is beyond the bound is missing from the answer."""
    monkeypatch.setattr(streamed_answer, "MOST_EVENTS", 1)
    with pytest.raises(AnswerInterrupted) as raised:
        openai_compat.read_answer(chunk("a") + chunk("b", "stop") + DONE)
    assert raised.value.text == "a"


@pytest.mark.parametrize(("cap", "reason"), [(4, "stop"), (3, "length"), (2, "length")])
def test_complete__cap_without_a_finish_reason(exchange: Any, cap: int, reason: str) -> None:
    """An answer as long as its cap is truncated if the vendor does not say why it ended."""
    result = exchange(Reply.of(answer("a", finish_reason=None)), max_tokens=cap)[1]
    assert result == ProviderResult("a", 7, 3, finish_reason=reason)


def test_complete__error_beside_an_unfinished_text(fault: Any) -> None:
    """A text without a finish reason is not an answer if the vendor states an error beside it."""
    body = {**answer("a par", finish_reason=None), "error": {"message": "broke off"}}
    assert fault(Reply.of(body)) == (InvalidAnswer, "the answer is an error: broke off", Usage(7, 3), "a par")


@pytest.mark.parametrize(("length", "is_on_loop"), [(1000, True), (300_000, False)])
def test_acomplete__large_answer(agent: Any, monkeypatch: pytest.MonkeyPatch, length: int, is_on_loop: bool) -> None:
    """A large answer is not read on the event loop, which its parsing would block."""
    readers = []
    read = openai_compat.read_answer

    def watched(*arguments: Any, **options: Any) -> ProviderResult:
        readers.append(threading.get_ident())
        return read(*arguments, **options)

    async def ask() -> tuple[ProviderResult, int]:
        return await OpenAICompatProvider().acomplete(prompt="hello", model="m"), threading.get_ident()

    monkeypatch.setattr(openai_compat, "read_answer", watched)
    with ScriptedServer(Reply.of(answer("a" * length))) as server:
        agent(OPENAI_COMPAT_BASE_URL=server.url)
        result, loop = asyncio.run(ask())
    assert result == ProviderResult("a" * length, 7, 3)
    assert (readers == [loop]) is is_on_loop


@pytest.mark.parametrize(
    ("usage", "result"),
    [
        ({"prompt_tokens": "12", "completion_tokens": "3"}, ProviderResult("pong", 12, 3)),
        ({"prompt_tokens": -5, "completion_tokens": -1}, ProviderResult("pong")),
        ({"prompt_tokens": 1.9, "completion_tokens": 2.0}, ProviderResult("pong", 1, 2)),
        ({"prompt_tokens": [1], "completion_tokens": {"a": 1}}, ProviderResult("pong")),
        ({"prompt_tokens": 10**18, "completion_tokens": 2**31}, ProviderResult("pong", 2**31 - 1, 2**31 - 1)),
        ({"prompt_tokens": 10**30, "completion_tokens": 10**4000}, ProviderResult("pong", 2**31 - 1, 2**31 - 1)),
        ({"prompt_tokens": 7, "completion_tokens": -(10**30)}, ProviderResult("pong", 7, None)),
        ({"prompt_tokens": None}, ProviderResult("pong")),
        ({}, ProviderResult("pong")),
        ([1, 2], ProviderResult("pong")),
        ("many", ProviderResult("pong")),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 9}},
            ProviderResult("pong", 5, 11, 9),
        ),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 1015,
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            ProviderResult("pong", 10, 1005, 5),
        ),
        (
            {
                "prompt_tokens": 100,
                "cache_read_input_tokens": 900,
                "completion_tokens": 5,
                "total_tokens": 1025,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            ProviderResult("pong", 100, 25, 20, 900),
        ),
        (
            {"prompt_tokens": 100, "cache_read_input_tokens": 30, "total_tokens": 160},
            ProviderResult("pong", 100, 30, cache_read_tokens=30),
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 0, "completion_tokens_details": {"reasoning_tokens": 9}},
            ProviderResult("pong", 5, 9, 9),
        ),
        (
            {"completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 9}},
            ProviderResult("pong", None, 11, 9),
        ),
        (
            {"prompt_tokens": 5, "prompt_tokens_details": [1], "completion_tokens_details": "x", "cached_tokens": "2"},
            ProviderResult("pong", 3, None, cache_read_tokens=2),
        ),
        (
            {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": None}, "prompt_cache_hit_tokens": 4},
            ProviderResult("pong", 1, None, cache_read_tokens=4),
        ),
    ],
)
def test_complete__usage_never_breaks_an_answer(exchange: Any, usage: Any, result: ProviderResult) -> None:
    """Token counts of any type and size become storable, disjoint counts."""
    assert exchange(Reply.of(answer(usage=usage)))[1] == result


@pytest.mark.parametrize(
    ("cost", "known"), [(3, Decimal(3)), (0, Decimal(0)), (-1, None), (10**30, None), (-(10**30), None), ("-1", None)]
)
def test_complete__invalid_cost(exchange: Any, cost: Any, known: Decimal | None) -> None:
    """A negative or absurd cost is unknown, not zero."""
    assert money(exchange(Reply.of(answer(usage={"cost": cost})))[1].cost_usd) == known


@pytest.mark.parametrize(
    ("figure", "tokens"),
    [
        *[("NaN", None), ("-Infinity", None), ("-" + "9" * 6000, None), ("1e-5", None)],
        *[("Infinity", 2**31 - 1), ("1e999", 2**31 - 1), ("9" * 6000, 2**31 - 1)],
    ],
)
def test_complete__invalid_figures(exchange: Any, figure: str, tokens: int | None) -> None:
    """A literal that JSON or Python does not allow is unknown, or the largest storable count, but never 0."""
    usage = {"prompt_tokens": 0, "completion_tokens": 2}
    body = json.dumps(answer(usage=usage)).replace('"prompt_tokens": 0', f'"prompt_tokens": {figure}')
    assert exchange(Reply(body.encode()))[1] == ProviderResult("pong", tokens, 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_complete__byte_order_mark(exchange: Any, encoding: str) -> None:
    """A byte order mark before the body is ignored."""
    assert exchange(Reply(json.dumps(answer("ж"), ensure_ascii=False).encode(encoding)))[1].text == "ж"


def test_complete__invalid_utf8(exchange: Any) -> None:
    """An invalid byte in a paid answer loses one letter, not the answer."""
    body = json.dumps(answer("a#b")).encode().replace(b"#", b"\xff")
    assert exchange(Reply(body))[1].text == "a\ufffdb"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "the answer is not a JSON object: ''"),
        (b"<html>Sign in</html>", "the answer is not a JSON object: '<html>Sign in</html>'"),
        (b'{"choices": [', """the answer is not a JSON object: '{"choices": ['"""),
        (b"null", "the answer is not a JSON object: 'null'"),
        (b"[1]", "the answer is not a JSON object: '[1]'"),
        (b"[" * 200_000, f"the answer is not a JSON object: '{'[' * 300}'"),
        (b"{}", "the answer has no choices"),
        (b'{"choices": []}', "the answer has no choices"),
        (b'{"choices": null}', "the answer has no choices"),
        (b'{"choices": {"0": 1}}', "the answer has no choices"),
        (b'{"choices": ["text"]}', "the answer has no choices"),
        (
            b'{"choices": [{"message": {"content": null, "tool_calls": [{}]}, "finish_reason": "tool_calls"}]}',
            "the answer calls a tool, although none was offered",
        ),
        (b'{"error": "out of memory"}', "the answer is an error: out of memory"),
        (b'{"error": {"message": "bad", "code": "1234"}}', "the answer is an error: bad"),
        (b'{"choices": [{"message": {}}], "error": {"message": "bad"}}', "the answer is an error: bad"),
    ],
)
def test_complete__unusable_answers(fault: Any, body: bytes, text: str) -> None:
    """A 200 without a usable answer is an InvalidAnswer that says what is wrong."""
    assert fault(Reply(body))[:2] == (InvalidAnswer, text)


EMPTY = [
    *({"choices": [choice]} for choice in ({}, {"message": "text"}, {"message": {"content": 7}}, {"message": None})),
    *(answer(content) for content in (None, "", " \n\t", [], [{"type": "text", "text": ""}])),
    answer("", reasoning_content='Perhaps {"a": 1}?'),
    answer(None, reasoning="null"),
    answer(None, reasoning_content=7),
]


@pytest.mark.parametrize("body", EMPTY)
def test_complete__empty(fault: Any, body: dict[str, Any]) -> None:
    """An answer without a text fails. Thinking is not an answer, even if it mentions JSON."""
    assert fault(Reply.of(body))[:2] == (AnswerMissing, "the answer contains no text")


STATED: list[tuple[Any, type[ProviderError], str]] = [
    ({"code": 402, "message": "Insufficient credits"}, OutOfCredit, "HTTP 402: Insufficient credits"),
    ({"code": "429", "message": "Slow down"}, RateLimited, "HTTP 429: Slow down"),
    ({"code": 502, "message": "Provider returned error"}, ProviderUnavailable, "HTTP 502: Provider returned error"),
    (
        {"code": 403, "message": "Key limit exceeded (total limit)"},
        OutOfCredit,
        "HTTP 403: Key limit exceeded (total limit)",
    ),
    ({"type": "overloaded_error", "message": "Busy"}, ProviderUnavailable, "HTTP 529: Busy"),
    ({"message": "insufficient balance"}, OutOfCredit, "the answer is an error: insufficient balance"),
    ({"message": "Too many requests"}, RateLimited, "the answer is an error: Too many requests"),
    ("Incorrect API key provided", AccessDenied, "the answer is an error: Incorrect API key provided"),
    ("out of memory", InvalidAnswer, "the answer is an error: out of memory"),
]


@pytest.mark.parametrize(("error", "kind", "words"), STATED)
@pytest.mark.parametrize("within", ["choice", "answer"])
def test_complete__stated_error(fault: Any, error: Any, kind: type[ProviderError], words: str, within: str) -> None:
    """An error inside a choice or a 200 is classified by its code and message. Its usage is kept."""
    body = answer("half", finish_reason="error")
    if within == "choice":
        body["choices"][0]["error"] = error
    else:
        body = {"error": error, "usage": USAGE}
    assert fault(Reply.of(body)) == (kind, words, SPENT, "half" if within == "choice" else None)


def test_complete__status_of_minimax(fault: Any) -> None:
    """MiniMax returns 200 without choices, and its own status in the body."""
    body = {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}
    assert fault(Reply.of(body))[:2] == (OutOfCredit, "the answer is an error: insufficient balance")


def test_complete__wrong_address_that_says_200(fault: Any) -> None:
    """LM Studio returns 200 if it has no such endpoint. The failure names the fix."""
    kind, words, *_ = fault(
        Reply.of({"error": "Unexpected endpoint or method. (POST /chat/completions). Returning 200 anyway"})
    )
    assert kind is RequestRejected
    assert words.endswith("; set OPENAI_COMPAT_BASE_URL to the part of the API's URL before /chat/completions")


def test_complete__category_of_a_filter(exchange: Any) -> None:
    """The failure names the category that Azure's filter found."""
    body = answer(None, finish_reason="content_filter")
    found = {"hate": {"filtered": False, "severity": "safe"}, "violence": {"filtered": True, "severity": "high"}}
    body["choices"][0]["content_filter_results"] = found
    result = exchange(Reply.of(body))[1]
    assert (result.finish_reason, result.metadata) == ("content_filter", {"refusal_category": "violence"})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (answer(None), (AnswerMissing, "the answer contains no text", SPENT, None)),
        ({"usage": USAGE}, (InvalidAnswer, "the answer has no choices", SPENT, None)),
        (
            answer("half of", finish_reason="insufficient_system_resource"),
            (
                ProviderUnavailable,
                "the provider interrupted the answer: insufficient_system_resource",
                SPENT,
                "half of",
            ),
        ),
        (
            answer(None, finish_reason="network_error"),
            (ProviderUnavailable, "the provider interrupted the answer: network_error", SPENT, None),
        ),
        (
            {"error": {"message": "no key", "code": "401"}},
            (AccessDenied, "HTTP 401: no key", Usage(), None),
        ),
    ],
)
def test_complete__what_was_paid_is_kept(fault: Any, body: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """An exception carries the tokens and the text that came with it."""
    assert fault(Reply.of(body)) == expected


@pytest.mark.parametrize(("status", "key", "note"), [
    (401, "", "; OPENAI_COMPAT_API_KEY is empty"), (403, "", "; OPENAI_COMPAT_API_KEY is empty"),
    (401, "key-of-a-test", ""), (402, "", ""),
])  # fmt: skip
def test_complete__refused_without_a_key(fault: Any, agent: Any, status: int, key: str, note: str) -> None:
    """If access is denied to a request without a key, the message says that none is set."""
    agent(OPENAI_COMPAT_API_KEY=key)
    message = fault(Reply.of({"error": {"message": "Incorrect API key provided"}}, status=status))[1]
    assert message == f"HTTP {status}: Incorrect API key provided{note}"


@pytest.mark.parametrize(("status", "kind"), [(500, ProviderUnavailable), (429, RateLimited), (400, RequestRejected)])
def test_complete__error_that_states_tokens(fault: Any, status: int, kind: type[ProviderError]) -> None:
    """An error that states tokens carries them, so the call is neither counted as free nor repeated."""
    body = {"error": {"message": "broke off"}, "usage": USAGE}
    assert fault(Reply.of(body, status=status)) == (kind, f"HTTP {status}: broke off", SPENT, None)


# --- time


def test_complete__timeout_of_the_setting(fault: Any, agent: Any) -> None:
    """CLI_TIMEOUT limits the attempt if the call has no timeout."""
    agent(CLI_TIMEOUT=0.25)
    assert fault(Reply(ending="hang", content_length=9))[:2] == (
        ProviderTimeout,
        "no complete answer within 0.25 s",
    )


def test_complete__timeout_of_the_call(fault: Any) -> None:
    """The call's own timeout takes precedence."""
    assert fault(Reply.of(answer(), trickle="body"), timeout=0.25)[0] is ProviderTimeout


# --- the configuration


NO_ENDPOINTS = (
    "api.invalid/v1",
    "/v1",
    "ftp://api.invalid",
    "https://",
    "http://[::1",
    "http://x:port",
    "https://user:password@api.invalid/v1",
    "https://api.invalid/v1?key=gw-7f3a9c1d",
    "https://api.invalid/v1?api-version=1&X-Amz-Signature=7f3a",
    "https://api.invalid/v1?code=7f3a9c1d",
    "https://api.invalid/v1/chat/completions/",
)


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ({}, None),
        ({"OPENAI_COMPAT_BASE_URL": "https://api.invalid/v1", "OPENAI_COMPAT_API_KEY": KEY}, None),
        ({"OPENAI_COMPAT_BASE_URL": "https://api.invalid/v1?api-version=2024-10-21&region=eu"}, None),
        (
            {"OPENAI_COMPAT_BASE_URL": ""},
            "OPENAI_COMPAT_BASE_URL is empty: set it to the root of the API, such as 'http://127.0.0.1:8000/v1'",
        ),
        *(
            (
                {"OPENAI_COMPAT_BASE_URL": url},
                "OPENAI_COMPAT_BASE_URL must begin with http:// or https://, without a password or key, and without "
                "the path of an endpoint such as /chat/completions: set it to the bare root of the API",
            )
            for url in NO_ENDPOINTS
        ),
        *(
            (
                {"OPENAI_COMPAT_API_KEY": key},
                "OPENAI_COMPAT_API_KEY contains a space, a line break or a non-ASCII letter: set it again",
            )
            for key in (f"{KEY}\n", f" {KEY}", "ключ", f"{KEY}\r\nX-Other: 1")
        ),
        (
            {"OPENAI_COMPAT_MAX_TOKENS_PARAM": "limit"},
            "OPENAI_COMPAT_MAX_TOKENS_PARAM is invalid: set it to 'max_tokens' or 'max_completion_tokens'",
        ),
    ],
)
def test_configuration_error__and_a_call(ask: Ask, agent: Any, keys: dict[str, str], error: str | None) -> None:
    """The check reports the same message with which a call fails, before a provider is called."""
    agent(**{"OPENAI_COMPAT_BASE_URL": "http://127.0.0.1:9/v1", **keys})
    assert OpenAICompatProvider().configuration_error() == error
    if error:
        with pytest.raises((ProviderUnavailable, AccessDenied)) as caught:
            ask()
        assert str(caught.value) == error


def test_resolve_model__falls_back(agent: Any) -> None:
    """A size that the endpoint's map lacks gets the default model."""
    agent(OPENAI_COMPAT_MODELS={"small": "tiny"})
    provider = OpenAICompatProvider()
    assert [provider.resolve_model(size, "default") for size in ("small", "large")] == ["tiny", "default"]


# --- secrets


ECHO = {
    "in an error": Reply.of({"error": {"message": f"wrong key {KEY}"}}, status=401),
    "in an error's other field": Reply.of({"error": {"code": 1, "key": KEY}}, status=403),
    "in a page": Reply(f"<p>{KEY}</p>".encode(), status=502),
    "in a 200 that is no JSON": Reply(KEY.encode()),
    "in a 200 that is an error": Reply.of({"error": f"key {KEY}"}),
    "in a redirect": Reply(status=302, headers={"Location": f"http://127.0.0.1:9/?key={KEY}"}),
    "in a broken head": Reply(raw=f"HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n".encode(), ending="close"),
    "nowhere, cut off": Reply(b"{", content_length=9, ending="close"),
    "nowhere, reset": Reply(raw=b"", ending="reset"),
    "nowhere, silence": Reply(raw=b"", ending="hang"),
}


@pytest.mark.parametrize("case", ECHO)
def test_complete__key_is_in_no_exception(ask: Ask, agent: Any, caplog: pytest.LogCaptureFixture, case: str) -> None:
    """Neither an exception's message, repr and traceback nor a log line contains the key."""
    caplog.set_level(logging.DEBUG, "stapel_agent")
    with ScriptedServer(ECHO[case]) as server, caplog.at_level(logging.INFO):
        agent(OPENAI_COMPAT_BASE_URL=server.url, OPENAI_COMPAT_API_KEY=KEY)
        with pytest.raises(ProviderError) as caught:
            ask(timeout=3)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    shown = [str(caught.value), repr(caught.value), *traceback.format_exception(caught.value)]
    assert KEY not in "".join(shown)
    assert KEY not in caplog.text
