"""`usage()` returns the current budgets of the spenders in the filters."""

import io
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.test import Client

from stapel_agent import ausage, record_call, services, usage
from stapel_agent.budgets import periods, policies
from stapel_agent.budgets.policies import Budget, BudgetPolicy
from stapel_agent.management.commands.llm_usage import BUDGET_COLUMNS
from stapel_agent.models import BudgetAccount, PromptLog
from stapel_agent.types import Standing

pytestmark = pytest.mark.django_db

MODEL = "claude-haiku-4-5-20251001"
PRICES = {MODEL: {"input": "1000", "output": "2000"}}
"""A call of the scripted model has ten and five tokens and costs two cents."""
OF_A_USER = {"scope": "user", "period": "day", "tokens": 150}
OF_ALL = {"scope": "all", "period": "month", "usd": "1.5"}
FACADES = {"sync": usage, "async": async_to_sync(ausage)}


@pytest.fixture(params=sorted(FACADES))
def told(request):
    """The budgets in the answer of `usage()`, also on an event loop."""
    return lambda **filters: FACADES[request.param](**filters).get("budgets")


@pytest.fixture(autouse=True)
def small_answers(agent):
    agent(MAX_TOKENS=10, PRICES=PRICES)


def standing(scope: str, identity: str, period: str, **figures) -> Standing:
    start, end = periods.span(period, datetime.now(UTC))
    return Standing(scope=scope, identity=identity, period=period, starts_on=start.date(), resets_at=end, **figures)


def test_standing__before_and_after_a_call(told, agent, scripted_model):
    """Everything in the ledger counts as spent, even without an account. Reading writes nothing."""
    record_call(source="embed", provider="house", model="m", input_tokens=100, user_id="u")
    agent(BUDGETS=[OF_A_USER, OF_ALL])
    user = standing("user", "u", "day", limit_tokens=150, spent_tokens=100)
    house = standing("all", "", "month", limit_usd=Decimal("1.5"), spent_tokens=100)
    assert told(user_id="u") == [user, house]
    assert (user.left_tokens, user.left_usd, house.left_usd) == (50, None, Decimal("1.5"))
    assert BudgetAccount.objects.count() == 0
    services.complete("hello", "small", user_id="v")
    assert told(user_id="u") == [user, replace(house, spent_usd=Decimal("0.02"), spent_tokens=115)]
    assert told(user_id="u")[1].left_usd == Decimal("1.48")


def test_standing__of_a_call_under_way(told, agent, scripted_model):
    """The reservation of a running call is shown separately from what is spent, and does not count as left."""
    seen = []

    def answer(request):
        seen.extend(usage(user_id="u")["budgets"])
        return "this"

    scripted_model.script(answer)
    agent(BUDGETS=[{**OF_A_USER, "usd": "1"}])
    services.complete("hello", "small", user_id="u")
    (found,) = seen
    assert (found.spent_tokens, found.spent_usd) == (0, Decimal())
    assert found.reserved_tokens > 10
    assert found.left_tokens == 150 - found.reserved_tokens
    assert found.left_usd == 1 - found.reserved_usd < 1
    assert told(user_id="u") == [
        standing("user", "u", "day", limit_usd=Decimal(1), limit_tokens=150, spent_usd=Decimal("0.02"), spent_tokens=15)
    ]


def test_standing__overspent(told, agent):
    """If more is spent than the budget allows, nothing is left, and never less."""
    record_call(source="embed", provider="house", model="m", input_tokens=1000, cost_usd=Decimal("2.5"))
    agent(BUDGETS=[{**OF_ALL, "tokens": 999}])
    (found,) = told()
    assert (found.left_usd, found.left_tokens, found.spent_usd) == (Decimal(), 0, Decimal("2.5"))


@pytest.mark.parametrize(
    ("filters", "scopes"),
    [
        ({}, [("all", "")]),
        ({"user_id": "u"}, [("user", "u"), ("all", "")]),
        ({"workspace_id": "w", "source": "translate"}, [("workspace", "w"), ("source", "translate"), ("all", "")]),
        ({"model": "m", "status": "success"}, [("all", "")]),
    ],
    ids=str,
)
def test_standings__of_the_filtered_spenders(told, agent, filters, scopes):
    """Budgets of users, workspaces and sources are returned for those in the filters, and the budget of all always."""
    every = [{"scope": scope, "period": "day", "tokens": 5} for scope in policies.SCOPES]
    agent(BUDGETS=every)
    assert [(found.scope, found.identity) for found in told(**filters)] == scopes


def test_standings__without_budgets(told, agent):
    """Without BUDGETS there is no key. If no budget applies, the list is empty."""
    agent(BUDGETS=[])
    assert told(user_id="u") is None
    agent(BUDGETS=[OF_A_USER])
    assert told() == []


