"""A call with an unknown outcome has an estimate in its row, in its budgets and in the figures."""

import asyncio
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.management import call_command

from stapel_agent import arguments, ledger, services, usage
from stapel_agent.asking import Attempts, as_text
from stapel_agent.budgets import estimates
from stapel_agent.exceptions import (
    AnswerInterrupted,
    AnswerMissing,
    InvalidAnswer,
    ProviderBug,
    ProviderTimeout,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
    RequestInterrupted,
    RequestRejected,
)
from stapel_agent.models import BudgetAccount, PromptLog, Reservation
from stapel_agent.providers.base import ProviderResult
from stapel_agent.types import Usage
from tests.providers.message_stream import MESSAGE_STOP, event, message_start, stream, text_block
from tests.scripted_chain import scripted_chain
from tests.scripted_server import Reply, ScriptedServer, full_listener

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

MODEL = "claude-haiku-4-5-20251001"
PRICES = {MODEL: {"input": "1000", "output": "2000"}}
"""A thousandth of a dollar for each token that is sent, and two for each token of the answer."""
TOKENS = estimates.FRAME_TOKENS + len("hello") + 10
USD = Decimal(TOKENS + 10) / 1000
MONTH = {"scope": "all", "period": "month"}


@pytest.fixture(autouse=True)
def small_answers(agent):
    agent(MAX_TOKENS=10, PRICES=PRICES, RETRIES=0)


def costs(row=None) -> tuple:
    row = row or PromptLog.objects.get()
    return row.cost_basis, row.cost_usd, row.estimated_cost_usd, row.estimated_tokens


def charged() -> tuple[int, int, int, int]:
    account = BudgetAccount.objects.get()
    return account.spent_nanos, account.spent_tokens, account.reserved_nanos, account.reserved_tokens


UNKNOWN = [
    *(ProviderTimeout("slow"), TimeoutError(), RequestInterrupted("gone"), AnswerInterrupted("half")),
    *(ValueError("odd"), ProviderBug("odd")),
]


@pytest.mark.parametrize("budgets", [[], [{**MONTH, "usd": "5", "tokens": 1000}]], ids=["without", "with"])
@pytest.mark.parametrize("fault", UNKNOWN, ids=repr)
def test_estimate__of_an_unknown_outcome(facade, agent, fault, budgets):
    """A call that may be billed has an estimate and no cost, and its budgets are charged the estimate."""
    scripted_chain(agent, only=fault)
    agent(BUDGETS=budgets)
    assert facade.complete("hello", "small")["status"] == "failure"
    assert costs() == ("estimated", None, USD, TOKENS)
    if budgets:
        assert charged() == (USD * 10**9, TOKENS, 0, 0)
        assert not Reservation.objects.exists()


@pytest.mark.parametrize(
    ("usage", "booked"),
    [
        ({}, ("estimated", None, USD, TOKENS)),
        ({"prompt_tokens": 6, "completion_tokens": 10}, ("price_list", Decimal("0.026"), None, None)),
    ],
)
def test_estimate__truncation_reported_as_an_error(facade, agent, usage, booked):
    """A vendor that answers 400 because the cap was reached has generated that many tokens."""
    words = "Could not finish the message because max_tokens or model output limit was reached."
    with ScriptedServer(Reply.of({"error": {"message": words}, "usage": usage}, status=400)) as server:
        agent(PROVIDERS={"mine": {"base_url": server.url, "models": {"small": MODEL}}})
        assert facade.complete("hello", "small", provider="mine")["failure"] == "truncated"
    assert costs() == booked


