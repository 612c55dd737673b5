"""gettext catalogues: .po files, and the .pot templates that they are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

from polib import POEntry

from .catalogue import Catalogue, Telling
from .files import CatalogueError, TextFile
from .gettext_file import GettextFile, identity
from .gettext_plurals import PluralForms

FORMATS = {
    "c-format": "printf",
    "objc-format": "apple",
    "python-format": "python",
    "python-brace-format": "python-brace",
    "qt-format": "qt",
    "qt-plural-format": "qt",
    "kde-format": "kde",
    "php-format": "php",
    "sh-format": "shell",
    "ruby-format": "rails",
}
"""gettext's flags for the formats of texts."""


@dataclass(frozen=True)
class Slot:
    """A place for a translation: the plural form, if any, and what in the source's entry it translates."""

    key: str
    form: int | None
    text: str

    def fitted(self, translation: str) -> str:
        """`translation` with a line break at either end just where the text has one, as gettext demands."""
        start, end = self.text.startswith("\n"), self.text.endswith("\n")
        return "\n" * start + translation.strip("\n") + "\n" * end


@dataclass(frozen=True)
class GettextDraft:
    """A target file in memory, with the plural forms that it has."""

    file: GettextFile
    forms: PluralForms


class GettextCatalogue(Catalogue[GettextDraft]):
    """A key is an entry's number in the source, the field that is translated, and a number that stands for its form.

    An empty msgstr is a gap. A fuzzy one is somebody's, and stays with its mark unless fuzzy ones are overwritten.
    """

    def texts(self) -> dict[str, str]:
        forms = self.draft().forms
        return {slot.key: slot.text for number in self._entries for slot in self._slots(number, forms)}

    def name(self, key: str) -> str:
        number, field = key.split()[:2]
        return str(getattr(self._entries[int(number)], field))

    def hint(self, key: str) -> str:
        example = key.split()[2:]
        return f"Each text stands where the number is, for example, {example[0]}." if example else ""

    def context(self, key: str, telling: Telling) -> str:
        entry = self._entries[int(key.split(" ", 1)[0])]
        places = ", ".join(":".join(filter(None, place)) for place in entry.occurrences) if telling.references else ""
        named = {"Context": entry.msgctxt, "Note": entry.tcomment, "From the program": entry.comment, "In": places}
        return "\n".join(f"{name}: {value}" for name, value in named.items() if value)

    def sources(self, key: str, text: str) -> list[str]:
        entry = self._entries[int(key.split(" ", 1)[0])]
        return [text, entry.msgid, entry.msgid_plural] if entry.msgid_plural else [text]

    def format(self, key: str) -> str:
        flags = self._entries[int(key.split(" ", 1)[0])].flags
        return next((FORMATS[flag] for flag in flags if flag in FORMATS), "")

    def translations(self) -> dict[str, str]:
        draft = self.draft()
        held = [
            (slot.key, self._held(draft, entry, slot.form))
            for number, entry in self._entries.items()
            for slot in self._slots(number, draft.forms)
        ]
        gaps = {key for key, text in held if not text}
        return {key: text for key, text in held if key not in gaps}

    def open(self, target: TextFile | None) -> GettextDraft:
        entries = self._entries  # so that a fault of the source is called one
        with self._naming("target", "cannot be translated"):
            file = GettextFile.read(target.text) if target else GettextFile.begin(self.file.text, self.to)
            draft = GettextDraft(file, file.complete(self.to))
        for entry in entries.values():
            self._check_plural(entry, file)
        return draft

    def fill(self, draft: GettextDraft, keys: Iterable[str], translations: Mapping[str, str]) -> bool:
        changed = False
        for number in dict.fromkeys(int(key.split(" ", 1)[0]) for key in keys):
            if strings := self._strings(draft, number, translations):
                entry = self._entries[number]
                fuzzy = self.fuzzy.mark or (draft.file.is_fuzzy(entry) and not self.fuzzy.overwrite)
                draft.file.fill(entry, strings, draft.forms, fuzzy=fuzzy)
                changed = True
        return changed

    def text(self, draft: GettextDraft, target: TextFile | None) -> TextFile:
        return replace(target or self.file, text=str(draft.file), mark=b"")

    @cached_property
    def _entries(self) -> dict[int, POEntry]:
        """What there is to translate."""
        with self._naming("source", "is no gettext file"):
            file = GettextFile.read(self.file.text)
        return {number: entry for number, entry in enumerate(file) if not entry.obsolete}

    def _slots(self, number: int, forms: PluralForms) -> list[Slot]:
        """The places for translations of an entry of the source, for texts that are not blank."""
        entry = self._entries[number]
        if not entry.msgid_plural:
            slots = [Slot(f"{number} msgid", None, entry.msgid)]
        else:
            slots = [
                Slot(f"{number} {field} {'' if example is None else example}".strip(), form, getattr(entry, field))
                for form, (field, example) in forms.origins(entry.msgid, entry.msgid_plural).items()
            ]
        return [slot for slot in slots if slot.text.strip()]

    def _strings(self, draft: GettextDraft, number: int, translations: Mapping[str, str]) -> dict[int | None, str]:
        """What an entry is to hold with `translations`; nothing where they are none for it, or not for all its forms,
        since gettext shows an empty one as it is.
        """
        slots = self._slots(number, draft.forms)
        held = {slot.form: self._held(draft, self._entries[number], slot.form) for slot in slots}
        new = {
            slot.form: slot.fitted(translations[slot.key])
            for slot in slots
            if slot.key in translations and (self.overwrite or not held[slot.form])
        }
        strings = {**held, **new}
        return strings if new and all(strings.values()) else {}

    def _held(self, draft: GettextDraft, entry: POEntry, form: int | None) -> str:
        """The translation in a form that is to stay; empty where there is none."""
        is_replaced = self.fuzzy.overwrite and draft.file.is_fuzzy(entry)
        return "" if is_replaced else draft.file.held(entry, form)

    def _check_plural(self, entry: POEntry, file: GettextFile) -> None:
        here = file.live.get(identity(entry))
        if here and bool(here.msgid_plural) != bool(entry.msgid_plural) and not self.overwrite:
            with self._naming("target", "cannot be translated"):
                raise ValueError(f"only one of it and its source has a plural of {entry.msgid[:80]!r}: msgmerge them")

    @contextmanager
    def _naming(self, file: str, fault: str) -> Iterator[None]:
        """Turn a ValueError inside into a CatalogueError that names `source` or `target`."""
        try:
            yield
        except ValueError as error:
            raise CatalogueError(f"{str(getattr(self, file))!r} {fault}: {error}") from error
