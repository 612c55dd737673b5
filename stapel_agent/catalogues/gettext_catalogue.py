"""gettext catalogues: .po files, and .pot templates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from polib import POEntry

from .catalogue import Catalogue, ContextOptions
from .gettext_file import GettextFile, identity
from .gettext_formats import UNNAMED, format_of, has_wrong_number, is_strict, protected
from .gettext_plurals import PluralForms, placeholders
from .gettext_source_texts import SourceTexts, source_texts
from .text_file import CatalogueError, TextFile

MAX_LENGTH = re.compile(r"\bmax-length:\s?(\d{1,5})\b")
"""The flag by which Weblate, among others, limits the length of a translation."""


@dataclass(frozen=True)
class Slot:
    """One msgstr to fill: its plural form, if any, and the source text for it."""

    key: str
    form: int | None
    text: str
    msgid: str

    def with_line_breaks(self, translation: str) -> str:
        """Return `translation` with the msgid's line breaks at both ends, as gettext requires."""
        start, end = self.msgid.startswith("\n"), self.msgid.endswith("\n")
        return "\n" * start + translation.strip("\n") + "\n" * end


@dataclass(frozen=True)
class GettextDraft:
    """A target file in memory, with its plural forms."""

    file: GettextFile
    forms: PluralForms


