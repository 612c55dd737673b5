"""Endpoints in PROVIDERS: each documented set-up against a server with its dialect."""

import json
import re
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

import httpx
import pytest
from django.core.checks import run_checks
from stapel_core.comm import call

from stapel_agent.asking import candidate_of
from stapel_agent.asking.retries import immediate
from stapel_agent.exceptions import InvalidRequest, ParameterRefused, WrongSetting
from stapel_agent.model_profiles import Profile
from stapel_agent.models import PromptLog
from stapel_agent.providers import provider_registry
from stapel_agent.providers.dialects import DIALECTS, dialect_for
from stapel_agent.providers.endpoint_settings import FIELDS, Endpoint
from stapel_agent.providers.openai_compat import ChatCall
from stapel_agent.providers.wire.call_arguments import Call
from stapel_agent.types import CompletionRequest
from tests.documents import setups, table
from tests.providers.message_stream import message, stream
from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

OFF = {"thinking": {"type": "disabled"}}
ON = {"thinking": {"type": "enabled"}}
NO_TEMPLATE_THINKING = {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}}
TEMPLATE_LOW = {"chat_template_kwargs": {"enable_thinking": True, "thinking": True, "reasoning_effort": "low"}}
SPLIT = {"reasoning_split": True}
NEWER = "max_completion_tokens"

