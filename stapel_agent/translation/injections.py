"""Injections: code, links and template syntax in a translation that the source does not have."""

from __future__ import annotations

import re
from html import unescape

# Browsers ignore these characters inside an address.
DROPPED = re.compile(r"[\t\n\r]++")
LETTERS = "a-z\u00a1-\u1fff\u2c00-\ud7ff"
COMMON_DOMAINS = "com|net|org|info|biz|xyz|top|online|site|shop|club|app|dev|io|ru|cn|onion"

ATTRIBUTE = "an attribute"
SYNTAX = {
    "template syntax": re.compile(
        r"""
          <%|%>|<\?|\?>|<[\#@]|\{[{%\#$!@:~]|[}%\#]\}|[$\#@%!~&*]!?\{|\[\[[^\[\]\n]{1,200}+\]\]|\$\(|@\(|\*\||\|\*|<!--|--!?>|\]\]>
        | \#(?:set|if|elseif|else|end|foreach|parse|include|macro|define|evaluate|stop)\s{0,5}\(
        """,
        re.VERBOSE,
    ),
    "script": re.compile(
        r"""
          </?script|(?:javascript|vbscript|livescript):|\bdata:\s{0,5}(?:[a-z]{1,30}/[a-z0-9]|[;,])
        | \bexpression\(|@import\b|\bon[a-z]{3,30}\s{0,5}=
        """,
        re.VERBOSE | re.IGNORECASE,
    ),
    ATTRIBUTE: re.compile(
        r"""["'`](?:/?>|[\s/]{1,20}+(?:[\w:@.-]{1,40}+[\s/]{1,20}+){0,5}?[\w:@.-]{1,40}+\s{0,5}+=)"""
    ),
    "an address": re.compile(
        rf"""
          (?<![\w:/\\])[/\\]{{2}}[\w-]{{1,63}}+(?:(?:\.[\w-]{{1,63}}+)++(?![\w-])|[/\\:])
        | (?<![\w.@-])[\w-]{{1,63}}+(?:\.[\w-]{{1,63}}+)*?\.(?:xn--[\w-]{{1,59}}|[{LETTERS}]{{2,24}}+)
          (?::\d{{1,5}})?/[^\s/]
        | (?<![\w.@-])(?:[a-z0-9-]{{1,63}}+\.){{1,5}}?(?:{COMMON_DOMAINS})(?![\w.-])
        | (?<![\d.])(?:\d{{1,3}}+\.){{3}}\d{{1,3}}+(?:/|:\d)
        """,
        re.VERBOSE,
    ),
}
"""How each kind of injection is found, by its name in error messages."""
SIGNS = re.compile(r"[<>{}\[\]$#@%!~&*=\"'`:/.\\]|expression\(", re.IGNORECASE)


def injected(source: str, translation: str) -> str | None:
    """Describe syntax that `translation` has and `source` does not, or return None. Both texts are masked."""
    if SIGNS.search(translation) is None:
        return None
    ours, theirs = _as_run(source), _as_run(translation)
    for name, syntax in SYNTAX.items():
        found = set(syntax.findall(theirs.lower()))
        had = found and set(syntax.findall(ours.lower()))
        # Prose can have words between a quote and an equals sign, and these are translated.
        if found and (not had if name == ATTRIBUTE else found - had):
            return f"has {name} that the text does not have"
    return None


def _as_run(text: str) -> str:
    return DROPPED.sub("", unescape(text) if "&" in text else text)
