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
