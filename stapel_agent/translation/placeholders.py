"""Where a text holds what no translator may touch: placeholders, markup, code, addresses. Linear in time for any text.

A mistake on the side of "leave it alone" costs a word left as it is; one on the other side breaks a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from . import fluent, messages
from .formats import FORMATS, GUESS, NOTATIONS, Format
from .own_patterns import own_spans

MAX_EXPRESSION = 500
"""Characters between template braces; beyond that they are prose in braces."""


@dataclass(frozen=True, slots=True)
class Span:
    """What stands from `start` to `end`: `kind` is a Notation's, one of MARKUP, `icu`, `quoted`, `own`, or `link`."""

    start: int
    end: int
    kind: str


# Without one of these a text holds nothing of any grammar.
SIGNS = re.compile(r"[⟦⟧<`{%$\[\]:@\\&#!_*]|www\.", re.IGNORECASE)

# What every format keeps: our own marks (see `protection`), code, tags, links, entities that hide a tag.
BEFORE = r"""
    (?=[⟦⟧<`{%$\[\]!:@\\&\#_*}]) (?:
      (?P<mark>[⟦⟧]++)
    | (?P<delimited><!--|<!\[CDATA\[|<\?|<(?i:script|style)\b|```|(?<![A-Za-z])`|OPENINGS)
"""
AFTER = r"""
    | (?P<tag></?+(?:[A-Za-z][\w:.-]*+(?:[\s/]++(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)?|\d{1,3}+\s?+/?|)>)
    | (?P<linkend>\]\((?:[^()\s<>]++|\([^()\s]*+\))*+(?:[ ]"[^"\n]*+")?+\)|\]\[[^\[\]\n]{0,100}+\])
    | (?P<bracket>!?+\[|\])
    | (?P<entity>&[lg]t;|&amp;\#?+\w{1,31}+;)
    )
    | (?<![A-Za-z0-9]) (?P<address>
        (?:(?<![+.-])[A-Za-z][A-Za-z0-9+.-]{0,20}+://|\bwww\.|\b(?i:javascript|mailto|tel):)
        [^\s<>"'`⟦⟧\u0e00-\u0e7f\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]++
      | (?<![\w.+@/-])(?:[A-Za-z0-9-]{1,63}+\.){1,9}+[a-z]{2,24}+(?::\d{1,5}+)?+/
        [^\s<>"'`⟦⟧\u0e00-\u0e7f\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]*+
      | (?<![\w.+-])[\w.+-]{1,64}+@[\w-]{1,63}+(?:\.[\w-]{1,63}+)+
      )
"""
MARKUP_CLOSING = {
    "<!--": "-->",
    "<![cdata[": "]]>",
    "<?": "?>",
    "<script": "</script>",
    "<style": "</style>",
    "```": "```",
    "`": "`",
}


@dataclass(frozen=True)
class Grammar:
    """What the texts of one format are searched by. What is closed somewhere comes first: where it is not, the rest
    has its turn. Most of a text begins nothing, and is passed by the first step of either half.
    """

    pattern: re.Pattern[str]
    closing: Mapping[str, re.Pattern[str]]


@lru_cache(maxsize=len(FORMATS))
def grammar_of(format: str) -> Grammar:
    """The grammar of the format of that name."""
    notations = [NOTATIONS[name] for name in FORMATS[format].notations]
    delimiters = dict(pair for notation in notations for pair in notation.delimiters)
    openings = "|".join(map(re.escape, sorted(delimiters, key=len, reverse=True))) or "(?!)"
    own = [
        f"| (?P<{notation.kind}_{number}>{notation.pattern})"
        for number, notation in enumerate(notations)
        if notation.pattern
    ]
    pattern = re.compile("\n".join([BEFORE.replace("OPENINGS", openings), *own, AFTER]), re.VERBOSE)
    closing = {
        opening: re.compile(re.escape(end), re.IGNORECASE) for opening, end in {**MARKUP_CLOSING, **delimiters}.items()
    }
    return Grammar(pattern, closing)


LONE_TAG = re.compile(r"<[^<>]*+>")
UNBOUNDED = {"<!--", "<![cdata[", "<script", "<style", "```", "<xliff:g"}
"""What may be as long as it likes. It always counts where it is closed, so that no passage is searched twice."""
AFTER_ADDRESS = ".,;:!?)]}*_~»”’“،؛؟।…"
BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
NAMES = {"syntax": "icu", "argument": "icu", "quoted": "quoted"}
"""What pieces of an ICU message are called as spans."""


def spans(text: str, format: Format = FORMATS[GUESS], protect: Sequence[str] = ()) -> list[Span]:
    """All that is to be left alone, in order, without overlap. Raises TooSlow of the expressions in `protect`."""
    if not protect and SIGNS.search(text) is None:
        return []
    found = _in_format(text, format)
    if protect:
        found = _with_own(found, [Span(start, end, "own") for start, end in own_spans(protect, text)])
    links = _links(text, found)
    found = [Span(span.start, span.end, "link") if span.start in links else span for span in found]
    return [span for span in found if span.kind != "bracket"]


