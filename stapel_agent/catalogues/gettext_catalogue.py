"""gettext catalogues: .po files, and the .pot templates that they are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from .catalogue import Catalogue
from .files import CatalogueError, TextFile
from .gettext_entries import Entry, read_entries
from .gettext_target import GettextTarget, Slot, with_header


class GettextCatalogue(Catalogue):
    """Keys are line numbers of the source's entries: a msgid as a key would be paid for twice.

    An empty msgstr and a fuzzy one are gaps; what fills them is not fuzzy, or Django would compile without it.
    """

    def texts(self) -> dict[str, str]:
        return {slot.key: slot.text for slot in self._slots(self._target(self.read_target()))}

    def name(self, key: str) -> str:
        number, _, origin = key.partition(" ")
        return self._entry_by_number[int(number)].texts[origin or "msgid"]

    def translations(self) -> dict[str, str]:
        target = self._target(self.read_target())
        slots = self._slots(target)
        gaps = {slot.key for slot in slots if not target.held(slot)}
        return {slot.key: target.held(slot) for slot in slots if slot.key not in gaps}

    def merged(self, target: TextFile | None, translations: Mapping[str, str]) -> TextFile | None:
        held = self._target(target)
        changed = {}
        for entry in self._entries:
            try:
                filled = held.filled(entry, translations, overwrite=self.overwrite)
            except ValueError as fault:
                raise CatalogueError(f"{str(self.target)!r} cannot be translated: {fault}") from fault
            if filled:
                changed[entry.identity] = filled
        if target and not changed:
            return None
        lines = [line for entry in held.with_entries(changed) for line in entry.lines]
        return replace(target or self.file, text="\n".join(lines), mark=b"")

    @cached_property
    def _source(self) -> list[Entry]:
        try:
            return with_header(read_entries(self.file.text))
        except ValueError as fault:
            raise CatalogueError(f"{str(self.source)!r} is no gettext file: {fault}") from fault

    @cached_property
    def _entries(self) -> list[Entry]:
        """What there is to translate."""
        return [entry for entry in self._source if entry.texts and not entry.is_header]

    @cached_property
    def _entry_by_number(self) -> dict[int, Entry]:
        return {entry.number: entry for entry in self._entries}

    def _target(self, file: TextFile | None) -> GettextTarget:
        try:
            return GettextTarget.read(file.text, self.to) if file else GettextTarget.begin(self._source, self.to)
        except ValueError as fault:
            raise CatalogueError(f"{str(self.target)!r} cannot be translated: {fault}") from fault

    def _slots(self, target: GettextTarget) -> list[Slot]:
        return [slot for entry in self._entries for slot in target.slots(entry)]
