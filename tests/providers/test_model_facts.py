"""Vendors' facts about models are requested once, before a deployment, and never during a request."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.utils import timezone

from stapel_agent import services
from stapel_agent.providers import LlmProvider, ModelFacts, ProviderResult, anthropic_models
from tests.providers.message_stream import message, stream
from tests.scripted_server import Reply, Request, ScriptedServer

NOW = datetime(2026, 11, 29, tzinfo=UTC)
MODELS = {"small": "claude-a", "large": {"model": "claude-b", "max_tokens": 64_000}}


@pytest.fixture(autouse=True)
def forgotten():
    """Forget the facts before each test."""
    anthropic_models.forget_models()
    yield
    anthropic_models.forget_models()


# --- warnings


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (ModelFacts(), []),
        (ModelFacts(8192, "active"), []),
        (ModelFacts(4096, "active", NOW + timedelta(days=61)), []),
        (ModelFacts(4096, "deprecated", NOW + timedelta(days=60)), ["is retired on 2027-01-28"]),
        (ModelFacts(4096, "deprecated", datetime(2026, 11, 1)), ["is retired on 2026-11-01"]),
        (ModelFacts(4096, "retired", NOW + timedelta(days=90)), ["is retired: set STAPEL_AGENT['MODELS']['small']"]),
        (ModelFacts(4095), ["asks for up to 4,096 tokens, but model 'm' gives at most 4,095"]),
        (ModelFacts(1, "retired"), ["is retired", "gives at most 1:"]),
    ],
)
def test_warnings__of_facts(facts, told):
    """A model's retirement is reported sixty days ahead, and so is a cap above its maximum."""
    found = list(facts.warnings("m", "small", 4096, NOW))
    assert len(found) == len(told)
    assert all(words in text for words, text in zip(told, found, strict=True))


@pytest.mark.parametrize(
    ("facts", "effort", "told"),
    [
        (ModelFacts(efforts=frozenset({"low", "high"})), "high", []),
        (ModelFacts(efforts=frozenset({"low", "high"})), None, []),
        (ModelFacts(efforts=None), "max", []),
        (
            ModelFacts(efforts=frozenset({"high", "low"})),
            "none",
            [
                "Size 'small' has the effort 'none', but model 'm' supports high, low: "
                "change 'effort' in STAPEL_AGENT['MODELS']['small']."
            ],
        ),
        (
            ModelFacts(efforts=frozenset()),
            "low",
            [
                "Size 'small' has the effort 'low', but model 'm' supports none of the values: "
                "change 'effort' in STAPEL_AGENT['MODELS']['small']."
            ],
        ),
        (ModelFacts(supports_schema=True), None, []),
        (
            ModelFacts(supports_schema=False),
            None,
            [
                "Model 'm' of size 'small' does not support schemas, so calls with one fail: "
                "set STAPEL_AGENT['MODELS']['small'] to another model."
            ],
        ),
    ],
)
def test_warnings__of_capabilities(facts, effort, told):
    """An effort that the model of a size does not support is reported, and so is a model without schemas."""
    assert list(facts.warnings("m", "small", 4096, NOW, effort)) == told


# --- the Models API


class ModelsServer(ScriptedServer):
    """Answers `GET /v1/models/...` from `models`, and any other request by its replies."""

    models: dict[str, dict] = {}  # noqa: RUF012

    def reply_to(self, request: Request) -> Reply:
        name = request.path.rpartition("/v1/models/")[2].partition("?")[0]
        if request.method == "GET":
            self.requests.append(request)
            found = self.models.get(name)
            error = {"type": "error", "error": {"type": "not_found_error", "message": f"model: {name}"}}
            return Reply.of(found) if found else Reply.of(error, status=404)
        return super().reply_to(request)

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.path.partition('?')[0]}" for request in self.requests]


def model(name, **facts):
    """A model as the API describes it."""
    return {
        "id": name,
        "type": "model",
        "display_name": name,
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
        "retires_at": None,
        "max_tokens": 64_000,
        **facts,
    }


def days_ahead(days):
    return (timezone.now() + timedelta(days=days)).isoformat()


@pytest.fixture
def api(agent):
    """The Anthropic API at the configured address."""
    with ModelsServer(stream(message("pong"))) as server:
        server.models = {"claude-a": model("claude-a"), "claude-b": model("claude-b")}
        agent(ANTHROPIC_API_KEY="a-key-of-tests", ANTHROPIC_BASE_URL=server.url, MODELS=MODELS)
        yield server


def warned():
    found = run_checks(tags=["stapel_agent"], include_deployment_checks=True)
    return [message.msg for message in found if message.id == "stapel_agent.W014"]


