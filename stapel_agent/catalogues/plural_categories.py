"""The plural forms of a text in another language, and the source's form that each is translated from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stapel_agent.plurals import Form, forms

from .gettext_plurals import placeholders

UNHINTED_FORMS = 2
"""If a language has more forms than this, each form is asked for with an example number."""


COUNT = re.compile(r"%\{count\}|\{\{-?\s{0,9}count\b")
"""The number in texts of Rails and of i18next. Where a language has one form, it tells a plural from another text."""


@dataclass(frozen=True)
class TargetForm:
    """A plural category of the target, the source's category to translate, and an example number if one is needed.

    `sources` are the texts that a person may have translated. `only` is its number if it is for one number alone.
    """

    category: str
    origin: str
    example: str
    sources: tuple[str, ...]
    only: int | None = None


def are_forms(texts: Sequence[str]) -> bool:
    """Whether `texts`, whose keys are plural categories, are the forms of one text."""
    return len(texts) > 1 or any(map(COUNT.search, texts))


def target_forms(
    source: Mapping[str, str], to: str, *, ordinal: bool = False, keeps_zero: bool = True
) -> list[TargetForm]:
    """Return the forms of the language `to` for the texts in `source`, by category.

    With `keeps_zero`, the source's `zero` is kept in every language, since it is for the number 0. If CLDR does not
    know the language, the forms are the source's.
    """
    wanted = forms(to, ordinal=ordinal)
    if not wanted:
        return [TargetForm(category, category, "", tuple(source.values())) for category in source]
    if keeps_zero and "zero" in source and all(form.category != "zero" for form in wanted):
        wanted = (Form("zero", "0", (0,)), *wanted)
    has_hints = len(wanted) > UNHINTED_FORMS
    return [
        TargetForm(form.category, _origin(source, form), form.example * has_hints, _sources(source, form), form.only)
        for form in wanted
    ]


def _sources(source: Mapping[str, str], form: Form) -> tuple[str, ...]:
    """Return the texts in `source`: those that show the number, if the form is for several numbers."""
    shown = placeholders(source["other"])
    return tuple(text for text in source.values() if form.only is not None or placeholders(text) >= shown)


def _origin(source: Mapping[str, str], form: Form) -> str:
    """Return the source's category for a form: one that shows the number, if the form is for several numbers."""
    text, other = source.get(form.category, ""), source["other"]
    if not text or (form.only is None and placeholders(other) - placeholders(text)):
        return "other"
    return form.category
