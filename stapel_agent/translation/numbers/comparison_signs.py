"""Comparison signs next to numbers and marks, such as the one in `≥ 18`: a translation must not turn them around."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from stapel_agent.translation.language import FROM_THE_RIGHT, base

SIGNS = {
    "<": "< ＜ &lt;",
    ">": "> ＞ &gt;",
    "≤": "≤ ≦ ⩽ <= =< &lt;= &le;",
    "≥": "≥ ≧ ⩾ >= &gt;= &ge;",
}
"""How texts write each sign."""
TURNED = {"<": ">", ">": "<", "≤": "≥", "≥": "≤"}
READ = {written: sign for sign, spellings in SIGNS.items() for written in spellings.split()}
SIGN = re.compile("|".join(re.escape(written) for written in sorted(READ, key=len, reverse=True)))
EITHER = rf"(?<![-=<>＜＞-])(?:{SIGN.pattern})(?![-=<>＜＞])"
"""A sign that is not part of an arrow."""
OPERAND = r"(⟦\d{1,4}⟧|\d[\d.,٫٬]{0,20})"
BEFORE = re.compile(rf"({EITHER})[\s\u00a0\u202f]?[$€£¥₹−-]?{OPERAND}(?![\w.])")
AFTER = re.compile(rf"(?<!\w){OPERAND}%?[\s\u00a0\u202f]?({EITHER})")


def other_comparison(source: str, translation: str, to: str) -> str | None:
    """Find a number with another comparison sign. `5 < x` compares like `x > 5`."""
    if not (SIGN.search(source) and SIGN.search(translation)):
        return None
    ours, theirs = _comparisons(source), _comparisons(translation)
    for number in ours.keys() & theirs.keys():
        lost, new = ours[number] - theirs[number], theirs[number] - ours[number]
        if base(to) in FROM_THE_RIGHT:  # where the arrow of a menu's path points to the left
            new -= {"<", ">"}
        if lost and new:
            return f"has {min(new)} in place of {min(lost)} at {number}"
    return None


def _comparisons(text: str) -> Mapping[str, set[str]]:
    """The signs of each number or mark, as they are before it."""
    found = defaultdict[str, set[str]](set)
    for match in BEFORE.finditer(text):
        found[_digits(match[2])].add(READ[match[1]])
    for match in AFTER.finditer(text):
        found[_digits(match[1])].add(TURNED[READ[match[2]]])
    return found


def _digits(operand: str) -> str:
    """The operand as other scripts and languages write it too."""
    return operand if operand[0] == "⟦" else str(int(re.sub(r"\D", "", operand)))