def _in_format(text: str, format: Format) -> list[Span]:
    grammar = grammar_of(format.name)
    pieces = _pieces(text, format)
    if pieces is not None:
        return list(_in_message(text, pieces, grammar))
    found = list(_matches(text, 0, len(text), grammar))
    if format.name == GUESS and not any(span.kind == "number" and text[span.end - 1] == "1" for span in found):
        return [span for span in found if span.kind != "number"]  # percentages and prices
    return found


def _pieces(text: str, format: Format) -> list[messages.Piece] | None:
    """The structure of a text that is a message, with branches or at all, in a format that has such messages."""
    if format.message == "fluent":
        return fluent.structure(text)
    return messages.structure(text, needs_branches=format.message == "branches") if format.message else None


def _with_own(found: list[Span], own: list[Span]) -> list[Span]:
    """The caller's own spans in place of those they overlap; the structure of a message comes before both."""
    syntax = [span for span in found if span.kind == "icu"]
    own = _apart_from(own, syntax)
    return sorted([*own, *_apart_from(found, own)], key=lambda span: span.start)


def _apart_from(found: list[Span], others: list[Span]) -> list[Span]:
    """Those of `found` that overlap none of `others`; both are in order."""
    apart, number = list[Span](), 0
    for span in found:
        while number < len(others) and others[number].end <= span.start:
            number += 1
        if number == len(others) or others[number].start >= span.end:
            apart.append(span)
    return apart


def _in_message(text: str, pieces: Sequence[messages.Piece], grammar: Grammar) -> Iterator[Span]:
    """The syntax of an ICU message, and what is found between it: a tag may have arguments in it."""
    for is_syntax, group in groupby(pieces, key=lambda piece: piece.kind == "syntax"):
        run = list(group)
        found = [] if is_syntax else list(_matches(text, run[0].start, run[-1].end, grammar))
        found += [Span(piece.start, piece.end, NAMES[piece.kind]) for piece in run if piece.kind in NAMES]
        position = run[0].start
        for span in sorted(found, key=lambda span: (span.start, -span.end, span.kind not in NAMES.values())):
            if span.start >= position:
                yield span
                position = span.end


def _matches(text: str, position: int, end: int, grammar: Grammar) -> Iterator[Span]:
    unclosed = set[str]()
    while match := grammar.pattern.search(text, position, end):
        start, position, kind = match.start(), match.end(), str(match.lastgroup).partition("_")[0]
        if kind == "delimited":
            closed = _closed(text, match, end, unclosed, grammar)
            position, kind = _delimited(text, match, end, closed)
        elif kind == "address":
            position = start + _address_length(match[0])
        if position > start:
            yield Span(start, position, kind)
        position = max(position, start + 1)


def _delimited(text: str, opening: re.Match[str], end: int, closed: int) -> tuple[int, str]:
    """Where that which begins with `opening` ends, and what it is; 0 where it is nothing."""
    if closed or not opening[0].startswith("<"):
        return closed, "delimited"
    tag = LONE_TAG.match(text, opening.start(), end)
    return (tag.end(), "tag") if tag else (opening.end(), "delimited")


def _closed(text: str, opening: re.Match[str], end: int, unclosed: set[str], grammar: Grammar) -> int:
    """Where that which begins with `opening` ends; 0 where it is never closed, or not soon enough."""
    sign = opening[0].lower()
    if sign in unclosed:
        return 0
    limit = end if sign in UNBOUNDED else min(end, opening.end() + MAX_EXPRESSION)
    closing = grammar.closing[sign].search(text, opening.end(), limit)
    if closing is None and sign in UNBOUNDED:
        unclosed.add(sign)
    return closing.end() if closing else 0


def _address_length(address: str) -> int:
    """Its length without the punctuation after it; a bracket belongs to it if it was opened in it."""
    length = len(address.rstrip(AFTER_ADDRESS))
    still_open = {
        closing: address.count(opening, 0, length) - address.count(closing, 0, length) for opening, closing in BRACKETS
    }
    for number, sign in enumerate(address[length:], length + 1):
        if still_open.get(sign, 0) > 0:
            still_open[sign] -= 1
            length = number
    return length


def _links(text: str, found: Iterable[Span]) -> set[int]:
    """Where the two ends of each Markdown link start."""
    links, open_brackets = set[int](), list[int]()
    for span in found:
        if span.kind == "bracket" and text[span.start] != "]":
            open_brackets.append(span.start)
        elif span.kind == "linkend" and open_brackets:
            links |= {open_brackets.pop(), span.start}
        elif span.kind == "bracket" and open_brackets:
            open_brackets.pop()
    return links
