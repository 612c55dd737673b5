"""Language tags in their common forms: BCP 47 (`pt-BR`), Django (`zh_Hans`) and gettext (`sr@latin`)."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError

AUTO = "auto"

# Language, script, region, two variants and a modifier. A tag is written into the prompt, so it must not
# be readable as a sentence. The two payload schemas use the same pattern.
LANGUAGE_TAG = re.compile(
    r"[A-Za-z]{2,3}([-_][A-Za-z]{4})?([-_]([A-Za-z]{2}|[0-9]{3}))?([-_]([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3})){0,2}"
    r"(@[A-Za-z0-9]{4,14})?"
)

# gettext's modifiers and the BCP 47 subtags they stand for. Others of 5 to 8 characters are variants.
MODIFIERS = {
    "arabic": "Arab",
    "cyrillic": "Cyrl",
    "devanagari": "Deva",
    "hebrew": "Hebr",
    "ijekavian": "ijekavsk",
    "ijekavianlatin": "Latn-ijekavsk",
    "iqtelif": "Latn",
    "latin": "Latn",
    "shaw": "Shaw",
    # Currency and quotation marks: the language is the same without them.
    "euro": "",
    "quot": "",
    "boldquot": "",
}


def is_language_tag(tag: object) -> bool:
    """Whether `tag` names a language in one of the accepted forms."""
    return isinstance(tag, str) and bool(LANGUAGE_TAG.fullmatch(tag)) and _modifier(tag) is not None


def is_known_tag(tag: object) -> bool:
    """Whether CLDR knows every part of a language tag. Without that, `ann-smith` is a tag too."""
    if not is_language_tag(tag):
        return False
    english = Locale("en")
    language, *subtags = bcp47(str(tag)).split("-")
    return language in english.languages and all(
        part in english.scripts or part in english.territories or part.upper() in english.variants for part in subtags
    )


@lru_cache(maxsize=256)
def bcp47(tag: str) -> str:
    """Return a language tag in BCP 47 form: `pt_br` is `pt-BR`, `sr_RS@latin` is `sr-Latn-RS`."""
    language, *subtags = tag.partition("@")[0].replace("_", "-").split("-")
    subtags += filter(None, (_modifier(tag) or "").split("-"))
    # Python's sort is stable: scripts come first, then regions, then variants, each in the order given.
    ordered = sorted(map(_as_written, subtags), key=_rank)
    return "-".join([language.lower(), *ordered])


@lru_cache(maxsize=1024)
def locale_of(tag: str) -> Locale | None:
    """Return the data of Unicode's CLDR for a language: of `pt` for an unknown `pt-XX`. None if there are none."""
    subtags = bcp47(tag).split("-")
    for length in range(len(subtags), 0, -1):
        try:
            return Locale.parse("-".join(subtags[:length]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return None


def tag_error(tag: object) -> str:
    """Return why `tag` is invalid, with the tag that was probably meant."""
    name = str(tag)[:40]
    suggested = suggested_tag(name)
    fix = f"did you mean {suggested!r}?" if suggested else "give a tag such as 'de' or 'pt-BR'"
    return f"unknown language {name!r}: {fix}"


def suggested_tag(name: str) -> str | None:
    """Return the tag of the language with this English name: `de` for `German`, `pt-BR` for `Portuguese (Brazil)`."""
    tags = _tags_by_name()
    plain, _, detail = name.casefold().strip().rstrip(")").partition("(")
    plain = " ".join(plain.split())
    near = [plain] if plain in tags else get_close_matches(plain, tags, n=1, cutoff=0.85)
    if not near:
        return None
    subtag = _subtags_by_name().get(detail.strip())
    return bcp47(f"{tags[near[0]]}-{subtag}" if subtag else tags[near[0]])


@cache
def _tags_by_name() -> dict[str, str]:
    tags = sorted(Locale("en").languages.items(), reverse=True)
    return {name.casefold(): tag for tag, name in tags if LANGUAGE_TAG.fullmatch(tag)}


@cache
def _subtags_by_name() -> dict[str, str]:
    english = Locale("en")
    names = {**english.territories, **english.scripts}
    return {name.casefold(): subtag for subtag, name in names.items()}


def _modifier(tag: str) -> str | None:
    """Return the BCP 47 subtags of a gettext modifier. Empty without a modifier, None if it is unknown."""
    modifier = tag.partition("@")[2].lower()
    if modifier in MODIFIERS:
        return MODIFIERS[modifier]
    if len(modifier) == 4 and modifier.title() in Locale("en").scripts:
        return modifier.title()
    return modifier if not modifier or 5 <= len(modifier) <= 8 else None


def _as_written(subtag: str) -> str:
    """Return a subtag in the case that BCP 47 prefers: `Hant`, `BR`, `1996`."""
    if len(subtag) == 4 and subtag.isalpha():
        return subtag.title()
    return subtag.upper() if len(subtag) == 2 else subtag.lower()


def _rank(subtag: str) -> int:
    if len(subtag) == 4 and subtag.isalpha():
        return 0
    return 1 if len(subtag) == 2 or (len(subtag) == 3 and subtag.isdigit()) else 2