@pytest.mark.parametrize("fault", [ProviderUnreachable("away"), ProviderUnavailable("busy")], ids=repr)
def test_estimate__undelivered_call(facade, agent, fault):
    """A call that was not accepted, or that the vendor did not process, cost nothing."""
    scripted_chain(agent, only=fault)
    agent(BUDGETS=[{**MONTH, "usd": "5"}])
    facade.complete("hello", "small")
    assert costs() == ("price_list", 0, None, None)
    assert charged() == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "fault",
    [
        *(ProviderUnavailable("busy", text="half"), ProviderUnavailable("busy", usage=Usage(5, 5))),
        *(RateLimited("busy", usage=Usage(5, 5)), RequestRejected("no", text="half")),
    ],
    ids=repr,
)
def test_estimate__of_a_refusal_with_a_part_of_the_answer(facade, agent, fault):
    """A refusal with a part of the answer may be billed."""
    scripted_chain(agent, only=fault)
    agent(BUDGETS=[{**MONTH, "usd": "5"}])
    facade.complete("hello", "small")
    assert costs()[0] == "estimated"
    assert charged()[:2] == (USD * 10**9, TOKENS)


@pytest.mark.parametrize("fault", [InvalidAnswer("too large"), AnswerMissing("empty")], ids=repr)
def test_estimate__unreadable_answer(facade, agent, fault):
    """With a budget, an unreadable answer is charged its estimate, because it states no cost."""
    scripted_chain(agent, only=fault)
    agent(BUDGETS=[{**MONTH, "usd": "5"}])
    facade.complete("hello", "small")
    assert costs() == ("estimated", None, USD, TOKENS)
    assert charged()[:2] == (USD * 10**9, TOKENS)


def test_estimate__answer_without_usage(facade, agent):
    """With a budget, an answer without tokens and cost is charged its estimate, so the budget is used up."""
    scripted_chain(agent, only=ProviderResult("this"))
    agent(BUDGETS=[{**MONTH, "tokens": TOKENS * 3}])
    statuses = [facade.complete("hello", "small")["status"] for _ in range(5)]
    assert statuses == ["ok"] * 3 + ["failure"] * 2
    row = PromptLog.objects.filter(status="success").first()
    assert costs(row) == ("estimated", None, USD, TOKENS)


IN, OUT = Decimal("0.001"), Decimal("0.002")
SENT = TOKENS - 10
HALVES = [
    ("only the input", ProviderResult("this", 7), 7 * IN, 10 * OUT, 10),
    ("an output of None", ProviderResult("this", 7, None), 7 * IN, 10 * OUT, 10),
    ("an output of 0 and no text", ProviderResult(" ", 7, None), 7 * IN, 10 * OUT, 10),
    ("a text longer than the cap", ProviderResult("t" * 30, 7), 7 * IN, 30 * OUT, 30),
    ("only the output", ProviderResult("this", output_tokens=4), 4 * OUT, SENT * IN, SENT),
    ("a word as the input", ProviderResult("this", "many", 4), 4 * OUT, SENT * IN, SENT),  # type: ignore[arg-type]
    ("only cached input", ProviderResult("this", None, 4, cache_read_tokens=5), None, (SENT - 5) * IN, SENT - 5),
    ("only the sum", ProviderResult("this", None, None, unsplit_tokens=500), 0, 500 * OUT, 500),
]


@pytest.mark.parametrize("budgets", [[], [{**MONTH, "usd": "50", "tokens": 10000}]], ids=["without", "with"])
@pytest.mark.parametrize("half", HALVES, ids=[half[0] for half in HALVES])
def test_estimate__unstated_half(facade, agent, half, budgets):
    """If an answer states a half of its tokens, its cost is that half's, and the other half is estimated."""
    _, result, known, rest, tokens = half
    scripted_chain(agent, only=result)
    agent(BUDGETS=budgets)
    answer = facade.complete("hello", "small")
    assert "cost_usd" not in answer["usage"]
    row = PromptLog.objects.get()
    basis, usd, estimated_usd, estimated_tokens = costs(row)
    assert (basis, estimated_usd, estimated_tokens) == ("estimated", rest, tokens)
    assert known is None or usd == known
    if budgets:
        stated = (row.input_tokens or 0) + (row.output_tokens or 0) + (row.cache_read_tokens or 0)
        assert charged() == ((usd + rest) * 10**9, stated + tokens, 0, 0)