SENT: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "openai": (NEWER, {"reasoning_effort": "none"}, {"reasoning_effort": "low"}),
    "azure": (NEWER, {"reasoning_effort": "minimal"}, {"reasoning_effort": "low"}),
    "deepseek": ("max_tokens", OFF, {**ON, "reasoning_effort": "low"}),
    "zai": ("max_tokens", OFF, ON),
    "moonshot": (NEWER, {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
    "xiaomi": (NEWER, OFF, ON),
    "google": ("max_tokens", {}, {"reasoning_effort": "low"}),
    "mistral": ("max_tokens", {"reasoning_effort": "none"}, {}),
    "groq": (NEWER, {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
    "openrouter": ("max_tokens", {"reasoning": {"effort": "none"}}, {"reasoning": {"effort": "low"}}),
    "xai": (NEWER, {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
    "dashscope": (NEWER, {"enable_thinking": False}, {"enable_thinking": True}),
    "siliconflow": ("max_tokens", {"enable_thinking": False}, {"enable_thinking": True, "thinking_budget": 1024}),
    "volcengine": (NEWER, OFF, {**ON, "reasoning_effort": "low"}),
    "minimax": (NEWER, {"reasoning_effort": "low", **SPLIT}, {"reasoning_effort": "low", **SPLIT}),
    "together": ("max_tokens", {"reasoning": {"enabled": False}}, {"reasoning": {"enabled": True}}),
    "hosted": ("max_tokens", {"reasoning_effort": "none"}, {"reasoning_effort": "low"}),
    "vllm": ("max_tokens", NO_TEMPLATE_THINKING, TEMPLATE_LOW),
    "ollama": ("max_tokens", {"reasoning_effort": "none"}, {"reasoning_effort": "low"}),
    "lmstudio": ("max_tokens", {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
    "llamacpp": ("max_tokens", NO_TEMPLATE_THINKING, TEMPLATE_LOW),
}
"""Dialect -> the field of the cap, and the fields for no thinking and a low effort."""

SENT_WITHOUT_EFFORT = {"minimax": SPLIT}
"""Dialect -> the fields for a call that sets no effort."""


def answer(content: str = "pong") -> Reply:
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return Reply.of({"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})


def refusal(status: int, message: str, **fields: Any) -> Reply:
    return Reply.of({"error": {"message": message, **fields}}, status=status)


def test_setups__all_dialects() -> None:
    """Every dialect has a documented set-up, whose host or entry names the dialect."""
    assert list(setups()) == list(DIALECTS)
    for name, entry in setups().items():
        host = httpx.URL(entry["base_url"]).host
        assert dialect_for(host, entry.get("dialect")).name == name
        assert DIALECTS[name].hosts == () or "dialect" not in entry or name in ("ollama", "vllm")


@pytest.mark.parametrize("name", list(DIALECTS))
def test_setups__as_copied(facade: Any, agent: Any, monkeypatch: Any, name: str) -> None:
    """Each set-up sends its key, its model, its cap and its word for the effort, and reads the answer."""
    entry = setups()[name]
    variable = (entry.get("api_key") or {}).get("env")
    if variable:
        monkeypatch.setenv(variable, "key-of-the-vendor")
    cap, none, low = SENT[name]
    with ScriptedServer(answer()) as server:
        agent(PROVIDERS={name: {**entry, "base_url": f"{server.url}/v1", "dialect": name}}, MAX_TOKENS=50)
        answers = [facade.complete("say", "small", provider=name, effort=effort) for effort in ("none", "low", None)]
    assert [given["result"] for given in answers] == ["pong"] * 3
    model = entry["models"]["small"]
    plain = {"model": model, "messages": [{"role": "user", "content": "say"}], cap: 50}
    assert [request.json for request in server.requests] == [
        {**plain, **fields} for fields in (none, low, SENT_WITHOUT_EFFORT.get(name, {}))
    ]
    key = {request.headers.get("authorization") for request in server.requests}
    assert key == {"Bearer key-of-the-vendor" if variable else None}


def test_dialects__documented() -> None:
    """The documented table of dialects has each of them, with its hosts and the field of its cap."""
    told = {
        cells[0].strip("`"): (re.findall(r"`([^`]+)`", cells[1]), cells[2].strip("`"))
        for cells in table("docs/dialects.md", "dialects")
    }
    assert told == {name: (list(dialect.hosts), dialect.max_tokens_param) for name, dialect in DIALECTS.items()}


def test_endpoint__documented() -> None:
    """The documented tables list exactly the keys of an endpoint and a profile."""
    keys = {cells[0].strip("`") for cells in table("docs/models.md", "endpoint")}
    assert keys == set(FIELDS["openai-compat"])
    assert [cells[0].strip("`") for cells in table("docs/models.md", "profile")] == list(Profile.__dataclass_fields__)


def test_profile__routes_a_size(facade: Any, agent: Any) -> None:
    """A size uses its profile's provider, cap and options. A request that names another provider gets that one's."""
    profile = {"provider": "there", "model": "big", "effort": "none", "max_tokens": 99, "options": {"temperature": 0}}
    with ScriptedServer(answer()) as there, ScriptedServer(answer()) as here:
        agent(
            DEFAULT_PROVIDER="here",
            MODELS={"small": "tiny", "large": profile},
            PROVIDERS={
                "here": {"base_url": here.url, "dialect": "deepseek", "models": {"large": "huge"}},
                "there": {"base_url": there.url, "dialect": "deepseek"},
            },
        )
        facade.complete("say", "large")
        facade.complete("say", "large", provider="here", effort="high", max_tokens=10)
    first, second = there.requests[0].json, here.requests[0].json
    assert (first["model"], first["max_tokens"], first["temperature"], first["thinking"]) == (
        "big",
        99,
        0,
        {"type": "disabled"},
    )
    assert (second["model"], second["max_tokens"], second["reasoning_effort"]) == ("huge", 10, "high")
    assert "temperature" not in second


def test_effort__of_a_source(facade: Any, agent: Any) -> None:
    """Without an effort in the request or the profile, the source's applies: low for translations by default."""
    with ScriptedServer(answer('{"1": "eins"}'), answer("pong")) as server:
        agent(DEFAULT_PROVIDER="mine", PROVIDERS={"mine": {"base_url": server.url, "dialect": "ollama"}})
        assert facade.translate("en", "de", {"k": "one"}, skip_cache=True)["status"] == "ok"
        facade.complete("say", "small")
    assert [request.json.get("reasoning_effort") for request in server.requests] == ["low", None]


def test_effort__on_every_surface(agent: Any, scripted_model: Any, client: Any, settings: Any) -> None:
    """Over HTTP and comm, for both verbs, the request's effort reaches the provider."""
    headers = {"X-API-KEY": settings.SERVICE_API_KEY}
    body = {"prompt": "say", "model": "small", "effort": "high"}
    texts = {"to": "de", "entries": {"k": "one"}, "effort": "none"}
    post = partial(client.post, content_type="application/json", headers=headers)
    assert post("/agent/api/v1/llm/complete", body).status_code == 200
    assert post("/agent/api/v1/llm/translate", {"from": "en", **texts}).status_code == 200
    call("llm.complete", body)
    call("llm.translate", {"from_lang": "fr", **texts})
    assert {request.effort for request in scripted_model.requests} == {"high", "none"}


def test_effort__unknown_word(facade: Any, agent: Any) -> None:
    """An effort that is not one of the six is rejected, and no provider is called."""
    answer = facade.complete("say", "small", effort="lots")
    assert answer["reason"].startswith("rejected: effort ")


@pytest.mark.parametrize(
    ("reply", "sent_afterwards"),
    [
        (refusal(400, "Unrecognized request argument supplied: reasoning_effort"), None),
        (refusal(400, "Unsupported value: 'low' is not supported", param="reasoning_effort"), "high"),
        (refusal(400, '"llama3.2" does not support thinking'), None),
        (refusal(422, "Extra inputs are not permitted: body.reasoning_effort"), None),
        (refusal(400, "Model grok-3 does not support parameter reasoningEffort."), None),
        (refusal(400, "body/reasoning_effort must NOT have additional properties", code="FST_ERR_VALIDATION"), None),
        (refusal(400, f"'m' does not allow thinking; the prompt was: \"{'so, ' * 20}\""), None),
        (refusal(400, "temperature is not supported with reasoning_effort", param="temperature"), None),
        (Reply.of({"detail": [{"loc": ["body", "reasoning_effort"], "msg": "Extra inputs"}]}, status=422), None),
        (
            Reply.of(
                {"message": {"detail": [{"loc": ["body", "x"]}, {"loc": ["body", "reasoning_effort"]}]}}, status=422
            ),
            None,
        ),
        (Reply(b"unknown field: reasoning_effort", status=400), None),
        (Reply.of({"error": {"metadata": {"raw": '{"error": "thinking is not supported"}'}}}, status=400), None),
    ],
)
def test_effort__refused(facade: Any, agent: Any, caplog: Any, reply: Reply, sent_afterwards: str | None) -> None:
    """A refused effort field is omitted from then on. A refused value is omitted alone. The log names the setting."""
    with ScriptedServer(reply, answer()) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "dialect": "ollama", "models": {"small": "m"}}})
        given = [
            facade.complete("say", "small", provider="mine", effort=word)["status"] for word in ("low", "low", "high")
        ]
    assert given == ["ok"] * 3
    sent = [request.json.get("reasoning_effort") for request in server.requests]
    assert sent == ["low", None, None, sent_afterwards]
    (warning,) = [message for message in caplog.messages if "rejects" in message]
    assert "STAPEL_AGENT['EFFORT']['llm_facade']" in warning
    assert PromptLog.objects.count() == 4


INVALID_PROMPT = (
    "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a "
    "different prompt: https://platform.openai.com/docs/guides/reasoning#advice-on-prompting"
)


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (refusal(400, INVALID_PROMPT, code="invalid_prompt"), "refused"),
        (refusal(400, "Failed to validate JSON", failed_generation='{"reasoning": ""}'), "invalid_answer"),
        (refusal(400, "Your credit balance is too low; reasoning needs credits"), "out_of_credit"),
        (refusal(400, "Bad request", failed_generation='{"reasoning": ""}', thinking={"effort": 1}), "rejected"),
        (refusal(400, "See https://docs.example.com/reasoning or docs.example.com/guides/thinking"), "rejected"),
        (refusal(400, "No such model: claude-thinking (Model Group=anthropic/claude-3.7:thinking)"), "rejected"),
        (refusal(400, "No deployment of reasoning/m", param=None), "rejected"),
        (refusal(400, f'Cannot parse: "I was thinking, {"and then some, " * 9}"'), "rejected"),
        (refusal(400, "'temperature' does not support 0 with reasoning models", param="temperature"), "rejected"),
        (
            Reply.of({"detail": [{"loc": ["body", "messages"], "msg": "thinking", "input": "effort"}]}, status=422),
            "rejected",
        ),
        (Reply(b"<html><title>Bad request</title><p>effort</p></html>", status=400), "rejected"),
    ],
)
def test_effort__not_refused(facade: Any, agent: Any, reply: Reply, failure: str) -> None:
    """An error for another reason is not repeated, and the next request has the field, whatever the error quotes."""
    with ScriptedServer(reply, answer()) as server:
        entry = {"base_url": server.url, "dialect": "ollama", "models": {"small": "reasoning/m"}}
        agent(PROVIDERS={"mine": entry}, SCHEMA_RETRIES=0)
        given = [facade.complete("say", "small", provider="mine", effort="low").get("failure") for _ in range(2)]
    assert given == [failure, None]
    assert [request.json.get("reasoning_effort") for request in server.requests] == ["low", "low"]


def test_effort__rejected_in_an_answer(facade: Any, agent: Any) -> None:
    """An answer that is not JSON is asked for again within SCHEMA_RETRIES, with the same effort."""
    schema = {"type": "object", "properties": {"reasoning": {"type": "string"}}}
    wrong = refusal(400, "Failed to generate JSON.", code="json_validate_failed", failed_generation='{"reasoning": "')
    with ScriptedServer(wrong, answer('{"reasoning": ""}')) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "dialect": "ollama", "models": {"small": "m"}}})
        given = facade.complete_json("say", "small", provider="mine", effort="low", schema=schema)
    assert given["result"] == {"reasoning": ""}
    assert [request.json.get("reasoning_effort") for request in server.requests] == ["low", "low"]


def test_effort__refused_by_a_model_with_a_short_name(facade: Any, agent: Any) -> None:
    """The name of a model counts as one only where it is a word."""
    with ScriptedServer(refusal(400, "chat_template_kwargs and thinking are unknown"), answer()) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "dialect": "vllm", "models": {"small": "t"}}})
        assert facade.complete("say", "small", provider="mine", effort="low")["status"] == "ok"
    assert ["chat_template_kwargs" in request.json for request in server.requests] == [True, False]


