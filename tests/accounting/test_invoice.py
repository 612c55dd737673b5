"""Every surface shows the same monthly invoice, which adds up what the vendors stated, exact to the last digit."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.management import call_command
from django.test import Client

from stapel_agent import services, usage
from stapel_agent.accounting.usage_query import GROUPS
from stapel_agent.admin import PromptLogAdmin
from stapel_agent.budgets.balances import TOKENS
from stapel_agent.exceptions import ProviderDown
from stapel_agent.models import PromptLog
from stapel_agent.pages.usage_page import TITLES
from stapel_agent.providers import ProviderResult
from tests.usage_links import PAGE, Figures

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

CALLS = 150
MONTH = {"since": "2026-01-01", "until": "2026-02-01"}
SIZES = {"small": "house-small", "large": "house-large", "free": "house-free", "billed": "house-billed"}
PRICES = {
    "house-small": {"input": "0.0371", "output": "0.1", "cache_read": "0.0007", "cache_write": "0.05"},
    "house-large": {"input": "15.3", "output": "75.0001", "cache_read": "1.5", "cache_write": "18.75"},
}
"""`house-free` has no price. For `house-billed`, the vendor states what each call cost."""
KINDS = {name.removesuffix("_tokens"): name for name in TOKENS}


@dataclass
class Billed:
    """A call as its vendor would bill it."""

    user_id: str | None
    workspace_id: str | None
    source: str
    size: str
    created_at: datetime
    tokens: dict[str, int] = field(default_factory=dict)
    stated_usd: Decimal | None = None
    is_down: bool = False

    @property
    def model(self) -> str:
        return SIZES[self.size]

    @property
    def cost_usd(self) -> Decimal:
        if self.stated_usd is not None:
            return self.stated_usd
        prices = PRICES.get(self.model, {})
        return sum((number * Decimal(prices.get(kind, "0")) for kind, number in self.tokens.items()), Decimal()) / 10**6

    def group(self, name: str) -> str | None:
        periods = {"day": f"{self.created_at:%Y-%m-%d}", "month": f"{self.created_at:%Y-%m}"}
        others = {"provider": "anthropic", "status": "failure" if self.is_down else "success", **periods}
        return others[name] if name in others else getattr(self, name)


def invoice(calls: list[Billed]) -> dict[str, Any]:
    """Add up the figures of some calls."""
    return {
        "calls": len(calls),
        "errors": sum(call.is_down for call in calls),
        **{name: sum(call.tokens.get(kind, 0) for call in calls) for kind, name in KINDS.items()},
        "cost_usd": sum((call.cost_usd for call in calls), Decimal()),
        "unpriced_calls": sum(call.size == "free" and not call.is_down for call in calls),
    }


def grouped(calls: list[Billed], name: str) -> dict[str | None, dict[str, Any]]:
    names = {call.group(name) for call in calls}
    return {one: invoice([call for call in calls if call.group(name) == one]) for one in names}


def shown(rows: list[dict[str, Any]], name: str) -> dict[str | None, dict[str, Any]]:
    """The same figures from the rows of a surface."""
    return {row[name] or None: {kind: Decimal(str(row[kind])) for kind in invoice([])} for row in rows}


@pytest.fixture
def month(agent, scripted_model) -> list[Billed]:
    """A month of calls through the facade, with random usage, and the invoice's lines."""
    agent(MODELS=SIZES, PRICES=PRICES, RETRIES=0)
    chance = random.Random(20260101)
    calls = [drawn(chance) for _ in range(CALLS)]
    for call in calls:
        scripted_model.script(reply_to(call))
        whose = {"user_id": call.user_id, "source": call.source, "metadata": {"line": 1}}
        answer = services.complete("Say.", call.size, workspace_id=call.workspace_id, skip_cache=True, **whose)
        assert (answer["status"] != "ok") is call.is_down
        PromptLog.objects.filter(request_id=answer["request_id"]).update(created_at=call.created_at)
    return calls


