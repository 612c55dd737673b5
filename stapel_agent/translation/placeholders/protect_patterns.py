"""The caller's regular expressions for protected text. Their matching time is bounded.

An expression is matched at one position at a time, against at most REACH characters. The number of ways in which it
can match is computed first, and an expression with too many is rejected.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import prod
from re import _constants, _parser  # type: ignore[attr-defined]  # the only parser of this syntax there is
from typing import Any, NamedTuple

from stapel_agent.exceptions import InvalidRequest
from stapel_agent.schemas import with_plain_sets

MAX_PATTERNS, MAX_PATTERN_LENGTH = 20, 200
REACH = 400
"""The maximum length of one match, including lookahead."""
MAX_WAYS = 200_000
"""Ways in which an expression may match at one position."""
MAX_REPETITIONS = REACH
"""Repetitions that a match needs at least, nested ones multiplied: even empty ones take time and memory."""
MAX_SECONDS = 1.0
"""The time limit for one text."""

NOTHING = re.compile("(?!)")
REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}
LOOKS = {_constants.ASSERT, _constants.ASSERT_NOT}


class TooSlow(InvalidRequest):
    """Raised if the caller's expressions take too long for a text."""

    def __init__(self) -> None:
        super().__init__(
            f"protect takes more than {MAX_SECONDS:g} s for a text: bound its repetitions, as in '{{1,40}}'"
        )


def check_patterns(patterns: object, field: str = "protect") -> None:
    """Raise InvalidRequest if `patterns` is not a list of regular expressions with bounded matching time."""
    if isinstance(patterns, str) or not isinstance(patterns, Sequence):
        raise InvalidRequest(f"{field} must be a list of regular expressions, not {type(patterns).__name__}")
    if len(patterns) > MAX_PATTERNS:
        raise InvalidRequest(f"{field} may have at most {MAX_PATTERNS} regular expressions, not {len(patterns)}")
    for pattern in patterns:
        if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_PATTERN_LENGTH:
            raise InvalidRequest(f"each expression in {field} must have 1 to {MAX_PATTERN_LENGTH} characters")
        try:
            compiled(pattern)
        except InvalidRequest as fault:
            raise InvalidRequest(f"{field} has {fault}") from fault


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile `pattern`. Raises InvalidRequest if it is not a regular expression or may take too long."""
    named = f"{pattern[:60]!r}, which"
    try:
        plain = with_plain_sets(pattern)
        ways, repetitions = _work(_parser.parse(plain))
        expression = re.compile(plain) if repetitions <= MAX_REPETITIONS else NOTHING
    except (re.error, ValueError, RecursionError, OverflowError, MemoryError) as fault:
        raise InvalidRequest(f"{named} is not a regular expression: {str(fault)[:100]}") from fault
    if ways > MAX_WAYS or repetitions > MAX_REPETITIONS:
        raise InvalidRequest(
            f"{named} may take too long: bound its repetitions, as in '{{1,40}}', and do not nest them"
        )
    return expression


def own_spans(patterns: Sequence[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield where the expressions match in `text`, in order, without overlaps. Raises TooSlow."""
    expressions = [compiled(pattern) for pattern in patterns]
    end = time.monotonic() + MAX_SECONDS
    position = 0
    while expressions and position < len(text):
        if time.monotonic() > end:
            raise TooSlow
        reach = position + REACH
        length = max((_length(expression, text, position, reach) for expression in expressions), default=0)
        if length:
            yield position, position + length
        position += length or 1


def _length(expression: re.Pattern[str], text: str, position: int, reach: int) -> int:
    match = expression.match(text, position, reach)
    return match.end() - position if match else 0


class Work(NamedTuple):
    """Upper bounds for a parsed expression at one position.

    `ways` counts the ways in which it may match, `repetitions` those that it goes through before it can.
    """

    ways: int
    repetitions: int


def _work(nodes: Any) -> Work:
    parts = [_work_of(operator, argument) for operator, argument in nodes]
    return Work(prod(part.ways for part in parts), max((part.repetitions for part in parts), default=1))


def _work_of(operator: Any, argument: Any) -> Work:
    inside = [_work(nodes) for nodes in _inside(operator, argument)]
    ways = sum(part.ways for part in inside) or 1
    repetitions = max((part.repetitions for part in inside), default=1)
    if operator not in REPEATS:
        return Work(ways, repetitions)
    least, most, _ = argument
    return Work(_ways_of_repeat(least, most, ways), max(int(least), 1) * repetitions)


def _inside(operator: Any, argument: Any) -> list[Any]:
    """Return the alternatives inside a part of a parsed expression. A part without others inside has none."""
    if operator in REPEATS:
        return [argument[2]]
    if operator is _constants.BRANCH:
        return list(argument[1])
    if operator is _constants.SUBPATTERN:
        return [argument[3]]
    if operator is _constants.ATOMIC_GROUP:
        return [argument]
    if operator in LOOKS:
        return [argument[1]]
    if operator is _constants.GROUPREF_EXISTS:
        return [branch for branch in argument[1:] if branch is not None]
    return []


def _ways_of_repeat(least: int, most: Any, ways: int) -> int:
    times = min(int(most), REACH)
    # The ways of the repetitions multiply, so 40 repetitions already exceed the limit.
    return times - min(least, times) + 1 if ways == 1 else min(ways ** min(times, 40) * (times + 1), MAX_WAYS + 1)
