"""What a vendor says of its models: asked once, never on the way to an answer, and told before a deployment."""

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
    """Each test asks anew."""
    anthropic_models.forget_models()
    yield
    anthropic_models.forget_models()


# --- what follows from the facts


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
    """A model is told sixty days before its retirement, and a cap that it cannot give."""
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
    """An effort of a size that its model does not support is told, and so is a model without schemas."""
    assert list(facts.warnings("m", "small", 4096, NOW, effort)) == told


# --- the Models API


class ModelsServer(ScriptedServer):
    """Answers `GET /v1/models/...` out of `models`, and any other request by its replies."""

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
    """What the API says of a model."""
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
    """The Anthropic API as it is set."""
    with ModelsServer(stream(message("pong"))) as server:
        server.models = {"claude-a": model("claude-a"), "claude-b": model("claude-b")}
        agent(ANTHROPIC_API_KEY="a-key-of-tests", ANTHROPIC_BASE_URL=server.url, MODELS=MODELS)
        yield server


def warned():
    found = run_checks(tags=["stapel_agent"], include_deployment_checks=True)
    return [message.msg for message in found if message.id == "stapel_agent.W014"]


@pytest.mark.sdk
def test_check__models(api):
    """Before a deployment the models of all sizes are looked up, once in a process."""
    api.models["claude-a"] = model("claude-a", lifecycle="deprecated", retires_at=days_ahead(30))
    api.models["claude-b"] = model("claude-b", max_tokens=8192)
    first, second = warned()
    assert "Model 'claude-a' of size 'small' is retired on " in first
    assert "Size 'large' asks for up to 64,000 tokens, but model 'claude-b' gives at most 8,192" in second
    assert len(warned()) == 2
    assert api.asked == ["GET /v1/models/claude-a", "GET /v1/models/claude-b"]


def capabilities(*, effort=(), off=True, schema=True):
    """The capabilities of a model, in the API's shape."""
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
    """What the API says of a model's capabilities is held against the effort of its size, and against schemas."""
    api.models["claude-a"] = model("claude-a", capabilities=capabilities(**facts))
    agent(MODELS={"small": {"model": "claude-a", "effort": effort}})
    found = warned()
    assert len(found) == len(told)
    assert all(words in text for words, text in zip(told, found, strict=True))


@pytest.mark.sdk
@pytest.mark.parametrize("odd", [None, 7, [], {}, {"effort": None}, {"effort": {"low": True}, "thinking": "yes"}])
def test_check__odd_capabilities(api, agent, odd):
    """Capabilities of another shape say nothing."""
    api.models["claude-a"] = model("claude-a", capabilities=odd)
    agent(MODELS={"small": {"model": "claude-a", "effort": "max"}})
    assert warned() == []


@pytest.mark.sdk
def test_check__only_before_a_deployment(api):
    """An ordinary check asks nobody."""
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
    """An answer of another shape, or none, is no finding."""
    api.models = {"claude-a": reply, "claude-b": reply} if reply else {}
    assert warned() == []


@pytest.mark.sdk
def test_check__nobody_there(agent):
    """A vendor that cannot be reached is no finding."""
    agent(ANTHROPIC_API_KEY="a-key-of-tests", ANTHROPIC_BASE_URL="http://127.0.0.1:9")
    assert warned() == []


@pytest.mark.sdk
@pytest.mark.django_db
def test_answer__without_a_look_at_models(api):
    """No answer waits for the Models API."""
    assert services.complete("ping", "small")["status"] == "ok"
    assert api.asked == ["POST /v1/messages"]


@pytest.mark.sdk
@pytest.mark.django_db
def test_ping__tells_of_models(api, agent, capsys):
    """`llm providers --ping` tells what the vendor says against its models."""
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
    """Knows how long its models are there."""

    def complete(self, **arguments):
        return ProviderResult("pong")

    def model_facts(self, model):
        if model == "broken":
            raise ValueError(model)
        return ModelFacts(lifecycle="retired") if model == "old" else None


@pytest.mark.parametrize(("name", "told"), [("old", 1), ("new", 0), ("broken", 0)])
def test_provider__of_a_host(agent, name, told):
    """Any provider may say what it knows; one that raises is no finding."""
    agent(PROVIDERS={"own": Speaking}, DEFAULT_PROVIDER="own", MODELS={"small": name})
    assert len(warned()) == told
