"""The forms that a language has for a counted thing: one file for "%d files", two for "%d Dateien", six in Arabic."""

from __future__ import annotations

import gettext
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from babel.core import UnknownLocaleError
from babel.messages.plurals import DEFAULT_PLURAL, get_plural

from .target_paths import locale_name

HEADER = re.compile(r"\s*+nplurals\s*+=\s*+(\d{1,2})\s*+;\s*+plural\s*+=([^;]++);?\s*+")
NUMBER = re.compile(
    r"""
      %<PRI\w++> | %\{\w++\} | %L?+(?:\d{1,2}+|n)(?![\w$*.])
    | %(?:\([^()]*+\)|<\w++>|\d{1,2}+\$)?+[-+\#'I0]*+[\d*]*+(?:\.[\d*]*+)?+(?:<PRI\w++>|(?:hh|ll|[hlLqjzt])?+[A-Za-z@])
    | \$?\{[^{}]*+\} | (?<![\w@])[@!:]\w++ | \$\(?+\w++ | __\w++
    """,
    re.VERBOSE,
)
"""A number in a text, in any syntax: `%d`, `%1$'d`, `%<PRIuMAX>`, `%n`, `%L1`, `%{count}`, `{n}`, `@count`, `$n`."""
OF_NEW_FILES = {
    "ca": (2, "(n != 1)"),
    "es": (2, "(n != 1)"),
    "fr": (2, "(n > 1)"),
    "it": (2, "(n != 1)"),
    "pt": (2, "(n != 1)"),
    "pt_BR": (2, "(n > 1)"),
}
"""What gettext's msginit writes, where newer versions of CLDR (and so of Babel) add a form for whole millions."""
NUMBERS = range(1000)  # what plural rules tell apart, they tell apart below that


@dataclass(frozen=True)
class PluralForms:
    """Their count, and the rule in C that chooses one for a number."""

    count: int
    rule: str

    @classmethod
    def of_language(cls, tag: str) -> PluralForms:
        """The forms for a file that does not declare any."""
        locale = locale_name(tag)
        known = OF_NEW_FILES.get(locale) or OF_NEW_FILES.get(locale.partition("_")[0])
        try:
            count, rule = known or get_plural(locale)[:2]
        except UnknownLocaleError:
            count, rule = DEFAULT_PLURAL
        return cls(count, rule)

    @classmethod
    def of_header(cls, value: str) -> PluralForms | None:
        """What the header Plural-Forms says; None if it says nothing, as in a template. Raises ValueError."""
        match = HEADER.fullmatch(value)
        forms = cls(int(match[1]), match[2].strip()) if match else None
        if forms and not all(0 <= form < forms.count for form in forms.chosen):
            raise ValueError(f"Plural-Forms chooses a form that is none of its {forms.count}")
        return forms

    def __str__(self) -> str:
        return f"nplurals={self.count}; plural={self.rule};"

    @cached_property
    def chosen(self) -> list[int]:
        """The form of each of NUMBERS. Raises ValueError for a rule that is none."""
        choose = gettext.c2py(self.rule)
        try:
            return [choose(number) for number in NUMBERS]
        except ZeroDivisionError as fault:
            raise ValueError("Plural-Forms divides by zero") from fault

    def origins(self, singular: str, plural: str) -> dict[int, tuple[str, int | None]]:
        """Each form -> the field of an entry that it translates, and a number that the form is for.

        The singular makes the form of the number one. Where that form serves other numbers too, as in Russian that
        of 21, the singular must name the number as the plural does: "one file" would be wrong for 21. Where the
        plural makes several forms of more than two, a number tells them apart.
        """
        origins: dict[int, tuple[str, int | None]] = {
            form: ("msgid_plural", self._example(form) if self.count > 2 else None) for form in range(self.count)
        }
        one = self.chosen[1]
        names_number = not placeholders(plural) - placeholders(singular)
        if self.chosen.count(one) == 1 or (self.count > 1 and names_number):
            origins[one] = "msgid", None
        return origins

    def _example(self, form: int) -> int | None:
        """The lowest number of `form`, zero if it has no other; None if it has none."""
        return self._examples.get(form)

    @cached_property
    def _examples(self) -> dict[int, int]:
        return {form: number for number, form in reversed([*list(enumerate(self.chosen))[1:], (0, self.chosen[0])])}


def placeholders(text: str) -> Counter[str]:
    """What in a text may be a number, as often as it is there."""
    return Counter(match[0] for match in NUMBER.finditer(text.replace("%%", "")))
