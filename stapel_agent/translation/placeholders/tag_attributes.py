"""Tag attributes that people read. Each is translated as a text of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

READ_BY_PEOPLE = "alt|title|placeholder|label|summary|aria-(?:label|description|placeholder|roledescription|valuetext)"
ATTRIBUTE = re.compile(
    rf"""(?<=[\s"'/])(?:{READ_BY_PEOPLE})\s{{0,9}}+=\s{{0,9}}+(?:"([^"<>]++)"|'([^'<>]++)')""", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """The value of an attribute, by its position in the tag."""

    tag: str
    start: int
    end: int

    @property
    def value(self) -> str:
        return self.tag[self.start : self.end]


def readable_attributes(tag: str) -> Iterator[Attribute]:
    """Yield the attributes of a tag whose values are texts, in order."""
    if "=" in tag:
        for match in ATTRIBUTE.finditer(tag):
            group = 1 if match[1] is not None else 2
            yield Attribute(tag, *match.span(group))


def with_values(tag: str, values: list[tuple[Attribute, str]]) -> str:
    """Return `tag` with new values for some attributes. Quotes in the values are escaped."""
    pieces, position = [], 0
    for attribute, value in values:
        quote = tag[attribute.end]
        pieces += [tag[position : attribute.start], value.replace(quote, "&quot;" if quote == '"' else "&#39;")]
        position = attribute.end
    return "".join([*pieces, tag[position:]])


def without_values(hidden: str) -> str:
    """Return hidden text, which may be a tag, without its readable attribute values."""
    return with_values(hidden, [(attribute, "") for attribute in readable_attributes(hidden)])