def test_estimate__of_tokens_alone(facade, agent):
    """If the vendor states the cost but not all tokens, the cost is known, and budgets of tokens get the estimate."""
    scripted_chain(agent, only=[ProviderResult("this", 7, cost_usd="0.5"), ProviderResult("this", cost_usd="0.5")])
    agent(BUDGETS=[{**MONTH, "usd": "50", "tokens": 10000}])
    assert facade.complete("hello", "small")["usage"]["cost_usd"] == "0.5"
    assert costs() == ("provider", Decimal("0.5"), None, 10)
    assert charged() == (Decimal("0.5") * 10**9, 17, 0, 0)
    facade.complete("hello", "small")
    assert charged() == (10**9, 17 + TOKENS, 0, 0)
    agent(BUDGETS=[{**MONTH, "usd": "50", "tokens": 10000}, {**MONTH, "period": "day", "tokens": 10000}])
    assert {standing.spent_tokens for standing in usage()["budgets"]} == {17 + TOKENS}


@pytest.mark.parametrize(
    ("reported", "tokens"),
    [
        ({"prompt_tokens": 12}, (12, 0, 0, 10)),
        ({"completion_tokens": 3}, (0, 3, 0, SENT)),
        ({"total_tokens": 500}, (0, 0, 0, 500)),
        ({"prompt_tokens": 12, "completion_tokens": 0}, (12, 0, 0, 10)),
        ({"prompt_tokens": 12, "completion_tokens": "many"}, (12, 0, 0, 10)),
        ({"prompt_tokens": 12, "total_tokens": 15}, (12, 3, 0, None)),
        ({"input_tokens": 100, "output_tokens": 3, "cache_read_input_tokens": 900}, (100, 3, 900, None)),
    ],
)
def test_estimate__of_a_usage_in_part(facade, agent, reported, tokens):
    """The row of an OpenAI-compatible answer keeps the figures that it states, and estimates the others."""
    body = {"choices": [{"message": {"content": "this"}, "finish_reason": "stop"}], "usage": reported}
    with ScriptedServer(Reply.of(body)) as server:
        agent(DEFAULT_PROVIDER="openai-compat", OPENAI_COMPAT_BASE_URL=server.url)
        assert facade.complete("hello", "small")["status"] == "ok"
    row = PromptLog.objects.get()
    assert (row.input_tokens, row.output_tokens, row.cache_read_tokens, row.estimated_tokens) == tokens
    assert row.cost_basis == ("price_list" if tokens[3] is None else "estimated")


@pytest.mark.sdk
@pytest.mark.parametrize("end", [{"output_tokens": None}, {"output_tokens": 0}, {}], ids=str)
def test_estimate__stream_without_output_tokens(facade, agent, end):
    """The first token that `message_start` counts is no count of the answer."""
    delta = event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage=end)
    with ScriptedServer(stream(message_start(), text_block("this"), delta, MESSAGE_STOP)) as server:
        agent(DEFAULT_PROVIDER="anthropic", ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=server.url)
        assert facade.complete("hello", "small")["status"] == "ok"
    assert costs() == ("estimated", Decimal("0.025"), 10 * OUT, 10)


def test_estimate__of_a_usage_with_unreadable_prices(facade, agent, monkeypatch, caplog):
    """A row is closed even if the estimate of its missing half fails. The log says so."""
    scripted_chain(agent, only=ProviderResult("this", 7))
    monkeypatch.setattr("stapel_agent.ledger.cost_columns.estimated_rest", lambda *given: 1 / 0)
    facade.complete("hello", "small")
    assert costs() == ("estimated", 7 * IN, None, TOKENS)
    assert caplog.messages == ["cannot estimate a call to provider 'only': ZeroDivisionError: division by zero"]


