"""ICU MessageFormat: its structure, which a translation keeps, and the texts inside it, which it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pyicumessageformat import Parser

MAX_LENGTH = 20_000
BRANCHES = re.compile(r"\{\s{0,9}+[\w.-]{1,100}+\s{0,9}+,\s{0,9}+(?:plural|select|selectordinal)\s{0,9}+,")
QUOTED = re.compile(r"'[{}#|][^']*+'?+|''")

# Without indices and tags; a branch `other` is what ICU asks for, but its lack is the author's affair.
_parser = Parser({"require_other": False})

Token = dict[str, str]
Piece = tuple[int, int, bool]
"""Start, end, and whether it is a text to be translated."""


def has_branches(text: str) -> bool:
    """Whether `text` may be a message with plural or select in it."""
    return len(text) <= MAX_LENGTH and BRANCHES.search(text) is not None


def structure(text: str) -> list[Piece] | None:
    """`text` cut into its structure and its texts; None where it is no message with branches."""
    if not has_branches(text):
        return None
    tokens: list[Token] = []
    try:
        _parser.parse(text, tokens)
    except SyntaxError:
        return None
    return list(_pieces(tokens))


def signature(text: str) -> Any:
    """What a translation of the message keeps: arguments, formats, branches, and what stands in each of them.

    None where it is no message.
    """
    try:
        return _kept(_parser.parse(text))
    except SyntaxError:
        return None


def _kept(nodes: list[Any]) -> list[Any]:
    arguments = [node for node in nodes if isinstance(node, dict)]
    return sorted(
        repr(
            {
                **argument,
                "options": {selector: _kept(branch) for selector, branch in argument.get("options", {}).items()},
            }
        )
        for argument in arguments
    )


def _pieces(tokens: list[Token]) -> Iterator[Piece]:
    start = end = 0  # of the structure between two texts or arguments
    for kind, run in _runs(tokens):
        length = sum(len(token["text"]) for token in run)
        if kind == "syntax":
            end += length
            continue
        if end > start:
            yield start, end, False
        if kind == "text":
            yield from _quoted_apart(run[0]["text"], end)
        else:
            yield end, end + length, False
        start = end = end + length
    if end > start:
        yield start, end, False


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
    """A text's quoted syntax is none of its words."""
    position = 0
    for quoted in QUOTED.finditer(text):
        if quoted.start() > position:
            yield offset + position, offset + quoted.start(), True
        yield offset + quoted.start(), offset + quoted.end(), False
        position = quoted.end()
    if position < len(text):
        yield offset + position, offset + len(text), True
