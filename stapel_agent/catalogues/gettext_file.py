"""A gettext file, read and written with polib. Anything that polib would drop silently is kept or rejected here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby

import polib

from .gettext_blocks import Block, Layout
from .gettext_plurals import PluralForms
from .target_paths import is_language, locale_name

Identity = tuple[str | None, str]
"""How gettext finds an entry: context and msgid."""

WIDTH = 79
NOT_WRAPPED = re.compile(r'^(?:# .{78}|#[^ :,|~].{77}|#: .*\*|(?:msg\S++ )?"\S*+ .{78})', re.MULTILINE)
"""Lines that are not wrapped, and lines that polib would change when it wraps them."""

MAX_RUN = 10_000
"""Maximum lines of one text or comment: polib needs quadratic time for them."""

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
MIME = {"MIME-Version": "1.0", "Content-Transfer-Encoding": "8bit"}
"""Header fields that a new file has at least."""
RESET = {"Last-Translator": "", "Language-Team": "", "Language": ""}
"""Header fields that a new file does not take over from the source."""


class GettextFile(polib.POFile):
    """The entries without the header, whose fields are in `metadata`."""

    _blocks: dict[Identity, Block]
    _lines: list[str]
    _end: int
    """The number of `_lines` up to the end of the last entry."""

    @classmethod
    def read(cls, text: str) -> GettextFile:
        """Parse `text`. Raises ValueError."""
        lines = text.split("\n")
        end = _end(lines)
        try:
            file = polib.pofile(_Text("\n".join(_for_polib(lines[:end]))), klass=cls, encoding="utf-8")
        except OSError as fault:
            raise ValueError(f"{fault}: run msgfmt to find the error") from fault
        forms = sum(len(entry.msgstr_plural) for entry in file)
        if len(MSGID.findall(text)) != len(MSGSTR.findall(text)) or len(FORM.findall(text)) != forms:
            raise ValueError("every msgid must have exactly one msgstr: run msgfmt to find the error")
        file._check()
        file._lines, file._end = lines, end
        after_header = text.find("\n\n") + 1
        file.wrapwidth = 0 if NOT_WRAPPED.search(text, after_header) else WIDTH
        return file

    @classmethod
    def begin(cls, source: str, to: str) -> GettextFile:
        """Return a new file in the language `to`, with the entries of `source` untranslated. Raises ValueError."""
        file = cls.read(source)
        if is_language(file.metadata.get("Language", ""), to):
            return file
        forms = PluralForms.of_language(to)
        file[:] = [_without_translation(entry, forms) for entry in file if not entry.obsolete]
        revised = f"{datetime.now(UTC):%Y-%m-%d %H:%M%z}"
        file.metadata |= {"PO-Revision-Date": revised, **RESET, "Content-Type": CONTENT_TYPE, "Plural-Forms": ""}
        file.metadata |= {name: file.metadata.get(name) or value for name, value in MIME.items()}
        file.metadata_is_fuzzy = False
        comments = [f"#{line}" if line[:1] in (",", ":") else f"# {line}" if line else "#" for line in file._comments]
        entries = "\n".join(map(file._serialized, [file.metadata_as_entry(), *file])).split("\n")
        file._lines = [*comments, *entries[:-1], *(file._lines[file._end :] or [""])]
        return file

    @cached_property
    def live(self) -> dict[Identity, polib.POEntry]:
        return {identity(entry): entry for entry in self if not entry.obsolete}

    def complete(self, to: str) -> PluralForms:
        """Add the header fields that a translation needs. Raises ValueError if the file is not UTF-8."""
        layout, fields = self._layout, self.metadata
        before = dict(fields)
        fields["Language"] = fields.get("Language") or locale_name(to)
        fields["Content-Type"] = _content_type(fields.get("Content-Type", ""))
        forms = PluralForms.of_header(fields.get("Plural-Forms", ""))
        if forms is None:
            forms = PluralForms.of_language(to)
            fields["Plural-Forms"] = str(forms)
        if changed := {name: value for name, value in fields.items() if before.get(name) != value}:
            self.metadata_is_fuzzy = False
            layout.set_header(changed, self._serialized(self.metadata_as_entry()))
        return forms

    def is_fuzzy(self, entry: polib.POEntry) -> bool:
        """Whether the translation of `entry` in this file is marked as fuzzy."""
        here = self.live.get(identity(entry))
        return bool(here and here.fuzzy)

    def translation(self, entry: polib.POEntry, form: int | None) -> str:
        """Return the translation of `entry` in this file, or an empty string. `form` is None without a plural."""
        here = self.live.get(identity(entry))
        if here is None:
            return ""
        text = here.msgstr if form is None else here.msgstr_plural.get(form, "")
        return text if text.strip() else ""

    def fill(self, entry: polib.POEntry, strings: Mapping[int | None, str], forms: PluralForms, *, fuzzy: bool) -> None:
        """Write `strings`, by plural form, for an entry of the source, and set or clear the mark `fuzzy`."""
        here = self.live.get(identity(entry))
        is_new = here is None or bool(here.msgid_plural) != bool(entry.msgid_plural)
        if here is None:
            here = _without_translation(deepcopy(entry), forms)
            self.append(here)
            self.live[identity(here)] = here
        elif is_new:
            here.msgid_plural = entry.msgid_plural
            _without_translation(here, forms)
        if not (fuzzy and here.fuzzy):
            _clear_fuzzy(here)
            here.flags[:0] = ["fuzzy"] * fuzzy
        for form, string in strings.items():
            if form is None:
                here.msgstr = string
            else:
                here.msgstr_plural[form] = string
        self._write(here, is_new=is_new)

    def ordered_metadata(self) -> list[tuple[str, str]]:
        """The header fields in the file's order, instead of polib's own."""
        return list(self.metadata.items())

    def __unicode__(self) -> str:
        return str(self._layout)

    @cached_property
    def _layout(self) -> Layout:
        """The file as it is written. Only what changes is serialized again. Raises ValueError."""
        layout = Layout(self._lines)
        if len(layout.entries) != len(self):
            raise ValueError("its entries cannot be told apart: run msgfmt to find the error")
        self._blocks = {
            identity(entry): block for entry, block in zip(self, layout.entries, strict=True) if not entry.obsolete
        }
        return layout

    def _write(self, entry: polib.POEntry, *, is_new: bool) -> None:
        serialized, block = self._serialized(entry), self._blocks.get(identity(entry))
        if block is None:
            self._blocks[identity(entry)] = self._layout.add(serialized)
            return
        if is_new:
            block.replace(serialized)
        else:
            block.translate(serialized, entry.flags)
        self._layout.update(block)

    @property
    def _comments(self) -> list[str]:
        return self.header.split("\n") if self.header else []

    def _serialized(self, entry: polib.POEntry) -> str:
        return str(entry.__unicode__(self.wrapwidth))

    def _check(self) -> None:
        seen: set[Identity] = {(None, "")}
        for entry in self:
            name = entry.msgid[:80]
            if bool(entry.msgid_plural) != bool(entry.msgstr_plural):
                raise ValueError(f"{name!r} has a plural in only one of msgid and msgstr: add it to the other")
            if not entry.obsolete:
                if identity(entry) in seen:
                    raise ValueError(f"{name!r} occurs twice: merge the two with msguniq")
                seen.add(identity(entry))


class _Text(str):
    """Text that polib splits at line breaks only. By default, it would split a msgid at other separators too."""

    __slots__ = ()

    def splitlines(self, keepends: bool = False) -> list[str]:
        return self.split("\n")


def identity(entry: polib.POEntry) -> Identity:
    return entry.msgctxt, entry.msgid


def _end(lines: list[str]) -> int:
    """Return the number of lines up to the end of the last entry. Raises ValueError for a line that is not gettext."""
    end = 0
    for number, line in enumerate(lines, 1):
        match = LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"line {number} is not valid in a gettext file, or has an escape other than {ESCAPES}")
        end = number if match[1] else end
    return end


def _for_polib(lines: list[str]) -> list[str]:
    """Return `lines` in a form that polib keeps. Raises ValueError if polib would need too long."""
    palatable = [_marked(line.strip()) for line in lines]
    for start, run in groupby(_start(line) for line in palatable if line):
        if start in ("#", '"') and sum(1 for _ in run) > MAX_RUN:
            raise ValueError(f"more than {MAX_RUN:,} lines in a row begin with {start}: split them up")
    return palatable


def _start(line: str) -> str:
    """Return the first character of a line, or of what is obsolete in it."""
    return line.removeprefix("#~").lstrip()[:1]


def _marked(line: str) -> str:
    """Add a space after the marker. Turn `#~|` into `#|`, since polib skips the previous msgid of obsolete entries."""
    if line in BARE_MARKERS:
        return ""
    return MARKER.sub(r"\g<0> ", f"#|{line[3:]}" if line.startswith("#~|") else line)


def _without_translation(entry: polib.POEntry, forms: PluralForms) -> polib.POEntry:
    entry.msgstr = ""
    entry.msgstr_plural = dict.fromkeys(range(forms.count), "") if entry.msgid_plural else {}
    _clear_fuzzy(entry)
    return entry


def _clear_fuzzy(entry: polib.POEntry) -> None:
    """Clear the mark `fuzzy`, and the previous msgid that explains it."""
    entry.flags = [flag for flag in dict.fromkeys(entry.flags) if flag not in ("", "fuzzy")]
    entry.previous_msgctxt = entry.previous_msgid = entry.previous_msgid_plural = None


def _content_type(value: str) -> str:
    charset = CHARSET.search(value)
    if charset is None or charset[1].lower() in PLACEHOLDERS:
        return CONTENT_TYPE
    if charset[1].lower() not in UTF8:
        raise ValueError(f"its charset is {charset[1]}: convert it with msgconv -t UTF-8")
    return value
