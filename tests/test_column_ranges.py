"""Figures from outside are converted to the range of their column."""

from decimal import ROUND_UP, Decimal, Inexact, localcontext
from fractions import Fraction

import pytest

from stapel_agent.column_ranges import bounded_count, money, seconds, token_count
from stapel_agent.models import PromptLog
from stapel_agent.prices import UnitPrices, cost_of
from stapel_agent.types import Usage
from tests.scripted_server import Reply, ScriptedServer


class Evasive(str):
    """A string that looks different when it is read."""

    def __str__(self) -> str:
        return "1"

    def __len__(self) -> int:
        return 1


class Broken:
    """A number that cannot be read."""

    def __int__(self) -> int:
        raise RuntimeError("no")

    __float__ = __index__ = __int__


def label(figure: object) -> str:
    """Short, because Python does not print an integer of 20,000 digits."""
    return ascii(str.__getitem__(figure, slice(20))) if isinstance(figure, str) else type(figure).__name__


HUGE = 10**20_000
SMALL = ["1e-999999999", "1e-20000", "0.00000000004", Decimal("1e-999999999"), 5e-324, Decimal("1e-11"), "-0", -0.0]
ABSURD = ["1e999999999", Decimal("1e999999999"), HUGE, "9" * 20_000, "0." + "1" * 20_000, float("inf"), Decimal("inf")]
NONSENSE = [None, "free", "", "1_000", "٣", "1e", "nan", float("nan"), Decimal("nan"), Decimal("snan"), [], {}, b"1"]


@pytest.mark.parametrize("figure", SMALL, ids=label)
def test_money__smaller_than_its_column_tells_apart(figure):
    """An amount below the last digit of its column is zero, without a sign or trailing digits."""
    amount = money(figure)
    assert str(amount) in ("0", "0E-10", "0.0")


@pytest.mark.parametrize("figure", [*ABSURD, *NONSENSE, True, -1, 10**6, "-0.5", Broken(), Evasive("free")], ids=label)
def test_money__invalid(figure):
    """An invalid amount, or one that does not fit its column, is unknown."""
    assert money(figure) is None


@pytest.mark.parametrize(
    ("figure", "amount"),
    [
        ("0.12345678901234567890", "0.1234567890"),
        (0.1 + 0.2, "0.3000000000"),
        (Fraction(1, 3), "0.3333333333"),
        (Decimal("1E+2"), "100"),
        ("2.5e-3", "0.0025"),
        ("999999.99999999999", None),
        (Evasive("0.5"), "0.5"),
        (0.000036, "0.000036"),
        *[("0.0125", "0.0125"), (0.1, "0.1"), (0, "0"), (Decimal("1E-10"), "1E-10"), (999_999, "999999")],
    ],
)
def test_money__precision(figure, amount):
    """An amount is rounded to ten decimals, whatever decimal context the thread has set."""
    with localcontext(prec=3, rounding=ROUND_UP, traps=[Inexact]):
        assert money(figure) == (amount if amount is None else Decimal(amount))
        if amount is not None:
            assert money(figure).as_tuple().exponent >= -10


@pytest.mark.parametrize(
    ("figure", "count"),
    [
        *[(5, 5), ("12", 12), (3.9, 3), (True, 1), (-1, 0), (object(), 0)],
        *[(HUGE, 2**31 - 1), (float("inf"), 2**31 - 1)],
        (Decimal("1e999999999"), 2**31 - 1),
        ("1e999999999", 2**31 - 1),
        (Decimal("1e-999999999"), 0),
        ("12.9", 12),
        (" 7 ", 7),
        (Fraction(7, 2), 3),
        (Evasive("2"), 2),
        *[(figure, 0) for figure in ("9" * 20_000, -HUGE, Broken(), float("-inf"), *NONSENSE)],
    ],
    ids=label,
)
def test_token_count__hostile(figure, count):
    """A count is clamped to its column, in constant time. An invalid one is zero."""
    assert token_count(figure) == count
    assert type(token_count(figure)) is int


@pytest.mark.parametrize("figure", [*NONSENSE, -1, Broken()], ids=label)
def test_bounded_count__unknown(figure):
    """An invalid figure is unknown, not zero."""
    assert bounded_count(figure) is None


@pytest.mark.parametrize(
    ("figure", "wait"),
    [
        *[(HUGE, float("inf")), ("1e999999999", float("inf")), (float("inf"), float("inf")), (-HUGE, 0.0), (-1.5, 0.0)],
        *[("1.5", 1.5), (Decimal("1e-999999999"), 0.0), ("9" * 20_000, None), *[(none, None) for none in NONSENSE]],
    ],
    ids=label,
)
def test_seconds__hostile(figure, wait):
    """A wait may be infinite. It is unknown if it is not a number."""
    assert seconds(figure) == wait


def test_cost__beyond_its_column():
    """If prices make a call cost more than its column can hold, the cost is unknown."""
    dear = UnitPrices.of({"input": "999999", "output": "999999"})
    assert dear is not None
    assert money(dear.cost(Usage(2**31 - 1))) is None


def test_cost__in_a_thread_with_its_own_arithmetic(agent):
    """Costs are exact to the last digit, even if the host's thread computes with three digits."""
    agent(PRICES={"m": {"input": "1.23456789", "output": "0"}})
    with localcontext(prec=3):
        assert cost_of(Usage(1_000_001), "house", "m").usd == Decimal("1.2345691246")
        total = Usage(1, cost_usd=Decimal("0.123456")) + Usage(1, cost_usd=Decimal("0.1"))
        assert total.cost_usd == Decimal("0.223456")


@pytest.mark.django_db
@pytest.mark.any_database
@pytest.mark.parametrize(
    "cost", ["1e-999999999", "1e-20000", "0." + "0" * 20_000 + "1", "1e999999999", "9" * 20_000], ids=label
)
def test_figures__of_a_vendor(facade, agent, cost):
    """Whatever cost a vendor states, the row is closed, and the answer has no more digits than the column."""
    body = {
        "choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": "1e999999999", "completion_tokens": cost, "cost": cost},
    }
    with ScriptedServer(Reply.of(body)) as server:
        agent(DEFAULT_PROVIDER="openai-compat", OPENAI_COMPAT_BASE_URL=server.url)
        answer = facade.complete_json("say", "small")
    assert (answer["status"], PromptLog.objects.get().status) == ("ok", "success")
    assert len(str(answer["usage"])) < 150
