"""The blocks of a gettext file: each entry as it is written, with the blank lines and comments before it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, takewhile

STRING = re.compile(r'[ \t]*+(#~[ \t]*+)?+(?:(msg\w++(?:\[\d\])?+)[ \t]*+)?+"(.*)"\s*+')
FLAGS = re.compile(r"[ \t]*+#,(.*)")
END = "\\n"
"""The end of a header field, as it is written."""
PREVIOUS = re.compile(r"[ \t]*+#\|")


class Layout:
    """A file as it is written: its blocks, and the lines after the last one."""

    def __init__(self, lines: list[str]) -> None:
        """Split `lines`. Raises ValueError if they do not begin with a msgid."""
        blocks, self._tail = split_blocks(lines)
        self._header = next((block for block in blocks if block.is_header), None)
        self.entries = [block for block in blocks if block is not self._header]
        live = [number for number, block in enumerate(blocks, 1) if not block.is_obsolete]
        self._end = max(live, default=0)
        self._texts = list(map(str, blocks))
        for number, block in enumerate(blocks):
            block.number = number

    def __str__(self) -> str:
        return "\n".join([*self._texts, *self._tail])

    def update(self, block: Block) -> None:
        """Write a block that has changed."""
        self._texts[block.number] = str(block)

    def add(self, serialized: str) -> Block:
        """Add an entry that polib has serialized, after all others but the last obsolete ones, which never change."""
        block = Block.of(serialized)
        block.number = self._end
        self._texts.insert(self._end, str(block))
        self._end += 1
        return block

    def set_header(self, fields: Mapping[str, str], serialized: str) -> None:
        """Write the header `fields`. If there is no header, add the `serialized` one after the file's comment."""
        if self._header is not None:
            self._header.set_fields(fields)
            self.update(self._header)
            return
        self._header = header = Block.of(serialized)
        header.lines[:1] = self.entries[0].take_file_comment() if self.entries else []
        blocks = [header, *self.entries]
        for number, block in enumerate(blocks):
            block.number = number
        self._texts = list(map(str, blocks))
        self._end += 1


@dataclass
class Block:
    """The lines of an entry, the block `number` of its file. `msgstr` is the first line of its translation, or -1."""

    lines: list[str]
    msgstr: int = -1
    is_obsolete: bool = False
    has_context: bool = False
    number: int = 0
    msgid: str = ""

    @classmethod
    def of(cls, serialized: str) -> Block:
        """Return the block of an entry that polib has serialized, after a blank line."""
        blocks, _ = split_blocks(["", *serialized.split("\n")])
        return blocks[0]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    @property
    def is_header(self) -> bool:
        return not (self.msgid or self.has_context or self.is_obsolete)

    def take_file_comment(self) -> list[str]:
        """Remove the comment that a blank line separates from the entry, and return it."""
        head = takewhile(lambda line: not STRING.fullmatch(line), self.lines)
        blank = next((number for number, line in enumerate(head) if not line.strip()), 0)
        comment, rest = self.lines[:blank], self.lines[blank:]
        self.lines = rest if not rest or not rest[0].strip() else ["", *rest]
        self.msgstr += len(self.lines) - len(comment) - len(rest)
        return comment

    def replace(self, serialized: str) -> None:
        """Take all of an entry that polib has serialized."""
        other = Block.of(serialized)
        self.lines, self.msgstr = other.lines, other.msgstr

    def translate(self, serialized: str, flags: list[str]) -> None:
        """Take the translation of the `serialized` entry, and its flag `fuzzy`. Everything else stays."""
        other = Block.of(serialized)
        self._set_flags(flags)
        self.lines[self.msgstr :] = other.lines[other.msgstr :]

    def set_fields(self, fields: Mapping[str, str]) -> None:
        """Write the header `fields` in their places or after the others, which stay."""
        self._set_flags([])
        written = _header_fields(self.lines[self.msgstr :])
        written |= {name: [f'"{name}: {value}\\n"'] for name, value in fields.items()}
        self.lines[self.msgstr :] = ['msgstr ""', *chain.from_iterable(written.values())]

    def _set_flags(self, flags: list[str]) -> None:
        """Write the `flags` if `fuzzy` is new or gone. Without it, the previous msgid goes too."""
        head = self.lines[: self.msgstr]
        found = [flag.strip() for line in head if (match := FLAGS.match(line)) for flag in match[1].split(",")]
        if ("fuzzy" in found) == ("fuzzy" in flags):
            return
        kept = [line for line in head if not (FLAGS.match(line) or PREVIOUS.match(line))]
        place = next(number for number, line in enumerate(kept) if STRING.fullmatch(line))
        kept[place:place] = [f"#, {', '.join(flags)}"] if flags else []
        self.lines[: self.msgstr] = kept
        self.msgstr = len(kept)


def split_blocks(lines: list[str]) -> tuple[list[Block], list[str]]:
    """Return the blocks in `lines`, and the lines after the last one. Raises ValueError."""
    blocks: list[Block] = []
    ends = [0]
    field = "msgstr"
    for number, line in enumerate(lines):
        match = STRING.fullmatch(line)
        if match is None:
            continue
        if match[2] in ("msgctxt", "msgid") and field.startswith("msgstr"):
            blocks.append(Block([], is_obsolete=bool(match[1])))
            ends.append(number)
        field = match[2] or field
        if not blocks:
            raise ValueError("it does not begin with a msgid: run msgfmt to find the error")
        block, ends[-1] = blocks[-1], number + 1
        block.has_context |= field == "msgctxt"
        block.msgid += match[3] if field == "msgid" else ""
        if field.startswith("msgstr") and block.msgstr < 0:
            block.msgstr = number - ends[-2]
    for block, start, end in zip(blocks, ends, ends[1:], strict=False):
        block.lines = lines[start:end]
    return blocks, lines[ends[-1] :]


def _header_fields(lines: list[str]) -> dict[str, list[str]]:
    """Return the lines of each header field by its name. Some may be wrapped."""
    strings = [match[3] for line in lines if (match := STRING.fullmatch(line)) and match[3]]
    fields: dict[str, list[str]] = {}
    name = ""
    for number, string in enumerate(strings):
        if number == 0 or strings[number - 1].endswith(END):
            name = string.partition(":")[0]
        end = "" if string.endswith(END) or number < len(strings) - 1 else END
        fields.setdefault(name, []).append(f'"{string}{end}"')
    return fields
