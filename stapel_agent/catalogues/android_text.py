r"""Texts of Android's string resources: escapes, quotes and markup.

A text keeps its markup, its character references and the escapes `\n`, `\t` and `\\`, which the format `android`
protects. Other escapes and quotes are decoded, and white space is collapsed as Android does.

Source: Android developers, "String resources", sections "Handle special characters" and "Styling with HTML markup".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.entities import html5

from .xml_elements import parse_xml

CDATA = re.compile(r"\s*+<!\[CDATA\[(?P<text>.*?)\]\]>\s*+", re.DOTALL)
TAG = r"""<(?:[^<>"']|"[^"]*+"|'[^']*+')*+>"""
TOKENS = re.compile(
    rf"""
      (?P<tag>{TAG})
    | (?P<unicode>\\u[0-9A-Fa-f]{{4}}) | (?P<escape>\\.)
    | (?P<quote>") | (?P<blanks>[\ \t\r\n\f\v]++) | (?P<other>[^\\"\ \t\r\n\f\v<]++|.)
    """,
    re.VERBOSE | re.DOTALL,
)
CDATA_TOKENS = re.compile(TOKENS.pattern.replace(TAG, "(?!)"), TOKENS.flags)
BLANKS = " \t\r\n\f\v"
KEPT_ESCAPES = {r"\n", r"\t", r"\\", r"\r"}
REFERENCES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
AMPERSAND = re.compile(r"&(?:#?\w{1,31};)?")
REFERENCE = re.compile(r"[@?](?:[\w.:+-]++/)?[\w.:]++")


def decode(raw: str, style: str) -> str:
    """Return the text of `raw`. The style `cdata` means the contents of a CDATA section."""
    pieces, is_quoted = list[str](), False
    for kind, token in _tokens(raw.strip(BLANKS), style):
        if kind == "quote":
            is_quoted = not is_quoted
        elif kind == "blanks":
            pieces.append(token.replace("\n", r"\n") if is_quoted else " ")
        elif kind == "unicode":
            pieces.append(_character(token, style))
        elif kind == "escape":
            pieces.append(token if token in KEPT_ESCAPES else token[1:])
        else:
            pieces.append(token)
    return "".join(pieces)


def encode(text: str, style: str) -> str:
    """Write `text` for a resource. Markup that is not well-formed becomes text."""
    raw = "".join(_encoded(kind, token, style) for kind, token in _tokens(text, style))
    if style != "cdata" and not _is_well_formed(raw):
        raw = "".join(_encoded(kind.replace("tag", "text"), token, style) for kind, token in _tokens(text, style))
    if raw[:1] in ("@", "?"):
        raw = f"\\{raw}"
    if raw.startswith(" "):
        raw = f"\\u0020{raw[1:]}"
    if raw.endswith(" "):
        raw = f"{raw[:-1]}\\u0020"
    return raw.replace("]]>", r"]]\u003e" if style == "cdata" else "]]&gt;")


def with_characters(text: str, source: str) -> str:
    """Return `text` with characters for the references that `source` lacks, except those to the signs of markup.

    In XML, "Bed & Breakfast" is written with `&amp;`, also where the source has the word "and".
    """
    kept = set(AMPERSAND.findall(source))

    def character(found: re.Match[str]) -> str:
        meant = unescape(found[0])
        return found[0] if found[0] in kept or meant in "<>" else meant

    return AMPERSAND.sub(character, text)


def _tokens(raw: str, style: str) -> Iterator[tuple[str, str]]:
    for match in (CDATA_TOKENS if style == "cdata" else TOKENS).finditer(raw):
        yield str(match.lastgroup), match[0]


def _character(token: str, style: str) -> str:
    character = chr(int(token[2:], 16))
    if character in REFERENCES and style != "cdata":
        return REFERENCES[character]
    return character if character.isprintable() or character == "\u00a0" else token


def _is_well_formed(raw: str) -> bool:
    try:
        parse_xml(f"<item>{raw}</item>")
    except ValueError:
        return False
    return True


def _encoded(kind: str, token: str, style: str) -> str:
    if kind == "tag":
        return f"<{_escaped(token[1:])}"
    if kind == "text":
        return _escaped(token).replace('"', r"\"").replace("'", r"\'")
    if kind == "escape":
        return _escape(token, style)
    if kind == "blanks":
        return _blanks(token)
    if kind == "quote":
        return r"\""
    if kind == "other":
        token = token.replace("\\", r"\\").replace("'", r"\'")
        return token if style == "cdata" else _escaped(token)
    return token


def _escaped(token: str) -> str:
    """Return `token` as XML without markup. References that only HTML knows, such as `&nbsp;`, become characters."""
    return AMPERSAND.sub(_reference, token.replace("<", "&lt;"))


def _reference(found: re.Match[str]) -> str:
    if _is_well_formed(found[0]):
        return found[0]
    character = html5.get(found[0][1:], "")
    return REFERENCES.get(character, character) or f"&amp;{found[0][1:]}"


def _escape(token: str, style: str) -> str:
    if token in KEPT_ESCAPES or token[1] in "'\"":
        return token
    if token[1] in "@?":  # needs a backslash as the first character only
        return token[1]
    kind = next(kind for kind, _ in _tokens(token[1], style))
    return rf"\\{_encoded(kind, token[1], style)}"


def _blanks(token: str) -> str:
    r"""Write white space so that Android does not collapse it: the second of two spaces is `\u0020`."""
    written = token.replace("\n", r"\n").replace("\t", r"\t")
    return re.sub(r"(?<= ) ", r"\\u0020", written)
