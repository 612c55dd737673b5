"""Find what a translation must keep: placeholders, markup, code, addresses. Takes linear time for any text.

Protecting too much leaves a word untranslated; protecting too little breaks a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from stapel_agent.translation.messages import fluent, icu_messages

from .placeholder_formats import FORMATS, GUESS, NOTATIONS, SPACED_LETTERS, Format
from .protect_patterns import own_spans

MAX_EXPRESSION = 500
"""Maximum characters between template braces. Longer contents are prose in braces."""


@dataclass(frozen=True, slots=True)
class Span:
    """The protected part from `start` to `end`. `kind` is that of a Notation, one of MARKUP, `icu`, `quoted`, `own` or
    `link`."""

    start: int
    end: int
    kind: str


# A text without any of these has nothing to protect.
SIGNS = re.compile(r"[⟦⟧<`{%$\[\]:@\\&#!_*~^§¤]|www\.", re.IGNORECASE)

ELEMENTS = (
    "abbr|address|article|aside|a|audio|base|bdi|bdo|big|blockquote|body|br|button|b|caption|center|cite|code|col|dd|del|details"
    "|dfn|dialog|div|dl|dt|embed|em|fieldset|figcaption|figure|font|footer|form|h[1-6]|header|head|hr|html|iframe|img|input|ins|i"
    "|kbd|label|legend|link|li|main|mark|math|meta|nav|noscript|object|ol|optgroup|option|output|picture|pre|progress|p|q|rp|rt"
    "|ruby|samp|script|section|select|small|source|span|strike|strong|style|sub|summary|sup|svg|s|table|tbody|td|template"
    "|textarea|tfoot|thead|th|time|title|track|tr|tt|ul|u|var|video|wbr"
)
"""HTML's elements. Another name in escaped angle brackets is for people: `&lt;your name&gt;`."""
LT, GT = (rf"&(?:amp;)?+(?:{references});" for references in (r"lt|\#60|\#x3c", r"gt|\#62|\#x3e"))
ESCAPED_TAG = rf"{LT}/?+(?ai:{ELEMENTS})(?![\w:.-])(?:[^<>&]|(?!{LT}|{GT})&){{0,300}}+(?:>|{GT})"

NOT_QUOTED = r"""(?![^`'\s][^`'\n]{0,80}+'(?!\w)[^`]{0,500}+(?<=[\s(\["“/|])`)"""
"""After a backtick that is not the quotation mark of `word' in GNU programs, followed by another such quote."""

# Protected in every format: our own marks (see `masking`), code, tags, links, entities that hide a tag.
BEFORE = r"""
    (?=[⟦⟧<`{%$\[\]!:@\\&\#_*}~^§¤]) (?:
      (?P<mark>[⟦⟧]++)
    | (?P<delimited><!--|<!\[CDATA\[|<\?|<(?ai:script|style)\b|```|(?<![A-Za-z])`QUOTED|OPENINGS)
""".replace("QUOTED", NOT_QUOTED)
UNDELIMITED = r"(?: (?!)"
AFTER = r"""
    | (?P<tag></?+(?:[A-Za-z][\w:.-]*+(?:[\s/]++(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)?|\d{1,3}+\s?+/?|)>
      | ESCAPED_TAG)
    | (?P<linkend>\]\((?:[^()\s<>]++|\([^()\s]*+\))*+(?:[ ]"[^"\n]*+")?+\)|\]\[[^\[\]\n]{0,100}+\])
    | (?P<bracket>!?+\[|\])
    | (?P<entity>&[lg]t;|&amp;\#?+\w{1,31}+;)
    )
""".replace("ESCAPED_TAG", ESCAPED_TAG)
IN_ADDRESS = r"""(?:[^\s<>"'`\\⟦⟧\u0e00-\u0e7f\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]
          | \\(?![nrt"'] | u[0-9A-Fa-f]{4} | U[0-9A-Fa-f]{4} | x[0-9A-Fa-f]{2}))"""
"""A character of an address. An escape such as `\\n` ends it."""
AFTER_ESCAPE = r"(?<=\\[nrt])"
ADDRESS = rf"""
    | (?:(?<![A-Za-z0-9])|{AFTER_ESCAPE}) (?P<address>
        (?:(?<![+.-])[A-Za-z][A-Za-z0-9+.-]{{0,20}}+://|(?:\b|{AFTER_ESCAPE})(?:www\.|(?ai:javascript|mailto|tel):))
        {IN_ADDRESS}++
      | (?:(?<![\w.+@/-])|{AFTER_ESCAPE})(?:[A-Za-z0-9-]{{1,63}}+\.){{1,9}}+[a-z]{{2,24}}+(?::\d{{1,5}}+)?+/
        {IN_ADDRESS}*+
      | (?:(?<![\w.+-])|{AFTER_ESCAPE})[\w.+-]{{1,64}}+@[\w-]{{1,63}}+(?:\.[\w-]{{1,63}}+)++
      )
"""
ADDRESS_SIGNS = re.compile(r"[:/@]|www\.")
"""Every address contains one of these."""
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
    """The patterns for the texts of one format. Delimited expressions are tried first; if one is not closed, the other
    patterns are tried. The first step of each half skips most characters quickly. `without_addresses` is `pattern` for
    texts that have no address.
    """

    pattern: re.Pattern[str]
    without_addresses: re.Pattern[str]
    undelimited: re.Pattern[str]
    closing: Mapping[str, re.Pattern[str]]


