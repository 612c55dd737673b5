"""The formats of texts: which placeholders each one has, which may be reordered, how apostrophes are written.

A format is an entry of FORMATS, made of notations from NOTATIONS. Its name is also in `types.TEXT_FORMATS`. The
unnamed entry is the guess: it combines the notations that a text of unknown format could use, in forms that rarely
occur in prose.

Sources: ICU MessageFormat, Java `MessageFormat`, i18next "Interpolation", Python `string` and `%`, gettext "Working
with *-format strings", Qt `QString::arg`, KDE ki18n, Project Fluent syntax 1.0, Android "String resources", Apple
"String Format Specifiers", Rails I18n, Symfony and Laravel translation, Vue I18n "Message format syntax", Angular i18n,
Drupal `FormattableMarkup`, gettext `sh-format`, EJS, Chrome `chrome.i18n`.
"""

from __future__ import annotations

from dataclasses import dataclass

GUESS = ""
"""The format of a text whose format is not given."""


@dataclass(frozen=True, slots=True)
class Notation:
    """One way to write a placeholder: a verbose regular expression without groups, linear in time.

    `kind` is the kind of their spans; text may look like the kind `name` by chance. `delimiters` maps the openings
    of bounded expressions to their ends, instead of a pattern.
    """

    kind: str
    pattern: str = ""
    delimiters: tuple[tuple[str, str], ...] = ()


SPACED_LETTERS = r"A-Za-z0-9_\u00c0-\u024f\u0370-\u052f\u1e00-\u1fff"
"""The characters of words with spaces between them. In Chinese, Thai or Hebrew, a placeholder may touch a word."""


def _touched(pattern: str) -> str:
    """Return `pattern` with the words of spaced scripts alone."""
    return pattern.replace(r"[\w", f"[{SPACED_LETTERS}").replace(r"\w", f"[{SPACED_LETTERS}]")


FLAGS = r"[-+0\#]*+"
LENGTH = r"(?:hh|ll|[hlLqjzt])?+"
CONVERSION = "[diouxXeEfFgGcrsp@]"
ANNOTATIONS = (
    "optional|required|default|draft|beta|alpha|new|sic|edited|deleted|removed|hidden|empty|none|unknown|untitled|unnamed"
    "|redacted|private|public|archived|disabled|enabled|current|experimental|deprecated|obsolete|you|yes|no"
)
"""Words that English texts write in square brackets, as a remark for people."""

