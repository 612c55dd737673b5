"""Budgets in one process: which calls they allow and refuse, and what their accounts hold."""

from __future__ import annotations

import threading
from asyncio import CancelledError
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.utils import timezone

from stapel_agent import arguments, record_call, services, usage
from stapel_agent.budgets import balances as accounts
from stapel_agent.budgets import estimates, periods, policies, reservations
from stapel_agent.budgets.policies import Budget, BudgetPolicy, ListedBudgets, Spend, Spender
from stapel_agent.checks import check_bounds, check_budgets
from stapel_agent.exceptions import ProviderUnavailable, RequestRejected
from stapel_agent.ledger import row_statements, row_writer
from stapel_agent.models import BudgetAccount, PromptLog, Reservation
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.sharing.single_flight import SingleFlight
from stapel_agent.signals import budget_warning
from stapel_agent.testing import translating
from stapel_agent.types import LinkedImage, Standing
from tests.answers import TRACED, by
from tests.prices.price_list import listed
from tests.scripted_chain import scripted_chain
from tests.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.django_db

MODEL = "claude-haiku-4-5-20251001"
PRICES = {MODEL: {"input": "1000", "output": "2000"}}
"""A thousandth of a dollar for each token that is sent, and two for each token of the answer."""
SENT = estimates.FRAME_TOKENS + len("hello")
"""The estimate for the prompt "hello" without a system prompt or a schema."""
HOUSE = {"scope": "all", "period": "month"}


@pytest.fixture(autouse=True)
def small_answers(agent):
    agent(MAX_TOKENS=10, PRICES=PRICES)


def balances() -> dict[tuple[str, str, str], tuple[int, int, int, int]]:
    """The spent and reserved money, then tokens, of each account."""
    return {
        (kept.scope, kept.identity, kept.period): (
            kept.spent_nanos,
            kept.reserved_nanos,
            kept.spent_tokens,
            kept.reserved_tokens,
        )
        for kept in BudgetAccount.objects.order_by("scope", "identity", "period")
    }


