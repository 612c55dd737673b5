"""Rails' YAML files: texts below a key that names the language, with objects for plural forms.

Source: Rails Guides, "Internationalization API".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import yaml

from stapel_agent.plurals import CATEGORIES

from .document import FILLER, Group, Node, Value, own_lead
from .document_catalogue import DocumentCatalogue
from .lines import comment_text, with_last_line_end
from .plural_categories import are_forms
from .target_paths import SEVERAL, are_several, is_language
from .yaml_text import LOADER, encode

MAX_DEPTH = 100
COMMENT = re.compile(r"#([^\n]*)")
COLON = re.compile(r"[ \t]*:")
LINE_END = re.compile(r"[ \t]*(?:(?<=[ \t])#[^\n]*)?\n")
DATE = re.compile(r"%[-0^_#]?[A-Za-z](?![A-Za-z])")
SYMBOL = re.compile(r":\w+")
RESOLVER: Any = yaml.resolver.Resolver()
NULL_TAG = "tag:yaml.org,2002:null"
TEXT_TAG = "tag:yaml.org,2002:str"
ROOT = ""
"""The name of the key that names the language."""
BOOLEAN_TAGS = {"no", "on", "yes", "off"}
"""Keys, such as the Norwegian language, that YAML reads as a boolean without quotes."""


class RailsCatalogue(DocumentCatalogue):
    """Anchors, aliases, tags and further documents are rejected."""

    text_format: ClassVar[str] = "rails"

    def parse(self, text: str) -> Group:
        try:
            document = _Reader(with_last_line_end(text)).document()
        except yaml.YAMLError as fault:
            raise ValueError(f"it is not valid YAML: {fault}") from fault
        groups = [name for name in document.names if isinstance(document.children[name], Group)]
        if groups == document.names and are_several(groups, self.from_lang, self.to):
            raise ValueError(SEVERAL)
        return document

    def encode(self, value: Value, text: str) -> str:
        written = encode(text, value.raw, in_flow=value.style == "flow", ends_line=value.tail.startswith("\n"))
        return f"{_separator(value)}{written}"

    def format(self, key: str) -> str:
        # The format `rails` has no placeholders of dates.
        return "" if DATE.search(self._values[key].text) else super().format(key)

    def own_language(self) -> str:
        root = self._parsed(self.file, "source").children.get(ROOT)
        return root.label.strip("'\"") if isinstance(root, Group) else ""

    def localized(self, document: Group) -> Group:
        root = document.children.get(ROOT)
        if not isinstance(root, Group):
            return document
        label = f'"{self.to}"' if self.to in BOOLEAN_TAGS else self.to
        return replace(document, children={**document.children, ROOT: replace(root, label=label)})

    def name(self, key: str) -> str:
        return key.removeprefix("/") if key.startswith("//") else key


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._peeked: Any = None
        self._end = 0
        self._events: Iterator[Any] = yaml.parse(text, Loader=LOADER)

    def document(self) -> Group:
        start: Any = self._next()
        while _is(start, yaml.StreamStartEvent) or _is(start, yaml.DocumentStartEvent):
            start = self._next()
        if not _is(start, yaml.MappingStartEvent) or start.flow_style:
            raise ValueError("it does not map keys to texts")
        head = self._up_to(start.start_mark.index)
        children = self._mapping(in_flow=False, depth=1)
        self._next()
        if not isinstance(self._next(), yaml.StreamEndEvent):
            raise ValueError("it holds several documents: put each into a file")
        names = [name for name in children if not name.startswith(FILLER)]
        if len(names) == 1 and is_language(names[0]):
            root = children.pop(names[0])
            children[names[0] if isinstance(root, Value) and root.text else ROOT] = root
        return Group(head, children, self._up_to(len(self._text)))

    def _mapping(self, *, in_flow: bool, depth: int) -> dict[str, Node]:
        children: dict[str, Node] = {}
        while not _is(key := self._next(), yaml.MappingEndEvent):
            if not _is(key, yaml.ScalarEvent) or key.value in children or key.value.startswith(FILLER):
                raise ValueError(f"line {key.start_mark.line + 1} has a key that is not a text, or that occurs twice")
            lead = self._up_to(key.start_mark.index)
            if not in_flow and COMMENT.search(lead):
                lead = own_lead(children, lead, COMMENT)
            label = self._up_to(key.end_mark.index)
            children[key.value] = self._node(lead, label, in_flow=in_flow, depth=depth)
        return children

    def _sequence(self, *, in_flow: bool, depth: int) -> dict[str, Node]:
        children: dict[str, Node] = {}
        while not isinstance(self._peek(), yaml.SequenceEndEvent):
            children[str(len(children))] = self._node("", None, in_flow=in_flow, depth=depth)
        self._next()
        return children

    def _node(self, lead: str, label: str | None, *, in_flow: bool, depth: int) -> Node:
        event = self._next()
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
        if _is(event, yaml.ScalarEvent):
            return self._value(event, lead, label or "", in_flow=in_flow)
        return self._group(event, lead, label, depth)

    def _group(self, event: Any, lead: str, label: str | None, depth: int) -> Group:
        in_flow, start = bool(event.flow_style), event.start_mark.index
        if in_flow:
            gap = self._up_to(start + 1)
        elif label is None:
            gap = self._up_to(start)
        else:
            colon = COLON.match(self._text, self._position)
            gap = self._up_to(colon.end() if colon else self._position) + self._line_end()
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        children = (self._mapping if is_mapping else self._sequence)(in_flow=in_flow, depth=depth + 1)
        tail = self._up_to(self._end) + self._line_end() if in_flow else ""
        has_forms = is_mapping and _are_forms(children)
        is_whole = has_forms or in_flow or not is_mapping
        comment = comment_text(lead, COMMENT)
        layout = "" if in_flow else str(event.start_mark.column)
        return Group(
            lead,
            children,
            tail,
            label or "",
            gap,
            comment,
            is_whole=is_whole,
            has_forms=has_forms,
            may_be_value=has_forms,
            layout=layout,
        )

    def _value(self, event: Any, lead: str, label: str, *, in_flow: bool) -> Value:
        gap = self._up_to(max(event.start_mark.index, self._position))
        start, end = event.start_mark.index, event.end_mark.index
        raw = self._text[start:end].rstrip("\n")
        self._position = max(self._position, start + len(raw))
        tail = "" if in_flow else self._line_end()
        tag = RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit)
        is_symbol = not event.style and SYMBOL.fullmatch(event.value)
        text = event.value if tag == TEXT_TAG and not is_symbol else ""
        return Value(
            lead,
            raw,
            tail,
            label,
            gap,
            "" if tag == NULL_TAG else event.value,
            text if text.strip() else "",
            style="flow" if in_flow else "",
            comment=comment_text(f"{lead}{tail}", COMMENT),
        )

    def _next(self) -> Any:
        event = self._peek()
        self._peeked = None
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor or tag or isinstance(event, yaml.AliasEvent):
            raise ValueError(f"line {event.start_mark.line + 1} has an anchor, alias or tag: write its value instead")
        self._end = event.end_mark.index
        return event

    def _peek(self) -> Any:
        if self._peeked is None:
            self._peeked = next(self._events)
        return self._peeked

    def _line_end(self) -> str:
        found = LINE_END.match(self._text, self._position)
        return self._up_to(found.end() if found else self._position)

    def _up_to(self, end: int) -> str:
        start, self._position = self._position, end
        return self._text[start:end]


def _separator(value: Value) -> str:
    """Return what is missing between the text before a value, such as `key:`, and what is written there."""
    if value.label and ":" not in value.gap:
        return ": "
    return " " if value.gap.endswith((":", "-")) else ""


def _is(event: Any, kind: type) -> bool:
    """`isinstance()` for events whose marks are read: to a type checker, these may be None."""
    return isinstance(event, kind)


def _are_forms(children: dict[str, Node]) -> bool:
    texts = [child.text for child in children.values() if isinstance(child, Value) and child.text]
    are_texts = "other" in children and len(texts) == len(children) and children.keys() <= set(CATEGORIES)
    return are_texts and are_forms(texts)
