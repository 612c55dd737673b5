"""XML elements with their places in the text. Nothing outside the text is read, and no entities are expanded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

MAX_DEPTH = 100
START_TAG = re.compile(rb"""<(?:[^<>"']|"[^"]*+"|'[^']*+')*+>""")
COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
LINE_END = re.compile(rb"[ \t]*(?:<!--[^\n>]*-->)?[ \t]*(?=\n)")
UTF8 = {"utf-8", "utf8", None}


@dataclass(slots=True)
class Element:
    """An element from `start` to `end`, with its contents from `inner_start` to `inner_end`."""

    tag: str
    attributes: Mapping[str, str]
    start: int
    inner_start: int
    inner_end: int = 0
    end: int = 0
    children: list[Element] = field(default_factory=list)
    data: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text in it, without markup."""
        return "".join(self.data)

    @property
    def is_empty_tag(self) -> bool:
        """Whether it is written as one tag, `<string/>`."""
        return self.end == self.inner_start

    def named(self, *tags: str) -> Iterator[Element]:
        return (child for child in self.children if child.tag in tags)


class ElementText:
    """Reads the text of a document from element to element."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def up_to(self, end: int) -> str:
        start, self._position = self._position, end
        return self._content[start:end].decode()

    def up_to_line_end(self, end: int) -> str:
        """Read up to `end`, and a comment after it in the same line."""
        found = LINE_END.match(self._content, end)
        return self.up_to(found.end() if found else end)

    def up_to_end(self) -> str:
        return self.up_to(len(self._content))

    def start_tag(self, element: Element) -> str:
        """Read the start tag of an element. `<string/>` is read as `<string></string>`."""
        tag = self.up_to(element.inner_start)
        return f"{tag[:-2].rstrip()}>" if element.is_empty_tag else tag

    def end_tag(self, element: Element) -> str:
        """Read the end tag of an element, and a comment after it in the same line."""
        tail = self.up_to_line_end(element.end)
        return f"</{element.tag}>{tail}" if element.is_empty_tag else tail


def parse_xml(text: str) -> tuple[Element, bytes]:
    """Return the root element of a document, and the bytes that its places are in. Raises ValueError."""
    content = text.encode()
    reader = _Reader(content)
    try:
        reader.parser.Parse(content, True)
    except expat.ExpatError as fault:
        raise ValueError(f"it is not valid XML: {fault}") from fault
    return reader.root.children[0], content


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.root = Element("", {}, 0, 0)
        self.open: list[Element] = [self.root]
        self.parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding and encoding.lower() not in UTF8:
            raise ValueError(f"its encoding is {encoding[:40]!r}: save it as UTF-8")

    def _doctype(self, name: str, system: str | None, public: str | None, has_subset: bool) -> None:
        if has_subset:
            raise ValueError("its DOCTYPE has declarations, such as entities: write their values into the texts")

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if len(self.open) > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
        start = self.parser.CurrentByteIndex
        found = START_TAG.match(self.content, start)
        element = Element(tag, attributes, start, found.end() if found else start)
        self.open[-1].children.append(element)
        self.open.append(element)

    def _end(self, tag: str) -> None:
        element = self.open.pop()
        if self.content.endswith(b"/>", element.start, element.inner_start):
            element.inner_end = element.end = element.inner_start
            return
        element.inner_end = self.parser.CurrentByteIndex
        element.end = self.content.index(b">", element.inner_end) + 1

    def _data(self, data: str) -> None:
        self.open[-1].data.append(data)
