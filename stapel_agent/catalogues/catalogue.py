"""What every format of catalogue offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from .files import TextFile, check_writable, content_of

Draft = TypeVar("Draft")
"""What a format makes of a target file, to work on in memory."""


@dataclass(frozen=True)
class Fuzzy:
    """Whether new translations are to be marked as fuzzy, and those that are fuzzy to be replaced."""

    mark: bool = False
    overwrite: bool = False


AS_THEY_ARE = Fuzzy()
"""Fuzzy translations stay, and new ones are not marked."""


@dataclass(frozen=True)
class Telling:
    """What a translator is told besides: where the program uses a text, and the path of its key."""

    references: bool = False
    key_paths: bool = False


@dataclass(frozen=True)
class Opened(Generic[Draft]):
    """A draft, and the file that it is of; without content where there is no file."""

    content: bytes | None
    file: TextFile | None
    draft: Draft


MAX_CONTEXT_LENGTH = 1000
"""Characters of what a file says about one text that go along with it."""


class Catalogue(ABC, Generic[Draft]):
    """The texts of `source`, and what `target` has of them in the language `to`.

    The source is read once, the target whenever it is asked about: what a person saves in it meanwhile is kept.
    A translation that the target holds gives way to another only with `overwrite`.
    """

    def __init__(
        self, source: Path, target: Path, to: str, *, overwrite: bool = False, fuzzy: Fuzzy = AS_THEY_ARE
    ) -> None:
        self.source, self.target, self.to, self.overwrite, self.fuzzy = source, target, to, overwrite, fuzzy
        self.file = TextFile.read(source)
        self._given: dict[str, str] = {}
        self._opened: Opened[Draft] | None = None
        check_writable(target)
        self.draft()

    @abstractmethod
    def texts(self) -> dict[str, str]:
        """The texts to translate, by keys that are unambiguous in this file. Blank ones are none."""

    @abstractmethod
    def name(self, key: str) -> str:
        """What a person calls the text of `key`."""

    def hint(self, key: str) -> str:
        """A sentence on what the text of `key` must fit, for whoever translates it; empty if there is none."""
        return ""

    def entry(self, key: str, text: str, telling: Telling) -> str | dict[str, Any]:
        """`text` as the facade takes it: with what the file says about it, and the format that it is in."""
        facts = {"context": self.context(key, telling)[:MAX_CONTEXT_LENGTH].strip(), "format": self.format(key)}
        told = {name: fact for name, fact in facts.items() if fact}
        return {"text": text, **told} if told else text

    def context(self, key: str, telling: Telling) -> str:
        """What the file says about the text of `key`."""
        return ""

    def format(self, key: str) -> str:
        """The format of the text of `key`; empty where the file does not say it."""
        return ""

    def sources(self, key: str, text: str) -> list[str]:
        """The texts that a translation of `text` may be one of: of a plural, a person may have translated either."""
        return [text]

    @abstractmethod
    def translations(self) -> dict[str, str]:
        """Those that the target holds, by the keys of `texts()`."""

    @abstractmethod
    def open(self, target: TextFile | None) -> Draft:
        """A draft of `target`, or of a new file. Raises CatalogueError where the two files do not go together."""

    @abstractmethod
    def fill(self, draft: Draft, keys: Iterable[str], translations: Mapping[str, str]) -> bool:
        """Put the `translations` of `keys` into `draft`, beside all that is in it already. Return whether it changed.

        The others in `translations` have been given before; the cost depends on `keys` alone.
        """

    @abstractmethod
    def text(self, draft: Draft, target: TextFile | None) -> TextFile:
        """The file that `draft` has become, laid out as `target` is, or as the source."""

    def draft(self) -> Draft:
        """What the target holds at this moment."""
        return self._opened_draft().draft

    def write(self, translations: Mapping[str, str]) -> None:
        """Put `translations`, and those given before, into the target file; one that has them all is left alone.

        A file that nobody else has changed is not read anew: a portion costs what it holds, not what the file does.
        """
        self._given.update(translations)
        before = self._opened
        opened = self._opened_draft()
        keys = translations if opened is before else self._given
        if not self.fill(opened.draft, tuple(keys), self._given) and opened.file:
            return
        self._opened = None  # until the draft is on disk
        written = self.text(opened.draft, opened.file)
        self._opened = Opened(written.write(self.target), written, opened.draft)

    def _opened_draft(self) -> Opened[Draft]:
        content = content_of(self.target) if self.target.exists() else None
        if self._opened is None or self._opened.content != content:
            file = None if content is None else TextFile.of(content, self.target)
            self._opened = Opened(content, file, self.open(file))
        return self._opened
