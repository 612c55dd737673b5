"""ICU MessageFormat: its structure, which a translation keeps, and the texts inside it, which it does not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyicumessageformat import Parser

MAX_LENGTH = 20_000
BRANCHES = re.compile(r"\{\s{0,9}+[\w.-]{1,100}+\s{0,9}+,\s{0,9}+(?:plural|select|selectordinal)\s{0,9}+,")
QUOTED = re.compile(r"''|'[{}#](?:[^']++|'')*+'?+")

# Without indices and tags; a branch `other` is what ICU asks for, but its lack is the author's affair.
_parser = Parser({"require_other": False})

Token = dict[str, str]


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands from `start` to `end`: `text`, an `argument` in it, `quoted`, or the `syntax` around them."""

    start: int
    end: int
    kind: str


def has_branches(text: str) -> bool:
    """Whether `text` may be a message with plural or select in it."""
    return "{" in text and len(text) <= MAX_LENGTH and BRANCHES.search(text) is not None


def structure(text: str, *, needs_branches: bool = True) -> list[Piece] | None:
    """`text` cut into its structure and its texts; None where it is no message, or one without branches."""
    if len(text) > MAX_LENGTH or not (has_branches(text) if needs_branches else "{" in text or "'" in text):
        return None
    found = tokens(text)
    return None if found is None else list(_pieces(found))


def tokens(text: str) -> list[Token] | None:
    """The tokens of a message, which together are `text`; None where it is none."""
    found: list[Token] = []
    return None if _parsed(text, found) is None else found


def signature(text: str, kept: re.Pattern[str] | None = None) -> Any:
    """What a translation of the message keeps: arguments, formats, branches, and what stands in each of them.

    That includes what `kept` finds in the texts. None where it is no message.
    """
    nodes = _parsed(text)
    return None if nodes is None else _kept(nodes, kept)


def _parsed(text: str, tokens: list[Token] | None = None) -> list[Any] | None:
    try:
        return list(_parser.parse(text, tokens))
    except (ValueError, SyntaxError):  # the former of an offset that is no number
        return None


def _kept(nodes: list[Any], kept: re.Pattern[str] | None) -> frozenset[tuple[Any, int]]:
    """As often as it is there, all that stands in one branch, in any order."""
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
    """The tokens as texts, arguments without branches (`{name}` or `#`), and the syntax around them."""
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
    """How many tokens from `number` on are an argument without branches; 0 where it has some."""
    end = number
    while tokens[end]["text"] != "}":
        if tokens[end]["type"] == "selector":
            return 0
        end += 1
    return end + 1 - number


def _quoted_apart(text: str, offset: int) -> Iterator[Piece]:
    """A text's quoted syntax is none of its words; two apostrophes are one in print, and belong to a word."""
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