def at(monkeypatch, *moment: int) -> datetime:
    """Set the current time, in UTC."""
    now = datetime(*moment, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    return now


def test_over_budget__failure_states_the_rest(facade, agent, scripted_model):
    """A call that may cost more than is left is not made. Its row cost nothing, and its answer says what is left."""
    agent(BUDGETS=[{**HOUSE, "tokens": SENT + 10 - 1}])
    answer = facade.complete("hello", "small")
    resets_at = periods.span("month", datetime.now(UTC))[1]
    assert answer == {
        "status": "failure",
        "failure": "over_budget",
        "reason": f"over_budget: the monthly budget for all calls has {SENT + 9} tokens left, and the call may use up "
        f"to {SENT + 10}: lower max_tokens, shorten the prompt, or try again from {resets_at:%Y-%m-%d} (UTC) on",
        "budget": {
            "scope": "all",
            "left_tokens": SENT + 9,
            "period": "month",
            "resets_at": f"{resets_at:%Y-%m-%dT%H:%M:%SZ}",
        },
        **TRACED,
    }
    assert scripted_model.requests == []
    row = PromptLog.objects.get()
    assert (row.status, row.metadata["failure"], row.input_tokens, row.output_tokens, row.cost_usd) == (
        *("failure", "over_budget", 0, 0),
        Decimal(),
    )
    assert (balances(), Reservation.objects.count()) == ({("all", "", "month"): (0, 0, 0, 0)}, 0)


def test_budget__charges_the_actual_cost(agent, scripted_model):
    """During the call, the estimate is reserved. Afterwards, the account has what was spent."""
    seen = []

    def answer(request):
        seen.append(balances())
        return "this"

    scripted_model.script(answer)
    agent(BUDGETS=[{"scope": "user", "period": "day", "usd": "1"}])
    assert services.complete("hello", "small", user_id="u")["status"] == "ok"
    reserved = (SENT + 2 * 10) * policies.NANOS // 1000
    key = ("user", "u", "day")
    assert seen == [{key: (0, reserved, 0, SENT + 10)}]
    assert (balances(), Reservation.objects.count()) == ({key: (20_000_000, 0, 15, 0)}, 0)


def test_budget__exact_fit(agent, scripted_model):
    """A call fits if its estimate does, to the last token and the last billionth of a dollar."""
    exact = {"usd": str(Decimal(SENT + 2 * 10) / 1000), "tokens": SENT + 10}
    agent(BUDGETS=[{**HOUSE, **exact}])
    assert services.complete("hello", "small")["status"] == "ok"
    agent(BUDGETS=[{**HOUSE, **exact, "usd": str(Decimal(SENT + 2 * 10) / 1000 + Decimal("0.02"))}])
    assert services.complete("hello", "small")["status"] == "failure"


@pytest.mark.parametrize("limit", [{"usd": str(Decimal(SENT + 2 * 10) / 1000)}, {"tokens": SENT + 10}], ids=str)
def test_budget__reserved_is_not_left(agent, scripted_model, limit):
    """What a running call has reserved cannot be spent by another one."""
    meanwhile = []

    def answer(request):
        meanwhile.append(services.complete("howdy", "small"))
        return "this"

    scripted_model.script(answer)
    agent(BUDGETS=[{**HOUSE, **limit}])
    assert services.complete("hello", "small")["status"] == "ok"
    assert [other["failure"] for other in meanwhile] == ["over_budget"]
    assert "try again when the calls under way have ended, or from " in meanwhile[0]["reason"]


def test_budget__for_one_id_replaces_the_general_one(agent, scripted_model):
    """An entry with an id replaces the general one of the same scope and period. Other entries apply as well."""
    general, own = {"scope": "user", "period": "month", "tokens": 0}, {"scope": "user", "period": "month", "id": "42"}
    agent(BUDGETS=[general, {**own, "tokens": 1000}])
    assert services.complete("hello", "small", user_id="41")["status"] == "failure"
    assert services.complete("hello", "small", user_id="42")["status"] == "ok"
    assert services.complete("hello", "small")["status"] == "failure"
    agent(BUDGETS=[general, {**own, "tokens": 1000}, {**HOUSE, "tokens": 0}])
    assert services.complete("hello", "small", user_id="42")["budget"]["scope"] == "all"


@pytest.mark.parametrize(
    ("budget", "caller"),
    [
        ({"scope": "user", "id": "u"}, {"user_id": "u"}),
        ({"scope": "workspace", "id": "w"}, {"workspace_id": "w"}),
        ({"scope": "source", "id": "s"}, {"source": "s"}),
        ({"scope": "all"}, {}),
    ],
    ids=lambda value: value.get("scope", "") if isinstance(value, dict) else "",
)
def test_budget__of_each_scope(agent, scripted_model, budget, caller):
    """Each scope limits only its own callers."""
    agent(BUDGETS=[{**budget, "period": "day", "tokens": 0}])
    named = services.complete("hello", "small", **caller)
    others = services.complete("hello", "small", source="x", user_id="x", workspace_id="x")
    assert named["budget"]["scope"] == budget["scope"]
    assert others["status"] == ("failure" if budget["scope"] == "all" else "ok")


def test_budget__begins_anew(agent, scripted_model, monkeypatch):
    """Days and months end at midnight UTC. Then the budget is full again."""
    agent(BUDGETS=[{**HOUSE, "tokens": 100}, {**HOUSE, "period": "day", "tokens": SENT + 10}])
    statuses = []
    for moment in [(2026, 1, 30, 23, 59, 59), (2026, 1, 31), (2026, 1, 31, 12), (2026, 2, 1), (2026, 2, 1, 1)]:
        at(monkeypatch, *moment)
        answer = services.complete("hello", "small")
        statuses.append((answer["status"], answer.get("budget", {}).get("period")))
    passed, day = ("ok", None), ("failure", "day")
    assert statuses == [passed, passed, day, passed, day]
    kept = BudgetAccount.objects.order_by("starts_on", "period")
    assert list(kept.values_list("starts_on", "period", "spent_tokens")) == [
        (date(2026, 1, 1), "month", 30),
        (date(2026, 1, 30), "day", 15),
        (date(2026, 1, 31), "day", 15),
        (date(2026, 2, 1), "day", 15),
        (date(2026, 2, 1), "month", 15),
    ]


@pytest.mark.parametrize(
    ("period", "moment", "start", "end"),
    [
        ("day", datetime(2026, 3, 1, 0, 30, tzinfo=timezone.get_fixed_timezone(60)), (2026, 2, 28), (2026, 3, 1)),
        ("day", datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), (2026, 12, 31), (2027, 1, 1)),
        ("month", datetime(2026, 12, 31, 23, tzinfo=timezone.get_fixed_timezone(-120)), (2027, 1, 1), (2027, 2, 1)),
        ("month", datetime(2028, 2, 29, tzinfo=UTC), (2028, 2, 1), (2028, 3, 1)),
    ],
)
def test_span__in_utc(period, moment, start, end):
    """Days and months are in UTC, whatever the host's time zone is."""
    assert periods.span(period, moment) == (datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC))


def test_budget__charged_to_when_the_call_began(agent, scripted_model, monkeypatch):
    """A call over midnight is charged to the day on which it began, as in the ledger."""
    agent(BUDGETS=[{**HOUSE, "period": "day", "tokens": 1000}])
    at(monkeypatch, 2026, 1, 31, 23, 59, 59)

    def answer(request):
        at(monkeypatch, 2026, 2, 1)
        return "this"

    scripted_model.script(answer)
    services.complete("hello", "small")
    assert [(kept.starts_on, kept.spent_tokens) for kept in BudgetAccount.objects.all()] == [(date(2026, 1, 31), 15)]


