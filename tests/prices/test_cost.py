"""What a call costs, and the source of that figure."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from stapel_agent import usage
from stapel_agent.exceptions import AccessDenied, ProviderTimeout
from stapel_agent.models import PromptLog
from stapel_agent.prices import Cost, UnitPrices, cost_of, unit_prices
from stapel_agent.providers.base import ProviderResult
from stapel_agent.types import Usage
from tests.providers.message_stream import MESSAGE_STOP, message_delta, message_start, stream, text_block
from tests.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.any_database

OWN = {"input": "3", "output": "15", "cache_read": "0.30", "cache_write": "3.75", "cache_write_1h": "6"}
MODEL = "claude-haiku-4-5-20251001"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ANSWER = Reply.of(
    {
        "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100},
    }
)


AN_HOUR = Usage(cache_write_tokens=1_000_000, cache_write_1h_tokens=1_000_000)


def row() -> PromptLog:
    return PromptLog.objects.get()


# Anthropic: Claude Haiku 4.5 $1 a million tokens of input, $5 of output, cache reads 0.1x, writes 1.25x (an hour 2x);
# Opus 4.8 and Sonnet 5 likewise from $5 and $2. OpenAI: gpt-4o $2.50, $1.25 cached, $10 of output.
@pytest.mark.parametrize(
    ("vendor", "model", "usage", "usd"),
    [
        ("anthropic", MODEL, Usage(1000, 500, 0, 2000, 300, 100), "0.00415"),
        ("openrouter", "anthropic/claude-opus-4.6", Usage(cache_write_tokens=1_000_000), "6.25"),
        ("openrouter", "anthropic/claude-opus-4.6", AN_HOUR, "10"),
        ("openrouter", "openai/gpt-5.4", AN_HOUR, "2.5"),
        ("anthropic", "claude-sonnet-5", Usage(1_000_000, 1_000_000), "12"),
        ("anthropic", "claude-opus-4-8", Usage(1_000_000, 1_000_000), "30"),
        ("https://api.deepseek.com", "deepseek-chat", Usage(1_000_000, 0, 0, 1_000_000), "0.34"),
    ],
)
def test_cost__by_the_vendors_price_list(vendor, model, usage, usd, monkeypatch):
    """Each kind of token is priced at its own rate, as the vendor publishes it."""
    monkeypatch.setattr("time.time", lambda: NOON.timestamp())
    cost = cost_of(usage, "whatever", model, vendor)
    assert (cost.usd, cost.basis) == (Decimal(usd), "price_list")


@pytest.mark.parametrize(
    "vendor", ["google", "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/openapi"]
)
@pytest.mark.parametrize(
    ("prefix", "is_listed"),
    [
        *[("", True), ("google/", True), ("models/", True), ("publishers/google/models/", True)],
        ("projects/p/locations/l/publishers/google/models/", True),
        *[("meta/", False), ("tunedModels/", False), ("publishers/meta/models/", False), ("google/google/", False)],
    ],
)
def test_cost__googles_names(vendor, prefix, is_listed):
    """A model of Google is priced under each name that Google's APIs give it, and a model of others is not."""
    cost = cost_of(Usage(1_000_000), "whatever", f"{prefix}gemini-2.5-flash", vendor)
    assert cost.usd == (Decimal("0.3") if is_listed else None)


@pytest.mark.parametrize("model", ["google/gpt-4o", "models/gpt-4o"])
def test_cost__googles_names_at_another_vendor(model):
    """At another vendor, such a prefix is a part of the name."""
    assert cost_of(Usage(1_000_000), "whatever", model, "openai").usd is None


SEARCHED = [
    ("listed", "anthropic", {"web_searches": 3}, ("0.03015", "price_list", Decimal(10))),
    ("not listed", "https://api.deepseek.com", {"web_searches": 3}, ("0.000019", "estimated", None)),
    ("no list", None, {"web_searches": 3}, ("0.0003", "estimated", None)),
    ("another tool too", "anthropic", {"web_searches": 3, "other_tool_uses": 1}, ("0.00015", "estimated", None)),
    ("another tool", "anthropic", {"other_tool_uses": 1}, ("0.00015", "estimated", None)),
    ("none", "anthropic", {"web_searches": 0, "other_tool_uses": "many"}, ("0.00015", "price_list", None)),
    ("a great many", "anthropic", {"web_searches": 10**99}, ("999999.9999999999", "price_list", Decimal(10))),
]