class Unreadable:
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    "part",
    [
        *({"text": None}, {"text": b"x"}, {"text": 5}),
        *({"finish_reason": Unreadable()}, {"finish_reason": "interrupted"}),
    ],
    ids=list,
)
def test_cost__of_an_unusable_result(facade, agent, part):
    """If a result's text or finish reason is unusable, the stated tokens are charged: they are everything spent."""
    scripted_chain(agent, only=ProviderResult(**{"text": "this", "input_tokens": 10, "output_tokens": 5, **part}))
    assert facade.complete("hello", "small")["status"] == "failure"
    assert costs() == ("price_list", Decimal("0.02"), None, None)


@pytest.mark.parametrize("kind", [ProviderTimeout, AnswerInterrupted])
def test_estimate__beyond_the_known_usage(facade, agent, kind):
    """Usage reported before the outcome was lost is the cost. The estimate covers what may have come after it."""
    scripted_chain(agent, only=kind("half", usage=Usage(input_tokens=20, output_tokens=1), text="ha"))
    agent(BUDGETS=[{**MONTH, "usd": "5"}])
    facade.complete("hello", "small")
    assert costs() == ("estimated", Decimal("0.022"), USD - Decimal("0.022"), TOKENS - 21)
    assert charged() == (USD * 10**9, TOKENS, 0, 0)


@pytest.mark.parametrize(
    ("known", "rest", "tokens"),
    [
        (Usage(5000, 1), 9 * OUT, 9),
        (Usage(cache_read_tokens=4000, cache_write_tokens=1000), 10 * OUT, 10),
        (Usage(20, 30), (SENT - 20) * IN, SENT - 20),
        (Usage(unsplit_tokens=500), 500 * OUT, 500),
        (Usage(unsplit_tokens=15), USD, TOKENS),
    ],
    ids=repr,
)
def test_estimate__of_each_half_alone(facade, agent, known, rest, tokens):
    """If one half of the known usage is more than the estimate of it, the other half's estimate stays."""
    scripted_chain(agent, only=AnswerInterrupted("half", usage=known, text="a text of more than ten letters"))
    agent(BUDGETS=[{**MONTH, "usd": "50"}])
    facade.complete("hello", "small")
    row = PromptLog.objects.get()
    assert costs(row) == ("estimated", row.cost_usd, rest, tokens)
    assert charged()[0] == ((row.cost_usd or 0) + rest) * 10**9


@pytest.mark.parametrize("usage", [None, Usage(20, 1)], ids=["nothing known", "a part known"])
def test_answer__has_no_cost_if_one_attempt_has_an_estimate(facade, agent, usage):
    """The cost of an answer is that of all its calls, so it is left out if one of them may cost more than is known."""
    scripted_chain(agent, only=[ProviderTimeout("slow", usage=usage), ProviderResult("this", 10, 5)])
    agent(RETRIES=1, RETRY_BILLED=True)
    answer = facade.complete("hello", "small")
    assert (answer["status"], "cost_usd" in answer["usage"]) == ("ok", False)


def test_estimate__without_a_price(facade, agent):
    """Without a price, tokens are estimated, and the call counts as unpriced."""
    scripted_chain(agent, only=ProviderTimeout("slow"))
    agent(PRICES={}, BUDGETS=[{**MONTH, "tokens": 1000}])
    facade.complete("hello", "small")
    assert costs() == ("estimated", None, None, TOKENS)
    assert charged() == (0, TOKENS, 0, 0)
    assert usage(group_by=())["totals"]["unpriced_calls"] == 1


def test_estimate__of_a_lost_call():
    """The row of a dead process keeps the estimate from before the call."""
    facts = {"source": "other", "model": MODEL, "model_size": "small", "prompt": "p", "metadata": {"provider": "x"}}
    row = PromptLog.objects.create(**facts, status="pending", estimated_cost_usd="0.5", estimated_tokens=70)
    assert usage(group_by=())["totals"]["estimated_cost_usd"] == 0
    assert ledger.close_lost(older_than=0) == 1
    row.refresh_from_db()
    assert costs(row) == ("estimated", None, Decimal("0.5"), 70)
    assert usage(group_by=())["totals"]["estimated_cost_usd"] == Decimal("0.5")


