"""The plural categories of a language, and the numbers that take each one.

Source: Unicode CLDR, "Language Plural Rules" (UTS 35, part 3), through Babel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel.plural import PluralRule

from stapel_agent.language_tags import locale_of

CATEGORIES = ("zero", "one", "two", "few", "many", "other")

NUMBERS = (*range(1, 1001), 0)
"""Numbers of every category: whole numbers below 1,001 cover all rules except those for a million and for decimals."""
RARE = (10**6, Decimal("1.5"), Decimal("0.5"), Decimal("0.1"), Decimal("1.0"), Decimal("0.0"))


@dataclass(frozen=True, slots=True)
class Form:
    """A category. `example` is a number that takes it, `whole` are the whole numbers up to 1,000 that do."""

    category: str
    example: str
    whole: tuple[int, ...] = ()

    @property
    def only(self) -> int | None:
        """The only whole number that takes it, if there is just one."""
        return self.whole[0] if len(self.whole) == 1 else None


@lru_cache(maxsize=1024)
def forms(tag: str, *, ordinal: bool = False) -> tuple[Form, ...]:
    """Return the forms of a language, in the order of CATEGORIES. Empty if CLDR does not know the language."""
    rule = _rule(tag, ordinal)
    if rule is None:
        return ()
    numbers: dict[str, list[int | Decimal]] = {name: [] for name in CATEGORIES if name in {*rule.tags, "other"}}
    for number in (*NUMBERS, *RARE):
        numbers[rule(number)].append(number)
    return tuple(_form(name, found) for name, found in numbers.items())


def category(tag: str, number: str, *, ordinal: bool = False) -> str:
    """Return the category of a number such as `1` or `1.5`. Empty if CLDR does not know the language."""
    rule = _rule(tag, ordinal)
    return rule(Decimal(number)) if rule else ""


def _form(name: str, numbers: Sequence[int | Decimal]) -> Form:
    whole = tuple(number for number in numbers if number in NUMBERS and isinstance(number, int))
    # The number 1 is a poor example of a form that is used for all numbers.
    telling = [number for number in numbers if number != 1 or name != "other"] or numbers
    return Form(name, str(telling[0]) if telling else "", whole)


def _rule(tag: str, ordinal: bool) -> PluralRule | None:
    locale = locale_of(tag)
    if locale is None:
        return None
    return locale.ordinal_form if ordinal else locale.plural_form
