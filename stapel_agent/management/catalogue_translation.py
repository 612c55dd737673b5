"""The translation of a catalogue into one language, slice by slice, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from tqdm import tqdm

from stapel_agent.catalogues import Catalogue

SLICE_ENTRIES = 200
"""Texts between two writes of the target file."""

Ask = Callable[[Mapping[str, str]], Mapping[str, Any]]
"""The facade's answer dict to a slice of texts."""


class NobodyAnswers(Exception):
    """The provider cannot be asked, or not like this: to ask for the next slice is no use."""


@dataclass
class CatalogueTranslation:
    """Counts of texts and tokens; `failed` are names of texts with the reasons."""

    catalogue: Catalogue
    total: int = 0
    kept: int = 0
    translated: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def left(self) -> int:
        """Texts that nobody was asked for."""
        return self.total - self.kept - self.translated - len(self.failed)

    def run(self, ask: Ask, *, quiet: bool = False) -> None:
        """Translate what is pending, with a progress bar on a terminal. Raises NobodyAnswers or CatalogueError."""
        texts = self.catalogue.texts()
        held = {} if self.catalogue.overwrite else self.catalogue.translations()
        pending = {key: text for key, text in texts.items() if key not in held}
        self.total, self.kept = len(texts), len(texts) - len(pending)
        if not pending:
            self.catalogue.write({})
            return
        # Without a terminal, `disable=None` is silence.
        with tqdm(total=len(pending), desc=self.catalogue.to, unit="text", disable=quiet or None) as bar:
            for part in _slices(pending):
                self._book(part, ask(part))
                bar.update(len(part))

    def _book(self, part: Mapping[str, str], answer: Mapping[str, Any]) -> None:
        """Count a slice's answer, after its translations are on disk."""
        result, usage, failed = (answer.get(name) or {} for name in ("result", "usage", "failed"))
        self.input_tokens += usage.get("input_tokens", 0)
        self.output_tokens += usage.get("output_tokens", 0)
        translations = {key: result[key] for key in part if result.get(key, "").strip()}
        reason = answer.get("reason", "no translation came back")
        self.failed += [(self.catalogue.name(key), failed.get(key, reason)) for key in part if key not in translations]
        if translations:
            self.catalogue.write(translations)
        self.translated += len(translations)
        if not (translations or any(usage.values())):
            raise NobodyAnswers(reason)


def _slices(texts: Mapping[str, str]) -> Iterator[dict[str, str]]:
    items = iter(texts.items())
    while part := dict(islice(items, SLICE_ENTRIES)):
        yield part
