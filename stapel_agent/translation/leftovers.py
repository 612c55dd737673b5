"""Leftovers: the source that a model wrote beside its translation, or a program's word for nothing in its place."""

from __future__ import annotations

import re

from .language import MARK, base

WORD = re.compile(r"[^\W\d_]+")
CODE = re.compile(r"[_\\=<>|`$]|\w[.:]\w|(?<!\S)--?\w")
SEVERAL, MANY = 2, 4
UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u9fff]{5}")
"""Several words of a script without spaces between them."""
QUOTES = " \t\"'“”„«»‘’「」『』*`_.!?…。！？"
OPENS, CLOSES = "([{（［【", ")]}）］】"
BETWEEN = r"[(\[{（［【)\]}）］】:：/／|=→⇒➜➔—–\n]|->|=>|\s-(?=\s)"
BEGINS_REST = re.compile(rf"[{re.escape(QUOTES)}]{{0,4}}(?:{BETWEEN})")
ENDS_REST = re.compile(rf"(?:{BETWEEN})[{re.escape(QUOTES)}]{{0,4}}\Z")
NOTHING = re.compile(
    r"\W{0,3}(?:nil|NaN|(?i:null|none|undefined|todo|tbd|fixme|n/a|n\.a|untranslated|not translated))\W{0,3}"
)
"""What a program writes for a missing text."""
KIN = re.compile(
    r"\b(?:null|nil|none|no|not|non|zero|nought|nothing|void|empty|blank|missing|undefined|undetermined|unknown|unset|unspecified"
    r"|untranslated|unavailable|invalid|absent|lack\w*|any|all|every\w*|whole|total|to-?do|tasks?|nan|n/?a|n\.a|tb[da]|fixme"
    r"|nicht|ohne|kein\w*|nichts|leer|fehl\w*|unbekannt|alle[mnrs]?|k\.\s?a|pas|aucun\w*|rien|vide|tout\w*|tous|ningun\w*|ningún|nada"
    r"|vac[ií]o|todo\w*|falta\w*|sin|sans|não|sem|nenhum\w*|vazio|nessun\w*|niente|vuoto|tutt\w*|geen|niets|leeg|ing\w+|inte|ikke|tom"
    r"|ei|tyhjä|puuttuu|brak|żad\w*|nie|ne|nij\w*|nem\w*|nav|nėra|není|değil|pust\w*|bez|žádn\w*|nic|prázdn\w*|nincs|semmi|üres|yok|hiç\w*|boş|không|tidak|kosong"
    r"|н/д|нет|не\w*|нич\w*|ноль|нуль|пуст\w*|вс[её]\w*|няма|нема\w*|κανέν\w*|δεν|κεν\w*)\b"
    r"|[不没無无沒零空未全]|なし|ない|すべて|ヌル|없|모두|널|لا|غير|لم|كل|فارغ|אין|לא|הכל|ריק|नहीं|खाली|ไม่|ว่าง"
)
"""Words of a source that such a word, or one that is written alike (Spanish `todo`), may translate."""


def leftover(source: str, translation: str, to: str = "") -> str | None:
    """Return a remark if a masked `translation` has the text of `source`, or only a word for nothing; else None."""
    ours, theirs = _plain(source), _plain(translation)
    if NOTHING.fullmatch(translation.strip()) and not KIN.search(ours) and not _may_be_nothing(source, to):
        return "is a program's word for a missing text"
    kept = ours.strip(QUOTES + ":：")
    if kept not in theirs or len(kept) == len(theirs) or not _has_several_words(source):
        return None
    if _has_others(_rest(kept, theirs), kept):
        return "is not alone, but has the text beside it"
    return None


def _may_be_nothing(source: str, to: str) -> bool:
    """Whether KIN may lack a single word for nothing: one that is not English, or is translated into English."""
    return len(WORD.findall(source)) < SEVERAL and (not source.isascii() or base(to) in ("en", ""))


def _rest(kept: str, theirs: str) -> str:
    """Return the text before or after the source `kept`, if something separates it."""
    inner = theirs.strip(QUOTES + OPENS + CLOSES)
    if inner.startswith(kept) and BEGINS_REST.match(rest := theirs.partition(kept)[2]):
        return rest
    if inner.endswith(kept) and ENDS_REST.search(rest := theirs.rpartition(kept)[0]):
        return rest
    return ""


def _has_others(text: str, kept: str) -> bool:
    """Whether `text` has a word that is not one of the source's."""
    ours = set(WORD.findall(kept))
    return any(len(word) > 1 and word not in ours for word in WORD.findall(MARK.sub(" ", text)))


def _has_several_words(source: str) -> bool:
    """Whether it is more than a name or code, which may stay beside its explanation."""
    plain = MARK.sub(" ", source)
    words = WORD.findall(plain)
    if CODE.search(plain):
        return False
    return UNSPACED.search(plain) is not None or (
        len(words) >= SEVERAL and (any(word.islower() for word in words[1:]) or len(words) >= MANY)
    )


def _plain(text: str) -> str:
    return re.sub(r"[ \t\xa0]+", " ", text.casefold().replace("’", "'")).strip()
