"""The order of numbers: telephone numbers, ratios and ranges keep theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from stapel_agent.translation.language import FROM_THE_RIGHT, base

DIGIT = re.compile(r"\d")
PHONE = re.compile(r"(?<![\w.,:])\+?\(?\d{1,5}\)?(?:[ /-]{1,2}\(?\d{2,8}\)?){1,6}(?![\w:])")
PHONE_DIGITS = 7
SIGNS = "[:×x–-]"
SEVERAL = re.compile(r"\d\D{1,9}\d")
"""Two numbers side by side."""


def _by_language(table: str) -> dict[str, str]:
    """The words of each language, as the alternatives of a pattern."""
    return {language: "|".join(words) for language, *words in map(str.split, table.split(","))}


TO = _by_language("""
en to through until till, de bis, fr à, es a hasta, it a, pt a até, ca a fins, gl a ata, ro la până, nl tot t/m,
sv till, da til, nb til, no til, nn til, pl do, cs do až, sk do až, sl do, hr do, bs do, sr do до, ru до по, uk до по,
bg до, be да, el έως ως μέχρι, id sampai hingga, ms hingga sehingga, vi đến tới
""")
"""The words between the first and the last number of a range."""
OF = _by_language("""
en of, de von, fr sur, es de, it di su, pt de, ca de, gl de, ro din, nl van, sv av, da af, nb av, no av, nn av,
pl z, cs z ze, sk z zo, sl od, hr od, bs od, ru из, uk з із, bg от, el από, id dari, ms daripada
""")
"""The words between a part and the whole. Languages that name the whole first are left out."""


def without_shared_phones(*texts: str) -> Sequence[str]:
    """Return both texts without the telephone numbers that they share. Their digits may be grouped in other ways."""
    if not all(map(_may_have_phone, texts)):
        return texts
    digits = [{re.sub(r"\D", "", match[0]) for match in PHONE.finditer(text)} for text in texts]
    shared = {number for number in digits[0] & digits[1] if len(number) >= PHONE_DIGITS}

    def without(match: re.Match[str]) -> str:
        return " " if re.sub(r"\D", "", match[0]) in shared else match[0]

    return [PHONE.sub(without, text) for text in texts]


def _may_have_phone(text: str) -> bool:
    return len(DIGIT.findall(text)) >= PHONE_DIGITS


def _phones(text: str) -> Iterator[list[str]]:
    for match in PHONE.finditer(text) if _may_have_phone(text) else ():
        groups = re.findall(r"\d+", match[0])
        is_date = len(groups) == 3 and any(len(group) == 4 for group in groups) and len("".join(groups)) <= 8
        if not is_date and len("".join(groups)) >= PHONE_DIGITS:
            yield groups


def other_order(source: str, translation: str, from_lang: str, to: str) -> str | None:
    """Find a telephone number, ratio or range whose parts are in another order."""
    if SEVERAL.search(source) is None or base(to) in FROM_THE_RIGHT:
        return None
    for ours, theirs in zip(_pair_patterns(from_lang), _pair_patterns(to), strict=True):
        matches = list(ours.finditer(source)) if ours and theirs else []
        pairs = {_pair(match) for match in theirs.finditer(translation)} if theirs and matches else set()
        for match in matches:
            if _pair(match) not in pairs and _pair(match)[::-1] in pairs:
                return f"has {match[0]} in another order"
    return _other_phone(source, translation)


def _pair(match: re.Match[str]) -> tuple[int, int]:
    return int(match[1]), int(match[2])


@lru_cache(maxsize=64)
def _pair_patterns(tag: str) -> tuple[re.Pattern[str] | None, ...]:
    """The patterns of two numbers that keep their order: with a sign, with a word for "to", with a word for "of"."""
    words = (TO.get(base(tag)), OF.get(base(tag)))
    joints = (rf"\s?{SIGNS}\s?", *(rf"\s(?:{each})\s" if each else "" for each in words))
    return tuple(
        re.compile(rf"(\d(?<![\d.,:]\d)\d{{0,8}}){joint}(\d{{1,9}})(?![\d.,:])") if joint else None for joint in joints
    )


def _other_phone(source: str, translation: str) -> str | None:
    phones = list(_phones(source))
    if not phones:
        return None
    groups = re.findall(r"\d+", translation)
    joined = re.sub(r"(?<=\d)[ ()/.\u00a0-]{1,3}(?=\d)", "", translation)
    for phone in phones:
        following = iter(map(int, groups))
        if "".join(phone) not in joined and not all(int(group) in following for group in phone):
            return f"has the digits of {' '.join(phone)} in another order"
    return None
