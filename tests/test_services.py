"""The facade returns the documented answers, sync and async."""

import asyncio
import json
from functools import partial

import pytest
from asgiref.sync import async_to_sync

from stapel_agent import services, structured
from stapel_agent.database import is_on_event_loop
from stapel_agent.exceptions import (
    AccessDenied,
    InvalidRequest,
    LedgerUnavailable,
    OutOfCredit,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    ProviderUnusable,
    RateLimited,
    RequestRejected,
)
from stapel_agent.models import PromptLog
from stapel_agent.providers.anthropic import AnthropicProvider
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.structured import SYSTEM_PROMPT
from stapel_agent.testing import ModelRequest
from tests.answers import TRACED, by, failure_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def test_complete__raw_text(facade, scripted_model):
    """The raw verb returns the text unchanged, and its cost."""
    scripted_model.script("plain prose")
    assert facade.complete("say", "small") == {
        "status": "ok",
        "result": "plain prose",
        "usage": {"input_tokens": 10, "output_tokens": 5},
        **by(),
    }


def test_complete__request_reaches_the_provider(facade, scripted_model, agent):
    """Size, system prompt, token cap and timeout are passed to the provider as keywords."""
    agent(MODELS={"tiny": "model-t"}, MAX_TOKENS=77, CLI_TIMEOUT=9)
    facade.complete("say", "tiny", system_prompt="be brief")
    assert scripted_model.requests == [
        ModelRequest("say", "model-t", system_prompt="be brief", schema=None, max_tokens=77, timeout=9)
    ]


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ('{"a": [1, null]}', {"result": {"a": [1, None]}}),
        ("[1, 2]", {"result": [1, 2]}),
        ('Here:\n```json\n{"a": 1}\n```\nDone.', {"result": {"a": 1}, "comment": "Here:\nDone."}),
        ('"Bonjour"', {"result": "Bonjour"}),
        ("```json\n42\n```", {"result": 42}),
        ("false", {"result": False}),
        ('""', {"result": ""}),
    ],
)
def test_complete_json__parsed(facade, scripted_model, reply, answer):
    """JSON is the result, also a scalar that is the whole answer. The prose around it is the comment."""
    scripted_model.script(reply)
    usage = {"input_tokens": 10, "output_tokens": 5}
    assert facade.complete_json("say", "small") == {"status": "ok", **answer, "usage": usage, **by()}


@pytest.mark.parametrize("reply", ["no json", "null", "It is 42.", '{"a": NaN}', "[1e999]", "[" * 100_000])
def test_complete_json__unparsable(facade, scripted_model, reply):
    """An answer without JSON, or with only `null`, is a failure with the raw text and the cost."""
    scripted_model.script(reply)
    assert facade.complete_json("say", "small") == {
        "status": "failure",
        "failure": "invalid_answer",
        "reason": f"invalid_answer: the answer {'is null' if reply == 'null' else 'contains no JSON'}",
        "comment": reply,
        "usage": {"input_tokens": 10, "output_tokens": 5},
        **TRACED,
    }


def test_complete_json__system_prompt(facade, scripted_model):
    """The built-in system prompt is sent unless the request has its own."""
    facade.complete_json("say", "small")
    facade.complete_json("say", "small", system_prompt="mine")
    assert [request.system_prompt for request in scripted_model.requests] == [SYSTEM_PROMPT, "mine"]


@pytest.mark.parametrize(
    ("text", "finish_reason", "reason"),
    [
        ('{"a": 1}', "length", "truncated at 64 tokens"),
        ("I cannot", "content_filter", "refused: the model, or its vendor's content filter, refused to answer"),
    ],
)
def test_complete_json__truncated_or_refused(facade, scripted_model, text, finish_reason, reason):
    """A truncated or refused answer is a failure with its text and its cost, even if it begins with valid JSON."""
    scripted_model.script(ProviderResult(text, output_tokens=64, finish_reason=finish_reason))
    assert facade.complete_json("say", "small") == {
        "status": "failure",
        "failure": failure_of(reason),
        "reason": reason,
        "comment": text,
        "usage": {"input_tokens": 0, "output_tokens": 64},
        **TRACED,
    }