@pytest.mark.parametrize(("vendor", "terms", "expected"), [case[1:] for case in SEARCHED], ids=lambda case: str(case))
def test_cost__of_web_searches(agent, monkeypatch, vendor, terms, expected):
    """Searches are priced by the vendor's list. If their price is unknown, the cost of the tokens is a lower bound."""
    monkeypatch.setattr("time.time", lambda: NOON.replace(hour=17).timestamp())
    model = {"anthropic": MODEL, None: "m"}.get(vendor, "deepseek-chat")
    agent(PRICES={"m": {"input": "2", "output": "10"}})
    cost = cost_of(Usage(100, 10), "whatever", model, vendor, terms)
    usd, *others = expected
    assert [cost.usd, cost.basis, cost.web_search] == [Decimal(usd), *others]
    stated = Usage(100, 10, cost_usd=Decimal(1))
    assert cost_of(stated, "whatever", model, vendor, terms) == Cost(Decimal(1), "provider")


TOOLS = [
    *[("openai", {name: {}}, {}, "estimated") for name in ("web_search_options", "search_parameters", "plugins")],
    *[
        ("openai", {"tools": [{"type": "web_search"}]}, {}, "estimated"),
        (None, {"enable_search": True}, {}, "estimated"),
    ],
    ("openai", {"web_search_options": {}}, {"web_searches": 0}, "estimated"),
    *[("openai", options, {}, "price_list") for options in (None, {}, {"seed": 1}, {"tools": []})],
    *[("openai", {name: value}, {}, "price_list") for name in ("enable_search", "plugins") for value in (False, None)],
    *[(vendor, {"tools": [{}]}, {}, "price_list") for vendor in ("anthropic", "https://api.x.ai/v1", "perplexity")],
    ("anthropic", {"tools": [{}]}, {"web_searches": 1}, "price_list"),
]


@pytest.mark.parametrize(("vendor", "options", "terms", "basis"), TOOLS)
def test_cost__of_tools_that_are_not_counted(agent, vendor, options, terms, basis):
    """If the options let a vendor search and it does not say how often, the cost of the tokens is a lower bound."""
    agent(PRICES={"m": {"input": "2", "output": "10"}})
    models = {"openai": "gpt-4o", "anthropic": MODEL, "perplexity": "sonar-deep-research", None: "m"}
    model = models.get(vendor, "grok-4.5")
    cost = cost_of(Usage(100, 10), "any", model, vendor, terms, options)
    assert (cost.basis, cost.usd is None) == (basis, False)
    assert cost_of(Usage(100, 10, cost_usd=Decimal(1)), "any", model, vendor, terms, options).basis == "provider"


@pytest.mark.parametrize("vendor", ["perplexity", "https://api.perplexity.ai"])
def test_cost__of_a_request(agent, vendor):
    """A fee per request is added to the cost of the tokens, unless the host has its own price for the model."""
    usage, options = Usage(1000, 100), {"web_search_options": {"search_context_size": "low"}}
    cost = cost_of(usage, "any", "sonar", vendor, None, options)
    assert (cost.usd, cost.basis, cost.stated_prices["request"]) == (Decimal("0.0131"), "price_list", "12")
    assert cost_of(Usage(), "any", "sonar", vendor) == Cost()
    assert cost_of(replace(usage, cost_usd=Decimal("0.006")), "any", "sonar", vendor).usd == Decimal("0.006")
    agent(PRICES={"sonar": {"input": "2", "output": "10"}})
    cost = cost_of(usage, "any", "sonar", vendor)
    assert (cost.usd, cost.request) == (Decimal("0.003"), None)