class ByPlan(BudgetPolicy):
    """Looks budgets up in the database, as a host may do."""

    def budgets(self, spender):
        if spender.user_id and PromptLog.objects.filter(user_id=spender.user_id).exists():
            yield Budget("user", "month", usd=None, tokens=77)
        yield Budget("source", "day", tokens=1)


def test_standings__of_a_policy(told, agent):
    """A host's policy is asked about the spender in the filters, whose source may be empty."""
    agent(BUDGETS="tests.budgets.test_standings.ByPlan")
    record_call(source="embed", provider="house", model="m", user_id="u", input_tokens=7)
    assert told(user_id="u") == [standing("user", "u", "month", limit_tokens=77, spent_tokens=7)]
    assert told(user_id="v") == []
    assert told(source="embed") == [standing("source", "embed", "day", limit_tokens=1, spent_tokens=7)]


class Broken(BudgetPolicy):
    def budgets(self, spender):
        PromptLog.objects.extra(where=["no_such_column = 1"]).exists()


@pytest.mark.parametrize("wrong", ["tests.budgets.test_standings.Broken", "no.such.Policy", [{"scope": "galaxy"}], 5])
def test_standings__wrong_setting(agent, caplog, wrong):
    """If BUDGETS cannot be applied, the log says so, and the figures are still returned."""
    record_call(source="embed", provider="house", model="m", input_tokens=7)
    agent(BUDGETS=wrong)
    with caplog.at_level(logging.ERROR, "stapel_agent.accounting"):
        found = usage()
    assert ("budgets" in found, found["totals"]["input_tokens"]) == (False, 7)
    assert [message.startswith("BUDGETS cannot be applied") for message in caplog.messages] == [True]
    assert "Traceback" not in caplog.text


def as_told(**options) -> tuple[dict, dict]:
    """The same query over HTTP and by the command."""
    written = io.StringIO()
    call_command("llm_usage", stdout=written, format="json", **options)
    client = Client(headers={"X-API-KEY": "service-key-for-tests"})
    return client.get("/agent/api/v1/llm/usage", options).json(), json.loads(written.getvalue())


def test_surfaces__same_budgets(agent):
    """Over HTTP and in the command's JSON, dollars are strings, and keys without a value are absent."""
    agent(BUDGETS=[OF_A_USER, OF_ALL])
    record_call(
        source="embed", provider="house", model="m", input_tokens=7, user_id="u", cost_usd=Decimal("0.000000001")
    )
    (day, next_day), (month, next_month) = (periods.span(period, datetime.now(UTC)) for period in ("day", "month"))
    expected = [
        {
            "scope": "user",
            "id": "u",
            "period": "day",
            "starts_on": f"{day:%Y-%m-%d}",
            "resets_at": f"{next_day:%Y-%m-%dT%H:%M:%SZ}",
            "spent_usd": "0.000000001",
            "reserved_usd": "0",
            "limit_tokens": 150,
            "spent_tokens": 7,
            "reserved_tokens": 0,
            "left_tokens": 143,
        },
        {
            "scope": "all",
            "period": "month",
            "starts_on": f"{month:%Y-%m-%d}",
            "resets_at": f"{next_month:%Y-%m-%dT%H:%M:%SZ}",
            "limit_usd": "1.5",
            "spent_usd": "0.000000001",
            "reserved_usd": "0",
            "left_usd": "1.499999999",
            "spent_tokens": 7,
            "reserved_tokens": 0,
        },
    ]
    assert [answer["budgets"] for answer in as_told(user_id="u")] == [expected, expected]
    agent(BUDGETS=[])
    assert ["budgets" in answer for answer in as_told(user_id="u")] == [False, False]


def test_command__table_of_budgets(agent, capsys):
    """The table ends with the budgets, if there are any."""
    agent(BUDGETS=[OF_A_USER, OF_ALL])
    call_command("llm_usage", user_id="u\x1b")
    figures, _, table = capsys.readouterr().out.partition("\n\n")
    rows = [line.split() for line in table.splitlines()]
    end_of_day, end_of_month = (
        f"{periods.span(period, datetime.now(UTC))[1]:%Y-%m-%dT%H:%M:%SZ}" for period in ("day", "month")
    )
    assert figures.splitlines()[-1].startswith("total")
    assert rows == [
        list(BUDGET_COLUMNS),
        ["user", "u\ufffd", "day", end_of_day, *("-", "0", "0", "-"), *("150", "0", "0", "150")],
        ["all", "-", "month", end_of_month, *("1.5", "0", "0", "1.5"), *("-", "0", "0", "-")],
    ]
    agent(BUDGETS=[])
    call_command("llm_usage")
    assert "\n\n" not in capsys.readouterr().out
