"""Remarks: an apology, a refusal, a note or a label that a model wrote in place of a translation, or around it."""

from __future__ import annotations

import re
from collections.abc import Set
from functools import cache, lru_cache

from babel import Locale

from stapel_agent.language_tags import locale_of

from .phrases import Phrases, either, heads_of, listed
from .remark_words import PHRASES

READ = 300
"""Characters at the beginning and the end of a translation that are searched for remarks."""
NEAR = 120
"""A refusal begins within this many characters, and what is refused follows within as many."""

NOTES = listed("""
note / n.b / nb / p.s / remark / disclaimer / explanation / literal* / anmerkung / hinweis / erläuterung /
wörtlich / remarque / commentaire / littéral* / nota / literalmente / observación / commento / letteralmente /
observação / notă / opmerking / letterlijk / anm / anmärkning / bemærk / merknad / huom / huomautus / megjegyzés
/ märkus / piezīme / pastaba / uwaga / dosłownie / pozn / poznámka / doslova / opomba / napomena / напомена /
забележка / примечание / буквально / прим / примітка / дослівно / заўвага / σημείωση / κυριολεκτικά / not /
açıklama / ملاحظة / حرفيا / توجه / نکته / הערה / टिप्पणी / नोट / หมายเหตุ / ghi chú / chú thích / catatan / 注 /
注意 / 备注 / 備註 / 註 / 说明 / 說明 / 備考 / 注記 / 補足 / 참고 / 주의 / 비고
""")
"""How a model begins a note on its own translation."""
LABELS = listed("""
translation / перевод / вот перевод / превод / ето превода / prijevod / prevod / käännös / translated text /
output / answer / result / response / target / target language / text / přeloženo / preložené / oversatt / þýðing
/ การแปล
""")
"""Labels before an answer, mostly English."""
OPENERS = listed("sure / certainly / absolutely / of course / here you go / here it is / as requested")
CLOSERS = listed("""
hope this helps / hope that helps / i hope this / i hope that / let me know / feel free to / if you need any
/ if you have any / is there anything else / happy to help / glad to help
""")
"""English phrases before and after an answer."""
CONTROL_SIGNS = re.compile(r"[/\[<|>`~]|end of t")
"""What every match of CONTROL contains. It is faster to search for."""
CONTROL = re.compile(
    r"/no_think|/think\b|\[/?(?:end|inst|done|eos)\]|<\||\|>|```|~~~|\bend of (?:text|translation)", re.IGNORECASE
)
"""Control words of models and prompts, and fences."""