@pytest.mark.django_db
def test_row__fee_of_a_request(facade, agent):
    """A call to a vendor with a fee per request has it in its cost and its unit prices."""
    with ScriptedServer(ANSWER) as server:
        entry = {"base_url": server.url, "vendor": "perplexity", "models": {"small": "sonar"}}
        agent(PROVIDERS={"search": entry}, DEFAULT_PROVIDER="search", LOG_CONTENT="none")
        assert facade.complete("search", "small")["usage"]["cost_usd"] == "0.0131"
    assert row().metadata["prices"]["request"] == "12"


@pytest.mark.django_db
def test_row__searches_of_unknown_number(facade, agent):
    """A call whose options let OpenAI search counts as unpriced, beside the cost of its tokens."""
    with ScriptedServer(ANSWER) as server:
        options = {"web_search_options": {}}
        entry = {"base_url": server.url, "vendor": "openai", "models": {"small": "gpt-4o"}, "options": options}
        agent(PROVIDERS={"search": entry}, DEFAULT_PROVIDER="search")
        assert "cost_usd" not in facade.complete("search", "small")["usage"]
    assert (row().cost_usd, row().cost_basis) == (Decimal("0.0035"), "estimated")


@pytest.mark.sdk
@pytest.mark.django_db
def test_row__web_searches(facade, agent):
    """The row has the number of searches and their price. Without a price, the call has no exact cost."""
    searched = {"server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 2}}
    with ScriptedServer(stream(message_start(), text_block("x"), message_delta(**searched), MESSAGE_STOP)) as server:
        agent(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=server.url, DEFAULT_PROVIDER="anthropic")
        answer = facade.complete("search", "small")
    assert (answer["usage"]["cost_usd"], row().cost_basis) == ("0.0301", "price_list")
    assert (row().metadata["web_searches"], row().metadata["prices"]["web_search"]) == (3, "10")


@pytest.mark.django_db
def test_row__web_searches_without_a_price(facade, agent):
    """The call counts as unpriced, beside the cost of its tokens."""
    body = {
        "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "num_sources_used": 5},
    }
    with ScriptedServer(Reply.of(body)) as server:
        agent(OPENAI_COMPAT_BASE_URL=server.url, DEFAULT_PROVIDER="openai-compat")
        agent(PRICES={MODEL: {"input": "2", "output": "10"}}, LOG_CONTENT="none")
        answer = facade.complete("search", "small")
    assert "cost_usd" not in answer["usage"]
    assert (row().cost_usd, row().cost_basis, row().estimated_cost_usd) == (Decimal("0.0003"), "estimated", None)
    assert row().metadata["web_searches"] == 5
    totals = usage(group_by=())["totals"]
    assert (totals["cost_usd"], totals["unpriced_calls"]) == (Decimal("0.0003"), 1)


@pytest.mark.parametrize(("hour", "usd"), [(12, "0.27"), (17, "0.135"), (12, "0.27")])
def test_cost__at_cheaper_hours(hour, usd, monkeypatch):
    """A vendor's night price applies only to calls at night, even in one long-running process."""
    monkeypatch.setattr("time.time", lambda: NOON.replace(hour=hour).timestamp())
    cost = cost_of(Usage(1_000_000), "whatever", "deepseek-chat", "https://api.deepseek.com")
    assert cost.usd == Decimal(usd)


@pytest.mark.parametrize(
    ("vendor", "model"),
    [
        (None, MODEL),
        ("anthropic", "nobody-knows-it"),
        ("http://127.0.0.1:8080/v1", "gpt-4o"),
        ("nobody", "gpt-4o"),
        ("anthropic", ""),
    ],
)
def test_cost__unknown(vendor, model):
    """A call without a price is unpriced, never free."""
    assert cost_of(Usage(7, 3), "any", model, vendor) == Cost(None, "unpriced")


def test_prices__of_the_host(agent):
    """PRICES take precedence over the price list, and a provider's model over the model alone."""
    agent(PRICES={MODEL: OWN, f"house/{MODEL}": {"input": Decimal(1), "output": 2}})
    assert cost_of(Usage(1_000_000, 100_000, 0, 10_000, 2000, 1000), "any", MODEL, "anthropic").usd == Decimal(
        "4.51275"
    )
    assert cost_of(Usage(1_000_000, 0, 0, 1_000_000, 1_000_000), "house", MODEL).usd == Decimal(3)
    assert unit_prices("house", MODEL) == UnitPrices(Decimal(1), Decimal(2), Decimal(1), Decimal(1), Decimal(1))


@pytest.mark.parametrize(
    "entry", [{}, {"input": "3"}, {**OWN, "input": "cheap"}, {**OWN, "more": "1"}, "3", {**OWN, "output": None}]
)
def test_prices__invalid_entry(agent, entry):
    """An invalid entry gives no price, instead of falling back to the list."""
    agent(PRICES={MODEL: entry})
    assert cost_of(Usage(7, 3), "any", MODEL, "anthropic") == Cost()


@pytest.mark.django_db
def test_row__by_the_price_list(facade, scripted_model, agent):
    """The row has the cost, its source and the unit prices. The answer has the cost."""
    agent(PRICES={MODEL: OWN})
    scripted_model.script(ProviderResult("fine", 1000, 100, 0, 500))
    answer = facade.complete("say", "small")
    assert answer["usage"] == {"input_tokens": 1000, "output_tokens": 100, "cost_usd": "0.00465"}
    assert (row().cost_usd, row().cost_basis) == (Decimal("0.00465"), "price_list")
    assert row().metadata["prices"] == {**OWN, "cache_read": "0.3"}


@pytest.mark.django_db
def test_row__as_the_provider_reports(facade, scripted_model, agent):
    """The vendor's own figure takes precedence over every price."""
    agent(PRICES={MODEL: OWN})
    scripted_model.script(ProviderResult("fine", 1000, 100, cost_usd="0.5"))
    assert facade.complete("say", "small")["usage"]["cost_usd"] == "0.5"
    assert (row().cost_usd, row().cost_basis) == (Decimal("0.5"), "provider")
    assert "prices" not in row().metadata


@pytest.mark.django_db
def test_row__unpriced(facade, scripted_model):
    """An unknown cost is missing from the answer, and null in the row."""
    scripted_model.script("fine")
    assert facade.complete("say", "small")["usage"] == {"input_tokens": 10, "output_tokens": 5}
    assert (row().cost_usd, row().cost_basis) == (None, "unpriced")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fault", "cost"),
    [
        (AccessDenied("key"), (Decimal(0), "price_list")),
        (ProviderTimeout("slow"), (None, "estimated")),
        (ProviderTimeout("slow", usage=Usage(1000)), (Decimal("0.003"), "estimated")),
    ],
)
def test_row__of_a_failure(facade, scripted_model, agent, fault, cost):
    """A declined call costs nothing. The cost of a timeout is unknown unless its tokens are known."""
    agent(PRICES={MODEL: OWN}, RETRIES=0)
    scripted_model.script(fault)
    facade.complete("say", "small")
    assert (row().cost_usd, row().cost_basis) == cost