NOTATIONS: dict[str, Notation] = {
    # For texts of unknown format: what may occur in prose is left out.
    "loose-braces": Notation(
        "brace",
        r"""\{\s{0,9}+[-$]?+[\w.@-]{0,100}+(?:\[[^\[\]{}]{0,100}+\]|\.\w{1,100}+){0,9}+(?:![rsa])?+(?::[^{}\n]{0,100}+)?+
            (?:\s{0,9}+,\s{0,9}+\w{1,30}+(?:\s{0,9}+,[^{}]{0,200}+)?+)?+\s{0,9}+\}""",
    ),
    "loose-expressions": Notation(
        "brace",
        r"""\{[\w.]{0,100}+(?:![rsa])?+:[^{}\n]{0,50}+\{[^{}\n]{0,50}+\}[^{}\n]{0,50}+\}
          | \{\s?+[$!?=~*+^@%:/>&#-][^{}\n]{0,100}+\}
          | \{\s?+[\w.$-]{1,100}+\s?+[?|(,][^{}\n]{0,100}+\}
          | \{\s?+"[^"\n]{0,100}+"\s?+\}
          | \{[^\s{}]{1,100}+\} | \{[A-Za-z_]\w{0,50}+(?:[ ]\w{1,50}+){1,2}+\}""",
    ),
    # The first of two around a word that looks like a name with it: `%sread this%s`.
    "around": Notation("printf", r"%s(?=[A-Za-z][^%\n]{0,200}+%s(?![A-Za-z]))"),
    "loose-printf": Notation(
        "printf",
        rf"""%(?:\([\w.-]{{1,100}}+\)|<[\w.-]{{1,100}}+>|\d{{1,3}}+\$){FLAGS}[\d*]{{0,4}}+(?:\.[\d*]{{1,3}}+)?+
             {LENGTH}[a-zA-Z@]
           | %\([\w.-]{{1,100}}+\)
           | (?<![\d%])%[A-Za-z_][A-Za-z0-9_]{{0,100}}+(?:[.-][A-Za-z0-9_]{{1,100}}+){{0,9}}+%(?![A-Za-z%@])
           | (?<![\d%])%[A-Za-z][A-Za-z0-9]{{1,50}}+[_.][A-Za-z0-9_.]{{1,100}}+%(?!%)
           | %[-+'0\#]*+\d{{0,4}}+<PRI[A-Za-z0-9]{{1,9}}+>
           | (?<![\d%])%\#@\w{{1,100}}+@
           | (?<![\d%])%{FLAGS}\d{{0,4}}+\.[\d*]{{1,3}}+{LENGTH}{CONVERSION}
           | (?<![\d%])%\*?+{LENGTH}{CONVERSION}(?![A-Za-z0-9_]{{3}})
           | (?<![{SPACED_LETTERS}%])%L?n(?![A-Za-z%])
           | (?<![\d%])%(?:\d{{1,3}}+\$)?+[(+-]?+,\d{{0,4}}+(?:\.\d{{1,3}}+)?+[df](?![A-Za-z])
           | (?<![\d%])%'\d{{0,4}}+(?:\.\d{{1,3}}+)?+{LENGTH}[diuf]
           | %I64[diuxX]|%arg\b|%%[A-Za-z_]\w{{0,100}}+%%|%\d{{1,2}}+![\w.*]{{1,9}}+!
           | (?<![\w%])%[+\#]?+(?:\[\d{{1,2}}+\])?+[vTqtC](?![A-Za-z])|%\[\d{{1,2}}+\][a-z]
           | (?<!\d)%{FLAGS}[\d*]{{0,4}}+{LENGTH}[diouxXeEfFgGcrsp@aAbBHIjmMSUwWyYzZ](?![A-Za-z])
           | (?<=\d)%[+0\#]?+\d{{0,2}}+[doxXucs@](?![A-Za-z])
           | %[dfis@](?![A-Za-z])
           | %%""",
    ),
    "loose-names": Notation(
        "name",
        rf"""(?:(?<![\w:/.])|(?<=\\[nrt])):[A-Za-z_][A-Za-z0-9_]*+:?+ | (?<![\w:])::[A-Za-z_]\w{{0,100}}+::(?!\w)
          | (?<![\w@.])@[A-Za-z_]\w*+(?:\.\w++)*+@?+
          | (?<![\w%])%[A-Za-z_][A-Za-z0-9_]{{3,100}}+(?![A-Za-z0-9_%])
          | (?<!\S)![a-z_]\w++!?+
          | (?<![{SPACED_LETTERS}])__[A-Za-z](?:[^\W_]|_(?!_)){{0,100}}+__(?![{SPACED_LETTERS}])
          | (?<![\w~^§¤\#])[~^§¤\#]{{1,2}}+[A-Za-z_][A-Za-z0-9_]{{0,100}}+[~^§¤\#]{{1,2}}+(?!\w)
          | (?!\A\[\w{{1,100}}+\]\Z)(?<![\w\]])\[(?!(?:{ANNOTATIONS})\])[~^$@\#]?+
            (?:[a-z0-9_][A-Za-z0-9_]{{0,100}}+|[A-Z0-9_]{{2,100}}+)(?:[.|:-][A-Za-z0-9_]{{1,100}}+){{0,9}}+\^?+\](?![(\[])""",
    ),
    # Only if the text has number 1: otherwise they are percentages, prices and ranks. See `protected_spans`.
    "loose-numbers": Notation(
        "number",
        _touched(r"(?<![\w%])%L?+\d{1,2}+%?+(?!\d)|(?<![\w$])\$\d(?![\w$]|[.,]\d)|(?<![\w&\#])\#\d(?![\w\#]|[.,]\d)"),
    ),
    "variables": Notation(
        "variable",
        _touched(
            r"""(?<![\w$])\$\#?+!?+[A-Za-z_]\w*+(?:(?:->\w++|\.[a-z_]\w*+)++|\$)?+|(?<![\w$])\$!?+\{[^{}\n]{1,100}+\}
          | \$\((?:[^()\n]|\([^()\n]{0,100}+\)){1,200}+\)|\$\[[^\[\]\n]{1,100}+\]|(?<!\$)\$\$\w{1,100}+\$\$
          | (?<!\\)\\\([A-Za-z_][\w.]{0,100}+\)
          | (?<![\w@])@@[A-Za-z_]\w{0,100}+@@|(?<![\w\#])\#[A-Za-z_]\w{0,100}+\#(?!\w)"""
        ),
    ),
    "merge-tags": Notation(
        "brace",
        r"""\*\|[A-Za-z_][\w:]{0,100}+\|\*|\[\[\s?+[\w.$:/\#+-]{1,200}+\s?+\]\]
          | \[\[[^\[\]|\n]{1,200}+\|(?=[^\[\]\n]{1,200}+\]\])|\]\]|\[%(?:[^%\[\]\n]|%(?!\])){1,200}+%\]
          | \[(?:quant|numf|numerate|sprintf|\*|\#),[^\[\]\n]{1,200}+\]
          | \[(?:b|i|u|s|url|img|quote|code|color|size|list|\*|/[A-Za-z]\w{0,30}+
            |[A-Za-z]\w{0,30}+=[^\[\]\n]{0,200}+)\](?!\()""",
    ),
    "directives": Notation(
        "brace",
        r"""\#[a-z]{2,20}+\([^()\n]{0,200}+\)|@[{(][^{}()\n]{1,100}+[})]|</?+[\#@][^<>\n]{1,200}+>
          | <![a-z][^<>\n]{0,100}+>|<[A-Za-z][\w-]{0,30}+=[^<>\n]{1,100}+>|<<[A-Za-z_][\w.-]{0,100}+>>
          | (?<!\w)![{][^{}\n]{1,100}+[}]""",
    ),
    # For one format: everything that it allows.
    "printf": Notation(
        "printf",
        r"""%(?:\d{1,3}+\$)?+[-+\ 0\#'I]*+(?:\d{1,4}+|\*(?:\d{1,3}+\$)?+)?+(?:\.(?:\d{1,4}+|\*(?:\d{1,3}+\$)?+)?+)?+
            (?:hh|ll|[hlLqjztZ])?+(?:[diouxXeEfFgGaAcCsSpnm@]|<PRI[A-Za-z0-9]{1,9}+>)|%%""",
    ),
    # What Java's `Formatter` has besides: grouping, `%b`, `%h`, dates, and `%<s` for the argument before.
    "java": Notation(
        "printf",
        r"""%(?:\d{1,3}+\$|<(?![A-Za-z][^<>]{0,100}+>))?+(?:[-+0\#]|,(?!\ )|\((?=[,.\d]))*+\d{0,4}+(?:\.\d{1,4}+)?+
            (?:[doxXeEfgGaAcCsSn] | [bBhH](?![A-Za-z]) | [tT][HIklMSLNpzZsQBbhAaCYyjmdeRTrDFc])""",
    ),
    "python": Notation(
        "printf",
        r"""%(?:\([^()\n]{0,100}+\))?+[-+\ 0\#]*+(?:\d{1,4}+|\*)?+(?:\.(?:\d{1,4}+|\*)?+)?+[hlL]?+
            [diouxXeEfFgGcrsa]|%%""",
    ),
    "python-braces": Notation("brace", r"\{\{|\}\}|\{[^{}\n]{0,200}+(?:\{[^{}\n]{0,100}+\}[^{}\n]{0,100}+){0,9}+\}"),
    "braces": Notation("brace", r"\{[^{}\n]{0,200}+\}"),
    # Patterns inside a `choice` do not parse as ICU messages.
    "choices": Notation("brace", r"\{\d{1,3}+,\s?choice,(?:[^{}\n]|\{[^{}\n]{0,100}+\}){1,500}+\}"),
    "double-braces": Notation("brace", delimiters=(("{{{", "}}}"), ("${{", "}}"), ("{{", "}}"))),
    "numbered": Notation("number", r"%L?+(?:\d{1,2}+|n)"),
    "apple-variables": Notation("printf", r"%(?:\d{1,3}+\$)?+\#@[^@\n]{1,100}+@|%arg\b"),
    "dollar-braces": Notation("delimited", delimiters=(("${", "}"),)),
    "rails": Notation(
        "printf", r"%\{[^{}\n]{1,100}+\}|%<[^<>\n]{1,100}+>[-+\ 0\#]*+\d{0,4}+(?:\.\d{1,4}+)?+[a-zA-Z]|%%"
    ),
    "php": Notation("printf", r"%(?:\d{1,3}+\$)?+[-+\ 0]*+(?:'.)?+-?+\d{0,4}+(?:\.\d{1,4}+)?+[bcdeEfFgGhHosuxX]|%%"),
    "symfony": Notation(
        "brace",
        r"""%(?![bcdeEfFgGhHosuxX]%)[A-Za-z_]\w{0,100}+(?:[.-]\w{1,100}+){0,9}+%(?![A-Za-z%])
          | %[A-Za-z]\w{3,100}+(?:[.-]\w{1,100}+){0,9}+%(?!%)""",
    ),
    "laravel": Notation(
        "variable", _touched(r"(?<![\w:]):[A-Za-z_][A-Za-z0-9_]*+|(?<![\w$])\$[A-Za-z_][A-Za-z0-9_]*+")
    ),
    "linked": Notation(
        "variable",
        _touched(r"(?<!\w)") + r"@(?:\.[A-Za-z]{1,20}+)?+:(?:\(?+\w++(?:[.-]\w++)*+\)?+|\{\s?'[^'\n]{1,100}+'\s?\})",
    ),
    "literals": Notation("brace", r"\{\s?'[^'\n]{1,100}+'\s?\}"),
    "nested": Notation("brace", r"\$t\((?:[^()\n]|\([^()\n]{0,100}+\)){1,200}+\)"),
    "drupal": Notation("variable", _touched(r"(?<!\w)[@%!:][A-Za-z_][A-Za-z0-9_-]{0,100}+")),
    "shell": Notation(
        "variable",
        r"\$(?:[A-Za-z_][A-Za-z0-9_]*+|\d|[@*\#?$!-]|\{[^{}\n]{1,200}+\}|\([^()\n]{1,200}+\))|`[^`\n]{1,200}+`",
    ),
    "chrome": Notation("variable", r"\$[A-Za-z0-9_@]{1,100}+\$|\$\d|\$\$"),
    "fluent": Notation("brace", r"\{(?:[^{}\n\"]|\"(?:[^\"\\\n]|\\.){0,100}+\"){1,300}+\}"),
    "intervals": Notation("interval", r"[\[\]](?:-?\d{1,9}+|-Inf|\*),\s?+(?:-?\d{1,9}+|\+?Inf|\*)[\[\]]"),
    "underscores": Notation("variable", r"__[A-Za-z](?:[^\W_]|_(?!_)){0,100}+__"),
    "escapes": Notation(
        "escape",
        r"""\\(?:[\\nrt]|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|u\{[0-9A-Fa-f]{1,6}\}|x[0-9A-Fa-f]{2}|[A-Za-z]{1,3}\[\d{1,4}\])""",
    ),
    "untranslatable": Notation("delimited", delimiters=(("<xliff:g", "</xliff:g>"),)),
    "erb": Notation("delimited", delimiters=(("<%", "%>"),)),
    "templates": Notation("delimited", delimiters=(("{%", "%}"), ("{#", "#}"), ("${", "}"), ("#{", "}"))),
    "percent-braces": Notation("delimited", delimiters=(("%{", "}"),)),
}
"""The notations, by name."""

