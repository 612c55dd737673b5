"""A gettext file: read and written by polib, which takes and drops in silence some of what is refused or kept here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby

import polib

from .gettext_plurals import PluralForms
from .target_paths import is_language, locale_name

Identity = tuple[str | None, str]
"""What gettext looks an entry up by: context and msgid."""

WIDTH = 79
LAID_OUT_OTHERWISE = re.compile(r'^(?:# .{78}|#[^ :,|~].{77}|#: .*\*|(?:msg\S++ )?"\S*+ .{78})', re.MULTILINE)
"""Lines that are not wrapped, and those that polib would not bring through a wrapping as they are."""

MAX_RUN = 10_000
"""Lines of one text or comment: their cost in polib is quadratic."""

LINE = re.compile(
    r"\s*+(?:#(?:~\|?|\|)[ \t]*+)?"
    r'(?:((?:(?:msgctxt|msgid|msgid_plural|msgstr|msgstr\[\d\])[ \t]++)?"(?:[^"\\]|\\[\\"bfnrtv])*+")\s*+|#.*+)?'
)
ESCAPES = r"\" \\ \b \f \n \r \t \v"
MSGID, MSGSTR, FORM = (
    re.compile(rf"^[ \t]*+(?:#~[ \t]*+)?{field}", re.MULTILINE)
    for field in (r"msgid[ \t]", r"msgstr(?:\[0\])?[ \t]", r"msgstr\[")
)
MARKER = re.compile(r"\A(?>#(?:[.:,|~]|(?!#)))(?=\S)")
BARE_MARKERS = {"#.", "#:", "#,", "#|", "#~", "#~|"}

CONTENT_TYPE = "text/plain; charset=UTF-8"
CHARSET = re.compile(r"charset\s*+=\s*+([\w.:-]++)")
UTF8 = {"utf-8", "utf8"}
PLACEHOLDERS = {"charset", "ascii", "us-ascii"}
NEW = {"Last-Translator": "", "Language-Team": "", "Language": ""}
"""Fields that are another's in the header of the source."""


class GettextFile(polib.POFile):
    """The entries but for the header, whose fields are `metadata`."""

    tail = ""
    """What comes after the last entry."""

    @classmethod
    def read(cls, text: str) -> GettextFile:
        """The file that holds `text`. Raises ValueError."""
        lines = text.split("\n")
        end = _end(lines)
        try:
            file = polib.pofile(_Text("\n".join(_palatable(lines[:end]))), klass=cls, encoding="utf-8")
        except OSError as fault:
            raise ValueError(f"{fault}: msgfmt says what is wrong there") from fault
        forms = sum(len(entry.msgstr_plural) for entry in file)
        if len(MSGID.findall(text)) != len(MSGSTR.findall(text)) or len(FORM.findall(text)) != forms:
            raise ValueError("not every msgid has its msgstr, once: msgfmt says where")
        file.wrapwidth = 0 if LAID_OUT_OTHERWISE.search(text) else WIDTH
        file.tail = "\n".join(lines[end:])
        file._check()
        return file

    @classmethod
    def begin(cls, source: str, to: str) -> GettextFile:
        """A new file in the language `to`, with all that is in `source`, untranslated. Raises ValueError."""
        file = cls.read(source)
        if is_language(file.metadata.get("Language", ""), to):
            return file
        forms = PluralForms.of_language(to)
        file[:] = [_emptied(entry, forms) for entry in file if not entry.obsolete]
        revised = f"{datetime.now(UTC):%Y-%m-%d %H:%M%z}"
        file.metadata |= {"PO-Revision-Date": revised, **NEW, "Content-Type": CONTENT_TYPE, "Plural-Forms": ""}
        return file

    @cached_property
    def live(self) -> dict[Identity, polib.POEntry]:
        return {identity(entry): entry for entry in self if not entry.obsolete}

    def complete(self, to: str) -> PluralForms:
        """Give the header what a translation into `to` cannot do without. Raises ValueError if it is not UTF-8."""
        fields = self.metadata
        fields["Language"] = fields.get("Language") or locale_name(to)
        fields["MIME-Version"] = fields.get("MIME-Version") or "1.0"
        fields["Content-Type"] = _content_type(fields.get("Content-Type", ""))
        fields["Content-Transfer-Encoding"] = fields.get("Content-Transfer-Encoding") or "8bit"
        forms = PluralForms.of_header(fields.get("Plural-Forms", ""))
        if forms is None:
            forms = PluralForms.of_language(to)
            fields["Plural-Forms"] = str(forms)
        self.metadata_is_fuzzy = False
        return forms

    def is_fuzzy(self, entry: polib.POEntry) -> bool:
        """Whether the translation here of an entry is marked as one that a person must look at."""
        here = self.live.get(identity(entry))
        return bool(here and here.fuzzy)

    def held(self, entry: polib.POEntry, form: int | None) -> str:
        """The translation here of an entry, in a plural form or None for one without; empty if there is none."""
        here = self.live.get(identity(entry))
        if here is None:
            return ""
        text = here.msgstr if form is None else here.msgstr_plural.get(form, "")
        return text if text.strip() else ""

    def fill(self, entry: polib.POEntry, strings: Mapping[int | None, str], forms: PluralForms, *, fuzzy: bool) -> None:
        """Put `strings`, by plural form, into the entry here of one of the source, and mark it or clear its mark."""
        here = self.live.get(identity(entry))
        if here is None:
            here = _emptied(deepcopy(entry), forms)
            self.append(here)
            self.live[identity(here)] = here
        elif bool(here.msgid_plural) != bool(entry.msgid_plural):
            here.msgid_plural = entry.msgid_plural
            _emptied(here, forms)
        if not (fuzzy and here.fuzzy):
            _settle(here)
            here.flags[:0] = ["fuzzy"] * fuzzy
        for form, string in strings.items():
            if form is None:
                here.msgstr = string
            else:
                here.msgstr_plural[form] = string
        self._written[identity(here)] = self._laid_out(here)

    def ordered_metadata(self) -> list[tuple[str, str]]:
        """The header's fields as they stand, where polib has an order of its own."""
        return list(self.metadata.items())

    def __unicode__(self) -> str:
        comments = [f"#{line}" if line[:1] in (",", ":") else f"# {line}" if line else "#" for line in self._comments]
        entries = [self._laid_out(self.metadata_as_entry()), *self._written.values(), *self._obsolete]
        return "".join(f"{comment}\n" for comment in comments) + "\n".join(entries) + self.tail

    @property
    def _comments(self) -> list[str]:
        return self.header.split("\n") if self.header else []

    @cached_property
    def _written(self) -> dict[Identity, str]:
        """Entries as they are written, which takes time to find out: one that is filled has another text then."""
        return {identity(entry): self._laid_out(entry) for entry in self if not entry.obsolete}

    @cached_property
    def _obsolete(self) -> list[str]:
        return [self._laid_out(entry) for entry in self.obsolete_entries()]

    def _laid_out(self, entry: polib.POEntry) -> str:
        return str(entry.__unicode__(self.wrapwidth))

    def _check(self) -> None:
        seen: set[Identity] = {(None, "")}
        for entry in self:
            name = entry.msgid[:80]
            if bool(entry.msgid_plural) != bool(entry.msgstr_plural):
                raise ValueError(f"{name!r} has a plural in its msgid or its msgstr alone: give it to both")
            if not entry.obsolete:
                if identity(entry) in seen:
                    raise ValueError(f"{name!r} is there twice: msguniq makes one of them")
                seen.add(identity(entry))


