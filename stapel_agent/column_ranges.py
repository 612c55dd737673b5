"""Converts figures from outside to the range and precision of their database columns.

Vendors, hosts' providers and price lists supply costs, tokens, durations and ratios of any type, size and precision.
Each function here takes constant time and never raises, whatever its argument.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from operator import index
from typing import Any

MAX_TOKEN_COUNT = 2**31 - 1
MAX_USD = Decimal(10**6)
COST_PLACES = 10
SMALLEST_COST = Decimal(1).scaleb(-COST_PLACES)
"""The smallest difference that a cost column can store."""
ARITHMETIC = Context(prec=60, rounding=ROUND_HALF_EVEN)
"""The decimal context for costs: the caller's own may have less precision, or trap inexact results."""

TEXT_LENGTH = 100
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")


def token_count(figure: Any) -> int:
    """Convert a number of tokens to a storable count, or 0 if `figure` is invalid (absent, negative, NaN, a word)."""
    return bounded_count(figure) or 0


def bounded_count(figure: Any) -> int | None:
    """Convert `figure` to a whole number from 0 to the maximum of an integer column; None if invalid or negative.

    A larger or infinite figure becomes that maximum.
    """
    if figure is None:
        return None
    if type(figure) is float and 0 <= figure <= MAX_TOKEN_COUNT:
        return int(figure)
    whole = _whole(figure)
    if whole is not None:
        return None if whole < 0 else min(whole, MAX_TOKEN_COUNT)
    # Compare first: int(Decimal("1e999999999")) never returns.
    if seconds(figure) == math.inf:
        return MAX_TOKEN_COUNT
    number = _decimal(figure)
    return None if number is None or number < 0 else int(number)


def money(figure: Any) -> Decimal | None:
    """Round US dollars to COST_PLACES; None if `figure` is invalid (negative, NaN, a word, a million or more)."""
    if figure is None or _is(figure, bool):
        return None
    whole = _whole(figure)
    if whole is not None:
        return Decimal(whole) if 0 <= whole < MAX_USD else None
    amount = _decimal(figure)
    if amount is None or not 0 <= amount < MAX_USD:
        return None
    if not -COST_PLACES <= int(amount.as_tuple().exponent) <= 0:
        amount = amount.quantize(SMALLEST_COST, context=ARITHMETIC)
    return amount.copy_abs() if amount < MAX_USD else None


def is_whole(figure: Any, least: int, most: int) -> bool:
    """Whether `figure` is a whole number in this range, and not True or False."""
    return isinstance(figure, int) and not isinstance(figure, bool) and least <= figure <= most


def storable_cost(usd: Decimal) -> Decimal:
    """Return a computed cost; the most that a cost column can store if it is larger."""
    return min(usd, MAX_USD - SMALLEST_COST)


def seconds(figure: Any) -> float | None:
    """Convert `figure` to seconds to wait, possibly infinite; None if it is not a number. Negative becomes 0."""
    if _is(figure, float):
        plain = float.__float__(figure)
        return None if math.isnan(plain) else max(0.0, plain)
    whole = _whole(figure)
    if whole is not None:
        return float(min(max(whole, 0), MAX_TOKEN_COUNT)) if whole <= MAX_TOKEN_COUNT else math.inf
    number = _decimal(figure)
    if number is None:
        return None
    return math.inf if number > MAX_TOKEN_COUNT else max(0.0, float(number))


def _is(figure: Any, kind: Any) -> bool:
    # Not isinstance(), which reads `__class__` of an object of any class.
    return issubclass(type(figure), kind)


def _whole(figure: Any) -> int | None:
    """Convert an int, or another library's integer type, to an int. Returns None for other types."""
    if type(figure) is int:
        return figure
    if _is(figure, int):
        return int.__int__(figure)
    if _is(figure, str | float | Decimal) or figure is None:
        return None
    try:
        return index(figure)
    except Exception:  # a host's figure may be an object of any class
        return None


def _decimal(figure: Any) -> Decimal | None:
    """Convert any other finite number to a Decimal. Returns None if its text is longer than TEXT_LENGTH."""
    try:
        return _finite(figure)
    except Exception:  # as in _whole()
        return None


def _finite(figure: Any) -> Decimal | None:
    if _is(figure, Decimal):
        number = Decimal(figure)
    elif _is(figure, str):
        text = str.__str__(figure)
        if len(text) > TEXT_LENGTH or not NUMBER.fullmatch(text.strip()):
            return None
        number = Decimal(text.strip())
    elif figure is None or _is(figure, bytes | bytearray):
        return None
    else:
        plain = float.__float__(figure) if _is(figure, float) else float(figure)
        number = Decimal(repr(plain))
    return number if number.is_finite() else None