LOOSE = (
    "choices double-braces templates percent-braces erb untranslatable merge-tags directives intervals nested literals"
    " loose-braces loose-expressions around loose-printf loose-numbers variables linked loose-names escapes"
)
"""The notations that the guess protects."""

UNNAMED = r"%[^(<$%:\[]*(?:(?!m)[A-Za-z@]|<PRI\w+>)|%[A-Za-z]%|\{(?:[!:][^{}]*)?\}|~[^~\s]*[A-Za-z]"
"""Positional placeholders. They must keep their order. `%m` has no argument."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format. Its `notations` are tried in order, and the first match wins.

    `keeps_order` matches the placeholders that must stay in the source's order. `apostrophe` says how to write an
    apostrophe: `backslash` (Android, double quotes too), `doubled` (Java), `typographic` before syntax if programs
    could misread both a single and a doubled one (Flutter prints both by default), or `plain`. `message` says which
    texts are parsed as messages: ICU texts with `branches`, `fluent` patterns, or `always`. With `escapes_percent`,
    a literal percent sign is written `%%` if the text has placeholders. With `is_optional`, a text without
    placeholders is not formatted, so that its percent signs are prose. `plural_separator` separates plural forms.
    `validator` names a check in `format_validators`.
    """

    name: str
    notations: tuple[str, ...] = ()
    keeps_order: str = UNNAMED
    apostrophe: str = "plain"
    message: str = ""
    escapes_percent: bool = False
    is_optional: bool = False
    validator: str = ""
    plural_separator: str = ""


