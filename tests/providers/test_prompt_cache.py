"""Anthropic's prompt cache: which calls mark their prefix, and which call pays for the write."""

import os
import threading
from typing import Any

import pytest

from stapel_agent import services
from stapel_agent.models import PromptLog
from stapel_agent.providers import forget_prefixes, prompt_cache
from stapel_agent.providers.prompt_cache import minimum_tokens, plan
from stapel_agent.types import Usage
from tests.providers.message_stream import MESSAGE_STOP, message_delta, message_start, stream, text_block
from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.django_db, pytest.mark.sdk, pytest.mark.any_database]

LONG = "Answer in the style of the house. " * 400
MODEL = "claude-sonnet-5"


@pytest.fixture(autouse=True)
def forgetful() -> None:
    """Forget what other tests have sent."""
    forget_prefixes()


def said(text: str = "pong", **usage: int) -> Reply:
    return stream(message_start(**usage), text_block(text), message_delta(), MESSAGE_STOP)


WROTE = said(cache_creation_input_tokens=3000)
READ = said(cache_read_input_tokens=3000)


def marked(server: ScriptedServer) -> list[bool]:
    """Whether the system prompt of each request is marked."""
    return ["cache_control" in str(request.json.get("system")) for request in server.requests]


def ask(server: ScriptedServer, agent: Any, facade: Any, times: int, system_prompt: str = LONG, **keys: Any) -> None:
    agent(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=server.url, MODELS={"small": MODEL}, RETRIES=0, **keys)
    for number in range(times):
        facade.complete(f"say {number}", "small", provider="anthropic", system_prompt=system_prompt)


def test_prefix__that_comes_again(facade: Any, agent: Any) -> None:
    """A long system prompt is marked from its second call within five minutes. The ledger has the saving."""
    with ScriptedServer(said(), WROTE, READ) as server:
        ask(server, agent, facade, 4)
    assert marked(server) == [False, True, True, True]
    assert server.requests[0].json["system"] == LONG
    assert server.requests[1].json["system"] == [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    assert [row.cache_read_tokens for row in PromptLog.objects.order_by("created_at")] == [0, 0, 3000, 3000]


def test_prefix__configured(facade: Any, agent: Any) -> None:
    """PROMPT_CACHE can make a source mark at once, or never."""
    with ScriptedServer(WROTE) as server:
        ask(server, agent, facade, 1, PROMPT_CACHE={"llm_facade": True})
        ask(server, agent, facade, 2, f"{LONG}!", PROMPT_CACHE={"llm_facade": False})
    assert marked(server) == [True, False, False]


def test_prefix__too_short(facade: Any, agent: Any) -> None:
    """A prefix below the model's minimum is not marked."""
    with ScriptedServer(said()) as server:
        ask(server, agent, facade, 3, "Be brief.", PROMPT_CACHE={"llm_facade": True})
    assert marked(server) == [False] * 3


def test_prefix__with_a_schema(facade: Any, agent: Any) -> None:
    """The schema comes first in the vendor's prompt, so it counts towards the minimum."""
    texts = {"type": "string", "description": LONG}
    long = {"type": "object", "properties": {"a": texts}, "required": ["a"], "additionalProperties": False}
    keys = {"ANTHROPIC_API_KEY": "k", "MODELS": {"small": MODEL}, "PROMPT_CACHE": {"llm_facade": True}}
    with ScriptedServer(said('{"a": "b"}', cache_creation_input_tokens=3000)) as server:
        agent(ANTHROPIC_BASE_URL=server.url, **keys)
        for schema in (long, {**long, "properties": {"a": {"type": "string"}}}):
            facade.complete_json("say", "small", provider="anthropic", system_prompt="Be brief.", schema=schema)
    assert marked(server) == [True, False]


def test_prefix__that_is_not_kept(facade: Any, agent: Any) -> None:
    """A prefix that the vendor did not cache is not marked again."""
    with ScriptedServer(said()) as server:
        ask(server, agent, facade, 4)
    assert marked(server) == [False, True, False, False]


def test_prefix__refused(facade: Any, agent: Any, caplog: Any) -> None:
    """If a gateway refuses the mark, it is omitted from then on, and the log names the setting."""
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "system.0.cache_control: no"}}
    with ScriptedServer(said(), Reply.of(error, status=400), said()) as server:
        ask(server, agent, facade, 3)
    assert marked(server) == [False, True, False, False]
    (warning,) = [message for message in caplog.messages if "rejects" in message]
    assert "STAPEL_AGENT['PROMPT_CACHE']['llm_facade']" in warning


def refused(words: str) -> Reply:
    return Reply.of({"type": "error", "error": {"type": "invalid_request_error", "message": words}}, status=400)


NO_EFFORT, NO_MARK = refused("output_config: not permitted"), refused("system.0.cache_control: not permitted")
NEITHER, BUSY = refused("output_config or cache_control is not permitted"), Reply(b"busy", status=503)
NUMBERED = [refused(f"output_config or cache_control is not permitted (request id: 20261201{n}abc)") for n in range(3)]


