"""Minus signs: a translation must not lose one or add one. It may say it in words: "below zero"."""

from __future__ import annotations

import re
from itertools import chain

from .figures import Figure, by_value

DASHED = re.compile(r"[-−–﹣－][€$£¥₹]?\d")
"""What every number with a minus sign contains."""
BELOW_ZERO = re.compile(
    r"minus|moins|menos|meno\b|минус|мінус|μείον|eksi|مینوس|ناقص"
    r"|منفی|سالب|מינוס|ऋण|शून्य से|ติดลบ|ลบ|âm\b|マイナス|负|負|零下|마이너스"
    r"|영하|below|unter null|sous zéro|bajo cero|sotto zero|abaixo"
    r"|ниже|нижче|miinus|pakkasta|minuss|mínus|tolk|[-−–﹣－]",
    re.IGNORECASE,
)


def other_sign(our_figures: list[Figure], their_figures: list[Figure], source: str, translation: str) -> str | None:
    """Find a number that lost its minus sign, or that has a new one."""
    if not (DASHED.search(source) or DASHED.search(translation)):
        return None
    if not any(figure.is_negative for figure in chain(our_figures, their_figures)):
        return None
    ours, theirs = by_value(our_figures), by_value(their_figures)
    for value in ours.keys() & theirs.keys():
        ours_negative = [figure.is_negative for figure in ours[value]]
        theirs_negative = [figure.is_negative for figure in theirs[value]]
        if all(ours_negative) and not any(theirs_negative) and not BELOW_ZERO.search(translation):
            return f"lost the minus sign of {ours[value][0].written}"
        if all(theirs_negative) and not any(ours_negative) and not BELOW_ZERO.search(source):
            return f"has a minus sign before {theirs[value][0].written}"
    return None