@pytest.mark.parametrize(
    ("dialect", "message"),
    [
        (
            "dashscope",
            "<400> InternalError.Algo.InvalidParameter: The value of the enable_thinking parameter is restricted",
        ),
        ("siliconflow", "Value error, current model does not support parameter `enable_thinking`."),
        ("volcengine", "Invalid combination of reasoning_effort and thinking type: low + disabled"),
        ("minimax", "unknown field: reasoning_split"),
        ("together", "reasoning is not supported by this model"),
        ("hosted", "Unrecognized request argument supplied: reasoning_effort"),
    ],
)
def test_effort__refused_by_a_dialect(facade: Any, agent: Any, dialect: str, message: str) -> None:
    """A model that refuses the fields of its dialect is called without them from then on."""
    with ScriptedServer(refusal(400, message), answer()) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "dialect": dialect, "models": {"small": "m"}}})
        answers = [facade.complete("say", "small", provider="mine", effort="low") for _ in range(2)]
    assert [given["status"] for given in answers] == ["ok", "ok"]
    plain = {"model", "messages", DIALECTS[dialect].max_tokens_param}
    assert [request.json.keys() == plain for request in server.requests] == [False, True, True]


REFUSALS_IN_ANSWERS = {
    "minimax": {"choices": None, "base_resp": {"status_code": 2013, "status_msg": "unknown field: reasoning_split"}},
    "openrouter": {"choices": [{"error": {"code": 400, "message": "reasoning.effort is not supported"}}]},
}


@pytest.mark.parametrize("dialect", REFUSALS_IN_ANSWERS)
def test_effort__refused_in_an_answer(facade: Any, agent: Any, dialect: str) -> None:
    """An error inside an answer with the status 200 refuses a field like one with the status 400."""
    with ScriptedServer(Reply.of(REFUSALS_IN_ANSWERS[dialect]), answer()) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "dialect": dialect, "models": {"small": "m"}}})
        answers = [facade.complete("say", "small", provider="mine", effort="low") for _ in range(2)]
    assert [given["status"] for given in answers] == ["ok", "ok"]
    plain = {"model", "messages", DIALECTS[dialect].max_tokens_param}
    assert [request.json.keys() == plain for request in server.requests] == [False, True, True]


def test_effort__refused_in_parallel_answers() -> None:
    """Each of two calls under way is repeated, although the refusal of one is remembered when the other is read."""
    endpoint = Endpoint({"base_url": "http://127.0.0.1:9/v1", "dialect": "minimax"}, "mine", is_entry=True)
    calls = [ChatCall(endpoint, Call("say", "m")) for _ in range(2)]
    assert all(b"reasoning_split" in chat_call.request().content for chat_call in calls)
    for chat_call in calls:
        with pytest.raises(ParameterRefused, match="unknown field"):
            chat_call.read(json.dumps(REFUSALS_IN_ANSWERS["minimax"]).encode())


NEWER_CAP = "max_completion_tokens"
UNSUPPORTED = f"Unsupported parameter: 'max_tokens' is not supported with this model. Use '{NEWER_CAP}' instead."