def drawn(chance: random.Random) -> Billed:
    call = Billed(
        user_id=chance.choice([None, "anna", "ben", "Ünal"]),
        workspace_id=chance.choice([None, "acme", "northwind"]),
        source=chance.choice(["llm_facade", "translate", "recordings"]),
        size=chance.choice(list(SIZES)),
        created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(31 * 86400)),
        is_down=chance.random() < 0.1,
    )
    if not call.is_down:
        call.tokens = {kind: chance.randrange(1, 10**6) for kind in KINDS}
        call.stated_usd = Decimal(chance.randrange(10**11)).scaleb(-10) if call.size == "billed" else None
    return call


def reply_to(call: Billed) -> ProviderResult | Exception:
    if call.is_down:
        return ProviderDown("down")
    counts = {name: call.tokens[kind] for kind, name in KINDS.items()}
    return ProviderResult("ok", cost_usd=call.stated_usd, **counts)


def everywhere(admin_client: Client, name: str) -> Iterator[list[dict[str, Any]]]:
    """The rows that each surface shows for a group."""
    yield usage(group_by=name, limit=1000, **MONTH)["rows"]
    for command in (["llm_usage"], ["llm", "usage"]):
        options = ["--group-by", name, "--since", MONTH["since"], "--until", MONTH["until"], "--limit", "1000"]
        yield json.loads(printed(*command, *options, "--format", "json"))["rows"]
        yield list(csv.DictReader(io.StringIO(printed(*command, *options, "--format", "csv"))))
    query = {"group_by": name, "limit": 1000, **MONTH}
    yield admin_client.get("/agent/api/v1/llm/usage", query).json()["rows"]
    if name in (*TITLES, "day"):
        table = admin_client.get(PAGE, {**MONTH, "csv": "period" if name == "day" else name})
        yield list(csv.DictReader(io.StringIO(table.content.decode())))


def printed(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_invoice__on_every_surface(month, admin_client):
    """For any group, usage(), both commands, the API and the page's CSV show the invoice."""
    for name in GROUPS:
        by_hand = grouped(month, name)
        for rows in everywhere(admin_client, name):
            assert shown(rows, name) == by_hand, name
    totals = usage(**MONTH)["totals"]
    assert {kind: totals[kind] for kind in invoice([])} == invoice(month)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def behind(calls: list[Billed], address: str) -> list[Billed]:
    """The calls of the invoice that a link on the page selects."""
    query = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
    conditions = {
        "since": lambda call, value: call.created_at >= moment(value),
        "until": lambda call, value: call.created_at < moment(value),
        "status": lambda call, value: value == "unsuccessful" and call.is_down,
        "cost": lambda call, value: value == "unpriced" and call.size == "free" and not call.is_down,
    }
    for name, value in query.items():
        column, _, is_missing = name.partition("__")
        matches = conditions.get(name, lambda call, value, column=column: getattr(call, column) == value)
        wanted = None if is_missing else value
        calls = [call for call in calls if matches(call, wanted)]
    return calls


def test_invoice__on_the_page(month, admin_client, monkeypatch):
    """Each figure of the usage page, and the totals of the list behind it, match the invoice."""
    monkeypatch.setattr(PromptLogAdmin, "list_per_page", 1)  # the totals are of all rows
    checked = [
        figure for figure in Figures(admin_client.get(PAGE, MONTH)).found if figure.kind in (*invoice([]), "tokens")
    ]
    for figure in checked:
        by_hand = invoice(behind(month, figure.address))
        by_hand["tokens"] = sum(by_hand[name] for name in TOKENS)
        assert Decimal(figure.value) == by_hand[figure.kind], figure
    for address in {figure.address for figure in checked}:
        by_hand, totals = invoice(behind(month, address)), admin_client.get(address).context["cl"].totals
        assert (totals.rows, totals.cost_usd) == (by_hand["calls"], by_hand["cost_usd"]), address
        assert totals.tokens == sum(by_hand[name] for name in TOKENS)
        assert totals.unpriced == by_hand["unpriced_calls"]
    assert {figure.kind for figure in checked} == {*invoice([]), "tokens"}
    assert len(checked) > 200
