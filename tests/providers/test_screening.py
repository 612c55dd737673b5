"""A photo and a schema in one request, as from stapel-moderation: on each vendor's wire, and with a real model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stapel_core.comm import call

from stapel_agent.models import PromptLog
from tests.answers import by
from tests.prices.price_list import listed
from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

# Bodies by the references: https://platform.openai.com/docs/api-reference/chat,
# https://docs.claude.com/en/api/messages-streaming and .../build-with-claude/structured-outputs
FOLDER = Path(__file__).parent / "screening"
PAYLOAD = json.loads((FOLDER / "payload.json").read_text())
VERDICT = {
    "decision": "rejected",
    "reason_code": "spam",
    "rationale": "The photo is an advertisement.",
    "confidence": 0.93,
}


def asked_on_the_wire(agent: Any, provider: str, reply: Reply) -> tuple[dict[str, Any], Any]:
    """The answer to PAYLOAD, and the request body."""
    with ScriptedServer(reply) as server:
        agent(
            ANTHROPIC_API_KEY="sk-ant-api03-test-key",
            ANTHROPIC_BASE_URL=server.url,
            OPENAI_COMPAT_BASE_URL=f"{server.url}/v1",
        )
        answer = call("llm.complete", {**PAYLOAD, "provider": provider})
        (request,) = server.requests
    return answer, request.json


def test_openai__photo_and_schema(agent):
    """The photo is a data URL before the text. The schema is strict, so its optional property becomes required."""
    reply = Reply((FOLDER / "openai_answer.json").read_bytes())
    answer, sent = asked_on_the_wire(agent, "openai-compat", reply)
    assert sent == json.loads((FOLDER / "openai_request.json").read_text())
    assert answer == {
        "status": "ok",
        "result": {**VERDICT, "media_flags": ["photo/1"]},
        "usage": {"input_tokens": 1187, "output_tokens": 34},
        **by("openai-compat", "claude-sonnet-5"),
    }


@pytest.mark.sdk
def test_anthropic__photo_and_schema(agent):
    """The photo is a block before the text. Keywords that the decoder does not support are in descriptions."""
    reply = Reply((FOLDER / "anthropic_answer.txt").read_bytes(), headers={"Content-Type": "text/event-stream"})
    with listed():
        answer, sent = asked_on_the_wire(agent, "anthropic", reply)
    assert sent == json.loads((FOLDER / "anthropic_request.json").read_text())
    assert answer == {
        "status": "ok",
        "result": VERDICT,
        "usage": {"input_tokens": 1042, "output_tokens": 36, "cost_usd": "0.002444"},
        **by("anthropic", "claude-sonnet-5"),
    }


@pytest.fixture
def small_model(agent, local_model):
    """A real text-only model behind `openai-compat`."""
    agent(
        DEFAULT_PROVIDER="openai-compat",
        OPENAI_COMPAT_BASE_URL=local_model,
        OPENAI_COMPAT_MODELS={"small": "smollm2-135m"},
        RETRIES=0,  # llama.cpp answers 500, as if it were down
    )


@pytest.mark.model
def test_small_model__photo(small_model):
    """A real server whose model cannot see reports an error. The photo is not silently dropped."""
    answer = call("llm.complete", {**PAYLOAD, "model": "small"})
    assert (answer["status"], PromptLog.objects.get().status) == ("failure", "failure")
    assert "image input is not supported" in answer["reason"]


@pytest.mark.model
@pytest.mark.parametrize("highest", [1, 100])
def test_small_model__structure(small_model, highest):
    """A real decoder enforces the schema's structure. Everything else is validated and asked for again."""
    properties = {**PAYLOAD["schema"]["properties"], "confidence": {"type": "number", "minimum": 0, "maximum": highest}}
    del properties["media_flags"]  # so small a model never ends an array
    payload = {
        "prompt": PAYLOAD["prompt"],
        "system_prompt": "You judge advertisements. Answer in a few words.",
        "model": "small",
        "schema": {**PAYLOAD["schema"], "properties": properties},
        "max_tokens": 200,
    }
    answer = call("llm.complete", payload)
    verdict = answer["result"] if answer["status"] == "ok" else json.loads(answer["comment"])
    assert {name: type(value) for name, value in verdict.items() if name != "confidence"} == {
        "decision": str,
        "reason_code": str,
        "rationale": str,
    }
    assert verdict["decision"] in properties["decision"]["enum"]
    assert (answer["status"] == "ok") == (0 <= verdict["confidence"] <= highest and len(verdict["rationale"]) <= 500)
    rows = PromptLog.objects.order_by("created_at")
    assert [row.status for row in rows][-1] == ("success" if answer["status"] == "ok" else "failure")
    assert all(row.output_tokens for row in rows)