@pytest.mark.parametrize(
    ("param", "reply"),
    [
        # https://github.com/microsoft/vscode-copilot-release/issues/8065
        ("max_tokens", refusal(400, UNSUPPORTED, param="max_tokens", code="unsupported_parameter")),
        # https://github.com/voideditor/void/issues/128
        (NEWER_CAP, refusal(400, f"[{{'type': 'extra_forbidden', 'loc': ('body', '{NEWER_CAP}')}}]", param=None)),
        (
            NEWER_CAP,
            Reply.of({"detail": [{"loc": ["body", NEWER_CAP], "msg": "Extra inputs not permitted"}]}, status=422),
        ),
        (NEWER_CAP, refusal(400, f"Unrecognized request argument supplied: {NEWER_CAP}")),
        (NEWER_CAP, Reply.of({"error": {"code": 400, "message": f"unknown field: {NEWER_CAP}"}})),
    ],
)
def test_token_cap__refused(facade: Any, agent: Any, caplog: Any, param: str, reply: Reply) -> None:
    """A model that refuses one field for the token cap gets the other one from then on. The log names the setting."""
    with ScriptedServer(reply, answer()) as server:
        entry = {"base_url": server.url, "models": {"small": "m"}, "max_tokens_param": param}
        agent(PROVIDERS={"{mine}": entry})
        given = [facade.complete("say", "small", provider="{mine}", max_tokens=9)["status"] for _ in range(2)]
    assert given == ["ok", "ok"]
    other = ({"max_tokens", NEWER_CAP} - {param}).pop()
    sent = [{name: request.json.get(name) for name in (param, other)} for request in server.requests]
    assert sent == [{param: 9, other: None}, {param: None, other: 9}, {param: None, other: 9}]
    (warning,) = [message for message in caplog.messages if "rejects" in message]
    assert warning.endswith("see PROVIDERS['{mine}']['max_tokens_param']")


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        # https://github.com/tailcallhq/forgecode/issues/1185
        ("max_tokens is too large: 20480. This model supports at most 16384 completion tokens", ["max_tokens"]),
        # https://github.com/Gitlawb/openclaude/issues/331
        ("The parameter `max_tokens` is not valid: integer above maximum value", ["max_tokens"]),
        ("Invalid 'max_tokens': above maximum value. Expected a value <= 4096, but got 8192 instead", ["max_tokens"]),
        ("max_tokens and max_completion_tokens are not supported", ["max_tokens", NEWER_CAP]),
    ],
)
def test_token_cap__not_refused(facade: Any, agent: Any, message: str, sent: list[str]) -> None:
    """A cap that is too large fails at once. If both fields are refused, the next call has the first one again."""
    with ScriptedServer(refusal(400, message, param="max_tokens")) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "models": {"small": "m"}}})
        given = [facade.complete("say", "small", provider="mine")["failure"] for _ in range(2)]
    assert given == ["rejected", "rejected"]
    caps = [name for request in server.requests for name in ("max_tokens", NEWER_CAP) if name in request.json]
    assert caps == sent * 2


def test_token_cap__refused_by_a_reasoning_model(facade: Any, agent: Any) -> None:
    """An error about the token cap that mentions reasoning does not cost the call its effort."""
    message = f"max_tokens is not supported by reasoning models: use {NEWER_CAP}"
    with ScriptedServer(refusal(400, message), answer()) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "dialect": "ollama", "models": {"small": "m"}}})
        assert facade.complete("say", "small", provider="mine", effort="low")["status"] == "ok"
    fields = [request.json.keys() - {"model", "messages"} for request in server.requests]
    assert fields == [{"max_tokens", "reasoning_effort"}, {NEWER_CAP, "reasoning_effort"}]


def test_token_cap__refused_with_the_effort(facade: Any, agent: Any) -> None:
    """Both fields may be refused, one after the other."""
    replies = refusal(400, UNSUPPORTED), refusal(400, "reasoning_effort is not supported"), answer()
    with ScriptedServer(*replies) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "dialect": "ollama", "models": {"small": "m"}}})
        assert facade.complete("say", "small", provider="mine", effort="low")["status"] == "ok"
    fields = [request.json.keys() - {"model", "messages"} for request in server.requests]
    assert fields == [{"max_tokens", "reasoning_effort"}, {NEWER_CAP, "reasoning_effort"}, {NEWER_CAP}]


@pytest.mark.parametrize(
    "message",
    [
        # https://github.com/NousResearch/hermes-agent/pull/90412
        "Reasoning is mandatory for this endpoint and cannot be disabled.",
        "Reasoning is mandatory for this model",
        # https://dev.to/aihubmix/fixing-requires-adaptive-thinking-2013-when-moving-from-minimax-m27-to-m31-flash-1iif
        "invalid params, this model requires adaptive thinking",
        # https://github.com/decolua/9router/pull/4048
        "Unsupported value: 'reasoning.effort' does not support 'none'",
    ],
)
@pytest.mark.parametrize("effort", ["none", "minimal"])
def test_effort__thinking_is_mandatory(facade: Any, agent: Any, message: str, effort: str) -> None:
    """A model that cannot stop thinking is asked to think little, not left to its default. More effort is sent."""
    reply = refusal(400, message.replace("'none'", f"'{effort}'"))
    with ScriptedServer(reply, answer()) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "dialect": "openrouter", "models": {"small": "m"}}})
        words = (effort, effort, "high")
        given = [facade.complete("say", "small", provider="mine", effort=word)["status"] for word in words]
    assert given == ["ok"] * 3
    assert [request.json["reasoning"]["effort"] for request in server.requests] == [effort, "low", "low", "high"]


def test_effort__thinking_is_mandatory_without_words(facade: Any, agent: Any) -> None:
    """A model that also refuses to think little is called without an effort."""
    replies = refusal(400, "reasoning cannot be disabled"), refusal(400, "'low' is not supported", param="reasoning")
    with ScriptedServer(*replies, answer()) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "dialect": "openrouter", "models": {"small": "m"}}})
        given = [facade.complete("say", "small", provider="mine", effort="none")["status"] for _ in range(2)]
    assert given == ["ok"] * 2
    sent = [request.json.get("reasoning", {}).get("effort") for request in server.requests]
    assert sent == ["none", "low", None, None]


