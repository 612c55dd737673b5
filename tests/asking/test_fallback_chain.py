"""Which failures lead to a fallback, which providers are asked, and under which provider an answer is stored."""

import json
from typing import ClassVar

import pytest
from django.core.cache import cache

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import (
    AccessDenied,
    AnswerInterrupted,
    AnswerRefused,
    AnswerTruncated,
    InvalidAnswer,
    OutOfCredit,
    ProviderBug,
    ProviderDown,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestInterrupted,
    RequestRejected,
)
from stapel_agent.models import PromptLog
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.types import Usage
from tests.answers import TRACED, by
from tests.scripted_chain import ANSWERED, asked, provider_of, rows, scripted_chain
from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.usefixtures("immediately")]

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
DECLINED_HALFWAY = [
    ProviderUnavailable("broke off", text="ha"),
    RateLimited("broke off", usage=Usage(3)),
    OutOfCredit("broke off", usage=Usage(3), text="ha"),
]
"""Errors of providers that began to answer before they declined."""
TEXTS = {"greeting": "hello"}


# --- which failures lead to a fallback


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        (ProviderUnavailable("busy"), 3),
        (RateLimited("later"), 3),
        (ProviderDown("301"), 1),
        (OutOfCredit("pay"), 1),
        (AccessDenied("key"), 1),
    ],
    ids=repr,
)
def test_fallback__after_a_provider_that_declined(facade, agent, fault, times):
    """If a provider declines, the next one is asked after all retries."""
    models = scripted_chain(agent, first=fault, second="answer")
    assert facade.complete("say", "small")["result"] == "answer"
    assert asked(models) == {"first": times, "second": 1}


@pytest.mark.parametrize(
    "reply",
    [
        RequestRejected("no"),
        ProviderTimeout("slow"),
        RequestInterrupted("gone"),
        TimeoutError(),
        AnswerInterrupted("half"),
        AnswerTruncated("cut"),
        AnswerRefused("no"),
        InvalidAnswer("no"),
        ProviderError("broke"),
        ValueError("broke"),
        ProviderResult("half", finish_reason="length"),
        ProviderResult("no", finish_reason="content_filter"),
        ProviderResult(None),
        '{"n": "x"}',
        "prose",
        *DECLINED_HALFWAY,
    ],
    ids=repr,
)
def test_fallback__never(facade, agent, reply):
    """No fallback is asked after a failure that another provider would repeat, or that may have been billed."""
    models = scripted_chain(agent, first=reply, second='{"n": 1}')
    assert facade.complete_json("say", "small", schema=SCHEMA)["status"] == "failure"
    assert asked(models)["second"] == 0


@pytest.mark.parametrize(
    ("status", "is_followed"),
    [
        *[(status, True) for status in (301, 401, 402, 403, 409, 429, 500, 501, 502, 503, 525, 529)],
        *[(status, False) for status in (400, 404, 408, 413, 422, 504, 520, 521, 522, 523, 524)],
    ],
)
def test_fallback__after_a_status(facade, agent, status, is_followed):
    """After an error over HTTP, the next provider is asked, unless the request is rejected or may be billed."""
    models = scripted_chain(agent, unused="", second="answer")
    with ScriptedServer(Reply(status=status)) as server:
        agent(OPENAI_COMPAT_BASE_URL=server.url, FALLBACKS={"openai-compat": ["second"]})
        answer = facade.complete("say", "small", provider="openai-compat")
    assert answer["status"] == ("ok" if is_followed else "failure")
    assert asked(models)["second"] == is_followed


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (446, "The guardrail checks defined in the config failed."),
        (400, "Prompt blocked due to security configurations"),
        (424, "Response blocked due to security configurations"),
    ],
)
def test_fallback_on__refused_by_a_gateway(facade, agent, status, message):
    """What a gateway's guardrail refuses is paid by estimate, because the model may have answered before it."""
    scripted_chain(agent, unused="", second="answer")
    second = agent_settings.PROVIDERS["second"]
    with ScriptedServer(Reply.of({"error": {"message": message}}, status=status)) as server:
        first = {"base_url": server.url, "dialect": "openai", "models": {"small": "gpt-4o-mini"}}
        agent(PROVIDERS={"first": first, "second": second}, FALLBACKS={"first": ["second"]}, FALLBACK_ON=["refused"])
        agent(BUDGETS=[{"scope": "all", "period": "month", "tokens": 10**7}])
        assert facade.complete("say", "small", provider="first")["result"] == "answer"
    refused = PromptLog.objects.earliest("created_at")
    assert (refused.metadata["failure"], refused.cost_usd, refused.cost_basis) == ("refused", None, "estimated")
    assert (len(server.requests), refused.estimated_cost_usd > 0) == (1, True)


