"""Figures for people are short and never wrong."""

from decimal import Decimal

import pytest

from stapel_agent.pages.number_formatting import money, money_in_column, percent, places_for, time_taken
from tests.rows import each_row


@each_row(
    [
        ("0", "$0"),
        ("0.0000000001", "$0.0000000001"),
        ("0.00001239", "$0.0000124"),
        ("0.05", "$0.05"),
        ("0.5", "$0.50"),
        ("0.8325", "$0.832"),
        ("0.9999", "$1.00"),
        ("1", "$1.00"),
        ("12.345", "$12.34"),
        ("1234567.891", "$1,234,567.89"),
        ("9999999999.9999999999", "$10,000,000,000.00"),
    ]
)
def test_money__digits(usd, text):
    """Amounts from a dollar up have cents. Smaller ones have three significant digits, and are never shown as zero."""
    assert money(Decimal(usd)) == text


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (["0.5", "0", "0.0000001"], ["$0.500000", "$0.000000", "< $0.000001"]),
        (["1", "99.99995"], ["$1.0000", "$100.0000"]),
        (["1234.5", "0.001", "0.5"], ["$1,234.50", "< $0.01", "$0.50"]),
    ],
)
def test_money__in_a_column(column, texts):
    """All amounts in a column have the same number of decimals, and none is shown as zero."""
    amounts = [Decimal(amount) for amount in column]
    assert [money_in_column(amount, places_for(max(amounts))) for amount in amounts] == texts


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "0 %"),
        (0, 5, "0 %"),
        (1, 10**6, "< 0.1 %"),
        (1, 3, "33.3 %"),
        (1, 2, "50 %"),
        (10**6 - 1, 10**6, "> 99.9 %"),
        (5, 5, "100 %"),
        (3, 2, "150 %"),
    ],
)
def test_percent__not_rounded_to_0_or_100(part, whole, text):
    """Percentages have one decimal, never hide a small share or rest, and stay on one line."""
    assert percent(part, whole) == text.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "0 ms"), (999, "999 ms"), (1000, "1 s"), (1250, "1.2 s"), (3_600_000, "3,600 s")]
)
def test_time_taken__unit(milliseconds, text):
    """Durations below a second are in milliseconds, others in tenths of a second."""
    assert time_taken(milliseconds) == text.replace(" ", "\u00a0")
