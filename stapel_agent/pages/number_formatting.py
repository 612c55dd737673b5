"""Figures as people read them; the same in every language, with a comma for thousands."""

from __future__ import annotations

from decimal import Decimal


def money(usd: Decimal) -> str:
    """Dollars and cents; below a dollar, three significant digits, so that a small amount is never shown as zero."""
    if not usd:
        return "$0"
    places = 2 if usd >= 1 else max(2, 2 - usd.adjusted())
    whole, _, part = f"{usd:,.{places}f}".partition(".")
    return f"${whole}.{part.rstrip('0'):0<2}"


def places_for(largest: Decimal) -> int:
    """How many decimals a column of amounts needs: cents, and more if the largest amount is small."""
    return 2 if largest >= 100 else 4 if largest >= 1 else 6


def money_in_column(usd: Decimal, places: int) -> str:
    """Dollars with the decimals of the column; a smaller amount is shown as less than the last decimal."""
    least = Decimal(1).scaleb(-places)
    return f"< ${least:f}" if 0 < usd < least else f"${usd:,.{places}f}"


def count(number: int) -> str:
    return f"{number:,}"


def percent(part: int, whole: int) -> str:
    """To a tenth. Never shows 0 % for more than nothing, or 100 % for less than all."""
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
    """A figure and its unit, never broken across lines."""
    return f"{figure}\u00a0{unit}".replace(" ", "\u00a0")
