"""The periods of the usage page: whole days, without the last one."""

from datetime import date

import pytest

from stapel_agent.pages.usage_period import LONGEST, InvalidPeriod, Period, chosen
from tests.rows import each_row

TODAY = date(2026, 3, 31)


@each_row(
    [
        ({}, "30d", "2026-03-02", "2026-04-01"),
        ({"period": "today"}, "today", "2026-03-31", "2026-04-01"),
        ({"period": "7d"}, "7d", "2026-03-25", "2026-04-01"),
        ({"period": "month"}, "month", "2026-03-01", "2026-04-01"),
        ({"period": "last-month"}, "last-month", "2026-02-01", "2026-03-01"),
        ({"since": "2026-01-05", "until": "2026-01-09"}, "", "2026-01-05", "2026-01-09"),
        ({"since": "2026-01-05", "until": " "}, "", "2026-01-05", "2026-04-01"),
        ({"since": "2026-05-05"}, "", "2026-05-05", "2026-05-06"),
        ({"since": "2026-01-05", "period": "today"}, "", "2026-01-05", "2026-04-01"),
        ({"since": "", "until": "", "period": "today"}, "today", "2026-03-31", "2026-04-01"),
    ]
)
def test_chosen__period(parameters, name, since, until):
    """The parameters of a URL choose the period. Custom days take precedence over a named period."""
    assert chosen(parameters, TODAY) == (name, Period(date.fromisoformat(since), date.fromisoformat(until)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"period": "x"}, "There is no period 'x'"),
        ({"until": "2026-01-01"}, "“From” must be a day"),
        ({"since": "2026-01-05", "until": "2026-01-05"}, "“Until” must be later"),
        ({"since": "2020-01-01", "until": "2026-01-05"}, f"longer than {LONGEST} days"),
        ({"since": "1970-12-31"}, "in the years 1971 to 9997"),
        ({"since": "9999-12-31"}, "in the years 1971 to 9997"),
        ({"since": "2026-01-10", "until": "2026-01-09"}, "“Until” must be later"),
        ({"since": "2026-01-10T00:00:00Z"}, "“From” must be a day"),
    ],
    ids=str,
)
def test_chosen__nothing(parameters, message):
    """An invalid period is refused, with the fix."""
    with pytest.raises(InvalidPeriod, match=message):
        chosen(parameters, TODAY)


def test_parts__days_and_months():
    """Up to 62 days are shown by day, more of them by month. The first and the last month may be cut."""
    days = list(Period(date(2026, 1, 30), date(2026, 4, 2)).parts())
    assert (len(days), days[0]) == (62, ("2026-01-30", Period(date(2026, 1, 30), date(2026, 1, 31))))
    assert list(Period(date(2025, 12, 30), date(2026, 3, 3)).parts()) == [
        ("2025-12", Period(date(2025, 12, 30), date(2026, 1, 1))),
        ("2026-01", Period(date(2026, 1, 1), date(2026, 2, 1))),
        ("2026-02", Period(date(2026, 2, 1), date(2026, 3, 1))),
        ("2026-03", Period(date(2026, 3, 1), date(2026, 3, 3))),
    ]