def test_budget__counts_earlier_rows(agent, scripted_model):
    """A new budget counts earlier spending, only of its own spender and period, including record_call()."""
    tokens = {"input_tokens": 60, "output_tokens": 20, "cache_read_tokens": 15, "cache_write_tokens": 5}
    call = {"source": "embed", "provider": "house", "model": "m", "workspace_id": "w", **tokens}
    record_call(**call)
    PromptLog.objects.update(cost_usd=Decimal("0.5"))
    record_call(**{**call, "workspace_id": "x"})
    old = PromptLog.objects.filter(workspace_id="x")
    old.update(created_at=timezone.now() - timedelta(days=32), workspace_id="w")
    agent(BUDGETS=[{"scope": "workspace", "period": "month", "tokens": 1000}])
    services.complete("hello", "small", workspace_id="w")
    assert balances() == {("workspace", "w", "month"): (520_000_000, 0, 115, 0)}
    record_call(**call)
    assert balances() == {("workspace", "w", "month"): (520_000_000, 0, 215, 0)}


def test_budget__takes_effect_at_once(agent, scripted_model):
    """A budget that is changed, removed or restored applies to the next call, with everything spent meanwhile."""
    budget = {**HOUSE, "period": "day"}
    seen = []
    for limits in [{"tokens": 100}, {"tokens": 14}, None, {"tokens": 110}]:
        agent(BUDGETS=[{**HOUSE, "tokens": 10**6}, *([{**budget, **limits}] if limits else [])])
        seen.append(services.complete("hello", "small")["status"])
    assert seen == ["ok", "failure", "ok", "ok"]
    assert balances()["all", "", "day"] == (60_000_000, 0, 45, 0)


@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", [ValueError, SystemExit, GeneratorExit, CancelledError])
def test_warning__once_for_a_budget_and_period(facade, agent, scripted_model, fault):
    """The signal is sent once, at four fifths. An exception of a receiver does no harm."""
    standings: list[Standing] = []

    def receive(standing, **named):
        standings.append(standing)
        raise fault("the receiver's own")

    budget_warning.connect(receive)
    scripted_model.script(ProviderResult("this", input_tokens=39, output_tokens=1))
    agent(BUDGETS=[{"scope": "user", "period": "day", "tokens": 2 * 40 + SENT + 10}])
    try:
        answers = [facade.complete("hello", "small", user_id="u")["status"] for _ in range(4)]
    finally:
        budget_warning.disconnect(receive)
    assert answers == ["ok", "ok", "ok", "failure"]
    (standing,) = standings
    assert (standing.scope, standing.identity, standing.left_tokens) == ("user", "u", SENT + 10 - 40)
    assert (standing.limit_tokens, standing.spent_tokens, standing.reserved_tokens) == (2 * 40 + SENT + 10, 120, 0)


def test_budget__each_attempt_is_a_spend(facade, agent, scripted_model):
    """A retry reserves its own estimate. If that does not fit, the request fails and keeps what was paid before."""
    fault = ProviderUnavailable("busy", usage=None)
    scripted_model.script(fault, "this")
    agent(BUDGETS=[{**HOUSE, "tokens": SENT + 10}])
    assert facade.complete("hello", "small")["status"] == "ok"
    assert [row.status for row in PromptLog.objects.order_by("created_at")] == ["failure", "success"]
    scripted_model.script("no JSON here", "{}")
    schema = {"type": "object", "required": ["city"]}
    scripted_model.script("{}")
    agent(BUDGETS=[{**HOUSE, "tokens": 560}])
    answer = facade.complete_json("hello " * 50, "small", schema=schema)
    assert answer["reason"].startswith("over_budget: ")
    assert (answer["usage"], answer["comment"]) == ({"input_tokens": 10, "output_tokens": 5, "cost_usd": "0.02"}, "{}")
    assert len(scripted_model.requests) == 1


def test_budget__no_fallback(agent, facade):
    """Over budget, no other provider is asked, and no provider cools down."""
    models = scripted_chain(agent, first="this", second="that")
    agent(BUDGETS=[{**HOUSE, "tokens": 0}], COOLDOWN_FAILURES=1)
    assert facade.complete("hello", "small")["reason"].startswith("over_budget: ")
    agent(BUDGETS=[])
    assert facade.complete("hello", "small")["result"] == "this"
    assert [len(model.requests) for model in models.values()] == [1, 0]


def test_budget__a_fallback_reserves_for_itself(agent, facade):
    """A fallback may use what the first provider did not spend."""
    scripted_chain(agent, first=ProviderUnavailable("busy"), second="that")
    agent(RETRIES=0, BUDGETS=[{**HOUSE, "tokens": SENT + 10}])
    assert facade.complete("hello", "small") == {
        "status": "ok",
        "result": "that",
        "usage": {"input_tokens": 10, "output_tokens": 5, "cost_usd": "0.02"},
        **by("second"),
    }