SORRY, CANNOT, CAN, ACT, TRANSLATE, MODEL = (
    Phrases(PHRASES[kind]) for kind in ("sorry", "cannot", "can", "act", "translate", "model")
)
OPENERS_ABROAD, HERE, CLOSERS_ABROAD = (Phrases(PHRASES[kind]) for kind in ("opener", "here", "closer"))
"""The phrases of a chat in other languages than English."""
SAID_FIRST = Phrases(PHRASES["opener"], before=r"\W{0,3}", after=r"\s?[,!.:،，！。：、](?=\W{0,5}\w)")
SAID_HERE = Phrases(PHRASES["here"], before=r"\W{0,3}", after=r"[^:：\n]{0,40}[:：]")
AGREEMENT = re.compile(
    r"sure|certain|of course|clear|\bok\b|okay|\byes|yeah|yep|natural|absolut|defini|good|fine|\bwell|great|nice|light"
    r"|bright|safe|secur|right|correct|agree|got it|glad|pleas|obvious|happy|welcome|underst|problem|indeed|exact"
    r"|like|love|confiden|final"
)
INDICATION = re.compile(r"here|this|these|that|those|below|follow|behold|look|see\b|\bit\b|voil|\bis\b|\bare\b")
WISH = re.compile(
    r"know|tell|inform|notif|contact|hope|hesitat|free|need|help|\bif\b|question|assist|want|ask|reach|report|say"
)
"""Words of a source whose translation may have the phrases of a chat."""
NOT = re.compile(r"\b(?:nicht|kein\w*|niet|geen|nie)\b")
"""The "not" that makes a refusal of CAN."""
OPENING = Phrases(PHRASES["sorry"], before=r"\W{0,3}")
NOTE = re.compile(rf"[(（\[【*—–-]\s?\**(?:{either(NOTES)})\**\s?[:：]")
LABEL = re.compile(rf"\W{{0,4}}(?:{either(LABELS)})\W{{0,4}}[:：]")
NOTED = re.compile(r"[(（\[【*—–-][^)\]]{0,30}[:：]")
CHAT = Phrases([*OPENERS, *CLOSERS])
CHATTED = re.compile(rf"\W{{0,3}}(?:{either(OPENERS)})\s?[,!.:]|.*?(?<!\w)(?:{either(CLOSERS)})", re.DOTALL)
COLON = re.compile("[:：]")
APOLOGETIC = re.compile(
    r"""
    sorry|apolog|regret|entschuld|leid|verzeih|désol|pardon|excus|navré|siento|perd[oó]n|disculp|lament|desculp|
    scus|spiac|извин|прост|сожал|вибач|шкод|przepr|przykr|omluv|ospravedl|litu|oprost|žao|съжал|spijt|beklag|ursäkt|
    förlåt|ledsen|lei\b|undskyld|anteeks|pahoit|özür|üzgün|maaf|xin\ lỗi|tiếc|sajnál|bocsán|scuz|pare\ rău|vabanda|
    λυπά|συγγν|抱歉|对不起|對不起|遗憾|遺憾|すみません|申し訳|ごめん|残念|죄송|미안|유감|آسف|عذر|סליח|מצטער|ขอโทษ|ขออภัย|เสียใจ|क्षमा|माफ|खेद
    """,
    re.VERBOSE,
)
"""Stems of apologies, beyond those of SORRY, in a source that is one."""
APOLOGY = re.compile(r"\W{0,3}(?:i(?:'m| am) (?:\w+ )?sorry|i apologi[sz]e|(?:so )?sorry,? (?:but )?i)\b")
NEGATED = re.compile(
    r"n't\b|\b(?:no|not|cannot|never|without"
    r"|too (?:old|new|long|short|big|large|small|many|few|much|late|early)|deactiv\w*|disab\w*"
    r"|expir\w*|blocked|blocking|restrict\w*|fail\w*"
    r"|un(?:a[bcv]|checked|desir|exp|fort|kn|lik|reach|read|rec|res|safe|set|stab|succ|support|tru|us[ae])\w*"
    r"|in(?:ab|acc|act|adeq|compat|compl|cons|corr|elig|suff|val|vis)\w*"
    r"|impossible|refus\w*|denied|nicht|kein\w*|pas|não|non|nie|ne|ei|inte|ikke|ikkje|niet|geen|nem|не|ні|δεν|değil|tidak|không)\b|[不没無无沒]|ない|ません|않|없|못|لا|لم|לא|नहीं|ไม่"
)
"""Signs that a source says that something is not so."""
KINDRED = re.compile(
    r"translat|transcod|transform|resolv|templat|compil|assembl|fuzz|interpret|convert|conversion"
    r"|locali[sz]|internationali|\bgear(?:s?\W*\Z|box| ratio)|\bbuilt \w+ [^\w\s]"
    r"|\bbuild[ -]?(?:able|dep|err|fail|log|may|num|opt|serv|sys|target|time|tool)"
    r"|languag|subtitl|caption|untertitel|sous-titr|subtít|sottotitol|legend|ondertitel|субтитр|字幕|자막"
)
"""Words of a source whose translation may have the words of TRANSLATE."""
ARTIFICIAL = re.compile(
    r"languag|artificial|\bmodel|\b(?:ai|ki|ia|ии|ші)\b|人工|인공|modell|modèle|modelo|модел|模型|モデル|모델"
    r"|intelligen|интеллект|інтелект|ذكاء|בינה|ปัญญา|कृत्रिम|एआई|tekoäly"
)
"""Words of a source whose translation may have the words of MODEL."""
WRAPPERS = listed("\" \" / “ ” / „ “ / „ ” / « » / » « / ‘ ’ / ' ' / 「 」 / 『 』 / ** ** / * * / ` ` / __ __")
QUOTES = re.compile("[\"'“”„«»‘’「」『』*`_‹›《》]")


def remark_in(source: str, translation: str, to: str = "") -> str | None:
    """Return what `translation` has in place of, or around, a translation of `source`, or None."""
    theirs, ours = _plain(translation), _plain(source)
    ends = theirs if len(theirs) <= 2 * READ else f"{theirs[:READ]}\n{theirs[-READ:]}"
    heads = heads_of(ends)
    if fault := _refusal(ours, ends, heads):
        return fault
    if TRANSLATE.may_be_in(ends, heads) and TRANSLATE.search(ends) and not _may_mention(ours, KINDRED):
        return "is not a translation but a remark about one"
    if CONTROL_SIGNS.search(ends) and CONTROL.search(ends) and not CONTROL.search(ours):
        return "has a control word"
    if _is_annotated(ours, ends, to, heads):
        return "is not the translation alone"
    if _is_wrapped(source.strip(), translation.strip()):
        return "is quoted, but the text is not"
    return None


