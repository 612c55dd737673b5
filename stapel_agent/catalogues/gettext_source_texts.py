"""The texts to translate in a gettext catalogue: the msgstr of the source language's file, or else the msgid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from polib import POEntry

from .gettext_file import GettextFile, Identity, identity
from .gettext_plurals import ENGLISH, PluralForms
from .target_paths import is_language, locale_name, path_language, target_path
from .text_file import CatalogueError, TextFile


@dataclass(frozen=True)
class SourceTexts:
    """The complete translations of the source language's file, by entry and field, and its plural forms.

    `has_other_msgids`: whether the msgids are in another language, such as English ones with German translations.
    """

    strings: Mapping[Identity, Mapping[str, str]] = field(default_factory=dict)
    forms: PluralForms = ENGLISH
    has_other_msgids: bool = False

    @classmethod
    def of(cls, file: GettextFile, language: str) -> SourceTexts:
        """Return the texts of `file`, without those that are fuzzy. Raises ValueError for invalid plural forms."""
        forms = PluralForms.of_header(file.metadata.get("Plural-Forms", "")) or PluralForms.of_language(language)
        found = {key: _strings(entry, forms) for key, entry in file.live.items() if not entry.fuzzy}
        strings = {key: texts for key, texts in found.items() if texts}
        differs = any(msgid not in texts.values() for (_, msgid), texts in strings.items())
        return cls(strings, forms, differs and language.partition("_")[0] != "en")

    def of_entry(self, entry: POEntry) -> tuple[Mapping[str, str], PluralForms]:
        """Return the texts of `entry` by field, in the order of their plural forms, and these forms."""
        strings = self.strings.get(identity(entry), {})
        if strings and ("msgstr" in strings) != bool(entry.msgid_plural):
            return strings, self.forms
        msgids = {"msgid": entry.msgid, "msgid_plural": entry.msgid_plural}
        return msgids if entry.msgid_plural else {"msgid": entry.msgid}, ENGLISH


def source_texts(source: Path, target: Path, file: GettextFile, from_lang: str, to: str) -> SourceTexts:
    """Return the texts of the language `from_lang`, or with "auto" of the language of `source`, which holds `file`.

    They are in `source` itself, or in the file that is at its place in `from_lang`. Raises CatalogueError.
    """
    for path in [source] if from_lang == "auto" else [source, target_path(source, from_lang, None)]:
        if not path.is_file() or (target.exists() and path.samefile(target)):
            continue
        try:
            found = file if path == source else GettextFile.read(TextFile.read(path).text)
            language = _language(path, found, from_lang)
            if language and language != locale_name(to):
                return SourceTexts.of(found, language)
        except ValueError as fault:
            raise CatalogueError(f"{str(path)!r} is not a gettext file: {fault}") from fault
    return SourceTexts()


def _language(path: Path, file: GettextFile, from_lang: str) -> str:
    """Return the language of `file` by its header and its path, or an empty string if it is unknown or another."""
    tags = [file.metadata.get("Language", ""), path_language(path)]
    known = [locale_name(tag) for tag in tags if is_language(tag)]
    wanted = known[:1] if from_lang == "auto" else [locale_name(from_lang)]
    return known[0] if known and all(_is_variant(name, wanted[0]) for name in known) else ""


def _is_variant(name: str, other: str) -> bool:
    """Whether two locales are the same, or one is a variant of the other, as `en_GB` is of `en`."""
    return f"{name}_".startswith(f"{other}_") or f"{other}_".startswith(f"{name}_")


def _strings(entry: POEntry, forms: PluralForms) -> dict[str, str]:
    """Return the translations of `entry` by field, or nothing if one is blank."""
    plural = {f"msgstr[{form}]": entry.msgstr_plural.get(form, "") for form in range(forms.count)}
    texts = plural if entry.msgid_plural else {"msgstr": entry.msgstr}
    return texts if all(map(str.strip, texts.values())) else {}
