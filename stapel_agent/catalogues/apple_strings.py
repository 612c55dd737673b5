r"""Apple's `.strings` files: `"key" = "text";` with comments.

Source: Apple, "Resource Programming Guide", section "String Resources".
"""

from __future__ import annotations

import re
from typing import ClassVar

from .document import Group, Node, Value, own_lead
from .document_catalogue import DocumentCatalogue
from .lines import comment_text, with_last_line_end

COMMENT = re.compile(r"/\*(.*?)\*/|//([^\n]*)", re.DOTALL)
STRING = r'"(?:[^"\\]|\\.)*+"'
ENTRY = re.compile(
    rf"""
    (?P<lead>(?:\s|/\*.*?\*/|//[^\n]*+)*+)
    (?:
      (?P<key>{STRING}|[\w./$:-]++) (?P<gap>\s*+(?:/\*.*?\*/\s*+)*+=\s*+) (?P<raw>{STRING})
      (?P<tail>\s*+;(?:[ \t]*+//[^\n]*+)?+(?:[ \t]*+\n)?+)
    | (?P<end>\Z)
    )
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\(?:[Uu]([0-9A-Fa-f]{4})|(.))", re.DOTALL)
KEPT_ESCAPES = "nrt\\"
BARE = re.compile(r'(?P<escape>\\[\\nrt])|(?P<bare>[\\"])')


class AppleStringsCatalogue(DocumentCatalogue):
    """Keys are the keys of the file, as they are written."""

    text_format: ClassVar[str] = "apple"

    def parse(self, text: str) -> Group:
        children: dict[str, Node] = {}
        text, position = with_last_line_end(text), 0
        while (entry := ENTRY.match(text, position)) and entry["end"] is None:
            position = entry.end()
            name = entry["key"].strip('"')
            if name in children:
                raise ValueError(f"the key {name[:80]!r} occurs twice")
            lead = own_lead(children, entry["lead"], COMMENT)
            comment = comment_text(lead, COMMENT)
            lead += f"{entry['key']}{entry['gap']}"
            decoded = decode(entry["raw"][1:-1])
            children[name] = Value(
                lead,
                entry["raw"],
                entry["tail"],
                content=decoded,
                text=decoded if decoded.strip() else "",
                comment=comment,
            )
        if entry is None:
            line = text.count("\n", 0, position) + 1
            raise ValueError(f'the entry after line {line} is not "key" = "text"; with valid escapes')
        return Group("", children, entry["lead"])

    def encode(self, value: Value, text: str) -> str:
        return f'"{encode(text)}"'


def decode(raw: str) -> str:
    r"""Decode the escapes in `raw`, except `\n`, `\r`, `\t` and `\\`, which the format `apple` protects."""
    return ESCAPE.sub(_decoded, raw)


def encode(text: str) -> str:
    return BARE.sub(lambda found: found["escape"] or f"\\{found['bare']}", text)


def _decoded(escape: re.Match[str]) -> str:
    if escape[1]:
        character = chr(int(escape[1], 16))
        return character if character.isprintable() or character == "\u00a0" else escape[0]
    return escape[0] if escape[2] in KEPT_ESCAPES else escape[2]
