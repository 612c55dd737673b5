"""Changes to the text of a JSON file, made in place: everything else keeps its bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from .json_tree import indent_unit

TOKEN = re.compile(r'[ \t\n\r]*+("(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++)')
COLON = re.compile(r'\A[\s{]*+"(?:[^"\\]|\\.)*+"([ \t]*+:[ \t]*+)')
INDENTATION = re.compile(r"\n([ \t]*+)[^\n]*+\Z")


@dataclass(slots=True)
class Span:
    """Where a value is in a text, and where the keys and values in it are, by key or index."""

    start: int
    end: int = 0
    keys: dict[str | int, tuple[int, int]] = field(default_factory=dict)
    values: dict[str | int, Span] = field(default_factory=dict)


@dataclass(frozen=True)
class JsonText:
    """The `text` of a file that holds `tree`. `unit` is the indentation of one level, or None."""

    text: str
    tree: Any
    span: Span
    unit: str | None
    colon: str

    @classmethod
    def of(cls, text: str, tree: Any) -> JsonText:
        colon = COLON.search(text)
        return cls(text, tree, _span(text, 0), indent_unit(text), colon[1] if colon else ": ")

    def with_tree(self, tree: Any) -> str:
        """Return the text with the values of `tree`, which may add or change values, but lacks none."""
        pieces, position = [], 0
        for start, end, written in sorted(self._edits(self.span, self.tree, tree), key=lambda edit: edit[:2]):
            pieces += [self.text[position:start], written]
            position = end
        return "".join([*pieces, self.text[position:]])

    def _edits(self, span: Span, before: Any, after: Any) -> Iterator[tuple[int, int, str]]:
        """Yield the start and end of what is replaced, and the text in its place."""
        old, new = _members(before), _members(after)
        if type(before) is not type(after) or not old or [key for key in new if key in old] != list(old):
            line = max(self.text.rfind("\n", 0, span.start), 0) if self.unit else span.start
            yield span.start, span.end, self._written(after, self.text[line : span.start])
            return
        previous = None
        for key, value in new.items():
            if key not in old:
                yield self._added(span, key, value, previous)
                continue
            previous = key
            if value != old[key]:
                yield from self._edits(span.values[key], old[key], value)

    def _added(self, span: Span, key: str | int, value: Any, previous: str | int | None) -> tuple[int, int, str]:
        """Return the edit for a new member after the member `previous`, or before the first one."""
        first, *more = islice(span.values, 2)
        starts = [span.keys[name][0] if span.keys else span.values[name].start for name in (first, *more)]
        lead = self.text[span.start + 1 : starts[0]]
        colon = self.text[span.keys[first][1] : span.values[first].start] if span.keys else ""
        gap = self._gap(span.values[first].end, starts[1]) if more else lead or " " * colon.endswith(" ")
        name = json.dumps(key, ensure_ascii=False) if span.keys else ""
        written = f"{name}{colon}{self._written(value, gap)}"
        if previous is None:
            return starts[0], starts[0], f"{written},{gap}"
        end = span.values[previous].end
        return end, end, f",{gap}{written}"

    def _gap(self, start: int, end: int) -> str:
        """Return the spaces after the comma between two members."""
        return self.text[start:end].partition(",")[2]

    def _written(self, value: Any, before: str) -> str:
        """Return `value` as JSON, in as many lines as the text `before` it suggests."""
        indentation = INDENTATION.search(before)
        unit = self.unit if indentation else None
        comma = ", " if self.colon.endswith(" ") and not unit else ","
        text = json.dumps(value, ensure_ascii=False, indent=unit, separators=(comma, self.colon))
        return text.replace("\n", f"\n{indentation[1]}") if indentation else text


def _members(value: Any) -> dict[str | int, Any]:
    return value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else {}


def _span(text: str, position: int) -> Span:
    """Return the span of the value at `position` of a valid `text`."""
    token = TOKEN.match(text, position)
    assert token  # noqa: S101  (the text is valid JSON)
    span = Span(token.start(1), token.end(1))
    opening = token[1]
    while opening in ("{", "["):
        token = TOKEN.match(text, span.end)
        assert token  # noqa: S101
        if token[1] in ("}", "]"):
            span.end = token.end(1)
            break
        if token[1] == ",":
            span.end = token.end(1)
            continue
        key: str | int = len(span.values)
        start = token.start(1)
        if opening == "{":
            key = json.loads(token[1])
            span.keys[key] = token.span(1)
            colon = TOKEN.match(text, token.end(1))
            assert colon  # noqa: S101
            start = colon.end(1)
        span.values[key] = _span(text, start)
        span.end = span.values[key].end
    return span
