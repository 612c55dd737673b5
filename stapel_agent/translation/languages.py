"""Language tags, and the names that a model knows their languages by."""

from __future__ import annotations

import re
from functools import lru_cache

from babel import Locale

from stapel_agent.exceptions import InvalidRequest

AUTO = "auto"

# BCP 47 as far as languages are named in practice: language, script, region, two variants. A tag is
# written into the prompt, so nothing that could be read as a sentence may pass.
LANGUAGE_TAG = re.compile(
    r"[A-Za-z]{2,3}([-_][A-Za-z]{4})?([-_]([A-Za-z]{2}|[0-9]{3}))?([-_]([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3})){0,2}"
)


def check_tag(field: str, tag: object) -> None:
    """Raises InvalidRequest where `tag` is no language tag."""
    if not (isinstance(tag, str) and LANGUAGE_TAG.fullmatch(tag)):
        raise InvalidRequest(f"{field!r} must be a language tag such as 'de' or 'pt-BR', not {str(tag)[:40]!r}")


@lru_cache(maxsize=256)
def language_name(tag: str) -> str:
    """The language in English, by Unicode's CLDR, with its tag: `Portuguese (Brazil) [pt-BR]`, of `pt_br` too.

    The tag alone, said to be one, where the language is in no list.
    """
    language, *subtags = tag.replace("_", "-").lower().split("-")
    subtags = [_as_written(subtag) for subtag in subtags]
    tag = "-".join([language, *subtags])
    english = Locale("en")
    name = english.languages.get(language)
    if name is None:
        return f"the language with the BCP 47 tag {tag}"
    details = ", ".join(filter(None, (_subtag_name(english, subtag) for subtag in subtags)))
    return f"{name} ({details}) [{tag}]" if details else f"{name} [{tag}]"


def _as_written(subtag: str) -> str:
    """A subtag in the case that BCP 47 recommends: `Hant`, `BR`, `1996`."""
    if len(subtag) == 4 and subtag.isalpha():
        return subtag.title()
    return subtag.upper() if len(subtag) == 2 else subtag


def _subtag_name(english: Locale, subtag: str) -> str | None:
    if len(subtag) == 4 and subtag.isalpha():
        return english.scripts.get(subtag)
    return english.territories.get(subtag) or english.variants.get(subtag.upper())