def test_effort__none_needs_a_field(facade: Any, agent: Any, caplog: Any) -> None:
    """A field for calls without an effort is omitted too if the model refuses it, and never replaces an option."""
    with ScriptedServer(answer(), refusal(400, "unknown field: reasoning_split"), answer()) as server:
        entry = {"base_url": server.url, "dialect": "minimax", "models": {"small": "m", "large": "n"}}
        agent(
            PROVIDERS={"mine": entry},
            MODELS={"small": {"model": "m", "provider": "mine", "options": {"reasoning_split": False}}, "large": "n"},
        )
        facade.complete("say", "small")
        answers = [facade.complete("say", "large", provider="mine")["status"] for _ in range(2)]
    assert answers == ["ok", "ok"]
    assert [request.json.get("reasoning_split") for request in server.requests] == [False, True, None, None]
    assert [message for message in caplog.messages if "rejects reasoning_split" in message]


def test_effort__refused_by_a_tokenizer(facade: Any, agent: Any) -> None:
    """vLLM with a tokenizer of Mistral names another field than the one that it refuses."""
    words = "chat_template is not supported for Mistral tokenizers."
    with ScriptedServer(refusal(400, words), answer()) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "dialect": "vllm", "models": {"small": "m"}}})
        assert facade.complete("say", "small", provider="mine", effort="low")["status"] == "ok"
    assert ["chat_template_kwargs" in request.json for request in server.requests] == [True, False]


@pytest.mark.parametrize("status", [400, 429, 503, 504])
def test_effort__no_success_without_it(facade: Any, agent: Any, status: int) -> None:
    """If the repeated request fails too, later requests have the field. Its retries do not."""
    named, failed = refusal(400, "thinking is not supported"), refusal(status, "no")
    with ScriptedServer(named, failed, *[failed] * (status in (429, 503)), answer()) as server, immediate():
        entry = {"base_url": server.url, "dialect": "ollama", "models": {"small": "m"}}
        agent(PROVIDERS={"mine": entry}, RETRIES=1)
        given = [facade.complete("say", "small", provider="mine", effort="low")["status"] for _ in range(2)]
    assert given == ["failure", "ok"]
    first, *repeated, last = [request.json.get("reasoning_effort") for request in server.requests]
    assert (first, set(repeated), last) == ("low", {None}, "low")


@pytest.mark.parametrize("text", ["prose", "{}"])
def test_effort__refused_before_an_unusable_answer(facade: Any, agent: Any, text: str) -> None:
    """A vendor that answers without the field has refused it, even if the answer is not what was asked for."""
    schema = {"type": "object", "required": ["n"]}
    with ScriptedServer(refusal(400, "thinking is not supported"), answer(text)) as server:
        entry = {"base_url": server.url, "dialect": "ollama", "models": {"small": "m"}}
        agent(PROVIDERS={"mine": entry}, SCHEMA_RETRIES=0)
        for _ in range(2):
            facade.complete_json("say", "small", provider="mine", effort="low", schema=schema)
    assert [request.json.get("reasoning_effort") for request in server.requests] == ["low", None, None]


def test_effort__refused_twice(facade: Any, agent: Any) -> None:
    """A request that is also refused without the field is rejected."""
    with ScriptedServer(refusal(400, "reasoning_effort: no")) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "dialect": "ollama", "models": {"small": "m"}}})
        given = facade.complete("say", "small", provider="mine", effort="low")
    assert (given["reason"], len(server.requests)) == ("rejected: HTTP 400: reasoning_effort: no", 2)


def test_checks__of_profiles(agent: Any) -> None:
    """Checks cover the providers of profiles like the default one, and sizes of an endpoint that no request can use."""
    agent(
        DEFAULT_PROVIDER="here",
        MODELS={"small": "m", "large": {"provider": "there"}},
        PROVIDERS={
            "here": {"base_url": "http://127.0.0.1:9", "models": {"tiny": "t"}},
            "there": {"base_url": "http://127.0.0.1:9", "api_key": {"env": "NO_SUCH_KEY"}},
        },
    )
    found = {message.id: message.msg for message in run_checks(tags=["stapel_agent"], include_deployment_checks=True)}
    assert "['tiny']" in found["stapel_agent.W010"]
    assert "'there' has no default model" in found["stapel_agent.E003"]
    assert "'there' is not configured" in found["stapel_agent.W003"]


def test_keys__take_turns(facade: Any, agent: Any, monkeypatch: Any) -> None:
    """Calls use the keys in turn, and each row has the fingerprint of its key."""
    monkeypatch.setenv("SECOND_KEY", "key-b")
    with ScriptedServer(answer()) as server:
        agent(
            PROVIDERS={
                "mine": {"base_url": server.url, "api_key": ["key-a", {"env": "SECOND_KEY"}], "models": {"small": "m"}}
            }
        )
        for _ in range(4):
            facade.complete("say", "small", provider="mine")
    assert [request.headers["authorization"][-1] for request in server.requests] == ["a", "b", "a", "b"]
    rows = PromptLog.objects.order_by("created_at").values_list("metadata", flat=True)
    assert [row["key"] for row in rows] == [sha256(key).hexdigest()[:8] for key in (b"key-a", b"key-b")] * 2
    assert "key-a" not in json.dumps(list(rows))


@pytest.mark.parametrize("status", [401, 402, 429])
def test_keys__the_next_one(facade: Any, agent: Any, status: int) -> None:
    """If a key is refused, out of credit or over its limit, the next one is tried at once, and the first one rests."""
    first = Reply.of({"error": {"message": "no"}}, status=status, headers={"Retry-After": "60"})
    with ScriptedServer(first, answer()) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "api_key": ["key-a", "key-b"], "models": {"small": "m"}}})
        answers = [facade.complete("say", "small", provider="mine")["status"] for _ in range(3)]
    assert answers == ["ok"] * 3
    assert [request.headers["authorization"][-1] for request in server.requests] == ["a", "b", "b", "b"]


