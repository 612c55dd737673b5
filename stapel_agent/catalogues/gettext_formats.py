"""The formats of gettext's flags: which placeholders a text has, and what `msgfmt --check` wants to be kept."""

from __future__ import annotations

import re
from collections.abc import Collection

FORMATS = {
    "c-format": "printf",
    "objc-format": "printf",
    "c++-format": "python-brace",
    "csharp-format": "python-brace",
    "java-format": "java",
    "python-brace-format": "python-brace",
    "rust-format": "python-brace",
    "python-format": "python",
    "qt-format": "qt",
    "qt-plural-format": "qt",
    "kde-format": "kde",
    "kde-kuit-format": "kde",
    "php-format": "php",
    "sh-format": "shell",
}
"""The format of a text, by gettext's flag."""

SPACE_FLAGS = {
    "printf": r"%%|% [-+ 0#'I]*+(?:\d{0,4}+%|(?:hh|ll|[hlLqjztZ])?+[diouxXeEfFgGaAcCsSpnm@])",
    "python": r"%%|% [-+ 0#]*+(?:\d{0,4}+%|[hlL]?+[diouxXeEfFgGcrsa])",
    "php": r"%%|% [-+ 0]*+[bcdeEfFgGhHosuxX]",
}
"""Conversions with a space as their flag, by the format. msgfmt also finds them in percentages, such as "20% off"."""

SIGNS = {**dict.fromkeys(SPACE_FLAGS, "%"), "shell": "$"}
"""The sign with which every placeholder begins, by the format."""


def _directives(conversion: str) -> str:
    """Return the expression for directives that end with `conversion`. Every percent sign begins one."""
    return rf"%[-+ 0#',_=I(\d.*$:\[\]]{{0,20}}+(?:{conversion})|%%?+"


PLAIN = _directives("[A-Za-z]")
SIZED = _directives("(?:hh|ll|[hlLqjzt])?[A-Za-z]")
GCC = "%['<>{}]|" + _directives("q?[+#]?(?:ll|hh|[hlwzt])?[A-Za-z]")
TILDE = r"~[-+,#vV':@\d]{0,12}+[A-Za-z%&|~$?*(){}\[\]<>;^_]|~"
DIGIT = r"%[1-9]|%%?+"
ESCAPE = r"\\(?:[0-7]{1,3}+|[^0-7])"
PROTECTED = {
    "awk-format": PLAIN,
    "boost-format": _directives(r"(?:ll|[hlL])?[A-Za-z%]|\|[^|\n]{1,20}+\|"),
    "d-format": _directives(r"[A-Za-z()|]"),
    "elisp-format": PLAIN,
    "gcc-internal-format": GCC,
    "gfc-internal-format": GCC,
    "go-format": PLAIN,
    "java-printf-format": _directives(r"<?[-+0#,(\d.]{0,9}+[tT]?[A-Za-z]"),
    "javascript-format": PLAIN,
    "librep-format": PLAIN,
    "lisp-format": TILDE,
    "lua-format": PLAIN,
    "modula2-format": rf"{PLAIN}|{ESCAPE}",
    "object-pascal-format": PLAIN,
    "ocaml-format": _directives("[lnL]?[A-Za-z]|[!@,(){}]"),
    "perl-brace-format": r"\{[A-Za-z_]\w{0,100}+\}",
    "perl-format": _directives(r"(?:v\d{0,4}+)?(?:hh|ll|I\d\d|[hlLqVzt])?[A-Za-z_]"),
    "ruby-format": _directives(r"<\w{1,50}+>[-+ 0#\d.*]{0,9}+[A-Za-z]|\{[^{}\n]{1,50}+\}|[A-Za-z]"),
    "scheme-format": TILDE,
    "sh-printf-format": rf"{SIZED}|{ESCAPE}",
    "smalltalk-format": DIGIT,
    "tcl-format": SIZED,
    "ycp-format": DIGIT,
}
"""Expressions for the directives of programs whose syntax is no format of its own, by gettext's flag."""

STRICT = {
    "d-format",
    "go-format",
    "lisp-format",
    "lua-format",
    "python-format",
    "qt-format",
    "ruby-format",
    "scheme-format",
}
"""Flags of formats in which a plural form may leave out named placeholders only."""
UNNAMED = re.compile(r"[%~][^({<]")
NUMBERED = re.compile(r"%\d{1,3}+\$")
UNNUMBERED = {"go-format", "lua-format", "modula2-format"}
"""Flags of formats in which `%1$s` is no placeholder."""


def format_of(flags: Collection[str]) -> str:
    """Return the format of a text with these flags: `none` if a flag has expressions alone, or an empty string."""
    known = next((FORMATS[flag] for flag in flags if flag in FORMATS), "")
    return known or ("none" if any(flag in PROTECTED for flag in flags) else "")


def protected(text: str, flags: Collection[str]) -> list[str]:
    """Return the expressions for what must be kept in a text with these flags, besides its format's placeholders."""
    return [*protected_signs(format_of(flags), text), *(PROTECTED[flag] for flag in flags if flag in PROTECTED)]


def protected_signs(format: str, text: str) -> list[str]:
    """Return the expression for what msgfmt takes for a placeholder in `text`, or in its translation if it has none."""
    sign = SIGNS.get(format)
    if sign and sign not in text:
        return [re.escape(sign)]
    return [SPACE_FLAGS[format]] if format in SPACE_FLAGS and "% " in text else []


def has_wrong_number(translation: str, flags: Collection[str]) -> bool:
    """Whether a placeholder has a number, such as `%1$s`, which a format among the flags does not allow."""
    return not UNNUMBERED.isdisjoint(flags) and NUMBERED.search(translation) is not None


def is_strict(flags: Collection[str]) -> bool:
    """Whether a format among the flags needs all placeholders without names in every plural form."""
    return not STRICT.isdisjoint(flags)
