"""The units of numbers: a translation must not change one, or lose a sign such as % or €."""

from __future__ import annotations

import re
from itertools import chain

from .figures import Figure, by_value
from .units import are_alike

PERCENT = re.compile(
    r"%|percent|procent|prozent|pour cent|por cien|por cento"
    r"|per cento|percentu|процент|відсот|százalék|yüzde|prosent"
    r"|prosenttia|posto|поце|отсто|τοις εκατό|ποσοστ|بالمئة"
    r"|بالمائة|درصد|फ़ीसदी|प्रतिशत|শতাংশ|百分|퍼센트|パーセント|割"
    r"|เปอร์เซ็นต์|ร้อยละ|phần trăm|persen|peratus|protsen|procen"
    r"|faiz|foiz|пайыз|տոկոս|პროცენტ|asilimia|אחוז",
    re.IGNORECASE,
)


def other_unit(source: list[Figure], translation: list[Figure], text: str) -> str | None:
    """Find a number that has another unit in the translation."""
    if not any(figure.units for figure in chain(source, translation)):
        return None
    ours = by_value(source)
    for figure in translation:
        matches = [(other, value) for value in figure.values for other in ours[value]]
        if not matches:
            continue
        if figure.units and not any(_may_have_unit(figure, other, value) for other, value in matches):
            return f"has another unit next to {figure.written}"
        if figure.is_bare and all(_is_sign(other.units) for other, _ in matches) and not PERCENT.search(text):
            return f"lost the unit next to {figure.written}"
    return None


def _may_have_unit(figure: Figure, other: Figure, value: float) -> bool:
    """Whether the figures, which share `value`, may have the same unit. A scale counts if it is not in the value."""
    is_scaled = value not in figure.unscaled or value not in other.unscaled
    units, others = figure.units, other.units
    if is_scaled:
        units, others = _without_scale(units), _without_scale(others)
    return not units or not others or are_alike(units, others)


def _without_scale(units: frozenset[str]) -> frozenset[str]:
    return frozenset(unit for unit in units if not unit.startswith("scale:"))


def _is_sign(units: frozenset[str]) -> bool:
    return bool(units) and all(unit.startswith(("share:", "money:")) for unit in units)
