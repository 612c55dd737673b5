"""The order and nesting of marks: a translation must have each of them once, in an equivalent order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

TAG_NAME = re.compile(r"(?:<|&(?:amp;)?(?:lt|#60|#x3c);)(/?)([A-Za-z0-9][\w:.-]*|)", re.IGNORECASE)
SELF_CLOSED = re.compile(r"/(?:>|&(?:amp;)?(?:gt|#62|#x3e);)\Z", re.IGNORECASE)
DATE_PART = re.compile(r"%[-+0#]*[aAbBHIjmMSUwWyYzZ]")
DIRECTIVE = re.compile(r"%[-+0#^_]*[aAbBcCdDeFgGhHIjklmMnpPrRStTuUVwWxXyYzZ]")
"""A directive of strftime, which printf also has in part."""
NAMED_MARKS = 5


def misplaced(found: Sequence[int], hidden: Sequence[str], kinds: Sequence[str], keeps_order: str) -> str | None:
    """Describe marks that are lost, repeated or in a wrong order, or return None.

    `found` has the numbers of a translation's marks in order. `hidden` and `kinds` say what each mark of the source
    hides, from mark 1 on. Matches of the pattern `keeps_order` must not be reordered.
    """
    numbers = range(1, len(hidden) + 1)
    if strange := set(found) - set(numbers):
        return f"has {_few(strange)}, which is not in the text"
    # Marks that hide equal text are interchangeable.
    if Counter(hidden[number - 1] for number in found) != Counter(hidden):
        if lost := set(numbers) - set(found):
            return f"lost {_few(lost)}"
        return f"has {_few(number for number, times in Counter(found).items() if times > 1)} more than once"
    return _disordered(found, hidden, kinds, keeps_order) or _unnested(found, hidden, kinds)


def _disordered(found: Sequence[int], hidden: Sequence[str], kinds: Sequence[str], keeps_order: str) -> str | None:
    """Find positional placeholders in another order. Those of a date may be reordered, but not the caller's own."""
    pattern = re.compile(keeps_order)
    unnamed = [number for number in found if kinds[number - 1] != "name"]
    positional = [number for number in unnamed if pattern.fullmatch(hidden[number - 1])]
    is_date = any(map(DATE_PART.fullmatch, hidden)) and all(
        kinds[number - 1] != "own" and DIRECTIVE.fullmatch(hidden[number - 1]) for number in positional
    )
    if positional != sorted(positional) and not is_date:
        return f"has {_few(positional)} in another order"
    return None


def _unnested(found: Sequence[int], hidden: Sequence[str], kinds: Sequence[str]) -> str | None:
    """Find tags and links that are not nested correctly any more."""
    pairs = _pairs(hidden, kinds)
    expected, closing = list[str](), set(pairs.values())
    for number in found:
        if number in pairs:
            expected.append(hidden[pairs[number] - 1])
        elif number in closing and (not expected or expected.pop() != hidden[number - 1]):
            return f"has {_few([number])} where it does not close anything"
    return None


def _pairs(hidden: Sequence[str], kinds: Sequence[str]) -> Mapping[int, int]:
    """The closing mark of each opening mark, for tags and links. Unclosed tags such as `<br>` have no pair."""
    pairs, still_open, open_count = {}, list[tuple[str, int]](), Counter[str]()
    for number, sign in enumerate(map(_sign, hidden, kinds), 1):
        side, name = sign
        if side == "open":
            still_open.append((name, number))
            open_count[name] += 1
        while side == "close" and open_count[name]:
            opened, opener = still_open.pop()
            open_count[opened] -= 1
            if opened == name:
                pairs[opener] = number
                break
    return pairs


def _sign(hidden: str, kind: str) -> tuple[str, str]:
    if kind == "link":
        return ("close" if hidden.startswith("]") else "open"), "link"
    if kind != "tag" or SELF_CLOSED.search(hidden):
        return "", ""
    tag = TAG_NAME.match(hidden)
    return ("close" if tag and tag[1] else "open"), tag[2].lower() if tag else ""


def _few(numbers: Iterable[int]) -> str:
    named = sorted(numbers)
    marks = ", ".join(f"⟦{number}⟧" for number in named[:NAMED_MARKS])
    return f"{marks} and {len(named) - NAMED_MARKS} more" if len(named) > NAMED_MARKS else marks