class _Text(str):
    """Text in lines that polib takes. Its own way to split would cut a msgid at other separators than line breaks."""

    __slots__ = ()

    def splitlines(self, keepends: bool = False) -> list[str]:
        return self.split("\n")


def identity(entry: polib.POEntry) -> Identity:
    return entry.msgctxt, entry.msgid


def _end(lines: list[str]) -> int:
    """How many lines there are up to the last of an entry. Raises ValueError for one that is none of gettext's."""
    end = 0
    for number, line in enumerate(lines, 1):
        match = LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"line {number} is none of a gettext file, or has an escape other than {ESCAPES}")
        end = number if match[1] else end
    return end


def _palatable(lines: list[str]) -> list[str]:
    """`lines` as polib takes and keeps them. Raises ValueError for what would take it too long."""
    palatable = [_marked(line.strip()) for line in lines]
    for start, run in groupby(line[:1] for line in palatable if line):
        if sum(1 for _ in run) > MAX_RUN:
            raise ValueError(f"more than {MAX_RUN:,} lines in a row begin with {start}: part them")
    return palatable


def _marked(line: str) -> str:
    """`line` with a blank after its marker, and the old msgid of an obsolete entry, which polib skips, as any other."""
    if line in BARE_MARKERS:
        return ""
    return MARKER.sub(r"\g<0> ", f"#|{line[3:]}" if line.startswith("#~|") else line)


def _emptied(entry: polib.POEntry, forms: PluralForms) -> polib.POEntry:
    entry.msgstr = ""
    entry.msgstr_plural = dict.fromkeys(range(forms.count), "") if entry.msgid_plural else {}
    _settle(entry)
    return entry


def _settle(entry: polib.POEntry) -> None:
    """Make `entry` not fuzzy, and have it forget the msgid it had before."""
    entry.flags = [flag for flag in dict.fromkeys(entry.flags) if flag not in ("", "fuzzy")]
    entry.previous_msgctxt = entry.previous_msgid = entry.previous_msgid_plural = None


def _content_type(value: str) -> str:
    charset = CHARSET.search(value)
    if charset is None or charset[1].lower() in PLACEHOLDERS:
        return CONTENT_TYPE
    if charset[1].lower() not in UTF8:
        raise ValueError(f"its charset is {charset[1]}: make it UTF-8 with msgconv -t UTF-8")
    return value