@lru_cache(maxsize=len(FORMATS))
def grammar_of(format: str) -> Grammar:
    """Return the grammar of the format called `format`."""
    notations = [NOTATIONS[name] for name in FORMATS[format].notations]
    delimiters = dict(pair for notation in notations for pair in notation.delimiters)
    openings = "|".join(map(re.escape, sorted(delimiters, key=len, reverse=True))) or "(?!)"
    own = [
        f"| (?P<{notation.kind}_{number}>{notation.pattern})"
        for number, notation in enumerate(notations)
        if notation.pattern
    ]
    before = BEFORE.replace("OPENINGS", openings)
    pattern, without_addresses, undelimited = (
        re.compile("\n".join(parts), re.VERBOSE)
        for parts in (
            [before, *own, AFTER, ADDRESS],
            [before, *own, AFTER],
            [UNDELIMITED, *own, AFTER, ADDRESS],
        )
    )
    closing = {
        opening: re.compile(re.escape(end), re.IGNORECASE) for opening, end in {**MARKUP_CLOSING, **delimiters}.items()
    }
    return Grammar(pattern, without_addresses, undelimited, closing)


LONE_TAG = re.compile(r"<[^<>]*+>")
UNBOUNDED = {"<!--", "<![cdata[", "<script", "<style", "```", "<xliff:g"}
"""Delimited expressions of any length. They always count if they are closed, so no text is searched twice."""
AFTER_ADDRESS = ".,;:!?)]}*_~»”’“،؛؟।…"
BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
MAGNITUDES = (
    r"(?:(?ai:hundred|thousand|(?:m|b|tr)il(?:l?i[aojó]|l?[oó]n|[hjy])|mi[ol]\b|m[lr][nd]\b)|млн|млрд|милл?и[аој]|міль)"
)
"""How a number of dollars goes on, as in "$1 million"."""
FIRST_NUMBERS = {
    "%": re.compile(rf"(?<![{SPACED_LETTERS}%])%L?1(?!\d)"),
    "$": re.compile(rf"(?<![{SPACED_LETTERS}$])\$1(?![{SPACED_LETTERS}]|[.,]\d|[\s-]{MAGNITUDES}|[万萬亿億만억])"),
    "#": re.compile(rf"\A(?>.*?(?<![{SPACED_LETTERS}&])#1(?![{SPACED_LETTERS}])).*#2(?![{SPACED_LETTERS}])", re.DOTALL),
}
"""What a text has if it numbers its placeholders, by their sign."""
PERCENTAGE = re.compile(
    r"(?:(?<=\d)|(?<=\d\s))% [-+ #']*+(?:hh|ll|[hlLqjztZ])?+(?:[A-Za-z@](?=['’-]?+[^\W\d_])|[aeiosu](?!\w))"
)
"""A percent sign after a number, before a word. Its first letters look like a conversion with a space as its flag."""
LINKED = frozenset({"bracket", "linkend"})
"""The kinds of span that may be the end of a link."""
TARGETS = {"address", "number"}
"""The kinds of span that begin a link of MediaWiki: `[https://a.example text]`, `[$1 text]`."""
NAMES = {"syntax": "icu", "argument": "icu", "quoted": "quoted"}
"""The span kinds of the pieces of an ICU message."""


def spans(text: str, format: Format = FORMATS[GUESS], protect: Sequence[str] = ()) -> list[Span]:
    """Return all protected spans, in order, without overlaps. Raises TooSlow for the expressions in `protect`."""
    if not protect and SIGNS.search(text) is None:
        return []
    found = _in_format(text, format)
    if protect:
        found = _with_own(found, [Span(start, end, "own") for start, end in own_spans(protect, text)])
    if LINKED.isdisjoint(span.kind for span in found):
        return found
    links = _links(text, found)
    found = [Span(span.start, span.end, "link") if span.start in links else span for span in found]
    return [span for span in found if span.kind != "bracket"]


def _in_format(text: str, format: Format) -> list[Span]:
    grammar = grammar_of(format.name)
    pieces = _pieces(text, format)
    if pieces is not None:
        return list(_in_message(text, pieces, grammar))
    found = list(_matches(text, 0, len(text), grammar))
    if format.is_optional and "% " in text:
        return _without_percentages(text, found)
    return _without_amounts(text, found) if format.name == GUESS else found


def _without_percentages(text: str, found: list[Span]) -> list[Span]:
    """Leave out the `% o` of "20% off", unless the text has other placeholders and is formatted."""
    are_prose = all(PERCENTAGE.match(text, span.start) for span in found if span.kind == "printf")
    return [span for span in found if span.kind != "printf"] if are_prose else found