def test_keys__all_refused(facade: Any, agent: Any) -> None:
    """If every key is refused, the call fails after one attempt with each. The next call still tries one."""
    with ScriptedServer(refusal(401, "no")) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "api_key": ["key-a", "key-b"], "models": {"small": "m"}}})
        assert facade.complete("say", "small", provider="mine")["reason"].startswith("auth: HTTP 401: no")
        assert len(server.requests) == 2
        facade.complete("say", "small", provider="mine")
        assert len(server.requests) > 2


ENDLESS: list[Any] = ["key-a"]
ENDLESS.append(ENDLESS)
SHAPES: dict[str, tuple[Any, list[str | None]]] = {
    "duplicates": (["key-a", "key-a", {"env": "KEY_A"}], ["key-a", "key-a"]),
    "a tuple": (("key-a", "key-b"), ["key-a", "key-b"]),
    "one variable": ({"env": "KEY_A"}, ["key-a", "key-a"]),
    "an unset variable beside a key": ([{"env": "NO_SUCH_KEY"}, "key-b"], ["key-b", "key-b"]),
    "empty strings": (["", "key-b", ""], ["key-b", "key-b"]),
    "an empty string": ("", [None, None]),
    "an empty tuple": ((), [None, None]),
    "an empty list": ([], [None, None]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_keys__shapes(facade: Any, agent: Any, monkeypatch: Any, shape: str) -> None:
    """Each key counts once, and blank ones are left out."""
    monkeypatch.setenv("KEY_A", "key-a")
    keys, sent = SHAPES[shape]
    with ScriptedServer(answer()) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "api_key": keys, "models": {"small": "m"}}})
        assert [facade.complete("say", "small", provider="mine")["status"] for _ in sent] == ["ok"] * 2
    bearers = [key and f"Bearer {key}" for key in sent]
    assert [request.headers.get("authorization") for request in server.requests] == bearers


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([["key-a"]], "must be a string, {'env': 'NAME'}, or a list of these"),
        (ENDLESS, "must be a string, {'env': 'NAME'}, or a list of these"),
        (["key-a", None], "must be a string, {'env': 'NAME'}, or a list of these"),
        ([b"key-a"], "must be a string, {'env': 'NAME'}, or a list of these"),
        ({"env": 7}, "must be a string, {'env': 'NAME'}, or a list of these"),
        ({"env": "KEY_A", "file": "x"}, "must be a string, {'env': 'NAME'}, or a list of these"),
        ({"env": ["KEY_A"]}, "must be a string, {'env': 'NAME'}, or a list of these"),
        ({"env": ""}, "names an environment variable that is not set"),
        ([{"env": "NO_SUCH_KEY"}, {"env": "NOR_THIS"}], "NO_SUCH_KEY, which is not set"),
        (" key-a", "contains a space, a line break or a non-ASCII letter"),
        ({"env": "BROKEN_KEY"}, "contains a space, a line break or a non-ASCII letter"),
        (["key-a", "kéy"], "contains a space, a line break or a non-ASCII letter"),
    ],
    ids=repr,
)
def test_keys__hostile_shapes(facade: Any, agent: Any, monkeypatch: Any, keys: Any, words: str) -> None:
    """An impossible key fails the call before a provider is called, and the reason does not contain the key."""
    monkeypatch.setenv("KEY_A", "key-a")
    monkeypatch.setenv("BROKEN_KEY", "key-a\n")
    with ScriptedServer(answer()) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "api_key": keys, "models": {"small": "m"}}})
        reason = facade.complete("say", "small", provider="mine")["reason"]
    assert (words in reason, "key-a" in reason, "kéy" in reason) == (True, False, False)
    assert server.requests == []


@pytest.mark.parametrize(("wait", "sent"), [({}, "abbbb"), ({"Retry-After": "0"}, "ababa")])
def test_keys__a_limit_rests_as_long_as_stated(facade: Any, agent: Any, wait: dict[str, str], sent: str) -> None:
    """A key over its limit rests for its Retry-After. Without one, or if refused, it rests for COOLDOWN_SECONDS."""
    limit = Reply.of({"error": {"message": "slow down"}}, status=429, headers=wait)
    with ScriptedServer(limit, answer()) as server:
        keys = ["key-a", "key-b"]
        agent(PROVIDERS={"mine": {"base_url": server.url, "api_key": keys, "models": {"small": "m"}}}, RETRIES=0)
        assert [facade.complete("say", "small", provider="mine")["status"] for _ in range(4)] == ["ok"] * 4
    used = "".join(request.headers["authorization"][-1] for request in server.requests)
    assert used == sent


WRONG = [
    ({}, "PROVIDERS['mine']['base_url'] is missing"),
    ({"base_url": "ftp://x"}, "PROVIDERS['mine']['base_url'] must begin with http:// or https://"),
    ({"base_url": "http://x", "key": "k"}, "PROVIDERS['mine'] has an unknown key 'key'"),
    ({"base_url": "http://x", "class": "host.Mine"}, "PROVIDERS['mine']['class'] is 'host.Mine'"),
    ({"class": "anthropic", "dialect": "openai"}, "PROVIDERS['mine'] has an unknown key 'dialect'"),
    ({"base_url": "http://x", "api_key": [{"environ": "A"}]}, "PROVIDERS['mine']['api_key'] must be a string"),
    ({"base_url": "http://x", "models": ["m"]}, "PROVIDERS['mine']['models'] must be a dict"),
    (
        {"base_url": "http://x", "max_tokens_param": "limit"},
        "PROVIDERS['mine']['max_tokens_param'] must be 'max_tokens' or",
    ),
    ({"base_url": "http://x", "options": {"stream": True}}, "PROVIDERS['mine']['options'] cannot set stream"),
    (
        {"base_url": "http://x", "options": {"n": 10, "best_of": 10}},
        "PROVIDERS['mine']['options'] cannot set best_of, n",
    ),
    ({"base_url": "http://x", "dialect": "klingon"}, "PROVIDERS['mine']['dialect'] must be one of openai, azure"),
    ({"base_url": "http://x", "vendor": 1}, "PROVIDERS['mine']['vendor'] must be a string"),
    ({"base_url": "http://x", "finish_reasons": {"eos": "done"}}, "PROVIDERS['mine']['finish_reasons'] must be a dict"),
]


