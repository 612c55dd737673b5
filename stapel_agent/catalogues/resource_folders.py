"""The folders of Android's and Apple's resources, one per language: `values-pt-rBR` and `pt-BR.lproj`.

Sources: Android developers, "App resources overview", table of qualifiers; Apple, "Managing language-specific files".
"""

from __future__ import annotations

import re
from pathlib import Path

from babel.core import parse_locale

from stapel_agent.language_tags import bcp47

from .target_paths import is_language, locale_name, target_path

OLDER_CODES = {"he": "iw", "id": "in", "yi": "ji"}
"""The codes that Android Studio uses."""
NEWER_CODES = {older: code for code, older in OLDER_CODES.items()}
REGION = re.compile(r"r[A-Z]{2}")


def android_target(source: Path, to: str, folder: Path | None, from_lang: str = "auto") -> Path:
    """Return `values-<language>/<name>` for a file in `values`, in the language's folder if there is one already."""
    parent = source.absolute().parent
    values, *qualifiers = parent.name.split("-")
    if values != "values":
        return target_path(source, to, folder, from_lang)
    if qualifiers and (qualifiers[0].startswith("b+") or is_language(NEWER_CODES.get(qualifiers[0], qualifiers[0]))):
        qualifiers = qualifiers[2:] if REGION.fullmatch("".join(qualifiers[1:2])) else qualifiers[1:]
    base = folder or source.parent.parent if source.parent.name else folder or parent.parent
    names = ["-".join(["values", locale, *qualifiers]) for locale in _android_locales(to)]
    name = next((name for name in names if (base / name).is_dir()), names[0])
    return base / name / source.name


def apple_target(source: Path, to: str, folder: Path | None, from_lang: str = "auto") -> Path:
    """Return `<language>.lproj/<name>` for a file in a folder of this kind."""
    parent = source.absolute().parent
    if parent.suffix != ".lproj":
        return target_path(source, to, folder, from_lang)
    base = folder or parent.parent
    names = [f"{locale_name(to).replace('_', separator)}.lproj" for separator in "-_"]
    return base / next((name for name in names if (base / name).is_dir()), names[0]) / source.name


def _android_locales(to: str) -> list[str]:
    """Return the qualifiers for a language: the usual one, then others that Android reads."""
    language, territory, script, variant = parse_locale(bcp47(locale_name(to)).replace("-", "_"))[:4]
    subtags = [part for part in (language, script, territory, variant) if part]
    tagged = "b+" + "+".join(subtags)
    if script or variant or (territory and not territory.isalpha()):
        return [tagged]
    codes = [OLDER_CODES.get(language, language), language]
    return [*dict.fromkeys(f"{code}-r{territory}" if territory else code for code in codes), tagged]
