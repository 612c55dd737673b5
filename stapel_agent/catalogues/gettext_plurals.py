"""Plural forms in gettext files: their count, the rule that selects one, and the source text for each."""

from __future__ import annotations

import gettext
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from babel.core import UnknownLocaleError
from babel.messages.plurals import DEFAULT_PLURAL, get_plural

from .target_paths import locale_name

HEADER = re.compile(r"\s*+nplurals\s*+=\s*+(\d{1,2})\s*+;\s*+plural\s*+=([^;]++);?\s*+")
NUMBER = re.compile(
    r"""
      %<PRI\w++> | %\{\w++\} | %L?+(?:\d{1,2}+|n)(?![\w$*.])
    | %(?:\([^()]*+\)|<\w++>|\d{1,2}+\$)?+[-+\#'I0,]*+[\d*]*+(?:\.[\d*]*+)?+(?:<PRI\w++>|(?:hh|ll|[hlLqjzt])?+[A-Za-z@])
    | ~[-+,:@\d]*+[A-Za-z](?!\w) | \{\{[^{}]*+\}\} | \$?\{[^{}]*+\} | (?<![\w@])[@!:]\w++ | \$\(?+\w++ | __\w++
    """,
    re.VERBOSE,
)
"""A number in a text, in any format: `%1$'d`, `%<PRIuMAX>`, `%n`, `%L1`, `%{count}`, `{{n}}`, `{n}`, `@count`, `$n`."""
OF_NEW_FILES = {
    "ca": (2, "(n != 1)"),
    "es": (2, "(n != 1)"),
    "fr": (2, "(n > 1)"),
    "it": (2, "(n != 1)"),
    "pt": (2, "(n != 1)"),
    "pt_BR": (2, "(n > 1)"),
}
"""The rules that msginit writes where newer versions of CLDR, and so of Babel, add a form for whole millions."""
POSITIONAL = re.compile(r"%[^({<]*+\Z")
COUNTING = re.compile(r"%.*[diu>]\Z|%L?n\Z|\W*+(?:count(?:er)?|num(?:ber)?|n)\b\W*+s?\Z")
"""Of several placeholders, the one that is a number."""
DIGITS = re.compile(r"\d+")
MANY = 5
NUMBERS = range(1000)  # every form of every rule is for a number below this


@dataclass(frozen=True)
class PluralForms:
    """The number of forms, and the C expression that selects one for a number."""

    count: int
    rule: str

    @classmethod
    def of_language(cls, tag: str) -> PluralForms:
        """Return the forms for a file without a header Plural-Forms."""
        locale = locale_name(tag)
        known = OF_NEW_FILES.get(locale) or OF_NEW_FILES.get(locale.partition("_")[0])
        try:
            count, rule = known or get_plural(locale)
        except UnknownLocaleError:
            count, rule = DEFAULT_PLURAL
        return cls(count, rule)

    @classmethod
    def of_header(cls, value: str) -> PluralForms | None:
        """Parse the header Plural-Forms. Returns None for a placeholder, as in a template. Raises ValueError."""
        match = HEADER.fullmatch(value)
        forms = cls(int(match[1]), match[2].strip()) if match else None
        if forms and not all(0 <= form < forms.count for form in forms.chosen):
            raise ValueError(f"Plural-Forms selects a form outside its {forms.count}")
        return forms

    def __str__(self) -> str:
        return f"nplurals={self.count}; plural={self.rule};"

    @cached_property
    def chosen(self) -> list[int]:
        """The form of each of NUMBERS. Raises ValueError if the rule is invalid."""
        choose = gettext.c2py(self.rule)
        try:
            return [choose(number) for number in NUMBERS]
        except ZeroDivisionError as fault:
            raise ValueError("Plural-Forms divides by zero") from fault

    def origins(
        self, texts: Sequence[str], source: PluralForms, *, always_shows: bool = False
    ) -> dict[int, tuple[int, int | None]]:
        """Return for each form the form of `source` to translate, and an example number if one is needed.

        `texts` are those of `source`. A form is translated from the text for the same number. If it is also used for
        other numbers, as in Russian for 21, or if every form `always_shows` its number, that text must show the
        number as the others do: "one file" would be wrong for 21. If there are more forms than in the source, each
        gets an example number.
        """
        found: dict[int, tuple[int, int | None]] = {}
        for form, (first, other, usual) in _candidates(self, source).items():
            other = usual if always_shows else other
            origin = other if placeholders(texts[other]) - placeholders(texts[first]) else first
            is_singular = form == self.chosen[1] and origin == source.chosen[1] and source.count > 1
            has_example = self.count > source.count or (always_shows and origin != first)
            found[form] = origin, self.example(form) if has_example and not is_singular else None
        return found

    def is_for_many(self, form: int) -> bool:
        """Whether `msgfmt --check` requires all placeholders in a form, because it is for five numbers or more."""
        return self.chosen.count(form) >= MANY

    def example(self, form: int) -> int | None:
        """Return the lowest number of `form`, preferably not 0, or None if the rule never selects it."""
        return self._examples.get(form)

    @cached_property
    def _examples(self) -> dict[int, int]:
        return {form: number for number, form in reversed([*list(enumerate(self.chosen))[1:], (0, self.chosen[0])])}


ENGLISH = PluralForms(2, "(n != 1)")
"""The forms of msgid and msgid_plural."""


@lru_cache
def _candidates(target: PluralForms, source: PluralForms) -> dict[int, tuple[int, int, int]]:
    """Return for each form of `target` the form of `source` for its example, for most of its others, and for most."""
    usual = Counter(source.chosen).most_common(1)[0][0]
    candidates: dict[int, tuple[int, int, int]] = {}
    for form in range(target.count):
        example = target.example(form)
        if example is None or target.count == 1:
            candidates[form] = usual, usual, usual
            continue
        first = source.chosen[example]
        chosen = (source.chosen[number] for number in NUMBERS if target.chosen[number] == form)
        others = Counter(other for other in chosen if other != first)
        candidates[form] = first, max(others, key=lambda other: others[other], default=first), usual
    return candidates


def placeholders(text: str) -> Counter[str]:
    """Count the placeholders in a text that may be a number."""
    return Counter(match[0] for match in NUMBER.finditer(text.replace("%%", "")))


def with_number(text: str, number: int, translation: str) -> str:
    """Return `text` with `number` written out, or left out if `translation` leaves it out, for a form of one number.

    Returns an empty string if no placeholder is for a number, or if programs would give its value to the next one.
    """
    found = list(NUMBER.finditer(text))
    counting = found if len(found) == 1 else [match for match in found if COUNTING.match(match[0])]
    if len(counting) != 1 or (POSITIONAL.match(counting[0][0]) and counting != found[-1:]):
        return ""
    before, after = text[: counting[0].start()], text[counting[0].end() :]
    has_more = set(DIGITS.findall(translation)) - set(DIGITS.findall(before + after))
    return f"{before}{number if has_more else ''}{after}"