@pytest.mark.parametrize(
    ("fault", "status", "name"),
    [
        (ProviderError("broke"), "failure", "provider_bug"),
        (ProviderTimeout("slow"), "timeout", "timeout"),
        (ProviderUnavailable("down"), "failure", "overloaded"),
        (RateLimited("later"), "failure", "rate_limited"),
        (OutOfCredit("pay"), "failure", "out_of_credit"),
        (AccessDenied("key"), "failure", "auth"),
        (RequestRejected("no"), "failure", "rejected"),
    ],
)
def test_complete_json__provider_fault(facade, scripted_model, fault, status, name):
    """A provider's error is a failure. The reason and the row have its name and message."""
    scripted_model.script(fault)
    assert facade.complete_json("say", "small") == {
        "status": "failure",
        "failure": failure_of(f"{name}: {fault}"),
        "reason": f"{name}: {fault}",
        **TRACED,
    }
    row = PromptLog.objects.order_by("created_at").last()
    assert (row.status, row.error_message, row.metadata["failure"]) == (status, str(fault), name)


@pytest.mark.parametrize("fault", [ValueError("secret sk-12345678"), KeyError("x"), RecursionError(), MemoryError()])
def test_complete_json__foreign_fault(facade, scripted_model, fault, caplog):
    """Any other exception is reported by its type only. The log has its traceback, without credentials."""
    scripted_model.script(fault)
    reason = f"provider 'anthropic' raised {type(fault).__name__}"
    assert facade.complete_json("say", "small") == {
        "status": "failure",
        "failure": "provider_bug",
        "reason": f"provider_bug: {reason}",
        **TRACED,
    }
    assert (PromptLog.objects.get().status, PromptLog.objects.get().error_message) == ("error", reason)
    assert "Traceback" in caplog.text
    assert "sk-12345678" not in caplog.text


@pytest.mark.parametrize("returned", [None, b"{}", "text", 7, ProviderResult(None), ProviderResult(b"{}")])
def test_complete__foreign_return(facade, agent, returned):
    """A provider that does not return a ProviderResult is a failure with a row of status error."""

    class Careless(LlmProvider):
        def complete(self, **arguments):
            return returned

    agent(PROVIDERS={"careless": Careless})
    assert facade.complete("say", "small", provider="careless") == {
        "status": "failure",
        "failure": "provider_bug",
        "reason": "provider_bug: provider 'careless' did not return a ProviderResult whose text is a str",
        **TRACED,
    }
    assert PromptLog.objects.get().status == "error"


def test_complete__provider_cannot_be_constructed(facade, agent):
    """A provider whose constructor raises is a failure with a row."""

    class Unmakeable(LlmProvider):
        def __init__(self):
            raise OSError("no socket")

    agent(PROVIDERS={"unmakeable": Unmakeable})
    reason = "provider 'unmakeable' raised OSError"
    assert facade.complete("say", "small", provider="unmakeable") == {
        "status": "failure",
        "failure": "provider_bug",
        "reason": f"provider_bug: {reason}",
        **TRACED,
    }
    assert PromptLog.objects.get().error_message == reason


@pytest.mark.parametrize("usage", ["12", -3, None, float("nan"), float("inf"), 10**30, [], "many"])
def test_complete__odd_usage(facade, scripted_model, usage):
    """Invalid figures never break a paid answer."""
    scripted_model.script(ProviderResult("text", input_tokens=usage, output_tokens=usage))
    counts = {"12": 12, 10**30: 2**31 - 1, float("inf"): 2**31 - 1}
    counted = 0 if isinstance(usage, list) else counts.get(usage, 0)
    assert facade.complete("say", "small") == {
        "status": "ok",
        "result": "text",
        "usage": {"input_tokens": counted, "output_tokens": counted},
        **by(),
    }


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("say", "huge"), "unknown model size 'huge': use one of small, medium, large"),
        (("", "small"), "prompt must not be empty"),
        ((7, "small"), "prompt must be a string, not int"),
        (("say", None), "model_size must be a string, not NoneType"),
    ],
)
def test_complete__wrong_arguments(facade, scripted_model, arguments, reason):
    """Invalid arguments are a failure with the fix. No provider is asked, and no row is written."""
    assert facade.complete(*arguments) == {"status": "failure", "failure": "rejected", "reason": f"rejected: {reason}"}
    assert (scripted_model.requests, PromptLog.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("source", "told"), [("x" * 33, f"'{'x' * 33}'"), ("\udfff", r"'\udfff'"), ("a\x00", r"'a\x00'")]
)
def test_complete__source_that_cannot_be_stored(facade, scripted_model, source, told):
    """A source that is too long for its column is refused, not cut to another source."""
    assert facade.complete("say", "small", source=source) == {
        "status": "failure",
        "failure": "rejected",
        "reason": "rejected: source must be a string of at most 32 characters, without NUL or an unpaired surrogate, "
        f"not {told}",
    }
    assert scripted_model.requests == []


