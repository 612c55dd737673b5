"""Spans by OpenTelemetry's conventions for generative AI, through its SDK."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.trace import SpanKind, StatusCode
from packaging.version import Version

from stapel_agent import services
from stapel_agent.asking import attempt_tracing as asking_spans
from stapel_agent.exceptions import AccessDenied, AnswerInterrupted, ProviderUnavailable
from stapel_agent.models import PromptLog
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.types import Usage
from tests.answers import REQUEST_ID
from tests.documents import ROOT
from tests.scripted_chain import scripted_chain

pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.otel]

MODEL = "claude-haiku-4-5-20251001"
OURS = {"stapel_agent.request_id": REQUEST_ID, "stapel_agent.source": "llm_facade"}
ASKED = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": MODEL,
    "gen_ai.request.max_tokens": 4096,
    **OURS,
}


@pytest.fixture(scope="module")
def provider() -> TracerProvider:
    """The only tracer provider of the process."""
    provider = TracerProvider()
    trace.set_tracer_provider(provider)
    return provider


@pytest.fixture
def spans(provider: TracerProvider) -> Iterator[InMemorySpanExporter]:
    """The spans that one test exports."""
    exporter = InMemorySpanExporter()
    processor = SimpleSpanProcessor(exporter)
    provider.add_span_processor(processor)
    yield exporter
    processors = provider._active_span_processor
    processors._span_processors = tuple(one for one in processors._span_processors if one is not processor)


def told(span: ReadableSpan) -> tuple[str, SpanKind, StatusCode, dict[str, Any]]:
    return span.name, span.kind, span.status.status_code, dict(span.attributes or {})


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def test_spans__of_a_call(facade, scripted_model, spans):
    """A span for the facade's call, and within it a client span for the attempt, with all attributes."""
    scripted_model.script(ProviderResult('{"a": 1}', 1, 2, 1, 4, 5))
    facade.complete_json("a secret prompt", "small", schema={"type": "object"}, user_id="user-7")
    attempt, call = spans.get_finished_spans()
    assert told(call) == ("stapel_agent.complete_json", SpanKind.INTERNAL, StatusCode.UNSET, OURS)
    assert told(attempt) == (
        f"chat {MODEL}",
        SpanKind.CLIENT,
        StatusCode.UNSET,
        {
            **ASKED,
            "gen_ai.output.type": "json",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 2,
            "gen_ai.usage.cache_read.input_tokens": 4,
            "gen_ai.usage.cache_creation.input_tokens": 5,
            "gen_ai.usage.reasoning.output_tokens": 1,
        },
    )
    assert parent(attempt) == call.context.span_id
    assert call.attributes["stapel_agent.request_id"] == str(PromptLog.objects.get().request_id)


def test_spans__of_a_failure(facade, scripted_model, spans):
    """Both spans name the failure. Neither has its message, which quotes the answer."""
    scripted_model.script(AnswerInterrupted("broke off after 'a secret answer'", usage=Usage(7, 3), text="a secret"))
    facade.complete("say", "small")
    attempt, call = spans.get_finished_spans()
    failed = {"error.type": "invalid_answer"}
    assert told(call) == ("stapel_agent.complete", SpanKind.INTERNAL, StatusCode.ERROR, {**OURS, **failed})
    usage = {"gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 3}
    assert told(attempt) == (f"chat {MODEL}", SpanKind.CLIENT, StatusCode.ERROR, {**ASKED, **usage, **failed})
    assert [(span.status.description, span.events) for span in (attempt, call)] == [(None, ()), (None, ())]


def test_spans__of_each_attempt(facade, agent, spans):
    """Retries and fallbacks are siblings, and a final answer makes the facade's span a success."""
    agent(RETRIES=1)
    scripted_chain(agent, first=[ProviderUnavailable("busy"), AccessDenied("key")], second="answer")
    facade.complete("say", "small")
    *attempts, call = spans.get_finished_spans()
    assert [(span.attributes["gen_ai.provider.name"], span.attributes.get("error.type")) for span in attempts] == [
        ("first", "overloaded"),
        ("first", "auth"),
        ("second", None),
    ]
    assert {parent(span) for span in attempts} == {call.context.span_id}
    assert call.status.status_code == StatusCode.UNSET


def test_spans__of_a_reused_answer(facade, scripted_model, agent, spans):
    """Without a call, there is only the facade's span."""
    agent(CACHE_LOOKUP={"llm_facade": True})
    facade.complete("say", "small")
    spans.clear()
    facade.complete("say", "small")
    assert [span.name for span in spans.get_finished_spans()] == ["stapel_agent.complete"]


def test_spans__of_an_invalid_request(facade, scripted_model, spans):
    """The span of an invalid request says so."""
    facade.complete("", "small")
    (call,) = spans.get_finished_spans()
    assert told(call)[2:] == (StatusCode.ERROR, {**OURS, "error.type": "rejected"})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (False, {}),
        ("False", {}),
        (
            True,
            {
                "gen_ai.system_instructions": [{"type": "text", "content": "Be brief. é"}],
                "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "say \ufffd"}]}],
                "gen_ai.output.messages": [
                    {"role": "assistant", "parts": [{"type": "text", "content": "answer"}], "finish_reason": "stop"}
                ],
            },
        ),
    ],
)
def test_content__only_if_enabled(facade, scripted_model, agent, spans, content, expected):
    """Spans have prompts and answers only if TRACE_CONTENT is True."""
    agent(TRACE_CONTENT=content)
    scripted_model.script("answer")
    facade.complete("say \ud800", "small", system_prompt="Be brief. é")
    attempt, _ = spans.get_finished_spans()
    names = ("gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages")
    assert {name: json.loads(attempt.attributes[name]) for name in names if name in attempt.attributes} == expected


