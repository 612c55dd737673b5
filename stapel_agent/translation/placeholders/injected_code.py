"""Injections: code, links and template syntax in a translation that the source does not have."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from html import unescape

from .character_references import REFERENCE

# Browsers ignore these characters inside an address.
DROPPED = re.compile(r"[\t\n\r]++")
WIDTHLESS = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]++")
# How a page, a script or an address writes a character: %3C, \x3c, \u003c, \u{3c}, \3c in CSS.
ESCAPED = re.compile(r"%([0-9a-f]{2})|\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\})", re.IGNORECASE)
ACCELERATOR = re.compile(r"(?<!&)&(?=[^\W\d_])(?![A-Za-z][A-Za-z0-9]{1,31};)")
"""The sign before the key of a button or menu: `&Save`."""
TAG_SIGNS = re.compile("[<>=/\"']")
MOST_ROUNDS = 3
"""How deeply escapes may be nested."""
JOINED = re.compile(
    "[\u0590-\u06ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]++[.-]*+"
)
"""Words that may be written without a space before a domain. None of these letters looks like a Latin one."""
LETTERS = "a-z\u00a1-\u1fff\u2c00-\ud7ff"
COMMON_DOMAINS = (
    "com|net|org|info|biz|xyz|top|online|site|shop|club|app|dev|io|ru|cn|onion|tech|host|website|store|cloud|mobi|icu|cyou|cfd|sbs"
    "|buzz|vip|click|zip|mov|link|live|world|today|website|space|fun|bond|lol|quest|monster|beauty|hair|skin|autos|homes|pics|loan"
    "|stream|download|review|racing|trade|webcam|party|science|faith|cricket|accountant|ltd|group|support|help|page|wiki|games|casino"
    "|bet|poker|ink|wtf|rip|zone|run|foo|dad|esq|nexus"
)
COUNTRIES = (
    "ac|ae|af|ag|ai|am|ar|at|au|ba|bd|bg|bo|br|by|bz|ca|cc|cf|ch|cl|co|cr|cy|cz|de|dk|ec|ee|eg|es|eu|fi|fm|fr|ga|gd|ge|gg|gl|gq"
    "|gr|gt|gy|hk|hn|hr|hu|ie|il|in|ir|is|it|je|jo|jp|ke|kg|kr|kz|la|lc|li|lk|lt|lu|lv|ly|ma|md|me|mk|ml|mn|ms|mu|mx|my|ng|ni|nl|nu"
    "|nz|pe|ph|pk|pl|pr|pt|pw|qa|ro|rs|sa|sc|se|sg|si|sk|sm|st|su|sv|sx|th|tj|tk|tm|tn|tr|tt|tv|tw|ua|ug|uk|us|uy|uz|vc|ve|vg|vn|ws|za"
)
"""Country domains that are not also common file extensions, or words after a missing space."""

SCHEMES = """
about acct aim alipay alipays android-app apt aw-bolt bitcoin bitcoincash blob callto cashapp chrome
chrome-extension content data discord dogecoin ed2k ethereum facetime facetime-audio fb fb-messenger feed file
filesystem ftp ftps geo gopher gtalk im instagram intent irc ircs itms itms-apps itms-services jar javascript
ldap ldaps lightning litecoin livescript magnet mailto maps market message mms mmsto monero ms-access
ms-appinstaller ms-cxh ms-excel ms-gamebar ms-msdt ms-officecmd ms-powerpoint ms-screenclip ms-search
ms-settings ms-store ms-windows-store ms-word msteams nntp onenote openid otpauth paytmmp payto phonepe
resource rtmp rtsp search-ms sftp shell shortcuts sip sips skype slack sms smsto spotify ssh steam svn teams
tel telnet tez tg tg-user twitter upi ventrilo viber view-source vnc vscode webcal wechat weixin whatsapp
workflow wtai x-apple xmpp zoommtg zoomus
"""
"""Schemes of addresses that a phone or a browser opens, wherever they lead."""
SCHEME = re.compile(r"(?<![\w.-])([a-z][a-z0-9+.-]{1,30}):(?=[^\s⟦⟧\"'»”’)\]])")
WORD = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

DOMAIN_END = r"(?![\w-]|\.[\w-])"
"""A domain may end a sentence: a full stop after it does not belong to it."""

ATTRIBUTE, SCRIPT, ADDRESS = "an attribute", "script", "an address"
SYNTAX = {
    "template syntax": re.compile(
        r"""
          <%|%>|<\?|\?>|<[\#@|]|\|>|\{[{%\#$!@:~*]|[}%\#*]\}|[$\#@%!~&*^]!?\{|\[%|%\]|\[\[[^\[\]\n]{1,200}+\]\]|\$\(|@\(|\*\||\|\*
        | <!--|--!?>|\]\]> | \#(?:set|if|elseif|else|end|foreach|parse|include|macro|define|evaluate|stop)\s{0,5}\(
        """,
        re.VERBOSE,
    ),
    SCRIPT: re.compile(
        r"""
          <[a-z!/]|(?:javascript|vbscript|livescript):|\bdata:\s{0,5}(?:[a-z]{1,30}/[a-z0-9]|[;,])
        | \bexpression\(|@import\b|\bon[a-z]{3,30}\s{0,5}= | \burl\(\s{0,5}(?:["']|[a-z]{2,20}:|[/.\\\#])
        | \b(?:constructor|prototype|__proto__)\b\s{0,5}[.\[(]
        | ["'`][\s)\]}]{0,9}[;+]\s{0,5}[\w$.]{1,40}+\( | ["'`]-[\w$.]{1,40}+\([^()\n]{0,40}+\)-["'`]
        """,
        re.VERBOSE,
    ),
    ATTRIBUTE: re.compile(
        r"""["'`](?:/?>|[\s/]{1,20}+(?:[\w:@.-]{1,40}+[\s/]{1,20}+){0,5}?[\w:@.-]{1,40}+\s{0,5}+=)"""
    ),
    ADDRESS: re.compile(
        rf"""
          (?<![\w:/\\])[/\\]{{2}}[\w-]{{1,63}}+(?:(?:\.[\w-]{{1,63}}+)++(?![\w-])|[/\\:])
        | \b(?:https?|h..ps?|ftps?|wss?):(?:[^\W_]{{5}}|[\w-]{{0,63}}+(?:\.\w|[/\\\d])|[/\\])
        | \b(?:file|blob|smb|ssh|git|intent|view-source|tel|sms|callto):[/\\+\d] | \bmailto:[^\s⟦]
        | (?<![\w.@-])www\.[\w-]{{1,63}}+\.\w | \b[a-z][a-z0-9+.-]{{1,20}}+:(?://[^\s/⟦]|\?[\w.-]{{1,40}}+=)
        | (?<![\w.@-])[\w-]{{1,63}}+(?:\.[\w-]{{1,63}}+)*?\.(?:xn--[\w-]{{1,59}}|[{LETTERS}]{{2,24}}+)
          (?::\d{{1,5}})?/[^\s/]
        | (?<![\w.@-])(?:[{LETTERS}0-9-]{{1,63}}+\.){{1,50}}?(?:{COMMON_DOMAINS}){DOMAIN_END}
        | (?<![\w.@-])[a-z0-9-]{{3,63}}+(?:\.[a-z0-9-]{{1,63}}+)*?\.(?:{COUNTRIES}){DOMAIN_END}
        | (?<=⟧)(?:[.@][{LETTERS}0-9-]{{1,63}}+){{1,50}}?\.(?:{COMMON_DOMAINS}|{COUNTRIES}){DOMAIN_END}
        | (?<!\w)xn--[\w-]{{1,59}} | [\w.-]{{1,64}}@[\w-]{{1,63}}+\.[\w-]
        | [\[(]\s?(?:dot|at)\s?[\])] | \w\[\.\]\w | \](?=\([^()\n]|:\s?(?:[/.\\]|[a-z]{{2,20}}:))
        | (?<![\d.])(?:\d{{1,3}}+\.){{3}}\d{{1,3}}+(?:/|:\d)
        """,
        re.VERBOSE,
    ),
}
"""The pattern for each kind of injection, by its name in error messages."""
NEEDED = {
    "template syntax": re.compile(r"[<>{}\[\](|]"),
    SCRIPT: re.compile(r"[<:=(@\[]|constructor|prototype|__proto__"),
    ATTRIBUTE: re.compile("[\"'`]"),
    ADDRESS: re.compile(r"[/\\:@\]]|\.\S|xn--|[\[(]\s?(?:dot|at)"),
}
"""What every match of a pattern in SYNTAX contains. It is searched for first, because that is fast."""
SIGNS = re.compile(r"[<>{}\[\]$#@%!~&*=\"'`:/.\\|(＜＞＝＋－＠．。｡：／＼․‥︰﹕\u00ad\u200b-\u200d\u2060\ufeff]|--")
"""Every injection, as it is written, contains one of these."""
ASSIGNED = re.compile(r"(?<![\w:@.-])([\w:@.-]{1,40}+)\s{0,5}+=")
ACTIVE = re.compile(r"on(?!line|ly)\w|style|src|href|(?:form)?action")
"""Attributes that load or run something."""
FORMULA = re.compile(r"[=＝]|[+@＋＠-][\w!.']{0,60}[(|]|[+-][\d+*/^().-]{1,60}[(|]|[+@-][^\s(]{0,60}\|")
"""The beginning of a formula that a spreadsheet would compute."""
DOTS = "。｡．․"
FOLDED = re.compile(f"[{DOTS}\u00ad\u200b-\u200d\u2060\ufeff\uff10-\uff5a＜＞ſ\U0001d400-\U0001d7ff]")
"""Characters that are read as other ones, or ignored."""


def injected(source: str, translation: str, *, has_tags: bool = False) -> str | None:
    """Describe syntax that `translation` has and `source` does not, or return None. Both texts are masked."""
    if SIGNS.search(translation) is None:
        return None
    if FORMULA.match(translation.lstrip()) and not FORMULA.match(source.lstrip()):
        return "begins like a formula of a spreadsheet"
    if not has_tags:
        source, translation = _as_shown(source, translation)
    theirs, ours = _as_run(translation), ""
    for name, syntax in SYNTAX.items():
        found = _found(syntax, theirs, name)
        ours = ours or (_as_run(source) if found else "")
        had = found and _found(syntax, ours, name)
        new = found - had
        if name == ATTRIBUTE and _is_prose(new, had, ours):
            continue
        if new and not (name == ADDRESS and all(_is_joined(address, ours, had) for address in new)):
            return f"has {name} that the text does not have"
    if ":" in theirs and _new_schemes(theirs, source):
        return f"has {ADDRESS} that the text does not have"
    return None


def _as_shown(source: str, translation: str) -> tuple[str, str]:
    """Return both without the signs before accelerators, unless the source is HTML: `Fi&lter` has no `&lt`."""
    expected = len(ACCELERATOR.findall(source))
    if not expected or REFERENCE.search(source) or len(ACCELERATOR.findall(translation)) > expected:
        return source, translation
    if not set(TAG_SIGNS.findall(translation)) <= set(TAG_SIGNS.findall(source)):
        return source, translation
    return ACCELERATOR.sub("", source), ACCELERATOR.sub("", translation)


def _new_schemes(translation: str, source: str) -> list[str]:
    """The schemes in `translation` that are not words of `source`: Finnish writes "SMS:n" in a text about "SMS"."""
    found = set(SCHEMES.split()).intersection(SCHEME.findall(translation))
    words = WORD.findall(_as_run(source)) if found else ()
    return [scheme for scheme in found if not any(word.startswith(scheme) for word in words)]


def _is_joined(address: str, source: str, known: set[str]) -> bool:
    """Whether it is addresses of the source, and words without a space between: Chinese `请登录example.com`."""
    ours = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    several = re.compile(rf"(?>{ours})(?:\.(?>{ours}))*+" if known else "(?!)")
    parts = [part.strip(".") for part in JOINED.sub(" ", address).split()]
    return bool(parts) and all(
        several.fullmatch(part) or re.search(rf"(?<![\w@-])(?<!\w\.){re.escape(part)}(?![\w-])", source)
        for part in parts
    )


def _names(attributes: set[str]) -> set[str]:
    """The ends of `attributes` that a page may know, which are in ASCII: their names, or a bracket."""
    ends = (attribute.rstrip("=").replace("/", " ").split()[-1] for attribute in attributes)
    return {end for end in ends if end.isascii()}


def _is_prose(attributes: set[str], known: set[str], source: str) -> bool:
    """Whether `attributes` are prose: words between a quote and an equals sign, translated, or a name of `source`."""
    names = _names(attributes) - _names(known)
    return not any(map(ACTIVE.match, names)) and (bool(known) or names <= set(ASSIGNED.findall(source)))


def _found(syntax: re.Pattern[str], text: str, name: str) -> set[str]:
    """The matches in `text`. Browsers ignore line breaks in script; an address may follow a word without a space."""
    texts = {text}
    if name == SCRIPT:
        text = text.replace("ı", "i")
        texts = {text, DROPPED.sub("", text)}
    elif name == ADDRESS:
        texts = {text, JOINED.sub(" ", text)}
    return {match for each in texts if NEEDED[name].search(each) for match in syntax.findall(each)}


def _as_run(text: str) -> str:
    """Return `text` as a browser or an interpreter reads it."""
    for _ in range(MOST_ROUNDS):
        read = unescape(text) if "&" in text else text
        read = ESCAPED.sub(_character, read) if "%" in read or "\\" in read else read
        if read == text:
            break
        text = read
    if FOLDED.search(text):
        text = WIDTHLESS.sub("", text.translate(_plain_forms()))
    return text.lower()


def _character(escape: re.Match[str]) -> str:
    code = int("".join(filter(None, escape.groups())), 16)
    return chr(code) if 0x20 <= code < 0x7F else escape[0]


@cache
def _plain_forms() -> dict[int, str]:
    """The letters, brackets and dots that browsers and databases read as ASCII, and the long s."""
    wide = {code: chr(code - 0xFEE0) for code in range(0xFF10, 0xFF5B) if chr(code - 0xFEE0).isalnum()}
    marked = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x1D400, 0x1D800)}
    return wide | marked | {ord("＜"): "<", ord("＞"): ">", ord("ſ"): "s"} | dict.fromkeys(map(ord, DOTS), ".")
