"""Regular expressions in a caller's schema, searched with a time limit. Python's `re` has none."""

from __future__ import annotations

import re
from functools import lru_cache

import regex

from .work_limit import TooMuchWork, current_limit

EXPANDED_SIZE = 100_000
"""The maximum parts of a pattern with its counted repeats written out. Compiling takes memory and time for each."""
CHARACTERS_IN_A_STEP = 100
SECONDS = 1.0
"""The maximum processor time of one search."""

TOKEN = re.compile(
    r"""
    (?P<atom> \\. | \[\^?\]?(?:\\.|[^\]\\])*+\] )
    | (?P<open> \( ) | (?P<close> \) )
    | \{(?P<least>\d*)(?P<comma>,)?(?P<most>\d*)\}
    | (?P<brace> \{ )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)


SET = re.compile(r"\\.|(?P<start>\[\^?)(?P<items>\]?(?:\\.|[^\]\\])*+)\]", re.DOTALL)
ITEM = re.compile(r"\\.|.", re.DOTALL)


def found(pattern: str, text: str) -> bool:
    """Whether `pattern` matches somewhere in `text`. Raises TooMuchWork, or ValueError for an invalid pattern."""
    limit = current_limit()
    limit.spend(1 + len(text) // CHARACTERS_IN_A_STEP)
    try:
        match = compiled(pattern).search(text, timeout=min(SECONDS, limit.seconds_left()), concurrent=True)
    except TimeoutError:
        raise TooMuchWork(f"the pattern {pattern[:100]!r} takes too long") from None
    return match is not None


@lru_cache(maxsize=512)
def compiled(pattern: str) -> regex.Pattern[str]:
    """Compile `pattern`, in the syntax of Python's `re`. Raises ValueError if it is invalid or too large."""
    try:
        plain = with_plain_sets(pattern)
        re.compile(plain)
        return regex.compile(_without_fuzziness(plain))
    except (re.error, regex.error, RecursionError, OverflowError) as fault:
        raise ValueError(f"holds a pattern that is not a regular expression: {pattern[:100]!r} ({fault})") from None


def with_plain_sets(pattern: str) -> str:
    """Return `pattern` with the signs escaped that a later version of Python may read as set operations.

    `re` warns of `[[`, `--`, `&&`, `||` and `~~` in a set, and takes them literally. `regex` reads `[[:alpha:]]` as a
    class of its own.
    """
    return SET.sub(lambda found: found[0] if found["items"] is None else _plain_set(found), pattern)


def _plain_set(found: re.Match[str]) -> str:
    items = ITEM.findall(found["items"])
    written = [_literal(item, items[place + 1 : place + 2]) for place, item in enumerate(items)]
    place = 0
    while place + 2 < len(items):
        if items[place + 1] == "-":  # a range: only its ends are literals
            written[place + 1] = "-"
            written[place + 2] = _literal(items[place + 2], ["-"] if items[place + 2] == "-" else [])
            place += 2
        place += 1
    return f"{found['start']}{''.join(written)}]"


def _literal(item: str, following: list[str]) -> str:
    return f"\\{item}" if item == "[" or (item in "-&|~" and following == [item]) else item


def _without_fuzziness(pattern: str) -> str:
    """Escape `{e<=1}` in `pattern`: the package `regex` reads it as a fuzzy match, `re` as a literal.

    Raises ValueError if nested repeats such as `((a{1000}){1000})` would expand too far at compile time.
    """
    sizes, last, written = [0], 0, []
    for token in TOKEN.finditer(pattern):
        kind = token.lastgroup
        written.append(r"\{" if kind == "brace" else token[0])
        if kind == "open":
            sizes.append(0)
            continue
        if kind == "close" and len(sizes) > 1:
            last = sizes.pop()
        elif kind == "most":
            last *= max(_times(token["least"]), _times(token["most"])) - 1
        else:
            last = 1
        sizes[-1] += last
        if sizes[-1] > EXPANDED_SIZE:
            raise ValueError(
                f"holds a pattern of more than {EXPANDED_SIZE:,} parts, repeats counted: {pattern[:100]!r}"
            )
    return "".join(written)


def _times(digits: str) -> int:
    return int(digits[:9] or 1)
