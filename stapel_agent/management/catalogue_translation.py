"""The translation of a catalogue into one language, slice by slice, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from tqdm import tqdm

from stapel_agent.catalogues import Catalogue, Telling
from stapel_agent.conf import agent_settings

Ask = Callable[[Mapping[str, Any], str], Mapping[str, Any]]
"""The facade's answer dict to a slice of texts, and a sentence on what they must fit."""


class NobodyAnswers(Exception):
    """The provider cannot be asked, or not like this: to ask for the next slice is no use."""


@dataclass
class CatalogueTranslation:
    """Counts of texts and tokens; `failed` are names of texts with the reasons."""

    catalogue: Catalogue[Any]
    telling: Telling = Telling()
    total: int = 0
    kept: int = 0
    translated: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0

    def pending(self) -> dict[str, str]:
        """The texts to ask for; how many there are, and how many translations stay, is counted."""
        texts = self.catalogue.texts()
        held = {} if self.catalogue.overwrite else self.catalogue.translations()
        pending = {key: text for key, text in texts.items() if key not in held}
        self.total, self.kept = len(texts), len(texts) - len(pending)
        return pending

    @property
    def left(self) -> int:
        """Texts that nobody was asked for."""
        return self.total - self.kept - self.translated - len(self.failed)

    def run(self, ask: Ask, *, quiet: bool = False) -> None:
        """Translate what is pending, with a progress bar on a terminal. Raises NobodyAnswers or CatalogueError."""
        pending = self.pending()
        if not pending:
            self.catalogue.write({})
            return
        # Without a terminal, `disable=None` is silence.
        with tqdm(total=len(pending), desc=self.catalogue.to, unit="text", disable=quiet or None) as bar:
            for hint, part in self.slices(pending):
                self._book(part, ask(self.entries(part), hint))
                bar.update(len(part))

    def entries(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """`texts` as the facade takes them, with what the file says about each."""
        return {key: self.catalogue.entry(key, text, self.telling) for key, text in texts.items()}

    def slices(self, texts: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
        """The texts of each hint, as many at once as the facade asks for at once: the target is written after each."""
        size = agent_settings.TRANSLATE_CHUNK_ENTRIES * agent_settings.TRANSLATE_CONCURRENCY
        by_hint: dict[str, dict[str, str]] = {}
        for key, text in texts.items():
            by_hint.setdefault(self.catalogue.hint(key), {})[key] = text
        for hint, group in by_hint.items():
            items = iter(group.items())
            while part := dict(islice(items, size)):
                yield hint, part

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