def test_budget__translation_keeps_paid_texts(agent, facade, scripted_model):
    """Only the questions that fit the budget are asked. The other texts have a reason in `failed`."""
    scripted_model.script(translating(str.upper))
    agent(MAX_TOKENS=200, TRANSLATE_CHUNK_ENTRIES=1, TRANSLATE_CONCURRENCY=1, BUDGETS=[{**HOUSE, "tokens": 1500}])
    answer = facade.translate("en", "de", {"a": "one more", "b": "two more"})
    assert answer["status"] == "ok"
    agent(BUDGETS=[{**HOUSE, "tokens": 820}])
    answer = facade.translate("en", "de", {name: f"word {name}" for name in "abcdefghijkl"})
    assert (answer["status"], len(answer["result"]) + len(answer["failed"])) == ("ok", 12)
    assert {reason[:11] for reason in answer["failed"].values()} == {"over_budget"}
    assert sum(row.input_tokens + row.output_tokens for row in PromptLog.objects.all()) <= 820
    agent(BUDGETS=[{**HOUSE, "tokens": 0}])
    assert facade.translate("en", "de", {"z": "zed"})["budget"]["left_tokens"] == 0


def test_budget__reused_answers_are_free(agent, facade, scripted_model):
    """A cached answer is returned even if the budget is used up."""
    agent(CACHE_LOOKUP={"llm_facade": True})
    assert facade.complete("hello", "small")["status"] == "ok"
    agent(BUDGETS=[{**HOUSE, "tokens": 0}])
    assert facade.complete("hello", "small")["status"] == "ok"


def test_budget__unpriced_model_counts_tokens_only(agent, scripted_model):
    """A model without a price counts in tokens only."""
    agent(PRICES={}, BUDGETS=[{**HOUSE, "usd": "0", "tokens": 1000}])
    assert services.complete("hello", "small")["status"] == "ok"
    assert balances() == {("all", "", "month"): (0, 0, 15, 0)}


def test_budget__of_a_failed_call_is_released(agent, facade, scripted_model):
    """A failed call releases its reservation. What it has spent is charged."""
    scripted_model.script(RequestRejected("no", usage=estimates.Usage(input_tokens=3)))
    agent(BUDGETS=[{**HOUSE, "tokens": 1000}])
    assert facade.complete("hello", "small")["status"] == "failure"
    assert (balances(), Reservation.objects.count()) == ({("all", "", "month"): (3_000_000, 0, 3, 0)}, 0)


class OnePlan(BudgetPolicy):
    """Budgets in the database, as a host may have them."""

    def budgets(self, spender):
        PromptLog.objects.count()
        return [Budget("user", "day", tokens=0)] if spender.user_id == "guest" else []


class Failing(BudgetPolicy):
    def budgets(self, spender):
        raise RuntimeError("secret")


def test_policy__by_dotted_path(agent, facade, scripted_model):
    """A host's policy decides which budgets apply. If it raises, no call is made."""
    agent(BUDGETS="tests.budgets.test_budgets.OnePlan")
    assert facade.complete("hello", "small", user_id="guest")["budget"]["id"] == "guest"
    assert facade.complete("hello", "small", user_id="member")["status"] == "ok"
    agent(BUDGETS="tests.budgets.test_budgets.Failing")
    assert facade.complete("hello", "small") == {
        "status": "failure",
        "failure": "over_budget",
        "reason": "over_budget: BUDGETS cannot be applied (RuntimeError), so no provider was called: "
        "run manage.py check --tag stapel_agent --deploy for details",
        **TRACED,
    }
    assert len(scripted_model.requests) == 1


ODD = [
    *({"scope": "all", "period": "month", "usd": "5"}, Budget("nobody", "month"), Budget("all", "year", tokens=9)),
    *(Budget("all", "month", usd=float("nan")), Budget("all", "month", usd=Decimal("1e999999"))),
    *(Budget("all", "month", usd=-1), Budget("all", "month", tokens="many"), Budget("all", "month", tokens=0.5)),
]


@pytest.mark.any_database
@pytest.mark.parametrize("budget", ODD, ids=repr)
def test_policy__invalid_budget(agent, facade, scripted_model, budget):
    """A policy that returns an invalid budget lets no call spend, and the reason names BUDGETS."""
    agent(BUDGETS=type("Odd", (BudgetPolicy,), {"budgets": lambda self, spender: [budget]}))
    assert facade.complete("hello", "small")["reason"].startswith("over_budget: BUDGETS cannot be applied (")
    assert scripted_model.requests == []
    assert "budgets" not in usage()


@pytest.mark.any_database
@pytest.mark.parametrize("usd", ["0.5", 0.5, Decimal("0.5")], ids=repr)
def test_policy__dollars_of_any_type(agent, facade, scripted_model, usd):
    """A policy may give dollars as strings or floats, like an entry."""
    agent(BUDGETS=type("Plain", (BudgetPolicy,), {"budgets": lambda self, spender: [Budget("all", "day", usd)]}))
    assert facade.complete("hello", "small")["status"] == "ok"
    (standing,) = usage()["budgets"]
    assert standing.limit_usd == Decimal("0.5")


def test_sweep__charges_lost_calls(agent, scripted_model):
    """A lost call is charged its estimate. If its answer still arrives, its real cost replaces the estimate."""

    def answer(request):
        call_command("close_lost_calls", "--older-than", "0", verbosity=0)
        assert balances() == {("all", "", "month"): ((SENT + 2 * 10) * 1_000_000, 0, SENT + 10, 0)}
        return "this"

    scripted_model.script(answer)
    agent(BUDGETS=[{**HOUSE, "tokens": 1000}])
    assert services.complete("hello", "small")["status"] == "ok"
    assert balances() == {("all", "", "month"): (20_000_000, 0, 15, 0)}
    row = PromptLog.objects.get()
    row_statements.write_outcome(row, "default")
    assert balances() == {("all", "", "month"): (20_000_000, 0, 15, 0)}