def _without_amounts(text: str, found: list[Span]) -> list[Span]:
    """Leave out numbers with a sign that does not count from 1 in the text: percentages, prices and ranks."""
    signs = {text[span.start] for span in found if span.kind == "number"}
    if not signs:
        return found
    amounts = {sign for sign in signs if FIRST_NUMBERS[sign].search(text) is None}
    return [span for span in found if span.kind != "number" or text[span.start] not in amounts]


def _pieces(text: str, format: Format) -> list[icu_messages.Piece] | None:
    """Return the structure of a text that is a message, if the format has messages. Otherwise return None."""
    if is_fluent(text, format):
        return fluent.structure(text)
    return icu_messages.structure(text, needs_branches=format.message == "branches") if format.message else None


def is_fluent(text: str, format: Format) -> bool:
    """Whether `text` is a pattern of Fluent: by its format, or by its selectors if that is not known."""
    return format.message == "fluent" or (format.name == GUESS and fluent.is_pattern(text))


def _with_own(found: list[Span], own: list[Span]) -> list[Span]:
    """Replace the spans that the caller's spans overlap. Message structure takes precedence over both."""
    syntax = [span for span in found if span.kind == "icu"]
    own = _apart_from(own, syntax)
    return sorted([*own, *_apart_from(found, own)], key=lambda span: span.start)


def _apart_from(found: list[Span], others: list[Span]) -> list[Span]:
    """Return the spans in `found` that overlap none of `others`. Both are in order."""
    apart, number = list[Span](), 0
    for span in found:
        while number < len(others) and others[number].end <= span.start:
            number += 1
        if number == len(others) or others[number].start >= span.end:
            apart.append(span)
    return apart


def _in_message(text: str, pieces: Sequence[icu_messages.Piece], grammar: Grammar) -> Iterator[Span]:
    """Yield the syntax of an ICU message and the spans between it. A tag may contain arguments."""
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
    pattern = grammar.pattern if ADDRESS_SIGNS.search(text, position, end) else grammar.without_addresses
    while match := pattern.search(text, position, end):
        start, position, kind = match.start(), match.end(), str(match.lastgroup).partition("_")[0]
        if kind == "delimited":
            closed = _closed(text, match, end, unclosed, grammar)
            position, kind = _delimited(text, match, end, closed, grammar)
        elif kind == "address":
            position = start + _address_length(match[0])
        if position > start:
            yield Span(start, position, kind)
        position = max(position, start + 1)


def _delimited(text: str, opening: re.Match[str], end: int, closed: int, grammar: Grammar) -> tuple[int, str]:
    """Return where the expression that starts with `opening` ends, and its kind. The end is 0 if it has no end."""
    if closed:
        return closed, "delimited"
    if not opening[0].startswith("<"):
        other = grammar.undelimited.match(text, opening.start(), end)
        return (other.end(), str(other.lastgroup).partition("_")[0]) if other else (0, "delimited")
    tag = LONE_TAG.match(text, opening.start(), end)
    return (tag.end(), "tag") if tag else (opening.end(), "delimited")


def _closed(text: str, opening: re.Match[str], end: int, unclosed: set[str], grammar: Grammar) -> int:
    """Return where the expression that starts with `opening` ends. 0 if it is not closed, or not within the limit."""
    sign = opening[0].lower()
    if sign in unclosed:
        return 0
    limit = end if sign in UNBOUNDED else min(end, opening.end() + MAX_EXPRESSION)
    closing = grammar.closing[sign].search(text, opening.end(), limit)
    if closing is None and sign in UNBOUNDED:
        unclosed.add(sign)
    return closing.end() if closing else 0


def _address_length(address: str) -> int:
    """Return the length of the address without trailing punctuation. A bracket belongs to it if it was opened in it."""
    length = len(address.rstrip(AFTER_ADDRESS))
    still_open = {
        closing: address.count(opening, 0, length) - address.count(closing, 0, length) for opening, closing in BRACKETS
    }
    for number, sign in enumerate(address[length:], length + 1):
        if still_open.get(sign, 0) > 0:
            still_open[sign] -= 1
            length = number
    return length


def _links(text: str, found: Sequence[Span]) -> set[int]:
    """Return where the two ends of each link start: `[text](address)` of Markdown, `[address text]` of MediaWiki."""
    links, open_brackets = set[int](), list[int]()
    targets = {span.start for span in found if span.kind in TARGETS and text[span.end : span.end + 1] == " "}
    for span in found:
        if span.kind == "bracket" and text[span.start] != "]":
            open_brackets.append(span.start)
        elif span.kind == "linkend" and open_brackets:
            links |= {open_brackets.pop(), span.start}
        elif span.kind == "bracket" and open_brackets:
            opening = open_brackets.pop()
            if opening + 1 in targets:
                links |= {opening, span.start}
    return links
