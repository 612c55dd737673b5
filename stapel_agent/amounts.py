"""Figures as people read them; the same in every language, with a comma for thousands."""

from __future__ import annotations

from decimal import Decimal


def money(usd: Decimal) -> str:
    """Dollars and cents, and of less than a dollar three digits, however small: never a zero that is none."""
    if not usd:
        return "$0"
    places = 2 if usd >= 1 else max(2, 2 - usd.adjusted())
    whole, _, part = f"{usd:,.{places}f}".partition(".")
    return f"${whole}.{part.rstrip('0'):0<2}"


def count(number: int) -> str:
    return f"{number:,}"


def percent(part: int, whole: int) -> str:
    """To a tenth; what is not nothing is not shown as nothing, and what is not all not as all."""
    if not whole:
        return "0 %"
    share = 100 * part / whole
    if 0 < share < 0.1:
        return "< 0.1 %"
    if part < whole and share > 99.9:
        return "> 99.9 %"
    return f"{share:,.1f} %".replace(".0 %", " %")


def time_taken(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:,.1f} s"
