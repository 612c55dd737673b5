"""The interface of all file types: read the texts of a source file, write their translations to a target file."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from .text_file import CatalogueError, TextFile, check_writable, read_content

Draft = TypeVar("Draft")
"""A target file in memory, in the form that its file type works with."""


@dataclass(frozen=True)
class FuzzyPolicy:
    """`mark`: mark new translations as fuzzy. `overwrite`: replace translations that are marked as fuzzy."""

    mark: bool = False
    overwrite: bool = False


KEEP_FUZZY = FuzzyPolicy()
"""Fuzzy translations are kept, and new ones are not marked."""


@dataclass(frozen=True)
class ContextOptions:
    """What to send to the model besides comments: where the program uses a text, and the path of its key."""

    references: bool = False
    key_paths: bool = False


@dataclass(frozen=True)
class OpenTarget(Generic[Draft]):
    """A draft and the file it was read from. Both `content` and `file` are None if the file does not exist."""

    content: bytes | None
    file: TextFile | None
    draft: Draft


MAX_CONTEXT_LENGTH = 1000
"""Maximum characters of context for one text."""

CHAR_LIMIT = re.compile(r"\[\s?CHAR[ _-]?LIMIT\s?[:=]?\s?(\d{1,5})\s?\]", re.IGNORECASE)
"""How Android's and Google's projects limit the length of a text, in the comment on it."""


class Catalogue(ABC, Generic[Draft]):
    """The texts of the file `source`, and their translations into the language `to` in the file `target`.

    The source is read once. The target is read again whenever it has changed, so that what a person saves during a
    run is kept. Existing translations are replaced only with `overwrite`.
    """

    is_own_target: ClassVar[bool] = False
    """Whether the source may be its own target."""
    has_marks: ClassVar[bool] = False
    """Whether translations can be marked as fuzzy."""

    def __init__(
        self,
        source: Path,
        target: Path,
        to: str,
        *,
        from_lang: str = "auto",
        overwrite: bool = False,
        fuzzy: FuzzyPolicy = KEEP_FUZZY,
    ) -> None:
        if not self.is_own_target and source.exists() and target.exists() and target.samefile(source):
            raise CatalogueError(f"{str(target)!r} is the source itself: choose another folder with --out")
        self.source, self.target, self.to, self.from_lang = source, target, to, from_lang
        self.overwrite, self.fuzzy = overwrite, fuzzy
        self.file = TextFile.read(source)
        self._written: dict[str, str] = {}
        self._target: OpenTarget[Draft] | None = None
        check_writable(target)
        self.draft()

    def own_language(self) -> str:
        """Return the language that the source says it is in, or an empty string."""
        return ""

    @abstractmethod
    def texts(self) -> dict[str, str]:
        """Return the texts to translate, by keys that are unique in this file. Blank texts are left out."""

    def name(self, key: str) -> str:
        """Return the name of the text `key` in messages to people."""
        return key

    def language(self, key: str) -> str:
        """Return the language of the text `key`, or "auto"."""
        return self.from_lang

    def example(self, key: str) -> str:
        """Return a number that the text `key` is used with, or an empty string if it is not a plural form."""
        return ""

    def hint(self, key: str) -> str:
        """Return a sentence about the text `key` for the model, or an empty string."""
        example = self.example(key)
        return f"Each text is used with numbers such as {example}." if example else ""

    def entry(self, key: str, text: str, options: ContextOptions) -> str | dict[str, Any]:
        """Return `text` as an entry of `services.translate()`, with its context, format and maximum length."""
        facts = {
            "context": self.context(key, options)[:MAX_CONTEXT_LENGTH].strip(),
            "format": self.format(key),
            "max_length": self.max_length(key),
            "protect": self.protect(key, text),
        }
        known = {name: fact for name, fact in facts.items() if fact}
        return {"text": text, **known} if known else text

    def context(self, key: str, options: ContextOptions) -> str:
        """Return the comments and other context that the file has for the text `key`."""
        known = [self.comment(key)] + [f"Key: {key.lstrip('/')}"] * options.key_paths
        return "\n".join(filter(None, known))

    def comment(self, key: str) -> str:
        """Return the comment on the text `key`, or an empty string."""
        return ""

    def format(self, key: str) -> str:
        """Return the format of the text `key`, or an empty string if the file does not define it."""
        return ""

    def protect(self, key: str, text: str) -> list[str]:
        """Return regular expressions for parts of the text that its format alone does not protect."""
        return []

    def max_length(self, key: str) -> int:
        """Return the maximum characters of a translation, by a comment such as `[CHAR LIMIT=20]`. 0 means no limit."""
        limit = CHAR_LIMIT.search(self.context(key, ContextOptions()))
        return int(limit[1]) if limit else 0

    def sources(self, key: str, text: str) -> list[str]:
        """Return the texts that a person may have translated: for a plural form, the singular or the plural."""
        return [text]

    def only_number(self, key: str) -> int | None:
        """Return the number of the plural form `key` if a translation may say it in words or not at all, or None."""
        return None

    def fault(self, key: str, translation: str) -> str:
        """Return what the file type does not allow in a translation of `key`, or an empty string."""
        return ""

    @abstractmethod
    def translations(self) -> dict[str, str]:
        """Return the existing translations, by the keys of `texts()`."""

    def fuzzy_keys(self) -> set[str]:
        """Return the keys of existing translations that are marked for review and kept."""
        return set()

    def uneven_arrays(self) -> list[str]:
        """Return the keys of arrays that have another length in the target, where items may have moved."""
        return []

    @abstractmethod
    def open(self, target: TextFile | None) -> Draft:
        """Return a draft of `target`, or of a new file. Raises CatalogueError if source and target do not match."""

    @abstractmethod
    def fill(self, draft: Draft, keys: Iterable[str], translations: Mapping[str, str]) -> bool:
        """Add the `translations` of `keys` to `draft`. Returns whether it changed.

        The other `translations` are in the draft already. The cost must depend on `keys` alone.
        """

    @abstractmethod
    def text(self, draft: Draft, target: TextFile | None) -> TextFile:
        """Return the file for `draft`, in the layout of `target`, or of the source."""

    def draft(self) -> Draft:
        """Return the current draft of the target."""
        return self._current_target().draft

    def write(self, translations: Mapping[str, str]) -> None:
        """Write `translations` to the target file. The file is not written if nothing changes.

        The target is parsed again only if somebody else has changed it, so the cost of a portion does not depend on
        the size of the file. In that case, all translations written so far are added again.
        """
        self._written.update(translations)
        before = self._target
        target = self._current_target()
        keys = translations if target is before else self._written
        if not self.fill(target.draft, tuple(keys), self._written) and target.file:
            return
        self._target = None  # until the draft is on disk
        file = self.text(target.draft, target.file)
        self._target = OpenTarget(file.write(self.target), file, target.draft)

    def _current_target(self) -> OpenTarget[Draft]:
        content = read_content(self.target) if self.target.exists() else None
        if self._target is None or self._target.content != content:
            file = None if content is None else TextFile.of(content, self.target)
            self._target = OpenTarget(content, file, self.open(file))
        return self._target