class GettextCatalogue(Catalogue[GettextDraft]):
    """A key is the entry's number in the source, the field to translate, the plural form, and an example number for it.

    The field is a msgstr if the source language's file has one, or else the msgid.
    An empty msgstr is untranslated. A fuzzy translation is kept with its mark unless the policy overwrites it.
    """

    is_own_target: ClassVar[bool] = True
    has_marks: ClassVar[bool] = True

    def own_language(self) -> str:
        return "" if self._source_texts.strings else "en"  # as msgids are, if nothing says otherwise

    def texts(self) -> dict[str, str]:
        forms = self.draft().forms
        return {slot.key: slot.text for number in self._entries for slot in self._slots(number, forms)}

    def name(self, key: str) -> str:
        field = key.split()[1]
        return str(getattr(self._entry(key), field if field == "msgid_plural" else "msgid"))

    def language(self, key: str) -> str:
        is_msgid = key.split()[1].startswith("msgid")
        return "auto" if is_msgid and self._source_texts.has_other_msgids else self.from_lang

    def example(self, key: str) -> str:
        return "".join(key.split()[3:])

    def context(self, key: str, options: ContextOptions) -> str:
        entry = self._entry(key)
        places = ", ".join(":".join(filter(None, place)) for place in entry.occurrences) if options.references else ""
        named = {"Context": entry.msgctxt, "Note": entry.tcomment, "From the program": entry.comment, "In": places}
        return "\n".join(f"{name}: {value}" for name, value in named.items() if value)

    def sources(self, key: str, text: str) -> list[str]:
        entry, form = self._entry(key), key.split()[2:3]
        texts = list(dict.fromkeys([text, *self._source_texts.of_entry(entry)[0].values()]))
        if form and (self.draft().forms.is_for_many(int(form[0])) or _always_shows(entry)):
            shown = max(map(placeholders, texts), key=Counter.total)
            return [text for text in texts if placeholders(text) >= shown]
        return texts

    def only_number(self, key: str) -> int | None:
        form, forms = key.split()[2:3], self.draft().forms
        may_leave_out = form and not (forms.is_for_many(int(form[0])) or _always_shows(self._entry(key)))
        return forms.example(int(form[0])) if may_leave_out else None

    def fault(self, key: str, translation: str) -> str:
        msgid = self._entry(key).msgid
        if has_wrong_number(translation, self._entry(key).flags):
            return "has a placeholder with a number, which its format does not allow"
        for place, has_break in (("begin", str.startswith), ("end", str.endswith)):
            is_wanted = has_break(msgid, "\n")
            if is_wanted != has_break(translation, "\n"):
                return f"must {'' if is_wanted else 'not '}{place} with a line break, to match the msgid"
        return ""

    def format(self, key: str) -> str:
        return format_of(self._entry(key).flags)

    def protect(self, key: str, text: str) -> list[str]:
        return protected(text, self._entry(key).flags)

    def max_length(self, key: str) -> int:
        flags = ",".join(self._entry(key).flags)
        limit = MAX_LENGTH.search(flags)
        return int(limit[1]) if limit else super().max_length(key)

    def translations(self) -> dict[str, str]:
        draft = self.draft()
        existing = [
            (slot.key, self._existing(draft, entry, slot.form))
            for number, entry in self._entries.items()
            for slot in self._slots(number, draft.forms)
        ]
        missing = {key for key, text in existing if not text}
        return {key: text for key, text in existing if key not in missing}

    def fuzzy_keys(self) -> set[str]:
        draft = self.draft()
        fuzzy = {number: entry for number, entry in self._entries.items() if draft.file.is_fuzzy(entry)}
        return {
            slot.key
            for number, entry in fuzzy.items()
            for slot in self._slots(number, draft.forms)
            if self._existing(draft, entry, slot.form)
        }

    def open(self, target: TextFile | None) -> GettextDraft:
        entries = self._entries  # read first, so that an error in the source names the source
        with self._errors_in("target", "cannot be translated"):
            file = GettextFile.read(target.text) if target else GettextFile.begin(self.file.text, self.to)
            draft = GettextDraft(file, file.complete(self.to))
        for entry in entries.values():
            self._check_plural(entry, file)
        return draft

    def fill(self, draft: GettextDraft, keys: Iterable[str], translations: Mapping[str, str]) -> bool:
        changed = False
        for number in dict.fromkeys(map(_number, keys)):
            if strings := self._strings(draft, number, translations):
                entry = self._entries[number]
                fuzzy = self.fuzzy.mark or (draft.file.is_fuzzy(entry) and not self.fuzzy.overwrite)
                draft.file.fill(entry, strings, draft.forms, fuzzy=fuzzy)
                changed = True
        return changed

    def text(self, draft: GettextDraft, target: TextFile | None) -> TextFile:
        return replace(target or self.file, text=str(draft.file), bom=b"")

    @cached_property
    def _entries(self) -> dict[int, POEntry]:
        """The entries of the source that are in use, by number."""
        return {number: entry for number, entry in enumerate(self._source_file) if not entry.obsolete}

    def _entry(self, key: str) -> POEntry:
        return self._entries[_number(key)]

    @cached_property
    def _source_file(self) -> GettextFile:
        with self._errors_in("source", "is not a gettext file"):
            return GettextFile.read(self.file.text)

    @cached_property
    def _source_texts(self) -> SourceTexts:
        return source_texts(self.source, self.target, self._source_file, self.from_lang, self.to)

    def _slots(self, number: int, forms: PluralForms) -> list[Slot]:
        """Return the slots of an entry of the source whose texts are not blank."""
        entry = self._entries[number]
        texts, source_forms = self._source_texts.of_entry(entry)
        if not entry.msgid_plural:
            slots = [Slot(f"{number} {name}", None, text, entry.msgid) for name, text in texts.items()]
        else:
            fields = list(texts)
            origins = forms.origins(list(texts.values()), source_forms, always_shows=_always_shows(entry))
            slots = [
                Slot(
                    f"{number} {fields[origin]} {form} {'' if example is None else example}".strip(),
                    form,
                    texts[fields[origin]],
                    entry.msgid,
                )
                for form, (origin, example) in origins.items()
            ]
        return [slot for slot in slots if slot.text.strip()]

    def _strings(self, draft: GettextDraft, number: int, translations: Mapping[str, str]) -> dict[int | None, str]:
        """Return the complete set of strings for an entry, or nothing if there are no new ones or some are missing.

        An entry with an empty plural form would show an empty text.
        """
        slots = self._slots(number, draft.forms)
        existing = {slot.form: self._existing(draft, self._entries[number], slot.form) for slot in slots}
        new = {
            slot.form: slot.with_line_breaks(translations[slot.key])
            for slot in slots
            if slot.key in translations and (self.overwrite or not existing[slot.form])
        }
        strings = {**existing, **new}
        return strings if new and all(strings.values()) else {}

    def _existing(self, draft: GettextDraft, entry: POEntry, form: int | None) -> str:
        """Return the translation to keep for a form, or an empty string."""
        is_replaced = self.fuzzy.overwrite and draft.file.is_fuzzy(entry)
        return "" if is_replaced else draft.file.translation(entry, form)

    def _check_plural(self, entry: POEntry, file: GettextFile) -> None:
        here = file.live.get(identity(entry))
        if here and bool(here.msgid_plural) != bool(entry.msgid_plural) and not self.overwrite:
            with self._errors_in("target", "cannot be translated"):
                raise ValueError(f"{entry.msgid[:80]!r} has a plural in only one of source and target: run msgmerge")

    @contextmanager
    def _errors_in(self, file: str, fault: str) -> Iterator[None]:
        """Turn a ValueError into a CatalogueError that names the file, `source` or `target`."""
        try:
            yield
        except ValueError as error:
            raise CatalogueError(f"{str(getattr(self, file))!r} {fault}: {error}") from error


def _number(key: str) -> int:
    """The number of an entry, by the key of one of its texts."""
    return int(key.split(" ", 1)[0])


def _always_shows(entry: POEntry) -> bool:
    """Whether `msgfmt --check` requires the plural's placeholders in every form, because they have no names."""
    return is_strict(entry.flags) and any(UNNAMED.match(name) for name in placeholders(entry.msgid_plural))
