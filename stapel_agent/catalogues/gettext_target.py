"""The gettext file that translations go into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from .gettext_entries import Entry, read_entries
from .gettext_header import begun, completed, plural_forms
from .gettext_plurals import PluralForms

NO_HEADER = Entry(0, ['msgid ""', 'msgstr ""'], {"msgid": "", "msgstr": ""})
Identity = tuple[str | None, str | None]


@dataclass(frozen=True)
class Slot:
    """A place for a translation: its keyword in an entry, and the keyword of the text that it translates."""

    entry: Entry
    keyword: str
    origin: str

    @property
    def key(self) -> str:
        return f"{self.entry.number}" if self.origin == "msgid" else f"{self.entry.number} {self.origin}"

    @property
    def text(self) -> str:
        return self.entry.texts[self.origin]

    def fitted(self, translation: str) -> str:
        """`translation` with a line break at either end just where the text has one, as gettext demands."""
        start, end = self.text.startswith("\n"), self.text.endswith("\n")
        return "\n" * start + translation.strip("\n") + "\n" * end


@dataclass(frozen=True)
class GettextTarget:
    """Its entries, the header among them, and the plural forms that they have."""

    entries: list[Entry]
    forms: PluralForms

    @classmethod
    def read(cls, text: str, to: str) -> GettextTarget:
        """The file that holds `text`. Raises ValueError."""
        entries = with_header(read_entries(text))
        header = next(entry for entry in entries if entry.is_header)
        whole = completed(header, to)
        return cls([whole if entry is header else entry for entry in entries], plural_forms(whole, to))

    @classmethod
    def begin(cls, source: list[Entry], to: str) -> GettextTarget:
        """A new file in the language `to`, with all that is in `source`, untranslated."""
        forms = PluralForms.of_language(to)
        entries = [
            begun(entry, to) if entry.is_header else _untranslated(entry, forms)
            for entry in source
            if not entry.is_obsolete
        ]
        return cls(entries, forms)

    @cached_property
    def live(self) -> dict[Identity, Entry]:
        """The entries by what gettext looks them up by."""
        return {entry.identity: entry for entry in self.entries if entry.texts}

    def slots(self, entry: Entry) -> list[Slot]:
        """The places that an entry of the source has here, for texts that are not blank."""
        slots = (Slot(entry, keyword, origin) for keyword, origin in self.forms.origins(entry).items())
        return [slot for slot in slots if slot.text.strip()]

    def held(self, slot: Slot) -> str:
        """The translation that is there; empty if it is none, or fuzzy."""
        entry = self.live.get(slot.entry.identity)
        text = "" if entry is None or entry.is_fuzzy else entry.texts.get(slot.keyword, "")
        return text if text.strip() else ""

    def filled(self, entry: Entry, translations: Mapping[str, str], *, overwrite: bool) -> Entry | None:
        """The entry here of an entry of the source, with `translations` in it; None if there are none for it.

        Plural forms are filled all or none, since gettext shows an empty one as it is. Raises ValueError where only
        one of the two entries has them.
        """
        here = self.live.get(entry.identity)
        if here and here.is_plural != entry.is_plural and not overwrite:
            name = entry.texts["msgid"][:80]
            raise ValueError(f"only one of it and its source has a plural of {name!r}: msgmerge them")
        slots = self.slots(entry)
        new = {
            slot.keyword: slot.fitted(translations[slot.key])
            for slot in slots
            if slot.key in translations and (overwrite or not self.held(slot))
        }
        strings = {slot.keyword: new.get(slot.keyword) or self.held(slot) for slot in slots}
        if not new or not all(strings.values()):
            return None
        if here is None or here.is_plural != entry.is_plural:
            here = _untranslated(entry, self.forms)
        return here.with_strings({**here.strings, **strings})

    def with_entries(self, changed: Mapping[Identity, Entry]) -> list[Entry]:
        """All entries, with `changed` in place of those of the same identity, and the others of them at the end."""
        entries = [changed.get(entry.identity, entry) if entry.texts else entry for entry in self.entries]
        added = [_apart(entry) for identity, entry in changed.items() if identity not in self.live]
        end = max(index for index, entry in enumerate(entries) if entry.texts) + 1
        return [*entries[:end], *added, *entries[end:]]


def with_header(entries: list[Entry]) -> list[Entry]:
    """`entries`, begun by an empty header if there is none."""
    if any(entry.is_header for entry in entries):
        return entries
    return [NO_HEADER, *(_apart(entry) for entry in entries[:1]), *entries[1:]]


def _untranslated(entry: Entry, forms: PluralForms) -> Entry:
    return entry.with_strings(dict.fromkeys(forms.origins(entry), "")) if entry.texts else entry


def _apart(entry: Entry) -> Entry:
    """`entry` with a blank line before it, and just one."""
    first = next((index for index, line in enumerate(entry.lines) if line.strip()), len(entry.lines))
    return Entry(entry.number, ["", *entry.lines[first:]], entry.texts)