@pytest.mark.parametrize(("entry", "told"), WRONG)
def test_entry__wrong(facade: Any, agent: Any, entry: dict[str, Any], told: str) -> None:
    """A wrong key or value in an entry is an error of the check, and calls are rejected with the same message."""
    agent(PROVIDERS={"mine": entry})
    found = [message.msg for message in run_checks(tags=["stapel_agent"]) if message.id == "stapel_agent.E010"]
    assert any(told in message for message in found)
    reason = facade.complete("say", "small", provider="mine")["reason"]
    assert reason.startswith("rejected: ")
    assert told in reason


PROFILES = [
    ({"modle": "m"}, "MODELS']['small'] has an unknown key 'modle'"),
    ({"model": "m", "effort": "lots"}, "MODELS']['small']['effort'] is 'lots': use one of none, minimal"),
    ({"model": "m", "max_tokens": 0}, "MODELS']['small']['max_tokens'] must be a whole number of at least 1"),
    ({"model": "m", "options": {"messages": []}}, "MODELS']['small']['options'] cannot set messages"),
    ({"model": "m", "options": {"max_completion_tokens": 1}}, "cannot set max_completion_tokens"),
    ({"model": "m", "options": {"response_format": {}}}, "cannot set response_format"),
    ({"model": "m", "options": {"t": float("nan")}}, "MODELS']['small']['options'] must be serializable as JSON"),
    ({"model": 5}, "MODELS']['small']['model'] must be a string"),
]


@pytest.mark.parametrize(("profile", "told"), PROFILES)
def test_profile__wrong(facade: Any, agent: Any, profile: dict[str, Any], told: str) -> None:
    """An invalid profile is an error of the check, and calls are rejected."""
    agent(MODELS={"small": profile})
    found = [message.msg for message in run_checks(tags=["stapel_agent"]) if message.id == "stapel_agent.E003"]
    assert any(told in message for message in found)
    reason = facade.complete("say", "small")["reason"]
    assert reason.startswith("rejected: ")
    assert told in reason


def test_dialects__of_a_host(facade: Any, agent: Any) -> None:
    """A host's own dialect is selected by its name, with its cap and its word for an effort."""
    own = {"like": "deepseek", "max_tokens_param": "max_completion_tokens", "effort": {"low": {"think": 1}}}
    with ScriptedServer(answer()) as server:
        agent(
            DIALECTS={"ours": own},
            PROVIDERS={"mine": {"base_url": server.url, "dialect": "ours", "models": {"small": "m"}}},
        )
        facade.complete("say", "small", provider="mine", effort="low", max_tokens=5)
    assert (server.requests[0].json["think"], server.requests[0].json["max_completion_tokens"]) == (1, 5)


def test_dialects__of_a_host_by_address(agent: Any) -> None:
    """A host's entry takes precedence over the table's, and may override one."""
    agent(DIALECTS={"ours": {"hosts": ["api.deepseek.com"]}, "xai": {"max_tokens_param": "max_tokens"}})
    assert dialect_for("api.deepseek.com").name == "ours"
    assert (dialect_for("api.x.ai").name, dialect_for("api.x.ai").max_tokens_param) == ("xai", "max_tokens")
    assert dialect_for("api.x.ai").efforts == DIALECTS["xai"].efforts


@pytest.mark.parametrize(
    "entry", [{"hots": []}, {"like": "klingon"}, {"effort": {"lots": {}}}, {"usage": {"prompt": "x"}}]
)
def test_dialects__wrong(agent: Any, entry: dict[str, Any]) -> None:
    """An invalid entry is an error of the check, and has no effect."""
    agent(DIALECTS={"ours": entry})
    assert [message.id for message in run_checks(tags=["stapel_agent"])].count("stapel_agent.E010") == 1
    assert "ours" not in provider_registry.entries()


def test_vendor__of_a_subclass(agent: Any) -> None:
    """The price list is that of the subclass, then of the entry, then of the dialect."""
    base = provider_registry.load("openai-compat")
    assert type("Mine", (base,), {"vendor": "groq"})().vendor == "groq"
    agent(
        PROVIDERS={
            "a": {"base_url": "http://127.0.0.1:9", "vendor": "openai"},
            "b": {"base_url": "http://127.0.0.1:9", "dialect": "deepseek"},
            "c": {"base_url": "https://api.mistral.ai/v1"},
        }
    )
    vendors = [provider_registry.load(name)().vendor for name in "abc"]
    assert vendors == ["openai", "deepseek", "https://api.mistral.ai/v1"]


@pytest.mark.parametrize("name", list(DIALECTS))
def test_table__every_row(name: str) -> None:
    """Each dialect of the table maps our efforts to fields that options cannot set, and to known outcomes."""
    dialect = DIALECTS[name]
    for rule in dialect.efforts:
        re.compile(rule.models)
        assert rule.words.keys() <= {"none", "minimal", "low", "medium", "high", "max"}
        assert not {field for fields in rule.words.values() for field in fields} & {"model", "messages", "stream"}
    assert dialect.max_tokens_param in ("max_tokens", "max_completion_tokens")
    assert not dialect.efforts or re.search(dialect.efforts[-1].models, "a model of tomorrow")
    assert set(dialect.finish_reasons.values()) <= {"stop", "length", "content_filter", "interrupted"}
    for host in dialect.hosts:
        assert dialect_for(host.replace("*", "any")) is dialect


