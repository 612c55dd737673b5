"""Figures as people read them; the same in every language, with a comma for thousands."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal


def money(usd: Decimal) -> str:
    """Dollars and cents, and of less than a dollar three digits, however small: never a zero that is none."""
    if not usd:
        return "$0"
    places = 2 if usd >= 1 else max(2, 2 - usd.adjusted())
    whole, _, part = f"{usd:,.{places}f}".partition(".")
    return f"${whole}.{part.rstrip('0'):0<2}"


def places_for(amounts: Iterable[Decimal]) -> int:
    """How many decimals a column of these amounts has: cents, and more where the largest of them is small."""
    largest = max(amounts, default=Decimal())
    return 2 if largest >= 100 else 4 if largest >= 1 else 6


def money_in_column(usd: Decimal, places: int) -> str:
    """Dollars with as many decimals as the other amounts of the column; less than the last of them is said to be so."""
    least = Decimal(1).scaleb(-places)
    return f"< ${least:f}" if 0 < usd < least else f"${usd:,.{places}f}"


def count(number: int) -> str:
    return f"{number:,}"


def percent(part: int, whole: int) -> str:
    """To a tenth; what is not nothing is not shown as nothing, and what is not all not as all."""
    share = 100 * part / whole if whole else 0
    if 0 < share < 0.1:
        return with_unit("< 0.1", "%")
    if part < whole and share > 99.9:
        return with_unit("> 99.9", "%")
    return with_unit(f"{share:,.1f}".removesuffix(".0"), "%")


def time_taken(milliseconds: int) -> str:
    if milliseconds < 1000:
        return with_unit(str(milliseconds), "ms")
    return with_unit(f"{milliseconds / 1000:,.1f}".removesuffix(".0"), "s")


def with_unit(figure: str, unit: str) -> str:
    """Never in two lines."""
    return f"{figure}\u00a0{unit}".replace(" ", "\u00a0")