TEMPLATES = ("double-braces", "loose-braces")
"""What programs fill in themselves, in file types whose own placeholders look different."""

FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format(
            GUESS,
            tuple(LOOSE.split()),
            apostrophe="typographic",
            message="branches",
            plural_separator="|",
            escapes_percent=True,
        ),
        Format("icu", ("choices", "braces"), apostrophe="typographic", message="always"),
        Format("java", ("choices", "braces"), apostrophe="doubled", message="always", validator="java-message"),
        Format("i18next", ("nested", "double-braces", "templates", "underscores"), message="branches"),
        Format("python", ("python",), escapes_percent=True, is_optional=True),
        Format("python-brace", ("python-braces",), validator="python-brace"),
        Format("printf", ("printf",), escapes_percent=True, is_optional=True),
        Format("qt", ("numbered",)),
        Format("kde", ("numbered",)),
        Format("fluent", ("fluent",), message="fluent"),
        Format(
            "android",
            ("untranslatable", *TEMPLATES, "java", "printf", "escapes"),
            apostrophe="backslash",
            message="branches",
            escapes_percent=True,
            is_optional=True,
            validator="java-printf",
        ),
        Format(
            "apple",
            ("apple-variables", "dollar-braces", *TEMPLATES, "printf", "escapes"),
            message="branches",
            escapes_percent=True,
            is_optional=True,
        ),
        Format("rails", ("rails", "double-braces"), message="branches"),
        Format(
            "php",
            ("intervals", "double-braces", "around", "symfony", "php", "laravel", "braces"),
            escapes_percent=True,
            is_optional=True,
            plural_separator="|",
        ),
        Format("vue-i18n", ("literals", "double-braces", "braces", "linked"), plural_separator="|"),
        Format("angular", ("double-braces", "braces"), message="branches", apostrophe="typographic"),
        Format("drupal", ("drupal",), keeps_order="(?!)"),
        Format("shell", ("shell",)),
        Format("ejs", ("erb", "templates", "percent-braces", "double-braces")),
        Format("chrome", ("chrome", *TEMPLATES), message="branches"),
        Format("none"),
    )
}
"""The formats, by name. The guess has an empty name."""