@pytest.mark.parametrize("fault", [RequestInterrupted("gone"), ProviderTimeout("slow"), *DECLINED_HALFWAY], ids=repr)
def test_fallback__where_two_may_be_billed(facade, agent, fault):
    """With RETRY_BILLED, a fallback is asked even if the first provider may have been paid."""
    models = scripted_chain(agent, first=fault, second="answer")
    agent(RETRY_BILLED=True, RETRIES=0)
    assert facade.complete("say", "small")["result"] == "answer"
    assert asked(models) == {"first": 1, "second": 1}


@pytest.mark.parametrize(
    ("name", "reply"),
    [
        ("refused", ProviderResult("no", 10, 5, finish_reason="content_filter")),
        ("truncated", ProviderResult("half", 10, 5, finish_reason="length")),
        ("invalid_answer", ProviderResult("", 10, 5)),
        ("rejected", RequestRejected("no", usage=Usage(10, 5))),
        ("timeout", ProviderTimeout("slow", usage=Usage(10, 5))),
        ("interrupted", RequestInterrupted("gone", usage=Usage(10, 5))),
        ("provider_bug", ProviderBug("broke", usage=Usage(10, 5))),
    ],
)
def test_fallback_on__adds_failures(facade, agent, name, reply):
    """After a failure that FALLBACK_ON names, the next provider is asked, and both are paid. Otherwise it is not."""
    for named, is_followed in ((name, True), ("busy", False)):
        models = scripted_chain(agent, first=reply, second="answer")
        agent(FALLBACK_ON=[named], RETRIES=0)
        answer = facade.complete("say", "small")
        assert (answer["status"] == "ok", asked(models)["second"]) == (is_followed, int(is_followed))
        assert answer["usage"]["output_tokens"] == (10 if is_followed else 5)


def test_fallback_on__after_the_corrections(facade, agent):
    """A model first gets its SCHEMA_RETRIES. If all providers fail, the reason names the earlier failures."""
    models = scripted_chain(agent, first=["no", "no"], second=AnswerRefused("never"))
    agent(FALLBACK_ON=["invalid_answer"])
    reason = facade.complete_json("say", "small", schema=SCHEMA)["reason"]
    assert reason == "refused: never (before it, 'first': invalid_answer: the answer contains no JSON)"
    assert asked(models) == {"first": 2, "second": 1}


# --- a schema in the prompt


class Plain(LlmProvider):
    """Does not support schemas. Answers from a script and keeps its prompts."""

    prompts: ClassVar[list[str]] = []
    replies: ClassVar[list[str]] = []

    def complete(self, *, prompt, model, system_prompt=None):
        self.prompts.append(prompt)
        return ProviderResult(self.replies.pop(0), 10, 5)


@pytest.fixture
def plain(agent):
    """The default provider, which does not support schemas."""
    Plain.prompts, Plain.replies = [], []
    agent(PROVIDERS={"plain": Plain}, DEFAULT_PROVIDER="plain")
    return Plain


def test_schema_in_prompt__validated(facade, agent, plain):
    """With SCHEMA_IN_PROMPT, the prompt contains the schema, and the answer is validated and corrected as usual."""
    agent(SCHEMA_IN_PROMPT=True)
    plain.replies[:] = ['{"n": "x"}', '{"n": 1}']
    assert facade.complete_json("say", "small", schema=SCHEMA)["result"] == {"n": 1}
    first, second = plain.prompts
    assert first.startswith("say\n\nAnswer with JSON only")
    assert json.loads(first.splitlines()[-1]) == SCHEMA
    assert second.startswith(f"{first}\n\nAn earlier answer did not satisfy the JSON schema:")
    assert PromptLog.objects.order_by("created_at").first().prompt == first


def test_schema_in_prompt__off(facade, plain):
    """Without it, the request is rejected before anything is spent, and the reason names the setting."""
    reason = facade.complete_json("say", "small", schema=SCHEMA)["reason"]
    assert reason == (
        "rejected: provider 'plain' cannot constrain an answer to a schema: choose one that can, remove the schema, "
        "or set SCHEMA_IN_PROMPT to True"
    )
    assert (plain.prompts, PromptLog.objects.count()) == ([], 0)


