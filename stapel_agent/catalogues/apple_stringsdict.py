"""Apple's `.stringsdict` files: property lists of texts with plural forms.

Source: Apple, "Localizing strings that contain plurals" and "Stringsdict file format".
"""

from __future__ import annotations

from typing import ClassVar
from xml.sax.saxutils import escape

from .document import Group, Node, Value, own_lead
from .document_catalogue import DocumentCatalogue
from .lines import comment_text
from .xml_elements import COMMENT, Element, ElementText, parse_xml

RULE_FIELDS = {"NSStringFormatSpecTypeKey", "NSStringFormatValueTypeKey"}


class AppleStringsdictCatalogue(DocumentCatalogue):
    """Each entry is written when all its forms are translated."""

    text_format: ClassVar[str] = "apple"

    def parse(self, text: str) -> Group:
        plist, content = parse_xml(text)
        entries = next(plist.named("dict"), None)
        if plist.tag != "plist" or entries is None or entries.is_empty_tag:
            raise ValueError("its root must be <plist> with <dict>...</dict>")
        return _Entries(content).document(entries)

    def encode(self, value: Value, text: str) -> str:
        return escape(text)


class _Entries:
    """Reads the dictionaries of a file."""

    def __init__(self, content: bytes) -> None:
        self._text = ElementText(content)

    def document(self, entries: Element) -> Group:
        head = self._text.up_to(entries.inner_start)
        children = self._children(entries, depth=0)
        return Group(head, children, self._text.up_to_end())

    def _children(self, parent: Element, depth: int) -> dict[str, Node]:
        children: dict[str, Node] = {}
        pairs = iter(parent.children)
        for key, element in zip(pairs, pairs, strict=False):
            if key.tag != "key" or key.text in children:
                raise ValueError(f"a dictionary has {key.text[:80]!r} twice, or a value without a key")
            lead = self._text.up_to(key.start)
            if depth == 0:
                lead = own_lead(children, lead, COMMENT)
            comment = comment_text(lead, COMMENT)
            lead += self._text.up_to(key.inner_start)
            label = self._text.up_to(key.inner_end)
            gap = self._text.up_to(element.start)
            if element.tag == "dict" and not element.is_empty_tag:
                children[key.text] = self._group(element, lead, label, gap, comment, depth)
            elif element.tag == "string":
                text = "" if key.text in RULE_FIELDS or not element.text.strip() else element.text
                gap += self._text.start_tag(element)
                raw, tail = self._text.up_to(element.inner_end), self._text.end_tag(element)
                children[key.text] = Value(lead, raw, tail, label, gap, element.text, text, comment=comment)
            else:
                raise ValueError(f"the key {key.text[:80]!r} has an empty or unknown value <{element.tag[:40]}>")
        return children

    def _group(self, element: Element, lead: str, label: str, gap: str, comment: str, depth: int) -> Group:
        gap += self._text.start_tag(element)
        children = self._children(element, depth + 1)
        rule = children.get("NSStringFormatSpecTypeKey")
        has_forms = isinstance(rule, Value) and rule.raw.strip() == "NSStringPluralRuleType"
        tail = self._text.end_tag(element)
        return Group(lead, children, tail, label, gap, comment, is_whole=depth == 0, has_forms=has_forms)
