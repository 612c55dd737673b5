"""Language names for prompts."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale

from stapel_agent.exceptions import InvalidRequest
from stapel_agent.language_tags import bcp47, is_language_tag, suggested_tag

FROM_THE_RIGHT = {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "ug", "ur", "yi"}
"""Languages written from right to left."""


def check_tag(field: str, tag: object) -> None:
    """Raise InvalidRequest if `tag` is not a language tag."""
    if not is_language_tag(tag):
        name = str(tag)[:40]
        suggestion = f": did you mean {near!r}?" if (near := suggested_tag(name)) else ""
        raise InvalidRequest(f"{field!r} must be a language tag such as 'de' or 'pt-BR', not {name!r}{suggestion}")


@lru_cache(maxsize=256)
def language_name(tag: str) -> str:
    """Return the English name of the language in Unicode's CLDR, with its tag: `Portuguese (Brazil) [pt-BR]`.

    Other forms of a tag, such as `pt_br`, give the same name. A language that CLDR lacks is described by its tag alone.
    """
    tag = bcp47(tag)
    language, *subtags = tag.split("-")
    english = Locale("en")
    name = english.languages.get(language)
    if name is None:
        return f"the language with the BCP 47 tag {tag}"
    details = ", ".join(filter(None, (_subtag_name(english, subtag) for subtag in subtags)))
    return f"{name} ({details}) [{tag}]" if details else f"{name} [{tag}]"


def _subtag_name(english: Locale, subtag: str) -> str | None:
    if len(subtag) == 4 and subtag.isalpha():
        return english.scripts.get(subtag)
    return english.territories.get(subtag) or english.variants.get(subtag.upper())


@lru_cache(maxsize=256)
def base(tag: str) -> str:
    """Return the language of a tag, without script and region."""
    return tag.replace("_", "-").partition("-")[0].partition("@")[0].lower()