def test_complete__nul_and_surrogates(facade, scripted_model):
    """A prompt with NUL or a lone surrogate is sent and stored in a form that every vendor and database accepts."""
    scripted_model.script("answer \x00 \ud800")
    answer = facade.complete("prompt \x00 \udfff", "small", system_prompt="\x00")
    assert answer["result"] == "answer \ufffd \ufffd"
    assert scripted_model.requests[0].prompt == "prompt \ufffd \ufffd"
    row = PromptLog.objects.get()
    assert (row.prompt, row.system_prompt, row.response) == ("prompt \ufffd \ufffd", "\ufffd", "answer \ufffd \ufffd")


def test_complete_json__schema_satisfied(facade, scripted_model):
    """The schema reaches the provider, and an answer that satisfies it is the result."""
    scripted_model.script('{"n": 3}')
    assert facade.complete_json("count", "small", schema=SCHEMA)["result"] == {"n": 3}
    assert scripted_model.requests[0].schema == SCHEMA


def test_complete_json__schema_mended(facade, scripted_model):
    """After a mismatch, the model is asked once more with the errors named. Both calls are paid and recorded."""
    scripted_model.script('{"n": "three"}', '{"n": 3}')
    assert facade.complete_json("count", "small", schema=SCHEMA) == {
        "status": "ok",
        "result": {"n": 3},
        "usage": {"input_tokens": 20, "output_tokens": 10},
        **by(),
    }
    first, second = scripted_model.requests
    assert second.prompt.startswith(first.prompt)
    assert "$.n: 'three' is not of type 'integer'" in second.prompt
    rows = PromptLog.objects.order_by("created_at")
    assert [row.status for row in rows] == ["failure", "success"]
    assert len({row.request_id for row in rows}) == 1


def test_complete_json__schema_never_satisfied(facade, scripted_model, agent):
    """After the last retry, the failure names the first error and has the whole usage."""
    agent(SCHEMA_RETRIES=2)
    scripted_model.script('{"n": "x"}', "[]", '{"m": 1}')
    assert facade.complete_json("count", "small", schema=SCHEMA) == {
        "status": "failure",
        "failure": "invalid_answer",
        "reason": "invalid_answer: the answer does not satisfy the schema: $: 'n' is a required property",
        "comment": '{"m": 1}',
        "usage": {"input_tokens": 30, "output_tokens": 15},
        **TRACED,
    }


def test_complete_json__schema_retry_fails(facade, scripted_model):
    """An error in the second call ends the request, with what the first one cost."""
    scripted_model.script('{"n": "x"}', ProviderTimeout("slow"))
    answer = facade.complete_json("count", "small", schema=SCHEMA)
    assert answer == {
        "status": "failure",
        "failure": "timeout",
        "reason": "timeout: slow",
        "comment": '{"n": "x"}',
        "usage": {"input_tokens": 10, "output_tokens": 5},
        **TRACED,
    }


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "nonsense"}, "schema is not a JSON Schema"),
        ({"$ref": "http://127.0.0.1:9/x"}, "schema has a reference that cannot be resolved: 'http://127.0.0.1:9/x'"),
        ({"$ref": "#/$defs/missing"}, "schema has a reference that cannot be resolved: '/$defs/missing'"),
        ({"type": object}, "schema must be a JSON object (TypeError)"),
        ({"x": float("nan")}, "schema must be a JSON object (ValueError)"),
        ("text", "schema must be a JSON object (str)"),
        ([], "schema must be a JSON object (list)"),
    ],
)
def test_complete_json__wrong_schema(facade, scripted_model, schema, reason):
    """An invalid schema, or one with external references, is refused before anything is spent or fetched."""
    answer = facade.complete_json("count", "small", schema=schema)
    assert answer["status"] == "failure"
    assert answer["reason"].startswith(f"rejected: {reason}")
    assert scripted_model.requests == []


def test_complete_json__endless_schema(facade, scripted_model):
    """A schema that refers to itself endlessly is a failure, not a crash."""
    scripted_model.script("{}")
    answer = facade.complete_json("count", "small", schema={"$ref": "#"})
    assert (answer["status"], answer["reason"]) == ("failure", "rejected: schema refers to itself for one value")
    assert scripted_model.requests == []


def test_complete_json__too_much_work(facade, scripted_model):
    """An answer that cannot be validated within the limits is a failure with its text."""
    text = json.dumps(["a" * 60 + "b"])
    scripted_model.script(text)
    answer = facade.complete_json("count", "small", schema={"items": {"pattern": "(a|a)*$"}})
    assert answer["reason"].startswith("rejected: the answer cannot be validated: the pattern")
    assert answer["comment"] == text


