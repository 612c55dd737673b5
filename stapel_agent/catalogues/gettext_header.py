"""The header of a gettext file: the fields that readers of its translations depend on."""

from __future__ import annotations

import re

from .gettext_entries import Entry
from .gettext_plurals import PluralForms
from .targets import locale_name

CONTENT_TYPE = "text/plain; charset=UTF-8"
CHARSET = re.compile(r"charset\s*+=\s*+([\w.:-]++)")
UTF8 = {"utf-8", "utf8"}
PLACEHOLDERS = {"charset", "ascii", "us-ascii"}
NEW = {
    "PO-Revision-Date": "YEAR-MO-DA HO:MI+ZONE",
    "Last-Translator": "",
    "Language-Team": "",
    "Language": "",
    "Content-Type": "",
    "Plural-Forms": "",
}
"""Fields that are another's in the header of the source."""


def plural_forms(header: Entry, to: str) -> PluralForms:
    """Those that the file says it has; those of the language where it says none. Raises ValueError."""
    return PluralForms.of_header(_fields(header).get("Plural-Forms", "")) or PluralForms.of_language(to)


def completed(header: Entry, to: str) -> Entry:
    """`header` with what a translation into `to` cannot do without. Raises ValueError if it says it is not UTF-8."""
    fields = _fields(header)
    completed = {
        **fields,
        "Language": fields.get("Language") or locale_name(to),
        "MIME-Version": fields.get("MIME-Version") or "1.0",
        "Content-Type": _content_type(fields.get("Content-Type", "")),
        "Content-Transfer-Encoding": fields.get("Content-Transfer-Encoding") or "8bit",
    }
    if PluralForms.of_header(fields.get("Plural-Forms", "")) is None:
        completed["Plural-Forms"] = str(PluralForms.of_language(to))
    return header if completed == fields else _with_fields(header, completed)


def begun(header: Entry, to: str) -> Entry:
    """The header of a new file in the language `to`, made from that of its source; nobody has translated it yet."""
    return completed(_with_fields(header, {**_fields(header), **NEW}), to)


def _fields(header: Entry) -> dict[str, str]:
    lines = (line.partition(":") for line in header.texts["msgstr"].splitlines())
    return {name.strip(): value.strip() for name, colon, value in lines if colon}


def _with_fields(header: Entry, fields: dict[str, str]) -> Entry:
    return header.with_strings({"msgstr": "".join(f"{name}: {value}\n" for name, value in fields.items())})


def _content_type(value: str) -> str:
    charset = CHARSET.search(value)
    if charset is None or charset[1].lower() in PLACEHOLDERS:
        return CONTENT_TYPE
    if charset[1].lower() not in UTF8:
        raise ValueError(f"its charset is {charset[1]}: make it UTF-8 with msgconv -t UTF-8")
    return value
