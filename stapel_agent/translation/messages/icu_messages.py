"""ICU MessageFormat: a translation keeps the structure of a message and translates the texts inside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pyicumessageformat import Parser

MAX_LENGTH = 20_000
BRANCHES = re.compile(r"\{\s{0,9}+[\w.-]{1,100}+\s{0,9}+,\s{0,9}+(?:plural|select|selectordinal)\s{0,9}+,")
INTERPOLATION = re.compile(r"\{\{[^{}\n]{1,200}+\}\}")
QUOTED = re.compile(r"''|'[{}#](?:[^']++|'')*+'?+")

# ICU requires a branch `other`, but a source without one is still translated as it is.
_parser = Parser({"require_other": False})

Token = dict[str, str]


@dataclass(frozen=True, slots=True)
class Piece:
    """The part from `start` to `end`: `text`, an `argument` in it, `quoted` syntax, or the `syntax` around them."""

    start: int
    end: int
    kind: str


def has_branches(text: str) -> bool:
    """Whether `text` may be a message with a plural or select argument."""
    return "{" in text and len(text) <= MAX_LENGTH and BRANCHES.search(text) is not None


def structure(text: str, *, needs_branches: bool = True) -> list[Piece] | None:
    """Split `text` into structure and texts. Returns None if it is not a message, or has no branches but needs them."""
    if len(text) > MAX_LENGTH or not (has_branches(text) if needs_branches else "{" in text or "'" in text):
        return None
    found = tokens(text)
    return None if found is None else list(_pieces(found))


def tokens(text: str) -> list[Token] | None:
    """Return the tokens of a message, which join to `text`, or None if it is not a message."""
    found: list[Token] = []
    return None if _parsed(text, found) is None else found


def signature(text: str, kept: re.Pattern[str] | None = None) -> Any:
    """Return what a translation of the message must keep: arguments, formats, branches, and the contents of each.

    This includes the matches of `kept` in the texts. Returns None if `text` is not a message.
    """
    nodes = _parsed(text)
    return None if nodes is None else _kept(nodes, kept)


def _parsed(text: str, tokens: list[Token] | None = None) -> list[Any] | None:
    """Parse `text`. If it fails, Angular's `{{ expressions }}` are read as arguments."""
    plain = INTERPOLATION.sub(lambda match: f"{{{'x' * (len(match[0]) - 2)}}}", text)
    for candidate in dict.fromkeys((text, plain)):
        found: list[Token] = []
        try:
            nodes = list(_parser.parse(candidate, found))
        except (ValueError, SyntaxError):  # ValueError for an offset that is not a number
            continue
        if tokens is not None:
            tokens += _as_in(text, found)
        return nodes
    return None


def _as_in(text: str, tokens: Iterable[Token]) -> Iterator[Token]:
    """The tokens with their parts of `text`, whose lengths they have."""
    end = 0
    for token in tokens:
        start, end = end, end + len(token["text"])
        yield {**token, "text": text[start:end]}


def _kept(nodes: list[Any], kept: re.Pattern[str] | None) -> frozenset[tuple[Any, int]]:
    """The contents of one branch with their counts, in any order."""
    found = Counter[Any]()
    for node in nodes:
        if isinstance(node, str):
            found.update(kept.findall(node) if kept else ())
        else:
            branches = {selector: _kept(branch, kept) for selector, branch in node.get("options", {}).items()}
            found[frozenset({**node, "options": frozenset(branches.items())}.items())] += 1
    return frozenset(found.items())


def _pieces(tokens: list[Token]) -> Iterator[Piece]:
    start = end = 0  # of the syntax between two texts or arguments
    for kind, run in _runs(tokens):
        length = sum(len(token["text"]) for token in run)
        if kind == "syntax":
            end += length
            continue
        if end > start:
            yield Piece(start, end, "syntax")
        if kind == "text":
            yield from _quoted_apart(run[0]["text"], end)
        else:
            yield Piece(end, end + length, "argument")
        start = end = end + length
    if end > start:
        yield Piece(start, end, "syntax")


def _runs(tokens: list[Token]) -> Iterator[tuple[str, list[Token]]]:
    """Group the tokens into texts, arguments without branches (`{name}` or `#`), and the syntax around them."""
    number, opens_branch = 0, False
    while number < len(tokens):
        token = tokens[number]
        taken = 1
        kind = {"text": "text", "hash": "argument"}.get(token["type"], "syntax")
        if token["text"] == "{" and not opens_branch and (length := _argument(tokens, number)):
            kind, taken = "argument", length
        if token["type"] != "space":
            opens_branch = token["type"] == "selector"
        yield kind, tokens[number : number + taken]
        number += taken


def _argument(tokens: list[Token], number: int) -> int:
    """How many tokens from `number` on form an argument without branches. 0 if it has branches."""
    end = number
    while tokens[end]["text"] != "}":
        if tokens[end]["type"] == "selector":
            return 0
        end += 1
    return end + 1 - number


def _quoted_apart(text: str, offset: int) -> Iterator[Piece]:
    """Separate quoted syntax from the words of a text. Two apostrophes print as one and belong to a word."""
    position = 0
    for quoted in QUOTED.finditer(text):
        if quoted[0] == "''":
            continue
        if quoted.start() > position:
            yield Piece(offset + position, offset + quoted.start(), "text")
        yield Piece(offset + quoted.start(), offset + quoted.end(), "quoted")
        position = quoted.end()
    if position < len(text):
        yield Piece(offset + position, offset + len(text), "text")
