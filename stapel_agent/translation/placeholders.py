"""Where a text holds what no translator may touch: placeholders, markup, code, addresses. Linear in time for any text.

A mistake on the side of "leave it alone" costs a word left as it is; one on the other side breaks a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import messages

MAX_EXPRESSION = 500
"""Characters between template braces; beyond that they are prose in braces."""


@dataclass(frozen=True, slots=True)
class Span:
    """What stands from `start` to `end`: `kind` is a group of GRAMMAR, `icu`, or `link` for the brackets of one."""

    start: int
    end: int
    kind: str


GRAMMAR = re.compile(
    r"""
      (?P<mark>[⟦⟧])                                                                # our own, see `protection`
    | (?P<delimited><!--|<!\[CDATA\[|<\?|<(?i:script|style)\b|```|`|\{%|\{\#|\$\{|\#\{|%\{|\{\{)
    | (?P<tag></?+[A-Za-z][\w:.-]*+(?:[\s/]++(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)?>)
    | (?P<link_end>\]\((?:[^()\s<>]++|\([^()\s]*+\))*+(?:[ ]"[^"\n]*+")?+\))
    | (?P<bracket>!?+\[)
    | (?P<address>
        (?:(?i:https?|ftp)://|\bwww\.)
        [^\s<>"'`⟦⟧\u0e00-\u0e7f\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]++
      | (?<![\w.+-])[\w.+-]{1,64}+@[\w-]{1,63}+(?:\.[\w-]{1,63}+)+
      )
    | (?P<brace>\{\s{0,9}+[\w.@-]{0,100}+(?:\[[^\[\]{}]{0,100}+\]|\.\w{1,100}+){0,9}+(?:![rsa])?+(?::[^{}\n]{0,100}+)?+
        (?:\s{0,9}+,\s{0,9}+\w{1,30}+(?:\s{0,9}+,[^{}]{0,200}+)?+)?+\s{0,9}+\})
    | (?P<printf>
        %(?:\([\w.-]{1,100}+\)|\d{1,3}+\$)[-+0\#]*+[\d*]{0,4}+(?:\.[\d*]{1,3}+)?+(?:hh|ll|[hlLqjzt])?+[a-zA-Z@]
      | (?<![\d%])%[A-Za-z_][\w.-]{0,100}+%
      | (?<![\d%])%[-+0\#]*+[\d*]{0,4}+(?:\.[\d*]{1,3}+)?+(?:hh|ll|[hlLqjzt])?+[diouxXeEfFgGcrsp@]
      | %[-+0\#]*+\d{0,4}+(?:\.\d{1,3}+)?+[diouxXeEfFgGcrsp@aAbBHIjmMSUwWyYzZ](?![A-Za-z])
      | %%
      )
    | (?P<name>(?<![\w:/.]):[A-Za-z_]\w*+:?+)
    | (?P<escape>\\[\\nrt"'])
    | (?P<entity>&(?:\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]\w{1,31});)
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
UNBOUNDED = {"<!--", "<![cdata[", "<script", "<style", "```"}
"""What may be as long as it likes. It always counts where it is closed, so that no passage is searched twice."""
AFTER_ADDRESS = ".,;:!?)]}*_~"


def spans(text: str) -> list[Span]:
    """All that is to be left alone, in order, without overlap."""
    if structure := messages.structure(text):
        found = []
        for start, end, is_text in structure:
            leaf = text[start:end]
            inner = [Span(start + s.start, start + s.end, s.kind) for s in _scan(leaf)] if is_text else []
            found += inner if is_text else [Span(start, end, "icu")]
        return found
    return list(_scan(text))


def _scan(text: str) -> Iterator[Span]:
    found = list(_matches(text))
    links = _link_brackets(found)
    for number, span in enumerate(found):
        if span.kind not in ("bracket", "link_end"):
            yield span
        elif number in links:
            yield Span(span.start, span.end, "link")


def _matches(text: str) -> Iterator[Span]:
    position, unclosed = 0, set[str]()
    while match := GRAMMAR.search(text, position):
        end, kind = match.end(), str(match.lastgroup)
        if kind == "delimited":
            end = _closed(text, match[0].lower(), match.end(), unclosed)
        elif kind == "address":
            end = match.start() + len(match[0].rstrip(AFTER_ADDRESS))
        position = max(end, match.start() + 1)
        if end > match.start():
            yield Span(match.start(), end, kind)


def _closed(text: str, opening: str, start: int, unclosed: set[str]) -> int:
    """Where that which begins with `opening` ends; 0 where it is never closed, or not soon enough."""
    if opening in unclosed:
        return 0
    limit = len(text) if opening in UNBOUNDED else start + MAX_EXPRESSION
    closing = CLOSING[opening].search(text, start, limit)
    if closing is None and opening in UNBOUNDED:
        unclosed.add(opening)
    return closing.end() if closing else 0


def _link_brackets(found: list[Span]) -> set[int]:
    """The numbers of the spans that are the two ends of a Markdown link."""
    links, open_brackets = set[int](), list[int]()
    for number, span in enumerate(found):
        if span.kind == "bracket":
            open_brackets.append(number)
        elif span.kind == "link_end" and open_brackets:
            links |= {open_brackets.pop(), number}
    return links