def test_schema_in_prompt__of_a_fallback(facade, agent):
    """Only a provider that does not support schemas gets the schema in the prompt."""
    models = scripted_chain(agent, first=AccessDenied("key"))
    Plain.prompts, Plain.replies = [], ['{"n": 1}']
    agent(PROVIDERS={"first": provider_of(models["first"]), "plain": Plain}, DEFAULT_PROVIDER="first")
    agent(FALLBACKS={"first": ["plain"]}, SCHEMA_IN_PROMPT=True)
    assert facade.complete_json("say", "small", schema=SCHEMA)["result"] == {"n": 1}
    assert models["first"].requests[0].prompt == "say"
    assert Plain.prompts[0].startswith("say\n\nAnswer with JSON only")


# --- which providers are asked


def test_fallback__in_turn(facade, agent):
    """Providers are asked in turn until one answers. Those after it are not asked."""
    denied = AccessDenied("key")
    models = scripted_chain(agent, first=denied, second=OutOfCredit("pay"), third="answer", fourth="another")
    assert facade.complete("say", "small") == {**ANSWERED, "result": "answer"}
    assert asked(models) == {"first": 1, "second": 1, "third": 1, "fourth": 0}


def test_fallback__of_the_provider_that_is_named(facade, agent):
    """The fallbacks are those of the requested provider, not those of a fallback."""
    models = scripted_chain(agent, first=AccessDenied("a"), second=AccessDenied("b"), third="answer")
    agent(FALLBACKS={"first": ["second"], "second": ["third"]})
    assert facade.complete("say", "small")["status"] == "failure"
    assert asked(models) == {"first": 1, "second": 1, "third": 0}
    assert facade.complete("say", "small", provider="second")["result"] == "answer"
    assert facade.complete("say", "small", provider="third")["result"] == "answer"


@pytest.mark.parametrize("fallbacks", [{}, {"first": []}, {"other": ["second"]}, None])
def test_fallback__none(facade, agent, fallbacks):
    """Without a fallback, the error is the answer."""
    models = scripted_chain(agent, first=AccessDenied("key"), second="answer")
    agent(FALLBACKS=fallbacks)
    assert facade.complete("say", "small") == {"status": "failure", "failure": "auth", "reason": "auth: key", **TRACED}
    assert asked(models)["second"] == 0


def test_fallback__its_own_model(facade, agent):
    """Each provider gets its own model for the size. Everything else in the question is the same."""
    models = scripted_chain(agent, first=AccessDenied("key"), second="answer")

    class Renaming(provider_of(models["second"])):
        def resolve_model(self, model_size, default):
            return f"second-{model_size}"

    agent(PROVIDERS={"first": provider_of(models["first"]), "second": Renaming}, MODELS={"tiny": "first-tiny"})
    facade.complete("say", "tiny", system_prompt="be brief")
    (first,), (second,) = models["first"].requests, models["second"].requests
    assert (first.model, second.model) == ("first-tiny", "second-tiny")
    assert (second.prompt, second.system_prompt, second.max_tokens) == ("say", "be brief", first.max_tokens)


def test_fallback__without_schema_support(facade, agent, caplog):
    """A fallback that does not support schemas is skipped, with a line in the log, if the request has a schema."""
    prompts = []

    class Plain(LlmProvider):
        def complete(self, *, prompt, model, system_prompt=None):
            prompts.append(prompt)
            return ProviderResult('{"n": 2}')

    models = scripted_chain(agent, first=AccessDenied("key"), third='{"n": 3}')
    providers = {name: provider_of(model) for name, model in models.items()}
    agent(PROVIDERS={**providers, "plain": Plain}, FALLBACKS={"first": ["plain", "third"]})
    assert facade.complete_json("say", "small", schema=SCHEMA)["result"] == {"n": 3}
    assert prompts == []
    assert (
        "skipped a fallback of provider 'first': provider 'plain' cannot constrain an answer to a schema" in caplog.text
    )
    assert facade.complete_json("say", "small")["result"] == {"n": 2}


def test_fallback__unregistered(facade, agent, caplog):
    """A fallback that is not registered or cannot be imported is skipped, and the next one is asked."""
    models = scripted_chain(agent, first=AccessDenied("key"), third="answer")
    providers = {name: provider_of(model) for name, model in models.items()}
    agent(PROVIDERS={**providers, "lost": "no.such.Provider"}, FALLBACKS={"first": ["nobody", "lost", "third"]})
    assert facade.complete("say", "small")["result"] == "answer"
    assert "skipped a fallback of provider 'first': provider 'nobody' is not registered" in caplog.text
    assert "skipped a fallback of provider 'first': provider 'lost' cannot be imported" in caplog.text


