"""Where a text holds what no translator may touch: placeholders, markup, code, addresses. Linear in time for any text.

A mistake on the side of "leave it alone" costs a word left as it is; one on the other side breaks a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from . import messages

MAX_EXPRESSION = 500
"""Characters between template braces; beyond that they are prose in braces."""


@dataclass(frozen=True, slots=True)
class Span:
    """What stands from `start` to `end`: `kind` is a group of GRAMMAR, `icu`, `quoted`, or `link` for an end of one."""

    start: int
    end: int
    kind: str


# Without one of these a text holds nothing of the grammar.
SIGNS = re.compile(r"[⟦⟧<`{%$\[\]:@\\&#]|www\.", re.IGNORECASE)

# What is closed somewhere comes first: where it is not, the rest of the grammar has its turn. Most of a text begins
# nothing, and is passed by the first step of either half.
GRAMMAR = re.compile(
    r"""
    (?=[⟦⟧<`{%$\[\]!:@\\&\#]) (?:
      (?P<mark>[⟦⟧]++)                                                              # our own, see `protection`
    | (?P<delimited><!--|<!\[CDATA\[|<\?|<(?i:script|style)\b|```|(?<![A-Za-z])`|\{%|\{\#|\$\{|\#\{|%\{|\{\{)
    | (?P<tag></?+(?:[A-Za-z][\w:.-]*+(?:[\s/]++(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)?|\d{1,3}+\s?+/?|)>)
    | (?P<link_end>\]\((?:[^()\s<>]++|\([^()\s]*+\))*+(?:[ ]"[^"\n]*+")?+\)|\]\[[^\[\]\n]{0,100}+\])
    | (?P<interval>\[\d{1,9}+,\s?+(?:\d{1,9}+|\*)\])
    | (?P<bracket>!?+\[|\])
    | (?P<brace>\{\s{0,9}+[\w.@-]{0,100}+(?:\[[^\[\]{}]{0,100}+\]|\.\w{1,100}+){0,9}+(?:![rsa])?+(?::[^{}\n]{0,100}+)?+
        (?:\s{0,9}+,\s{0,9}+\w{1,30}+(?:\s{0,9}+,[^{}]{0,200}+)?+)?+\s{0,9}+\}|\$t\([^()\n]{1,200}+\))
    | (?P<printf>
        %(?:\([\w.-]{1,100}+\)|<[\w.-]{1,100}+>|\d{1,3}+\$)[-+0\#]*+[\d*]{0,4}+(?:\.[\d*]{1,3}+)?+
        (?:hh|ll|[hlLqjzt])?+[a-zA-Z@]
      | (?<![\d%])%[A-Za-z_][A-Za-z0-9_]{2,100}+%(?![A-Za-z%@])
      | (?<![\d%])%[-+0\#]*+\d{0,4}+\.[\d*]{1,3}+(?:hh|ll|[hlLqjzt])?+[diouxXeEfFgGcrsp@]
      | (?<![\d%])%\*?+(?:hh|ll|[hlLqjzt])?+[diouxXeEfFgGcrsp@]
      | (?<!\d)%[-+0\#]*+[\d*]{0,4}+(?:hh|ll|[hlLqjzt])?+[diouxXeEfFgGcrsp@aAbBHIjmMSUwWyYzZ](?![A-Za-z])
      | %[dfis@](?![A-Za-z])
      | %%
      )
    | (?P<name>(?<![\w:/.]):[A-Za-z_][A-Za-z0-9_]*+:?+)
    | (?P<linked>(?<!\w)@(?:\.[a-z]{1,20}+)?+:\(?+\w++(?:[.-]\w++)*+\)?+)
    | (?P<escape>\\[\\nrt])
    | (?P<entity>&[lg]t;)
    )
    | (?<![A-Za-z0-9]) (?P<address>
        (?:(?<![+.-])[A-Za-z][A-Za-z0-9+.-]{0,20}+://|\bwww\.|\b(?i:javascript|mailto|tel):)
        [^\s<>"'`⟦⟧\u0e00-\u0e7f\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]++
      | (?<![\w.+-])[\w.+-]{1,64}+@[\w-]{1,63}+(?:\.[\w-]{1,63}+)+
      )
    """,
    re.VERBOSE,
)

CLOSING = {
    opening: re.compile(re.escape(closing), re.IGNORECASE)
    for opening, closing in {
        "<!--": "-->",
        "<![cdata[": "]]>",
        "<?": "?>",
        "<script": "</script>",
        "<style": "</style>",
        "```": "```",
        "`": "`",
        "{%": "%}",
        "{#": "#}",
        "${": "}",
        "#{": "}",
        "%{": "}",
        "{{": "}}",
    }.items()
}
LONE_TAG = re.compile(r"<[^<>]*+>")
UNBOUNDED = {"<!--", "<![cdata[", "<script", "<style", "```"}
"""What may be as long as it likes. It always counts where it is closed, so that no passage is searched twice."""
AFTER_ADDRESS = ".,;:!?)]}*_~»”’“،؛؟।…"
BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
NAMES = {"syntax": "icu", "argument": "icu", "quoted": "quoted"}
"""What pieces of an ICU message are called as spans."""


def spans(text: str) -> list[Span]:
    """All that is to be left alone, in order, without overlap."""
    if SIGNS.search(text) is None:
        return []
    pieces = messages.structure(text)
    found = list(_matches(text, 0, len(text)) if pieces is None else _in_message(text, pieces))
    links = _links(text, found)
    found = [Span(span.start, span.end, "link") if span.start in links else span for span in found]
    return [span for span in found if span.kind != "bracket"]


def _in_message(text: str, pieces: Sequence[messages.Piece]) -> Iterator[Span]:
    """The syntax of an ICU message, and what is found between it: a tag may have arguments in it."""
    for is_syntax, group in groupby(pieces, key=lambda piece: piece.kind == "syntax"):
        run = list(group)
        found = [] if is_syntax else list(_matches(text, run[0].start, run[-1].end))
        found += [Span(piece.start, piece.end, NAMES[piece.kind]) for piece in run if piece.kind in NAMES]
        position = run[0].start
        for span in sorted(found, key=lambda span: (span.start, -span.end, span.kind not in NAMES.values())):
            if span.start >= position:
                yield span
                position = span.end


def _matches(text: str, position: int, end: int) -> Iterator[Span]:
    unclosed = set[str]()
    while match := GRAMMAR.search(text, position, end):
        start, position, kind = match.start(), match.end(), str(match.lastgroup)
        if kind == "delimited":
            position, kind = _delimited(text, match, end, unclosed)
        elif kind == "address":
            position = start + _address_length(match[0])
        if position > start:
            yield Span(start, position, kind)
        position = max(position, start + 1)


def _delimited(text: str, opening: re.Match[str], end: int, unclosed: set[str]) -> tuple[int, str]:
    """Where that which begins with `opening` ends, and what it is; 0 where it is nothing."""
    closed = _closed(text, opening, end, unclosed)
    if closed or not opening[0].startswith("<"):
        return closed, "delimited"
    tag = LONE_TAG.match(text, opening.start(), end)
    return (tag.end(), "tag") if tag else (opening.end(), "delimited")


def _closed(text: str, opening: re.Match[str], end: int, unclosed: set[str]) -> int:
    """Where that which begins with `opening` ends; 0 where it is never closed, or not soon enough."""
    sign = opening[0].lower()
    if sign in unclosed:
        return 0
    limit = end if sign in UNBOUNDED else min(end, opening.end() + MAX_EXPRESSION)
    closing = CLOSING[sign].search(text, opening.end(), limit)
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
        elif span.kind == "link_end" and open_brackets:
            links |= {open_brackets.pop(), span.start}
        elif span.kind == "bracket" and open_brackets:
            open_brackets.pop()
    return links