def test_cost__of_a_call_cancelled_before_it_was_made(agent):
    """A call that is cancelled before its provider is called has a known cost of zero."""
    scripted_chain(agent, only="answer")
    request = arguments.valid(arguments.request_of("say", "small"))
    with pytest.raises(KeyboardInterrupt), ledger.entry(next(Attempts(request, as_text))):
        raise KeyboardInterrupt
    assert costs() == ("price_list", 0, None, None)
    assert PromptLog.objects.get().metadata["failure"] == "cancelled"


@pytest.mark.parametrize("was_sent", [False, True])
def test_estimate__of_a_cancelled_call(agent, was_sent):
    """A call that is cancelled after the request was sent may be billed. Before that, it costs nothing."""

    async def cancelled(url, came):
        agent(DEFAULT_PROVIDER="openai-compat", OPENAI_COMPAT_BASE_URL=url)
        task = asyncio.create_task(services.acomplete("hello", "small"))
        while not (came() and await sync_to_async(PromptLog.objects.exists)()):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.wait({task})

    if was_sent:
        with ScriptedServer(Reply(raw=b"", ending="hang")) as server:
            async_to_sync(cancelled)(server.url, lambda: server.requests)
        assert costs() == ("estimated", None, USD, TOKENS)
    else:
        with full_listener() as url:
            async_to_sync(cancelled)(url, lambda: True)
        assert costs() == ("price_list", 0, None, None)
    assert PromptLog.objects.get().metadata["failure"] == "cancelled"


def test_estimate__is_recounted(facade, agent):
    """A new budget counts the estimates in the ledger."""
    scripted_chain(agent, only=ProviderTimeout("slow"))
    facade.complete("hello", "small")
    agent(BUDGETS=[{**MONTH, "usd": "5"}])
    (standing,) = usage()["budgets"]
    assert (standing.spent_usd, standing.spent_tokens) == (USD, TOKENS)


@pytest.mark.parametrize("cost", ["0.5", "0.6"])
def test_budget__used_up_by_reported_cost(facade, agent, cost):
    """A model without a list price is refused when reported costs have used the budget up. A free model is not."""
    models = scripted_chain(agent, only=ProviderResult("this", 1, 1, cost_usd=cost), free="that")
    agent(PRICES={}, BUDGETS=[{**MONTH, "usd": "1"}], FALLBACKS={})
    statuses = [facade.complete("hello", "small", provider="only")["status"] for _ in range(3)]
    assert (statuses, len(models["only"].requests)) == (["ok", "ok", "failure"], 2)
    assert facade.complete("hello", "small", provider="only")["reason"].startswith("over_budget: ")
    assert facade.complete("hello", "small", provider="free")["status"] == "ok"


def test_figures__show_the_estimate(facade, agent, capsys):
    """`usage()` and the command show estimates separately from known costs."""
    scripted_chain(agent, only=[ProviderTimeout("slow"), ProviderResult("this", 10, 5)])
    facade.complete("hello", "small")
    facade.complete("hello", "small")
    (row,) = usage(group_by=("model",))["rows"]
    assert (row["cost_usd"], row["estimated_cost_usd"], row["unpriced_calls"]) == (Decimal("0.02"), USD, 0)
    call_command("llm_usage")
    assert f"{USD.normalize():f}" in capsys.readouterr().out


def test_figures__on_the_page(facade, agent, admin_client):
    """The usage page and the list show estimates, linked to their rows."""
    scripted_chain(agent, only=ProviderTimeout("slow"))
    facade.complete("hello", "small")
    page = admin_client.get("/admin/agent/promptlog/usage/").content.decode()
    assert 'data-figure="estimated_cost_usd"' in page
    listed = admin_client.get("/admin/agent/promptlog/?cost=estimated").content.decode()
    assert "up to $0.075" in listed