def test_fallback__named_in_the_failure(facade, agent):
    """A failure that another fallback might have prevented names the fallbacks that could not be asked."""
    models = scripted_chain(agent, first=AccessDenied("key"), second="answer")
    providers = {name: provider_of(model) for name, model in models.items()}
    profile = {"provider": "first", "model": "m"}
    agent(PROVIDERS=providers, MODELS={"small": profile}, FALLBACKS={"first": ["second"]})
    lacking = (
        "the profile of 'small' is for provider 'first', and provider 'second' has no model for that size: "
        "add the size to its default_models, or use another size or provider"
    )
    assert facade.complete("say", "small")["reason"] == f"auth: key (skipped, 'second': {lacking})"
    models["first"].script(AnswerRefused("no"))
    assert facade.complete("say", "small")["reason"] == "refused: no"


def test_fallback__cannot_be_constructed(facade, agent):
    """A fallback whose `__init__` raises is an attempt like any other. Its bug ends the request."""

    class Broken(LlmProvider):
        def __init__(self):
            raise ValueError("secret")

    models = scripted_chain(agent, first=AccessDenied("key"), third="answer")
    providers = {name: provider_of(model) for name, model in models.items()}
    agent(PROVIDERS={**providers, "second": Broken}, FALLBACKS={"first": ["second", "third"]})
    reason = "provider_bug: provider 'second' raised ValueError (before it, 'first': auth: key)"
    assert facade.complete("say", "small")["reason"] == reason
    assert rows() == [("first", "failure", "auth"), ("second", "error", "provider_bug")]


# --- whose answer is reused

POLICIES = ["stapel_agent.cache.PromptLogCachePolicy", "stapel_agent.cache.DjangoCachePolicy"]


@pytest.fixture(params=POLICIES)
def translate(request, facade, agent):
    """Translates one text, with each cache. Its answers may be reused."""
    cache.clear()
    agent(CACHE_POLICY=request.param, COOLDOWN_FAILURES=100)
    yield lambda: facade.translate("en", "de", TEXTS)
    cache.clear()


def test_cache__of_a_fallback(agent, translate):
    """An earlier answer of a fallback is not paid for again: only the first provider is asked."""
    models = scripted_chain(agent, first=AccessDenied("key"), second='{"1": "hallo"}')
    for _ in range(3):
        assert translate()["result"] == {"greeting": "hallo"}
    assert asked(models) == {"first": 3, "second": 1}
    assert rows() == [("first", "failure", "auth"), ("second", "success", None), *[("first", "failure", "auth")] * 2]


def test_cache__of_a_fallback_in_a_cooldown(agent, translate):
    """An earlier answer of a fallback is not paid for again if the first provider is skipped."""
    models = scripted_chain(agent, first=AccessDenied("key"), second='{"1": "hallo"}')
    agent(COOLDOWN_FAILURES=1)
    for _ in range(3):
        assert translate()["result"] == {"greeting": "hallo"}
    assert asked(models) == {"first": 1, "second": 1}


def test_cache__fallback_is_not_the_first(agent, translate):
    """A fallback's answer is never reused as the first provider's, which is asked again as soon as it works."""
    replies = [AccessDenied("key"), '{"1": "guten tag"}']
    models = scripted_chain(agent, first=replies, second='{"1": "hallo"}')
    greetings = [translate()["result"]["greeting"] for _ in range(3)]
    assert greetings == ["hallo", "guten tag", "guten tag"]
    assert asked(models) == {"first": 2, "second": 1}


def test_cache__of_a_fallback_that_is_named(agent, facade, translate):
    """A fallback's answer is reused for requests that name the fallback, under the same key."""
    models = scripted_chain(agent, first=AccessDenied("key"), second='{"1": "hallo"}')
    translate()
    facade.translate("en", "de", TEXTS, provider="second")
    assert asked(models) == {"first": 1, "second": 1}
    assert len(set(PromptLog.objects.values_list("cache_key", flat=True))) == 2


def test_cache__usage_of_the_attempt_before(facade, agent):
    """A cached answer costs nothing, but the usage includes what was spent before it."""
    models = scripted_chain(agent, first=OutOfCredit("pay", usage=Usage(7, 2)), second="answer")
    agent(CACHE_LOOKUP={"llm_facade": True}, RETRY_BILLED=True)
    first, second = facade.complete("say", "small"), facade.complete("say", "small")
    answer = {"status": "ok", "result": "answer", **by("second")}
    assert first == {**answer, "usage": {"input_tokens": 17, "output_tokens": 7}}
    assert second == {**answer, "usage": {"input_tokens": 7, "output_tokens": 2}}
    assert asked(models) == {"first": 2, "second": 1}
