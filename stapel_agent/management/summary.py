"""Summaries for people at the end of a command, mainly of `llm_translate`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .catalogue_translation import CatalogueTranslation

COLUMNS = ("language", "kept", "translated", "failed", "left", "input tokens", "output tokens", "file")
NAME_LENGTH = 80
REASON_LENGTH = 300


def table(translations: Sequence[CatalogueTranslation]) -> Iterator[str]:
    """The lines of a table with a row for each language."""
    rows = [COLUMNS, *map(_row, translations)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for language, *numbers, file in rows:
        cells = [number.rjust(width) for number, width in zip(numbers, widths[1:-1], strict=True)]
        yield "  ".join([language.ljust(widths[0]), *cells, file])


def failures(translation: CatalogueTranslation, most: int | None) -> Iterator[str]:
    """A line for each reason why texts failed or are to be reviewed, with at most `most` names of these texts."""
    found = [*translation.failed, *translation.doubtful]
    for reason in dict.fromkeys(reason for _, reason in found):
        names = [name for name, given in found if given == reason]
        yield f"{translation.catalogue.to}: {printable(reason, REASON_LENGTH)}"
        for name in names[:most]:
            yield f"  {printable(name, NAME_LENGTH)}"
        if most is not None and len(names) > most:
            yield f"  and {len(names) - most} more, which --verbosity 2 names"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str, length: int, *, squeeze: bool = True) -> str:
    """`text` in one line of at most `length` characters, without control characters."""
    words = " ".join(text.split()) if squeeze else text
    line = "".join(sign if sign.isprintable() else "\ufffd" for sign in words)
    return line if len(line) <= length else f"{line[: length - 3]}..."


def _row(translation: CatalogueTranslation) -> tuple[str, ...]:
    counts = (
        translation.kept,
        translation.translated,
        len(translation.failed),
        translation.left,
        translation.input_tokens,
        translation.output_tokens,
    )
    return translation.catalogue.to, *map(str, counts), printable(str(translation.catalogue.target), 4096)