def test_azure__key(facade: Any, agent: Any) -> None:
    """Azure gets the key in its own header."""
    with ScriptedServer(answer()) as server:
        entry = {
            "base_url": f"{server.url}?api-version=1",
            "api_key": "key-of-an-account",
            "dialect": "azure",
            "models": {"small": "m"},
        }
        agent(PROVIDERS={"mine": entry})
        facade.complete("say", "small", provider="mine")
    assert server.requests[0].headers["api-key"] == "key-of-an-account"
    assert server.requests[0].path == "/chat/completions?api-version=1"


CLAUDE = [
    ("claude-haiku-4-5-20251001", "low", {}),
    ("claude-sonnet-4-5", "none", {}),
    ("claude-opus-4-5", "max", {"output_config": {"effort": "high"}}),
    ("claude-opus-4-8", "none", {"thinking": {"type": "disabled"}}),
    ("claude-opus-4-8", "low", {"output_config": {"effort": "low"}}),
    ("claude-opus-4-8", "max", {"output_config": {"effort": "max"}, "thinking": {"type": "adaptive"}}),
    ("claude-sonnet-5", "none", {"thinking": {"type": "disabled"}}),
    ("claude-sonnet-5", "minimal", {"output_config": {"effort": "low"}}),
    ("claude-sonnet-5", "medium", {"output_config": {"effort": "medium"}}),
    ("claude-sonnet-5-5", "none", {"thinking": {"type": "between_tools"}}),
    ("claude-opus-5-5", "none", {"output_config": {"effort": "low"}}),
    ("claude-fable-5-2", "high", {"output_config": {"effort": "high"}}),
    ("claude-haiku-5-5", "none", {"thinking": {"type": "disabled"}}),
]


@pytest.mark.sdk
@pytest.mark.filterwarnings("ignore:The model 'claude:DeprecationWarning")
@pytest.mark.parametrize(("model", "effort", "fields"), CLAUDE)
def test_claude__effort(facade: Any, agent: Any, model: str, effort: str, fields: dict[str, Any]) -> None:
    """Claude models get the effort in words that they support."""
    with ScriptedServer(stream(message("pong"))) as server:
        agent(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=server.url, MODELS={"small": model})
        assert facade.complete("say", "small", provider="anthropic", effort=effort)["result"] == "pong"
    sent = server.requests[0].json
    assert {name: sent[name] for name in ("output_config", "thinking") if name in sent} == fields


@pytest.mark.sdk
def test_claude__effort_beside_a_schema(facade: Any, agent: Any) -> None:
    """The effort is beside the format of the answer, and options are beside both."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    profile = {"model": "claude-sonnet-5", "effort": "high", "options": {"service_tier": "standard_only"}}
    with ScriptedServer(stream(message('{"a": "b"}'))) as server:
        agent(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=server.url, MODELS={"small": profile})
        assert facade.complete_json("say", "small", provider="anthropic", schema=schema)["result"] == {"a": "b"}
    sent = server.requests[0].json
    assert (sent["output_config"]["effort"], sent["output_config"]["format"]["type"]) == ("high", "json_schema")
    assert sent["service_tier"] == "standard_only"


@pytest.mark.sdk
def test_claude__effort_refused(facade: Any, agent: Any) -> None:
    """A refused effort is handled for Anthropic as for any other vendor."""
    error = {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "This model does not support the effort parameter."},
    }
    with ScriptedServer(Reply.of(error, status=400), stream(message("pong"))) as server:
        agent(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=server.url, MODELS={"small": "claude-new"})
        given = [facade.complete("say", "small", provider="anthropic", effort="low")["status"] for _ in range(2)]
    assert given == ["ok", "ok"]
    assert ["output_config" in request.json for request in server.requests] == [True, False, False]


@pytest.mark.sdk
def test_claude__second_account(facade: Any, agent: Any) -> None:
    """An entry of the class "anthropic" is a second account with its own address, keys and models."""
    error = {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}
    with ScriptedServer(Reply.of(error, status=401), stream(message("pong"))) as server:
        entry = {
            "class": "anthropic",
            "base_url": server.url,
            "api_key": ["key-a", "key-b"],
            "models": {"small": "claude-x"},
        }
        agent(PROVIDERS={"second": entry})
        assert facade.complete("say", "small", provider="second")["status"] == "ok"
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer key-a", "Bearer key-b"]
    assert server.requests[1].json["model"] == "claude-x"


def test_profile__of_another_provider(agent: Any) -> None:
    """A named provider that the profile is not for gets its own model. If it has none, the reason says so."""
    agent(
        MODELS={"large": {"provider": "there", "model": "deepseek-v4-pro"}},
        PROVIDERS={"there": {"base_url": "http://127.0.0.1:9"}, "bare": {"base_url": "http://127.0.0.1:9"}},
    )
    request = CompletionRequest("say", "large", "anthropic", "llm_facade", 9)
    assert candidate_of(request).request.model == "claude-opus-4-8"
    assert candidate_of(replace(request, provider="there")).request.model == "deepseek-v4-pro"
    with pytest.raises(InvalidRequest, match="'bare' has no model for that size"):
        candidate_of(replace(request, provider="bare"))


def test_options__of_a_provider_without(agent: Any) -> None:
    """Options for a provider that does not support them are rejected, never silently dropped."""
    agent(MODELS={"small": {"provider": "claude-code", "model": "m", "options": {"temperature": 0}}})
    with pytest.raises(WrongSetting, match="does not support options"):
        candidate_of(CompletionRequest("say", "small", "claude-code", "llm_facade", 9))