@pytest.mark.django_db
def test_answer__sum_of_the_attempts(facade, scripted_model, agent):
    """A request costs the sum of its attempts, if all of them are known."""
    agent(PRICES={MODEL: OWN})
    schema = {"type": "object", "required": ["a"]}
    scripted_model.script(ProviderResult("{}", 995, 1), ProviderResult('{"a": 1}', 1000, cost_usd="0.1"))
    assert facade.complete_json("say", "small", schema=schema)["usage"]["cost_usd"] == "0.103"
    agent(PRICES={})
    scripted_model.script(ProviderResult("{}", 995, 1), ProviderResult('{"a": 1}', 1000, cost_usd="0.1"))
    assert "cost_usd" not in facade.complete_json("say", "small", schema=schema)["usage"]


@pytest.mark.django_db
def test_openai_compat__reported_cost(facade, agent):
    """OpenRouter's `usage.cost` is the vendor's own figure."""
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "cost": 0.00012}
    reply = Reply.of({"choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}], "usage": usage})
    with ScriptedServer(reply) as server:
        agent(DEFAULT_PROVIDER="openai-compat", OPENAI_COMPAT_BASE_URL=server.url)
        assert facade.complete("say", "small")["usage"]["cost_usd"] == "0.00012"
    assert json.loads(json.dumps(row().metadata)) == {"provider": "openai-compat"}
    assert row().cost_basis == "provider"
