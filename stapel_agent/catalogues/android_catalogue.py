"""Android string resources: `string`, `string-array` and `plurals` in a file such as `res/values/strings.xml`.

Source: Android developers, "String resources" and "Localize your app".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, TypeAlias

from stapel_agent.plurals import CATEGORIES

from .android_text import CDATA, REFERENCE, decode, encode, with_characters
from .document import Group, Node, Value, add_filler, own_lead
from .document_catalogue import DocumentCatalogue
from .lines import comment_text
from .text_file import TextFile
from .xml_elements import COMMENT, Element, ElementText, parse_xml

PREFIX = re.compile(r"""\sxmlns:([\w.-]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
Types: TypeAlias = dict[str, list[str]]
"""The types of the resources with each name, in order: `R.string.a` and `R.plurals.a` are two resources."""
TYPES = {"string": "string", "plurals": "plurals", "string-array": "string-array", "array": "string-array"}
QUANTITY = re.compile(r"""\bquantity\s*=\s*["']\s*""")


class AndroidCatalogue(DocumentCatalogue):
    """Resources that are not to be translated, and references to others, are left out of new files."""

    text_format: ClassVar[str] = "android"
    keeps_zero: ClassVar[bool] = False

    def parse(self, text: str) -> Group:
        root, content = parse_xml(text)
        if root.tag != "resources" or root.is_empty_tag:
            raise ValueError("its root must be <resources>...</resources>")
        return _Resources(content).document(root, self._source_types)

    @cached_property
    def _source_types(self) -> Types:
        return _types(parse_xml(self.file.text)[0], {})

    def open(self, target: TextFile | None) -> Group:
        """Return the draft, whose root declares the prefixes that the source's does."""
        draft = super().open(target)
        declared = {found[1] for found in PREFIX.finditer(draft.lead)}
        missing = [found[0] for found in PREFIX.finditer(self._source.lead) if found[1] not in declared]
        end = draft.lead.rindex(">")
        return replace(draft, lead=f"{draft.lead[:end]}{''.join(missing)}{draft.lead[end:]}")

    def translations(self) -> dict[str, str]:
        existing = super().translations()
        return {key: with_characters(text, self._values[key].text) for key, text in existing.items()}

    def encode(self, value: Value, text: str) -> str:
        raw = encode(text, value.style)
        return f"<![CDATA[{raw}]]>" if value.style == "cdata" else raw


def _type(element: Element) -> str:
    """The type of a resource, as the tag of its texts. Empty if it has none."""
    if element.tag == "item":
        return "string" if element.attributes.get("type") == "string" else ""
    return TYPES.get(element.tag, "")


def _name(element: Element, in_source: Types) -> str:
    """The name of a text to translate, and the product that it is for. Empty for anything else.

    A target element marked as not translatable may translate a text of the source, whose types are `in_source`.
    """
    name, product = element.attributes.get("name", ""), element.attributes.get("product", "")
    name = f"{name} ({product})" if product else name
    is_text = element.attributes.get("translatable") != "false" and element.tag != "array"
    return name if is_text and _type(element) or _type(element) in in_source.get(name, ()) else ""


def _types(resources: Element, in_source: Types) -> Types:
    types: Types = {}
    for element in resources.children:
        types.setdefault(_name(element, in_source), []).append(_type(element))
    return types


def _is_other_type(tag: str, in_source: Sequence[str], in_file: Sequence[str]) -> bool:
    """Whether the name stands for several resources, and first for one of another type."""
    is_shared = len(set(in_source)) > 1 or len(set(in_file)) > 1
    return is_shared and tag != (in_source or in_file)[0]


class _Resources:
    """Reads the elements of a file."""

    def __init__(self, content: bytes) -> None:
        self._text = ElementText(content)

    def document(self, resources: Element, source_types: Types) -> Group:
        """Return all of `resources`. The source's types make the keys of the target the same."""
        head = self._text.up_to(resources.inner_start)
        children: dict[str, Node] = {}
        types = _types(resources, source_types)
        for element in resources.children:
            name, kind = _name(element, source_types), _type(element)
            if name and _is_other_type(kind, source_types.get(name, []), types[name]):
                name = f"{name} ({kind})"
            if not name:
                add_filler(children, self._text.up_to_line_end(element.end), is_comment=False)
                continue
            if name in children:
                raise ValueError(f"the name {name[:80]!r} occurs twice")
            lead = own_lead(children, self._text.up_to(element.start), COMMENT)
            children[name] = self._value(element, lead) if kind == "string" else self._group(element, lead)
        return Group(head, children, self._text.up_to_end())

    def _group(self, element: Element, lead: str) -> Group:
        is_plural = element.tag == "plurals"
        comment = comment_text(lead, COMMENT)
        lead += self._text.start_tag(element)
        children: dict[str, Node] = {}
        for number, item in enumerate(element.named("item")):
            name = item.attributes.get("quantity", "").strip() if is_plural else str(number)
            if is_plural and (name not in CATEGORIES or name in children):
                raise ValueError(f"a plural has an unknown or repeated quantity, {name[:40]!r}")
            children[name] = self._value(item, self._text.up_to(item.start))
        has_text = any(isinstance(child, Value) and child.text for child in children.values())
        tail = self._text.end_tag(element)
        return Group(
            lead,
            children,
            tail,
            comment=comment,
            is_copied=has_text,
            is_whole=True,
            has_forms=is_plural and has_text,
            layout=element.tag,
        )

    def _value(self, element: Element, lead: str) -> Value:
        tag, label, gap = self._text.start_tag(element), "", ""
        if element.tag == "item" and (quantity := QUANTITY.search(tag)):
            label = element.attributes["quantity"].strip()
            tag, gap = tag[: quantity.end()], tag[quantity.end() + len(label) :]
        raw = self._text.up_to(element.inner_end)
        tail = self._text.end_tag(element)
        cdata = CDATA.fullmatch(raw)
        inner, style = (cdata["text"], "cdata") if cdata else (COMMENT.sub("", raw), "")
        if "<![CDATA[" in inner or "<!--" in inner:
            raise ValueError(f"a text mixes CDATA with other text, or has a comment in it: {raw.strip()[:80]!r}")
        text = decode(inner, style)
        is_text = bool(text.strip()) and not REFERENCE.fullmatch(inner.strip())
        return Value(
            f"{lead}{tag}",
            raw,
            tail,
            label,
            gap,
            content=text if text.strip() else "",
            text=text if is_text else "",
            style=style,
            comment=comment_text(lead if cdata else f"{lead}{raw}", COMMENT),
            is_copied=not element.attributes.get("name"),
        )