def test_acomplete_json__validates_off_the_loop(agent, scripted_model, monkeypatch):
    """On an event loop, schemas and answers are checked in another thread."""
    on_loop = []

    class Recorded(structured.CallerSchema):
        def __init__(self, schema):
            on_loop.append(is_on_event_loop())
            super().__init__(schema)

        def faults(self, result):
            on_loop.append(is_on_event_loop())
            return super().faults(result)

    monkeypatch.setattr(structured, "CallerSchema", Recorded)
    scripted_model.script('{"n": "x"}', '{"n": 3}')
    assert async_to_sync(services.acomplete_json)("count", "small", schema=SCHEMA)["result"] == {"n": 3}
    assert on_loop == [False, False, False]


def test_complete__minimal_provider(facade, agent):
    """A provider that declares nothing gets the three basic keywords and no more."""
    asked = []

    class Minimal(LlmProvider):
        def complete(self, *, prompt, model, system_prompt=None):
            asked.append((prompt, model, system_prompt))
            return ProviderResult("fine", 1, 2, 3, 4, 5)

        def resolve_model(self, model_size, default):
            return f"mine-{model_size}"

    agent(PROVIDERS={"minimal": Minimal})
    answer = facade.complete("say", "large", provider="minimal")
    usage = {"input_tokens": 1, "output_tokens": 2, "thinking_tokens": 3}
    assert answer == {"status": "ok", "result": "fine", "usage": usage, **by("minimal", "mine-large")}
    assert asked == [("say", "mine-large", None)]


@pytest.mark.real_model
def test_get_provider__default_and_named(agent):
    """Without a name, it returns the default provider. An unknown name raises."""
    assert type(services.get_provider()) is AnthropicProvider
    agent(DEFAULT_PROVIDER="openai-compat")
    assert type(services.get_provider()).__name__ == "OpenAICompatProvider"
    with pytest.raises(ProviderUnusable, match="'nobody'"):
        services.get_provider("nobody")


def test_services__own_fault(facade, agent, caplog):
    """An exception outside of a provider is a failure too, reported by its type and logged."""

    class Broken(dict):
        def get(self, *arguments):
            raise TypeError

    agent(CACHE_SCOPE=Broken())
    assert facade.complete("say", "small") == {
        "status": "failure",
        "failure": "internal_error",
        "reason": "internal_error: TypeError",
        **TRACED,
    }
    assert "Traceback" in caplog.text


async def test_services__called_on_an_event_loop(scripted_model):
    """A synchronous call on an event loop is refused with the fix before anything is spent."""
    reason = "called on an event loop: await its async twin, whose name begins with 'a'"
    assert services.complete("say", "small") == {
        "status": "failure",
        "failure": "rejected",
        "reason": f"rejected: {reason}",
    }
    assert scripted_model.requests == []


class Uncalled(ProviderTimeout):
    """A subclass that does not call its base's constructor."""

    def __init__(self, code):
        self.code = code


class Unspeakable(ProviderTimeout):
    """A subclass whose message cannot be read."""

    def __str__(self):
        raise ValueError("no words")


class Leaking(ProviderTimeout):
    """A subclass that reveals too much."""

    def __str__(self):
        return "refused Bearer abcdefghijklmnop"


@pytest.mark.parametrize(
    ("fault", "reason", "status"),
    [
        (Uncalled(7), "7", "timeout"),
        (Unspeakable(), "its message cannot be read", "timeout"),
        (Leaking(), "refused [redacted]", "timeout"),
        (ProviderError("odd", usage={"input_tokens": 3}), "odd", "failure"),
        (ProviderError("odd", text=b"\xff"), "odd", "failure"),
        (StopIteration(), "provider 'anthropic' raised", "error"),
    ],
    ids=["uncalled", "unspeakable", "leaking", "odd-usage", "odd-text", "stop-iteration"],
)
def test_complete__odd_provider_fault(facade, scripted_model, fault, reason, status):
    """A host's own exception, however odd, is a failure whose row has the same reason."""
    scripted_model.script(fault)
    answer = facade.complete("say", "small")
    row = PromptLog.objects.get()
    assert answer == {
        "status": "failure",
        "failure": failure_of(f"{row.metadata['failure']}: {row.error_message}"),
        "reason": f"{row.metadata['failure']}: {row.error_message}",
        **TRACED,
    }
    assert (row.error_message.startswith(reason), row.status) == (True, status)


