"""Summaries for people at the end of a command, mainly of `llm_translate`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from stapel_agent.translation import Cost

from .catalogue_translation import CatalogueTranslation

COLUMNS = ("language", "kept", "translated", "failed", "left", "input tokens", "output tokens", "file")
NAME_LENGTH = 80
REASON_LENGTH = 300
PATH_LENGTH = 4096
AMOUNT = re.compile(r"\d[\d.]*+")
ADVICE = {
    "rejected auth out_of_credit provider_bug internal_error ledger_unavailable": "fix the problem named above",
    "over_budget": "raise the budget or wait until it is reset",
}
"""What to do first, by the failures that the same command would meet again."""


def table(translations: Sequence[CatalogueTranslation]) -> Iterator[str]:
    """The lines of a table with a row for each language."""
    rows = [COLUMNS, *map(_row, translations)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for language, *numbers, file in rows:
        cells = [number.rjust(width) for number, width in zip(numbers, widths[1:-1], strict=True)]
        yield "  ".join([language.ljust(widths[0]), *cells, file])


def labels(translations: Sequence[CatalogueTranslation]) -> list[str]:
    """The language of each translation, or its file where several have the language."""
    files = Counter(translation.catalogue.to for translation in translations)
    return [
        each.catalogue.to if files[each.catalogue.to] == 1 else printable(_path(each.catalogue.target), PATH_LENGTH)
        for each in translations
    ]


def failures(translation: CatalogueTranslation, label: str, most: int | None) -> Iterator[str]:
    """A line for each reason why texts failed or are to be reviewed, with at most `most` names of these texts.

    If every call would fail for the same reason, no names are listed.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, reason in [*translation.failed, *translation.doubtful]:
        groups.setdefault(_cause(reason), []).append((name, reason))
    for found in groups.values():
        is_for_all = len(groups) == 1 and not translation.translated and _is_of_a_call(found[0][1])
        names = [] if is_for_all else list(dict.fromkeys(name for name, _ in found))
        yield f"{label}: {printable(found[0][1], REASON_LENGTH)}"
        for name in names[:most]:
            yield f"  {printable(name, NAME_LENGTH)}"
        if most is not None and len(names) > most:
            yield f"  and {len(names) - most} more, which --verbosity 2 names"


def fuzzy_texts(translation: CatalogueTranslation, label: str) -> Iterator[str]:
    """A line if existing translations are marked as fuzzy."""
    if count := translation.fuzzy:
        texts, them = ("1 text is", "it") if count == 1 else (f"{count} texts are", "them")
        yield f"{label}: {texts} marked as fuzzy: review {them}, or translate {them} again with --overwrite-fuzzy"


def advice(translations: Sequence[CatalogueTranslation]) -> str:
    """What to do about the texts that are missing."""
    found = {_failure(reason) for translation in translations for _, reason in translation.failed}
    again = "run the same command to translate the missing texts"
    for names, first in ADVICE.items():
        if found & set(names.split()):
            return f"{first}, then {again}"
    return again


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def spelled(cost: Cost) -> str:
    """The tokens and dollars of a cost."""
    dollars = "at an unknown price" if cost.cost_usd is None else f"${cost.cost_usd:.4f}"
    return f"{cost.tokens} tokens, {dollars}"


def printable(text: str, length: int, *, squeeze: bool = True) -> str:
    """`text` in one line of at most `length` characters, without control characters."""
    words = " ".join(text.split()) if squeeze else text
    line = "".join(sign if sign.isprintable() else "\ufffd" for sign in words)
    return line if len(line) <= length else f"{line[: length - 3]}..."


def _failure(reason: str) -> str:
    """The failure's name, with which a reason begins."""
    return reason.partition(":")[0]


def _cause(reason: str) -> str:
    """The reason without the amounts of a call, which differ for the same cause."""
    return AMOUNT.sub("0", reason) if _is_of_a_call(reason) else reason


def _is_of_a_call(reason: str) -> bool:
    """Whether the same command would fail again for this reason, whatever the text is."""
    return _failure(reason) in " ".join(ADVICE).split()


def _row(translation: CatalogueTranslation) -> tuple[str, ...]:
    counts = (
        translation.kept,
        translation.translated,
        len(translation.failed),
        translation.left,
        translation.input_tokens,
        translation.output_tokens,
    )
    return translation.catalogue.to, *map(str, counts), printable(_path(translation.catalogue.target), PATH_LENGTH)


def _path(file: Path) -> str:
    """The path from the working directory, if the file is in it."""
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)
