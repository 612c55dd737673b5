"""Project Fluent's `.ftl` files: messages, terms and their attributes.

Source: Project Fluent, "Fluent Syntax 1.0". The texts, with their selectors, are in the format `fluent`.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from .document import Group, Node, Value, add_filler
from .document_catalogue import DocumentCatalogue
from .lines import with_last_line_end
from .text_file import CatalogueError

LINE_START = re.compile(r"(?:^|(?<=\n))([ ]*)([.*\[])")
INDENT = re.compile(r"[ \n]*")
VALUE = "value"
KEPT_ATTRIBUTES = {"accesskey", "accessKey", "commandkey", "key", "keycode", "style"}
"""Attributes for keyboards and layout, which are copied."""


class FluentCatalogue(DocumentCatalogue):
    """A message with its attributes is written when all of them are translated. A term's attributes are kept."""

    text_format: ClassVar[str] = "fluent"

    def parse(self, text: str) -> Group:
        return _Reader(with_last_line_end(text)).document()

    def name(self, key: str) -> str:
        return key.removeprefix("/").removesuffix(f"/{VALUE}").replace("/.", ".")

    def encode(self, value: Value, text: str) -> str:
        start = f"={value.lead.rpartition('=')[2]}"
        escaped = LINE_START.sub(r'\1{"\2"}', text)
        for written in (text, escaped, " ".join(escaped.split())):
            if _is_pattern(f"k {start}{written}"):
                return written
        raise CatalogueError(f"{text[:80]!r} cannot be written in Fluent")


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def document(self) -> Group:
        children: dict[str, Node] = {}
        for entry in _syntax().FluentParser(with_spans=True).parse(self._text).body:
            kind = type(entry).__name__
            if kind == "Junk":
                line = self._text.count("\n", 0, entry.span.start) + 1
                raise ValueError(f"line {line} is not valid Fluent: {entry.annotations[0].message}")
            if kind not in ("Message", "Term"):
                add_filler(children, self._up_to_line_end(entry.span.end))
                continue
            name = f"-{entry.id.name}" if kind == "Term" else entry.id.name
            if name in children:
                raise ValueError(f"the message {name[:80]!r} occurs twice")
            children[name] = self._message(entry, is_term=kind == "Term")
        return Group("", children, self._up_to(len(self._text)))

    def _message(self, entry: Any, *, is_term: bool) -> Group:
        lead = self._up_to(self._text.index("=", entry.id.span.end) + 1)
        children: dict[str, Node] = {VALUE: None}  # a value comes before the attributes
        if entry.value is not None:
            children[VALUE] = self._value(entry.value)
        for attribute in entry.attributes:
            name = f".{attribute.id.name}"
            if name in children:
                raise ValueError(f"{entry.id.name[:80]!r} has the attribute {name[:80]!r} twice")
            is_kept = is_term or attribute.id.name in KEPT_ATTRIBUTES
            children[name] = self._value(attribute.value, is_kept=is_kept)
        comment = entry.comment.content if entry.comment else ""
        tail = self._up_to_line_end(entry.span.end)
        return Group(lead, children, tail, comment=" ".join(comment.split()), is_whole=True)

    def _value(self, pattern: Any, *, is_kept: bool = False) -> Value:
        lead = self._up_to(INDENT.match(self._text, pattern.span.start).end())  # type: ignore[union-attr]
        raw = self._up_to(pattern.span.end)
        return Value(lead, raw, content=raw, text="" if is_kept or not raw.strip() else raw)

    def _up_to_line_end(self, end: int) -> str:
        return self._up_to(end + self._text.startswith("\n", end))

    def _up_to(self, end: int) -> str:
        start, self._position = self._position, end
        return self._text[start:end]


def _is_pattern(message: str) -> bool:
    """Whether `message` is one message, without attributes, to its end."""
    try:
        entry = _syntax().FluentParser(with_spans=True).parse_entry(message)
    except RecursionError:
        return False
    if type(entry).__name__ != "Message" or entry.attributes or entry.value is None:
        return False
    return bool(entry.value.span.end >= len(message.rstrip()))


def _syntax() -> Any:
    try:
        from fluent import syntax
    except ImportError as fault:
        raise CatalogueError("Fluent files need another package: pip install 'fluent.syntax>=0.19'") from fault
    return syntax