def _refusal(source: str, translation: str, heads: Set[str]) -> str | None:
    is_model = MODEL.may_be_in(translation, heads) and MODEL.search(translation)
    if is_model and not _may_mention(source):
        return "is not a translation but a remark about one"
    is_apology = OPENING.match(translation) is not None
    refusal = _inability(translation, heads)
    act = refusal and ACT.search(translation[: refusal.end() + NEAR])
    if not (APOLOGY.match(translation) or (is_apology and refusal) or act):
        return None
    if APOLOGETIC.search(source) or SORRY.search(source) or CANNOT.search(source):
        return None
    if APOLOGY.match(translation) or (is_apology and act):
        return "is an apology, but the text is not"
    return None if NEGATED.search(source) else "is a refusal, but the text is not"


def _inability(translation: str, heads: Set[str]) -> re.Match[str] | None:
    """Find an "I cannot" near the beginning."""
    if CANNOT.may_be_in(translation, heads) and (cannot := CANNOT.search(translation[:NEAR])):
        return cannot
    can = CAN.search(translation[:NEAR]) if CAN.may_be_in(translation, heads) else None
    return can if can and NOT.search(translation, can.end(), can.end() + NEAR) else None


def _may_mention(source: str, kindred: re.Pattern[str] = ARTIFICIAL) -> bool:
    patterns: tuple[re.Pattern[str] | Phrases, ...] = (kindred, ARTIFICIAL, TRANSLATE, MODEL)
    return any(pattern.search(source) for pattern in patterns)


def _is_annotated(source: str, translation: str, to: str, heads: Set[str]) -> bool:
    if len(COLON.findall(translation)) > len(COLON.findall(source)):
        label = COLON.split(translation[:READ], maxsplit=1)[0]
        if (LABEL.match(translation) and not LABEL.match(source)) or _is_language(label, to):
            return True
    if NOTE.search(translation) and not NOTED.search(source):
        return True
    may_chat = CHAT.may_be_in(translation, heads) and _is_foreign(to)
    is_chat = may_chat and CHATTED.match(translation) and not CHATTED.match(source)
    return bool(is_chat) or _chats_abroad(source, translation, heads)


def _chats_abroad(source: str, translation: str, heads: Set[str]) -> bool:
    """Whether it begins or ends like an answer in a chat in another language than English."""
    if OPENERS_ABROAD.may_be_in(translation, heads) and SAID_FIRST.match(translation):
        return not (AGREEMENT.search(source) or OPENERS_ABROAD.search(source))
    if HERE.may_be_in(translation, heads) and SAID_HERE.match(translation) and not COLON.search(source):
        return not (INDICATION.search(source) or HERE.search(source))
    if CLOSERS_ABROAD.may_be_in(translation, heads) and CLOSERS_ABROAD.search(translation):
        return not (WISH.search(source) or CLOSERS_ABROAD.search(source))
    return False


def _is_foreign(to: str) -> bool:
    """Whether English phrases are not a part of the translation."""
    return to != "" and not to.lower().startswith("en")


def _is_wrapped(source: str, translation: str) -> bool:
    """Whether the whole translation is in a pair of quotation marks besides those in it, and the text is not."""
    if not QUOTES.match(translation) or QUOTES.match(source) or QUOTES.match(source[-1:]):
        return False
    return any(
        translation.startswith(opening)
        and translation.endswith(closing)
        and len(inner := translation[len(opening) : -len(closing)]) > 0
        and any(
            all(inner.count(mark) == count for mark, count in ((opening, ours), (closing, theirs)))
            for ours, theirs in ((0, 0), (source.count(opening), source.count(closing)))
        )
        for opening, closing in map(str.split, WRAPPERS)
    )


def _is_language(label: str, to: str) -> bool:
    name = label.strip(" *[](){}#_-\"'").lower()
    return name in _names(to) or name in _english_names()


@lru_cache(maxsize=256)
def _names(tag: str) -> frozenset[str]:
    """The names of a language in English and in itself, and its tag, in lower case."""
    locale = locale_of(tag)
    if locale is None:
        return frozenset({tag.lower()})
    names = (*(each.languages.get(locale.language) for each in (Locale("en"), locale)), locale.english_name, tag)
    return frozenset(name.lower() for name in names if name)


@cache
def _english_names() -> frozenset[str]:
    return frozenset(name.lower() for name in Locale("en").languages.values())


def _plain(text: str) -> str:
    return text.lower().replace("’", "'")