@pytest.mark.sdk
def test_check__models(api):
    """Before a deployment, the models of all sizes are looked up, once per process."""
    api.models["claude-a"] = model("claude-a", lifecycle="deprecated", retires_at=days_ahead(30))
    api.models["claude-b"] = model("claude-b", max_tokens=8192)
    first, second = warned()
    assert "Model 'claude-a' of size 'small' is retired on " in first
    assert "Size 'large' asks for up to 64,000 tokens, but model 'claude-b' gives at most 8,192" in second
    assert len(warned()) == 2
    assert api.asked == ["GET /v1/models/claude-a", "GET /v1/models/claude-b"]


def capabilities(*, effort=(), off=True, schema=True):
    """The capabilities of a model, in the API's format."""
    levels = {level: {"supported": level in effort} for level in ("low", "medium", "high", "xhigh", "max")}
    types = {"adaptive": True, "between_tools": False, "disabled": off, "enabled": False}
    return {
        "effort": {"supported": bool(effort), **levels},
        "structured_outputs": {"supported": schema},
        "thinking": {"supported": True, "types": {name: {"supported": value} for name, value in types.items()}},
    }


@pytest.mark.sdk
@pytest.mark.parametrize(
    ("effort", "facts", "told"),
    [
        ("max", {"effort": ("low", "medium", "high", "max")}, []),
        ("max", {"effort": ("low", "medium", "high")}, ["supports high, low, medium, minimal, none:"]),
        ("none", {"effort": ("low",), "off": False}, ["supports low, minimal:"]),
        ("low", {"schema": False}, ["supports none:", "does not support schemas"]),
        (None, {}, []),
    ],
)
def test_check__capabilities(api, agent, effort, facts, told):
    """The API's capabilities are compared with the effort of the size and the use of schemas."""
    api.models["claude-a"] = model("claude-a", capabilities=capabilities(**facts))
    agent(MODELS={"small": {"model": "claude-a", "effort": effort}})
    found = warned()
    assert len(found) == len(told)
    assert all(words in text for words, text in zip(told, found, strict=True))


@pytest.mark.sdk
@pytest.mark.parametrize("odd", [None, 7, [], {}, {"effort": None}, {"effort": {"low": True}, "thinking": "yes"}])
def test_check__odd_capabilities(api, agent, odd):
    """Capabilities in another format count as unknown."""
    api.models["claude-a"] = model("claude-a", capabilities=odd)
    agent(MODELS={"small": {"model": "claude-a", "effort": "max"}})
    assert warned() == []


@pytest.mark.sdk
def test_check__only_before_a_deployment(api):
    """A check without --deploy makes no request."""
    run_checks(tags=["stapel_agent"])
    assert api.asked == []


@pytest.mark.sdk
@pytest.mark.parametrize(
    "reply",
    [
        {"id": "claude-a"},
        {"lifecycle": 7, "retires_at": "soon", "max_tokens": "many"},
        {"retires_at": "9999-99-99T00:00:00Z", "max_tokens": -1},
        None,
    ],
)
def test_check__odd_answers(api, reply):
    """An answer in another format, or none, gives no warning."""
    api.models = {"claude-a": reply, "claude-b": reply} if reply else {}
    assert warned() == []


@pytest.mark.sdk
def test_check__nobody_there(agent):
    """A vendor that cannot be reached gives no warning."""
    agent(ANTHROPIC_API_KEY="a-key-of-tests", ANTHROPIC_BASE_URL="http://127.0.0.1:9")
    assert warned() == []


@pytest.mark.sdk
@pytest.mark.django_db
@pytest.mark.any_database
def test_answer__without_a_look_at_models(api):
    """No request waits for the Models API."""
    assert services.complete("ping", "small")["status"] == "ok"
    assert api.asked == ["POST /v1/messages"]


@pytest.mark.sdk
@pytest.mark.django_db
@pytest.mark.any_database
def test_ping__reports_model_facts(api, agent, capsys):
    """`llm providers --ping` reports the warnings about models."""
    agent(PROVIDERS={"openai-compat": None, "claude-code": None})
    api.models["claude-a"] = model("claude-a", lifecycle="retired")
    call_command("llm", "providers", "--ping", "--json")
    (report,) = json.loads(capsys.readouterr().out)
    assert report["warnings"] == [
        "Model 'claude-a' of size 'small' is retired: set STAPEL_AGENT['MODELS']['small'] to another model."
    ]
    call_command("llm", "providers", "--ping")
    assert "warning        Model 'claude-a' of size 'small' is retired" in capsys.readouterr().out


# --- providers of a host


class Speaking(LlmProvider):
    """Knows when its models are retired."""

    def complete(self, **arguments):
        return ProviderResult("pong")

    def model_facts(self, model):
        if model == "broken":
            raise ValueError(model)
        return ModelFacts(lifecycle="retired") if model == "old" else None


@pytest.mark.parametrize(("name", "told"), [("old", 1), ("new", 0), ("broken", 0)])
def test_provider__of_a_host(agent, name, told):
    """Any provider may return facts. One that raises gives no warning."""
    agent(PROVIDERS={"own": Speaking}, DEFAULT_PROVIDER="own", MODELS={"small": name})
    assert len(warned()) == told
