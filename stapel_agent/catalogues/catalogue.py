"""What every format of catalogue offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from .files import TextFile, check_writable


class Catalogue(ABC):
    """The texts of `source`, and what `target` has of them in the language `to`.

    The source is read once, the target whenever it is asked about: what a person saves in it meanwhile is kept.
    A translation that the target holds gives way to another only with `overwrite`.
    """

    def __init__(self, source: Path, target: Path, to: str, *, overwrite: bool = False) -> None:
        self.source, self.target, self.to, self.overwrite = source, target, to, overwrite
        self.file = TextFile.read(source)
        self._given: dict[str, str] = {}
        check_writable(target)
        self.merged(self.read_target(), {})

    @abstractmethod
    def texts(self) -> dict[str, str]:
        """The texts to translate, by keys that are unambiguous in this file. Blank ones are none."""

    @abstractmethod
    def name(self, key: str) -> str:
        """What a person calls the text of `key`."""

    def hint(self, key: str) -> str:
        """A sentence on what the text of `key` must fit, for whoever translates it; empty if there is none."""
        return ""

    @abstractmethod
    def translations(self) -> dict[str, str]:
        """Those that the target holds, by the keys of `texts()`."""

    @abstractmethod
    def merged(self, target: TextFile | None, translations: Mapping[str, str]) -> TextFile | None:
        """`target` with `translations` in it, and all that is in it already; None where nothing changes.

        Raises CatalogueError where the two files do not go together.
        """

    def write(self, translations: Mapping[str, str]) -> None:
        """Put `translations`, and those given before, into the target file; one that has them all is left alone."""
        self._given.update(translations)
        if merged := self.merged(self.read_target(), self._given):
            merged.write(self.target)

    def read_target(self) -> TextFile | None:
        return TextFile.read(self.target) if self.target.exists() else None
