"""Translate a catalogue into one language, slice by slice, and count the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from tqdm import tqdm

from stapel_agent.catalogues import Catalogue, ContextOptions
from stapel_agent.conf import agent_settings

Ask = Callable[[str, Mapping[str, Any], str], Mapping[str, Any]]
"""Translates a slice of entries from a language, with a hint about them, and returns the answer dict."""

UNCHANGED = "came back untranslated; it is in the file, to be reviewed"
UNEVEN = "an array differs in length from the source's; items are matched by position, so review them"


class NoProvider(Exception):
    """No provider could be asked, so the next slice would fail too."""


@dataclass
class CatalogueTranslation:
    """Counts of texts and tokens. `failed` has names of texts with the reason, `doubtful` those to be reviewed."""

    catalogue: Catalogue[Any]
    context_options: ContextOptions = ContextOptions()
    total: int = 0
    kept: int = 0
    fuzzy: int = 0
    translated: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    doubtful: list[tuple[str, str]] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0

    def pending(self) -> dict[str, str]:
        """Return the texts to translate. Sets `total`, `kept`, and how many of those are `fuzzy`."""
        texts = self.catalogue.texts()
        existing = {} if self.catalogue.overwrite else self.catalogue.translations()
        pending = {key: text for key, text in texts.items() if key not in existing}
        self.total, self.kept = len(texts), len(texts) - len(pending)
        self.doubtful += [(self.catalogue.name(key), UNEVEN) for key in self.catalogue.uneven_arrays()]
        self.fuzzy = len(existing.keys() & self.catalogue.fuzzy_keys())
        return pending

    @property
    def left(self) -> int:
        """The number of texts that no model was asked for."""
        return self.total - self.kept - self.translated - len(self.failed)

    def run(self, ask: Ask, *, quiet: bool = False) -> None:
        """Translate the pending texts, with a progress bar on a terminal. Raises NoProvider or CatalogueError."""
        pending = self.pending()
        if not pending:
            self.catalogue.write({})
            return
        # `disable=None` hides the bar without a terminal.
        with tqdm(total=len(pending), desc=self.catalogue.to, unit="text", disable=quiet or None) as bar:
            for language, hint, part in self.slices(pending):
                self._record(part, ask(language, self.entries(part), hint))
                bar.update(len(part))

    def entries(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Return `texts` as entries of `services.translate()`, with their contexts and formats."""
        return {key: self.catalogue.entry(key, text, self.context_options) for key, text in texts.items()}

    def slices(self, texts: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Yield the language, the hint and the texts of what is asked for at once. The target is written after each."""
        size = agent_settings.TRANSLATE_CHUNK_ENTRIES * agent_settings.TRANSLATE_CONCURRENCY
        groups: dict[tuple[str, str], dict[str, str]] = {}
        for key, text in texts.items():
            groups.setdefault((self.catalogue.language(key), self.catalogue.hint(key)), {})[key] = text
        for (language, hint), group in groups.items():
            items = iter(group.items())
            while part := dict(islice(items, size)):
                yield language, hint, part

    def _record(self, part: Mapping[str, str], answer: Mapping[str, Any]) -> None:
        """Write the translations of a slice to the target, and count them."""
        result, usage, failed = (answer.get(name) or {} for name in ("result", "usage", "failed"))
        self.input_tokens += usage.get("input_tokens", 0)
        self.output_tokens += usage.get("output_tokens", 0)
        translations = {key: result[key] for key in part if result.get(key, "").strip()}
        reason = answer.get("reason", "no translation came back")
        warnings = {**dict.fromkeys(answer.get("unchanged", ()), UNCHANGED), **answer.get("warnings", {})}
        self.doubtful += [(self.catalogue.name(key), warnings[key]) for key in translations if key in warnings]
        self.failed += [(self.catalogue.name(key), failed.get(key, reason)) for key in part if key not in translations]
        if translations:
            self.catalogue.write(translations)
        self.translated += len(translations)
        if not (translations or any(usage.values())):
            raise NoProvider(reason)