def test_content__of_a_failure(facade, scripted_model, agent, spans):
    """An incomplete answer counts as content too."""
    agent(TRACE_CONTENT=True)
    scripted_model.script(AnswerInterrupted("broke off", text="half"))
    facade.complete("say", "small")
    attempt, _ = spans.get_finished_spans()
    assert json.loads(attempt.attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "half"}], "finish_reason": "error"}
    ]


def test_context__of_the_caller(facade, agent, scripted_model, spans, provider):
    """All spans of a parallel translation are in the caller's trace, its questions within the facade's span."""
    agent(TRANSLATE_CHUNK_ENTRIES=1, TRANSLATE_CONCURRENCY=4)
    scripted_model.script('{"1": "Hallo"}')
    with provider.get_tracer("host").start_as_current_span("a view") as view:
        facade.translate("en", "de", {letter: f"Hello {letter}" for letter in "abcd"})
        assert trace.get_current_span() is view
    *attempts, call, _ = spans.get_finished_spans()
    assert parent(call) == view.get_span_context().span_id
    assert (len(attempts), {parent(span) for span in attempts}) == (4, {call.context.span_id})
    assert {span.context.trace_id for span in (*attempts, call)} == {view.get_span_context().trace_id}


def test_context__of_the_provider(facade, agent, spans, provider):
    """A provider's own spans are children of its attempt, in any thread."""

    class Tracing(LlmProvider):
        def complete(self, **arguments):
            with provider.get_tracer("vendor").start_as_current_span("POST"):
                return ProviderResult("answer")

    agent(PROVIDERS={"tracing": Tracing}, DEADLINE=30)
    facade.complete("say", "small", provider="tracing")
    request, attempt, _ = spans.get_finished_spans()
    assert (request.name, parent(request)) == ("POST", attempt.context.span_id)


def test_context__cancelled(agent, spans):
    """A cancelled call has spans that say so, and leaves nothing in the context."""
    asked = asyncio.Event()

    class Waiting(LlmProvider):
        async def acomplete(self, **arguments):
            asked.set()
            await asyncio.Event().wait()

    async def main():
        task = asyncio.create_task(services.acomplete("say", "small", provider="waiting"))
        await asked.wait()
        task.cancel()
        await asyncio.wait({task})
        return trace.get_current_span()

    agent(PROVIDERS={"waiting": Waiting})
    assert async_to_sync(main)() is trace.INVALID_SPAN
    assert [span.attributes["error.type"] for span in spans.get_finished_spans()] == ["cancelled", "CancelledError"]


class BrokenProcessor(SimpleSpanProcessor):
    """A host's processor that raises in every method."""

    def on_start(self, span, parent_context=None):
        raise ValueError("broken")

    def on_end(self, span):
        raise ValueError("broken")


def test_fault__of_the_hosts_tracing(facade, scripted_model, spans, provider, caplog):
    """An error in a host's tracing loses the span, not the answer. The caller's own span stays current."""
    provider.add_span_processor(BrokenProcessor(InMemorySpanExporter()))
    processors = provider._active_span_processor
    try:
        assert facade.complete("say", "small")["status"] == "ok"
    finally:
        processors._span_processors = processors._span_processors[:-1]
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert "tracing: ValueError; the call continues without a span" in caplog.text


@pytest.mark.skipif(
    Version(version("opentelemetry-semantic-conventions")) < Version("0.63b0"), reason="the convention is older"
)
def test_names__are_those_of_the_convention():
    """The names of attributes are those of the convention."""
    with open(asking_spans.__file__, encoding="utf-8") as source:
        used = {word for word in source.read().split('"') if word.startswith("gen_ai.")}
    assert used <= {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI_")}
    assert len(used) == 14


WITHOUT = """
import sys
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            asked.append(name)
            raise ImportError(name)
asked = []
sys.meta_path.insert(0, Refusing())
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from stapel_agent import services
from stapel_agent.testing import scripted_provider
assert not asked, "imported before it is needed"
with scripted_provider("answer"):
    for _ in range(3):
        print(services.complete("say", "small")["status"])
print(asked)
"""


def test_package__missing():
    """Without the extra there are no spans, and the import is tried once."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines() == ["ok"] * 3 + ["['opentelemetry']"], done.stderr