class Figure:
    """A number that raises when it is read."""

    def __int__(self):
        raise RuntimeError("no figure")

    __bool__ = __float__ = __int__


class Text(str):
    """A text that raises when it is used."""

    def __str__(self):
        raise RuntimeError("no text")

    encode = __getitem__ = __iter__ = __len__ = startswith = __str__


@pytest.mark.parametrize(
    "result",
    [
        ProviderResult("fine", input_tokens=Figure(), output_tokens=Figure()),
        ProviderResult("fine", metadata=Figure()),
        ProviderResult(Text("fine")),
    ],
    ids=["figures", "metadata", "text"],
)
def test_complete__hostile_result(facade, scripted_model, result):
    """A host's types that raise when used lose neither the paid answer nor its row."""
    scripted_model.script(result)
    usage = {"input_tokens": 0, "output_tokens": 0}
    assert facade.complete("say", "small") == {"status": "ok", "result": "fine", "usage": usage, **by()}
    assert (PromptLog.objects.get().status, PromptLog.objects.get().response) == ("success", "fine")


@pytest.mark.parametrize(
    "fault",
    [
        LedgerUnavailable("Bearer abcdefghijklmnop"),
        InvalidRequest("Bearer abcdefghijklmnop"),
        ProviderUnavailable("Bearer abcdefghijklmnop", retry_after=float("nan")),
        ProviderUnavailable("Bearer abcdefghijklmnop", retry_after=Figure()),
    ],
)
def test_complete__fault_with_a_secret(facade, scripted_model, fault):
    """The message of any exception of this package is redacted, in the answer and in the row."""
    scripted_model.script(fault)
    assert "abcdefgh" not in facade.complete("say", "small")["reason"]
    assert {"abcdefgh" in row.error_message for row in PromptLog.objects.all()} == {False}


def test_complete__provider_that_cancels_itself(facade, agent):
    """A cancellation that nobody asked for is the provider's error, and does not end the caller."""

    class Cancelling(LlmProvider):
        def complete(self, **arguments):
            raise asyncio.CancelledError

        async def acomplete(self, **arguments):
            raise asyncio.CancelledError

    agent(PROVIDERS={"cancelling": Cancelling})
    assert facade.complete("say", "small", provider="cancelling") == {
        "status": "failure",
        "failure": "provider_bug",
        "reason": "provider_bug: the provider cancelled itself",
        **TRACED,
    }


def test_acomplete__callable_without_a_name(agent):
    """If `complete` is not a function, its exception is a failure like any other, at once."""

    def refuse(**arguments):
        raise ProviderTimeout("slow")

    agent(PROVIDERS={"partial": type("Partial", (LlmProvider,), {"complete": staticmethod(partial(refuse))})})
    answer = async_to_sync(services.acomplete)("say", "small", provider="partial")
    assert answer == {"status": "failure", "failure": "timeout", "reason": "timeout: slow", **TRACED}


def test_acomplete__provider_that_exits(agent):
    """SystemExit in a provider's thread does not end the event loop."""

    class Exiting(LlmProvider):
        def complete(self, **arguments):
            raise SystemExit(1)

    agent(PROVIDERS={"exiting": Exiting})
    answer = async_to_sync(services.acomplete)("say", "small", provider="exiting")
    assert answer == {
        "status": "failure",
        "failure": "provider_bug",
        "reason": "provider_bug: provider 'exiting' raised RuntimeError",
        **TRACED,
    }


def test_complete_json__answer_too_long_for_a_schema(facade, scripted_model):
    """An answer of megabytes is neither searched for JSON nor validated, and the failure says so."""
    for text in ('["' + "x" * 1_100_000 + '"]', "x" * 1_100_000):
        scripted_model.script(text)
        answer = facade.complete_json("say", "small", schema={"type": "array"})
        assert answer["reason"].endswith("too many to validate")


@pytest.mark.parametrize(
    ("ask", "arguments"),
    [
        *((getattr(services, name), ("say", "small")) for name in ("complete", "complete_json")),
        *((async_to_sync(getattr(services, name)), ("say", "small")) for name in ("acomplete", "acomplete_json")),
        (services.translate, ("en", "de", {"a": "one"})),
        (async_to_sync(services.atranslate), ("en", "de", {"a": "one"})),
    ],
)
def test_services__unknown_keyword(ask, arguments):
    """The error names the function that was called."""
    name = getattr(ask, "awaitable", ask).__name__
    with pytest.raises(TypeError, match=rf"^{name}\(\) got an unexpected keyword argument 'foo'$"):
        ask(*arguments, foo=1)