def test_sweep__reservations_without_a_row(agent, scripted_model):
    """Reservations of deleted or closed rows are released, and old accounts are deleted."""
    agent(BUDGETS=[{**HOUSE, "tokens": 1000}])
    services.complete("hello", "small")
    (account,) = BudgetAccount.objects.all()
    BudgetAccount.objects.update(reserved_tokens=7)
    BudgetAccount.objects.create(key="old", scope="all", period="day", starts_on=date(2020, 1, 1))
    for row_id in (PromptLog.objects.get().pk, reservations.NO_ROW):
        Reservation.objects.create(row_id=row_id, nanos=0, tokens=3, accounts=[account.key])
    reservations.sweep("default")
    assert balances() == {("all", "", "month"): (20_000_000, 1, 15, 1)} or balances() == {
        ("all", "", "month"): (20_000_000, 0, 15, 1)
    }
    assert Reservation.objects.count() == 0


def test_sweep__by_a_process_without_budgets(agent, scripted_model):
    """`close_lost_calls` where BUDGETS is empty keeps the accounts and reservations of the processes that have them."""

    def answer(request):
        agent(BUDGETS=[])
        call_command("close_lost_calls", verbosity=0)
        assert (BudgetAccount.objects.get().reserved_tokens, Reservation.objects.count()) == (SENT + 10, 1)
        agent(BUDGETS=[{**HOUSE, "tokens": 100}])
        return "this"

    agent(BUDGETS=[{**HOUSE, "tokens": 100}])
    scripted_model.script(answer, "that")
    assert services.complete("hello", "small")["status"] == "ok"
    agent(BUDGETS=[])
    call_command("close_lost_calls", verbosity=0)
    assert services.complete("hello", "small")["status"] == "ok"
    agent(BUDGETS=[{**HOUSE, "tokens": 100}])
    (standing,) = usage()["budgets"]
    assert (standing.spent_tokens, standing.reserved_tokens) == (30, 0)


def test_budgets__cost_nothing_without_any(agent, scripted_model, django_assert_num_queries):
    """Without budgets, no query is made for them."""
    agent(BUDGETS=[])
    with django_assert_num_queries(6):  # the row, and its outcome, each in a savepoint of this test's transaction
        services.complete("hello", "small")
    assert BudgetAccount.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_followers__have_budgets_of_their_own(agent, scripted_model, monkeypatch):
    """A caller that waits for another one's answer does not fail with that caller's `over_budget`."""
    agent(CACHE_LOOKUP={"llm_facade": True}, CACHE_SCOPE={"llm_facade": "shared"})
    agent(BUDGETS=[{"scope": "user", "id": "poor", "period": "day", "tokens": 0}])
    answers, follows = {}, threading.Event()

    def ask(user):
        answers[user] = services.complete("hello", "small", user_id=user)
        connections.close_all()

    rich = threading.Thread(target=ask, args=("rich",))

    def budgets_of(row, ask_policy=reservations.budgets_of):
        if row.user_id == "poor":
            rich.start()
            assert follows.wait(100)
        return ask_policy(row)

    def wait(flight, ahead, wait=SingleFlight._wait):
        follows.set()
        return wait(flight, ahead)

    monkeypatch.setattr(SingleFlight, "_wait", wait)
    monkeypatch.setattr(row_writer, "budgets_of", budgets_of)
    ask("poor")
    rich.join()
    assert {user: answer["status"] for user, answer in answers.items()} == {"poor": "failure", "rich": "ok"}