@pytest.mark.parametrize(
    ("replies", "given", "sent"),
    [
        ([NO_EFFORT, NO_MARK, said()], ["ok", "ok"], ["both", "mark", "none", "none"]),
        ([NO_MARK, NO_EFFORT, said()], ["ok", "ok"], ["both", "effort", "none", "none"]),
        ([NO_EFFORT, NO_MARK, BUSY, said()], ["failure", "ok"], ["both", "mark", "none", "mark"]),
        ([NO_EFFORT, NO_EFFORT, NO_EFFORT, said()], ["failure", "ok"], ["both", "mark", "both", "mark"]),
        ([NEITHER, NEITHER, NEITHER, said()], ["failure", "ok"], ["both", "mark", "none", "both"]),
        ([*NUMBERED, said()], ["failure", "ok"], ["both", "mark", "none", "both"]),
    ],
)
def test_prefix__refused_with_the_effort(
    facade: Any, agent: Any, replies: list[Reply], given: list[str], sent: list[str]
) -> None:
    """A gateway may refuse each added field in turn. What led to another error was refused, whatever follows."""
    with ScriptedServer(*replies) as server:
        models, cache = {"small": MODEL}, {"llm_facade": True}
        agent(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=server.url, MODELS=models, RETRIES=0, PROMPT_CACHE=cache)
        asked = {"provider": "anthropic", "system_prompt": LONG, "effort": "low"}
        assert [facade.complete(f"say {number}", "small", **asked)["status"] for number in range(2)] == given
    names = {(True, True): "both", (True, False): "mark", (False, True): "effort", (False, False): "none"}
    has_effort = ["output_config" in request.json for request in server.requests]
    assert [names[pair] for pair in zip(marked(server), has_effort, strict=True)] == sent


def test_prefix__of_a_translation(agent: Any) -> None:
    """Of a translation's first questions, one writes the prefix. Only the stable part is marked."""
    entries = {str(number): f"Text number {number} with <b>markup</b>" for number in range(8)}
    context, gate = LONG[:1900].strip(), threading.Barrier(4)
    with ScriptedServer(*[Reply(WROTE.body, headers=WROTE.headers, gate=gate)] * 4, READ) as server:
        agent(
            ANTHROPIC_API_KEY="k",
            ANTHROPIC_BASE_URL=server.url,
            MODELS={"small": "claude-opus-5"},
            RETRIES=0,
            TRANSLATE_CHUNK_ENTRIES=2,
            TRANSLATE_CONCURRENCY=4,
            TRANSLATE_RETRIES=0,
        )
        services.translate("en", "de", entries, context=context, provider="anthropic")
    assert sum(marked(server)) == 1
    (system,) = [request.json["system"] for request in server.requests if isinstance(request.json["system"], list)]
    assert context in system[0]["text"]
    assert len(system) == 2


def test_prefix__of_other_vendors(agent: Any) -> None:
    """Other vendors get the stable part first: a translation's questions begin alike and end with the texts."""
    entries = {"a": "The hotel", "b": "The garden"}
    reply = {"choices": [{"message": {"content": '{"1": "Text"}'}, "finish_reason": "stop"}]}
    with ScriptedServer(Reply.of(reply)) as server:
        entry = {"base_url": server.url, "models": {"small": "m"}}
        agent(PROVIDERS={"mine": entry}, TRANSLATE_CHUNK_ENTRIES=1, TRANSLATE_CONCURRENCY=1, TRANSLATE_RETRIES=0)
        glossary = {"hotel": "Hotel", "garden": "Garten"}
        services.translate("en", "de", entries, context=LONG[:1900], glossary=glossary, provider="mine")
    (first, text), (second, other) = [[part["content"] for part in one.json["messages"]] for one in server.requests]
    alike = os.path.commonprefix([first, second])
    assert LONG[:1900].strip() in alike
    assert ("Hotel" in first[len(alike) :], "Garten" in second[len(alike) :]) == (True, True)
    assert ("hotel" in text, "garden" in other) == (True, True)
    assert "cache_control" not in str(server.requests[0].json)


def test_plan__one_writer(monkeypatch: Any) -> None:
    """While one call writes a prefix, no other marks it. Afterwards all read it, for five minutes."""
    now = 1000.0
    monkeypatch.setattr(prompt_cache.time, "monotonic", lambda: now)
    writer, *others = [plan("p", wish=True) for _ in range(4)]
    assert (writer.is_marked, [other.is_marked for other in others]) == (True, [False] * 3)

    class Answer:
        usage = Usage(5, 5, cache_write_tokens=9)

    with writer.settled(Answer()):
        pass
    now += 299
    assert [plan("p", wish=None).is_marked for _ in range(3)] == [True] * 3
    now += 301
    assert not plan("p", wish=None).is_marked


def test_plan__writer_that_fails() -> None:
    """After a failed write, the next call writes."""
    writer = plan("p", wish=True)

    class Nothing:
        usage = Usage()

    with pytest.raises(OSError), writer.settled(Nothing()):
        raise OSError
    assert plan("p", wish=True).is_marked


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("claude-haiku-4-5-20251001", 4096),
        ("claude-sonnet-5", 1024),
        ("claude-opus-4-8", 1024),
        ("claude-opus-5", 512),
        # https://apidog.com/jp/blog/claude-haiku-5-5-vs-haiku-4-5/
        ("claude-haiku-5-5", 512),
    ],
)
def test_minimum__by_model(model: str, tokens: int) -> None:
    """Each model has its own minimum."""
    assert minimum_tokens(model) == tokens