def test_rollback__of_the_caller(agent, scripted_model):
    """Row, reservation and account are committed or rolled back together."""
    agent(BUDGETS=[{**HOUSE, "tokens": 1000}])
    with transaction.atomic():
        services.complete("hello", "small")
        transaction.set_rollback(True)
    services.complete("hello", "small")
    spent = sum(row.input_tokens + row.output_tokens for row in PromptLog.objects.all())
    assert balances() == {("all", "", "month"): (spent * 20_000_000 // 15, 0, spent, 0)}


WRONG = [
    (5, "must be a map such as"),
    (
        {"scope": "team", "period": "day", "tokens": 1},
        "must have a 'scope', which is one of user, workspace, source, all",
    ),
    ({"scope": [], "period": "day", "tokens": 1}, "must have a 'scope', which is one of"),
    ({"scope": "user", "period": "week", "tokens": 1}, "must have a 'period', which is day or month"),
    ({"scope": "user", "tokens": 1}, "must have a 'period', which is day or month"),
    ({"scope": "user", "period": "day"}, "must have 'usd', 'tokens' or both"),
    (
        {"scope": "user", "period": "day", "token": 1},
        "may only have the keys scope, id, period, usd, tokens, without_id",
    ),
    ({"scope": "user", "period": "day", "tokens": 1, "id": 42}, "may have an 'id' that is a string of 1 to 64"),
    ({"scope": "user", "period": "day", "tokens": 1, "id": ""}, "may have an 'id' that is a string"),
    ({"scope": "all", "period": "day", "tokens": 1, "id": "x"}, "must not have an 'id', because its scope is all"),
    *[
        ({"scope": "all", "period": "day", "usd": usd}, "must have a number of at least 0 as 'usd'")
        for usd in ("five", "-1", "NaN", "Infinity", True, None, [], 10**30)
    ],
    *[
        ({"scope": "all", "period": "day", "tokens": tokens}, "must have a whole number of at least 0 as 'tokens'")
        for tokens in (-1, 1.5, "9", True, None, 10**30)
    ],
    *[
        ({"period": "day", "tokens": 1, **entry}, "may have a 'without_id' of share or refuse")
        for entry in (
            {"scope": "user", "without_id": "ignore"},
            {"scope": "user", "without_id": None},
            {"scope": "user", "id": "1", "without_id": "share"},
            {"scope": "all", "without_id": "refuse"},
            {"scope": "source", "without_id": "refuse"},
        )
    ],
]


@pytest.mark.any_database
@pytest.mark.parametrize(("entry", "fix"), WRONG)
def test_entry__wrong(agent, scripted_model, caplog, entry, fix):
    """The check names the fix for each invalid entry. Until it is fixed, no call is made."""
    (fault,) = policies.problems([entry])
    assert fault.startswith(f"BUDGETS[0] {fix}")
    agent(BUDGETS=[entry])
    assert services.complete("hello", "small")["reason"].startswith("over_budget: BUDGETS cannot be applied")
    assert scripted_model.requests == []
    (line,) = caplog.messages
    assert line.startswith("BUDGETS cannot be applied, so no provider is called: ValueError: BUDGETS[0] ")
    assert "\n" not in line


def test_entry__twice():
    """Two entries for the same scope, period and id are an error. Entries that differ in one of these are not."""
    budget = {"scope": "user", "period": "day", "tokens": 1}
    good = [budget, {**budget, "period": "month"}, {**budget, "id": "1"}]
    assert list(policies.problems(good)) == []
    assert list(policies.problems([*good, {"scope": "user", "period": "day", "usd": 1}])) == [
        "BUDGETS[3] repeats the scope, id and period of another entry: put both limits into one, "
        "not {'scope': 'user', 'period': 'day', 'usd': 1}"
    ]


def test_listed__amounts_in_any_form():
    """Dollars may be a string, a whole number, a float or a Decimal."""
    for usd in ("5.10", 5.1, Decimal("5.1")):
        (budget,) = ListedBudgets([{**HOUSE, "usd": usd}]).budgets(Spender("x"))
        assert budget == Budget("all", "month", usd=Decimal("5.1"))


def test_estimate__covers_all_that_is_sent(agent):
    """The estimate includes system prompt, schema and images. Money is rounded up."""
    request = replace(arguments.json_request_of("hello", "small", schema={"type": "object"}), images=())
    bare = replace(arguments.request_of("hello", "small"), images=())
    assert estimates.estimated(request, None).tokens > estimates.estimated(bare, None).tokens == SENT + 10
    assert estimates.estimated(bare, None).nanos == 0
    assert policies.nanos(Decimal("1E-10")) == 1
    assert Spend(3, 4) - Spend(1, 1) == Spend(2, 3)


def test_estimate__expensive_tier_and_one_hour_cache(agent):
    """Input is priced at the highest price that a vendor may charge for it, on the most expensive terms."""
    tier = {"priority": {"input": "1", "output": "7"}}
    agent(PRICES={"m": {"input": "3", "output": "1", "cache_write": "4", "cache_write_1h": "6", "tiers": tier}})
    request = replace(arguments.request_of("hello", "small"), images=(), model="m")
    assert estimates.estimated(request, None).usd == Decimal(SENT * 6 + 10) / 10**6
    agent(PRICES={"m": {"input": "1", "output": "1", "tiers": tier}})
    assert estimates.estimated(request, None).usd == Decimal(SENT * 1 + 70) / 10**6


def test_estimate__of_a_fee_per_request(agent):
    """The fee of the vendor's list is reserved with the tokens, unless the host has its own price for the model."""
    request = replace(arguments.request_of("hello", "small"), images=(), model="sonar")
    with listed():
        estimate = estimates.estimated(request, "perplexity")
        assert estimate.usd == Decimal(SENT + 10) / 10**6 + Decimal("0.012")
        agent(PRICES={"sonar": {"input": "1", "output": "1"}})
        assert estimates.estimated(request, "perplexity").usd == Decimal(SENT + 10) / 10**6


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("reply", "cost", "fee"),
    [
        (Reply(raw=b"", ending="close"), None, "0.012"),
        (Reply.of({"choices": [{"message": {"content": "{}"}}]}), None, "0.012"),
        (Reply.of({"choices": [{"message": {"content": "{}"}}], "usage": {"prompt_tokens": SENT}}), "0.012055", "0"),
    ],
    ids=["interrupted", "without usage", "without completion"],
)
def test_estimate__of_a_fee_beyond_what_is_known(facade, agent, reply, cost, fee):
    """The estimate of what else a call may cost has the fee for the request, unless its known cost has it."""
    with listed(), ScriptedServer(reply) as server:
        entry = {"base_url": server.url, "vendor": "perplexity", "models": {"small": "sonar"}}
        agent(PROVIDERS={"search": entry}, DEFAULT_PROVIDER="search", RETRIES=0, BUDGETS=[{**HOUSE, "usd": "5"}])
        facade.complete("hello", "small")
    row, tokens = PromptLog.objects.get(), Decimal(10 if cost else SENT + 10) / 10**6
    assert (row.cost_usd, row.estimated_cost_usd) == (cost and Decimal(cost), tokens + Decimal(fee))


@pytest.mark.parametrize(
    ("vendor", "tokens"),
    [("anthropic", 5_000), ("https://api.openai.com/v1", 48_169), ("https://api.x.ai/v1", 1_792), (None, 48_169)],
)
def test_estimate__of_images(agent, vendor, tokens):
    """An image counts as in its vendor's most expensive model, and as the most of all vendors at an unknown one."""
    bare = replace(arguments.request_of("hello", "small"), images=())
    image = LinkedImage("https://example.com/a.png")
    taken = estimates.estimated(replace(bare, images=(image, image)), vendor).tokens
    assert taken - estimates.estimated(bare, vendor).tokens == 2 * tokens


class Uncapped(LlmProvider):
    """Supports no token cap, and takes images of an unknown vendor."""

    supports_images = True

    def complete(self, **arguments):
        raise NotImplementedError


def test_check__unbounded_calls(agent):
    """With budgets, the check names providers whose calls may cost more than is reserved. Without, it does not."""
    agent(PROVIDERS={"house": Uncapped}, BUDGETS=[])
    assert check_bounds() == []
    agent(BUDGETS=[{**HOUSE, "usd": "5"}])
    texts = [found.msg for found in check_bounds()]
    assert len(texts) == 2
    assert all("'house'" in text for text in texts)
    assert "max_tokens" in texts[0]
    assert "images" in texts[1]


def test_check__vendor_tools_have_no_bound(agent):
    """With budgets, the check names the options with which a vendor bills more than the tokens that are sent."""
    models = {"small": {"model": "m", "options": {"web_search_options": {}, "temperature": 0}}, "large": "m"}
    search = {"class": "stapel_agent.providers.openai_compat.OpenAICompatProvider", "options": {"tools": [], "a": 1}}
    search["base_url"] = "https://api.openai.com/v1"
    agent(MODELS=models, PROVIDERS={"search": search})
    assert check_bounds() == []
    agent(
        MODELS=models,
        PROVIDERS={"search": {**search, "base_url": "https://api.openai.com/v1"}},
        BUDGETS=[{**HOUSE, "tokens": 5}],
    )
    texts = [found.msg for found in check_bounds()]
    assert ["web_search_options" in text and "MODELS['small']" in text for text in texts] == [True, False]
    assert ["use of tools," in text and "'search'" in text for text in texts] == [False, True]


def test_check__other_models_have_no_bound(agent):
    """With budgets, the check names the option with which a vendor may use a more expensive model."""
    sizes = {"small": {"model": "m", "options": {"models": ["other"]}}, "large": {"model": "m", "options": {"a": 1}}}
    agent(MODELS=sizes, BUDGETS=[{**HOUSE, "tokens": 5}])
    assert [found.msg for found in check_bounds()] == [
        "BUDGETS is set, but calls with MODELS['small'] may cost more than reserved: nothing limits their prices, "
        "because the option 'models' lets the vendor use other models."
    ]


@pytest.mark.parametrize("text", ["31415", "0a1b2c3d", "{[(<,.;", "🪆🧿", "𐐀𐐁", "hello"])
def test_estimate__at_least_any_tokenizers_count(text):
    """The estimate counts a token for each byte: tokenizers may need as many for numbers and rare letters."""
    estimate = estimates.estimated(replace(arguments.request_of(text * 100, "small"), images=(), max_tokens=1), None)
    assert estimate.tokens > len((text * 100).encode())


def test_fullest__are_the_nearest_to_their_limits(monkeypatch):
    """Current budgets are sorted by the used share of their nearer limit. A limit of zero counts as full."""
    now = at(monkeypatch, 2026, 1, 31, 12)
    month, day = date(2026, 1, 1), date(2026, 1, 31)
    spent = {
        "half": {"spent_nanos": 4, "reserved_nanos": 1, "limit_nanos": 10, "spent_tokens": 1, "limit_tokens": 100},
        "over": {"spent_tokens": 300, "limit_tokens": 200},
        "tokens": {"spent_nanos": 1, "limit_nanos": 10, "spent_tokens": 60, "reserved_tokens": 10, "limit_tokens": 100},
        "none": {"limit_tokens": 0},
        "little": {"spent_nanos": 1, "limit_nanos": 10**18},
        "unlimited": {"spent_nanos": 10**9},
        "uncounted": {"spent_tokens": 9, "limit_tokens": 1, "is_counted": False},
    }
    for identity, columns in spent.items():
        usual = {"scope": "user", "period": "month", "starts_on": month, "is_counted": True}
        BudgetAccount.objects.create(**{"key": identity, "identity": identity, **usual, **columns})
    of_a_day = {"scope": "all", "period": "day", "is_counted": True, "spent_tokens": 4, "limit_tokens": 10}
    BudgetAccount.objects.create(key="today", starts_on=day, **of_a_day)
    BudgetAccount.objects.create(key="yesterday", starts_on=day - timedelta(days=1), **of_a_day)
    BudgetAccount.objects.create(key="first", starts_on=month, **of_a_day)
    found, number = accounts.fullest(now, 10, "default")
    assert [(standing.identity or standing.scope, round(standing.share, 3)) for standing in found] == [
        *(("over", 1.5), ("none", 1), ("tokens", 0.7), ("half", 0.5), ("all", 0.4), ("little", 0)),
    ]
    assert number == 6
    assert accounts.fullest(now, 2, "default") == (found[:2], 6)
    assert found[3] == Standing(
        scope="user",
        identity="half",
        period="month",
        starts_on=month,
        resets_at=datetime(2026, 2, 1, tzinfo=UTC),
        limit_usd=Decimal(10) / policies.NANOS,
        spent_usd=Decimal(4) / policies.NANOS,
        reserved_usd=Decimal(1) / policies.NANOS,
        limit_tokens=100,
        spent_tokens=1,
    )


def test_account__capped_at_its_columns(agent, scripted_model):
    """Absurd costs from a vendor do not prevent rows from being closed."""
    agent(BUDGETS=[{"scope": "user", "period": "month", "tokens": 10**9}])
    scripted_model.script(ProviderResult("ok", 7, 3, cost_usd="999999"))
    for _ in range(2):
        assert services.complete("say", "small", user_id="ann")["status"] == "ok"
        BudgetAccount.objects.update(spent_nanos=2**63 - 2)
    assert set(PromptLog.objects.values_list("status", flat=True)) == {"success"}
    assert services.complete("say", "small", user_id="ann")["status"] == "ok"
    assert not PromptLog.objects.filter(status="pending").exists()
    assert BudgetAccount.objects.get().spent_nanos == 2**63 - 1


NAMELESS = [
    ("user", {}),
    ("user", {"user_id": "", "workspace_id": "w"}),
    ("workspace", {"user_id": "u"}),
    ("workspace", {"user_id": "u", "workspace_id": ""}),
]


@pytest.mark.parametrize(("scope", "caller"), NAMELESS)
def test_without_id__shares_an_account(agent, scripted_model, scope, caller):
    """By default, and with "share", calls without an id share one account, which counts their earlier spending."""
    scripted_model.script(*["yes"] * 9)
    assert services.complete("hello", "small", **caller)["status"] == "ok"
    assert services.complete("hello", "small", **{f"{scope}_id": "named"})["status"] == "ok"
    spent = sum(
        PromptLog.objects.exclude(**{f"{scope}_id": "named"}).values_list("input_tokens", "output_tokens").get()
    )
    for choice in ({}, {"without_id": "share"}):
        agent(BUDGETS=[{"scope": scope, "period": "day", "tokens": spent + SENT + 10, **choice}])
        answer = services.complete("hello", "small", skip_cache=True, **caller)
        assert answer["status"] == ("failure" if choice else "ok")
    assert f"budget for all calls without a {scope}" in answer["reason"]
    assert services.complete("hello", "small", **{f"{scope}_id": "other"})["status"] == "ok"


@pytest.mark.any_database
@pytest.mark.parametrize(("scope", "caller"), NAMELESS)
def test_without_id__refused(agent, scripted_model, scope, caller):
    """With "refuse", a call without an id is not made, and the reason says what to pass. Other calls are made."""
    scripted_model.script("yes")
    agent(BUDGETS=[{"scope": scope, "period": "day", "tokens": 1000, "without_id": "refuse"}])
    answer = services.complete("hello", "small", **caller)
    assert (answer["failure"], scripted_model.requests) == ("over_budget", [])
    assert f"pass {scope}_id" in answer["reason"]
    assert services.complete("hello", "small", **{f"{scope}_id": "named"})["status"] == "ok"
    assert usage()["budgets"] == []


def test_without_id__check(agent):
    """The check lists budgets that do not set `without_id`."""
    open_entry = {"scope": "user", "period": "day", "tokens": 1}
    agent(BUDGETS=[{**HOUSE, "tokens": 1}, open_entry, {**open_entry, "id": "1"}])
    (found,) = [found for found in check_budgets() if found.id == "stapel_agent.W013"]
    assert "BUDGETS[1] has no 'without_id'" in found.msg
    agent(BUDGETS=[{**open_entry, "without_id": "share"}])
    assert [found for found in check_budgets() if found.id == "stapel_agent.W013"] == []
