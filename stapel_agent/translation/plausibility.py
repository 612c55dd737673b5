"""Plausibility checks: remarks or refusals in place of a translation, and implausible lengths."""

from __future__ import annotations

import re

from stapel_agent.parsing import parse_json_response
from stapel_agent.tokens import token_estimate

from .texts import INSTRUCTIONS

LONGEST, SHORTEST = 6, 8
"""A translation has at most LONGEST times, and at least 1/SHORTEST, of the tokens of its source."""
SPARE_TOKENS = 40
SHORT_TEXT_TOKENS = 20

PROMPT_LINES = [line[:60] for line in INSTRUCTIONS.splitlines()] + ["The user's message is one JSON object"]

# Phrases about a translation, not in one. Apologies alone are common in texts.
SAID_INSTEAD = re.compile(
    r"""
      \b(?:as|I\s?am|I['’]m)\ an?\ (?:AI|artificial\ intelligence|(?:large\ )?language\ model)\b
    | \bI(?:\ ?can['’]?t|\ cannot|\ won['’]t|\ will\ not|(?:['’]m|\ am)\ (?:unable|not\ able)\ to)\ (?:\w{1,20}\ ){0,2}
        (?:translate|assist|comply|fulfil+|help\ (?:you\ )?with|do\ (?:that|this))\b
    | \b(?:ich\ kann|je\ ne\ peux\ pas|no\ puedo|não\ posso|non\ posso)\ (?:[\w']{1,20}\ ){0,4}
        (?:übersetzen|traduire|traducir|traduzir|tradurre)\b
    | \bals\ (?:KI|Sprachmodell)\b | \ben\ tant\ qu(?:e\ modèle|['’]IA)\b | \bcomo\ modelo\ de\ (?:lenguaje|linguagem)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Stems of "AI", "model", "help" and "translate" in other languages: a source with one may say the phrases above.
KINDRED = re.compile(
    r"""
    \b(?:KI|IA|AI|ИИ|ШІ)\b|人工智|人工知|인공|tekoäly|ذكاء|בינה|ปัญญา|कृत्रिम|एआई|modell|modèle|modelo|модел|模型|モデル|모델|
    helf|hilf|aide|ayud|ajud|aiut|помо|допомо|帮|幫|助|手伝|도와|도움|도울|ساعد|עזור|ช่วย|मदद|autta|hjälp|hjelp|hjælp|
    helpen|pomóc|pomoc|yardım|bantu|giúp|
    übersetz|tradu|перев|перекла|翻译|翻譯|翻訳|번역|ترجم|תרג|แปล|अनुवाद|kään|översätt|oversett|oversæt|vertal|tłumacz|
    přel|prelo|çevir|terjemah|dịch
    """,
    re.VERBOSE,
)
# An English apology. It counts only if the source has no apology in any language.
APOLOGY = re.compile(
    r"\W{0,3}(?:I(?:['’]m| am) (?:\w+ )?sorry|I apologi[sz]e|(?:so )?sorry,? (?:but )?I)\b", re.IGNORECASE
)
APOLOGETIC = re.compile(
    r"""
    sorry|apolog|regret|entschuld|leid|verzeih|désol|pardon|excus|navré|siento|perd[oó]n|disculp|lament|desculp|
    scus|spiac|извин|прост|сожал|вибач|шкод|przepr|przykr|omluv|ospravedl|litu|oprost|žao|съжал|spijt|beklag|ursäkt|
    förlåt|ledsen|lei\b|undskyld|anteeks|pahoit|özür|üzgün|maaf|xin\ lỗi|tiếc|sajnál|bocsán|scuz|pare\ rău|vabanda|
    λυπά|συγγν|抱歉|对不起|對不起|遗憾|遺憾|すみません|申し訳|ごめん|残念|죄송|미안|유감|آسف|عذر|סליח|מצטער|ขอโทษ|ขออภัย|เสียใจ|क्षमा|माफ|खेद
    """,
    re.VERBOSE | re.IGNORECASE,
)
# An apology, then what the model cannot do, in other languages.
REFUSAL = re.compile(
    r"""
    \W{0,3}(?:
      (?:entschuldig\w+|(?:es\ )?tut\ mir\ leid|leider|sorry)\b.{0,60}?\b(?:ich\ kann|kann\ ich|ich\ darf)
    | (?:je\ suis\ )?(?:désolée?|navrée?|je\ m['’]excuse|malheureusement)\b.{0,60}?\bje\ ne\ (?:peux|suis)
    | (?:lo\ siento|perd[oó]n|disculp\w+|lamento|lamentablemente)\b.{0,60}?\bno\ (?:puedo|me\ es\ posible)
    | (?:mi\ dispiace|scus\w+|purtroppo|spiacente)\b.{0,60}?\bnon\ (?:posso|sono\ in\ grado)
    | (?:desculp\w+|lamento|sinto\ muito|infelizmente)\b.{0,60}?\bnão\ (?:posso|consigo)
    | (?:het\ spijt\ me|sorry|helaas)\b.{0,60}?\b(?:ik\ kan|kan\ ik)
    | (?:jag\ är\ ledsen|tyvärr|förlåt|beklager|desværre|undskyld)\b.{0,60}?\b(?:(?:jag|jeg)\ kan|kan\ (?:jag|jeg))
    | (?:przepraszam|przykro\ mi|niestety)\b.{0,60}?\bnie\ mogę|(?:omlouvám\ se|bohužel|prepáčte)\b.{0,60}?\bne?mohu
    | (?:извините|простите|к\ сожалению|мне\ жаль)\b.{0,60}?\bя\ не\ могу
    | (?:вибачте|на\ жаль)\b.{0,60}?\bя?\ ?не\ можу
    | (?:üzgünüm|özür\ dilerim|maalesef)\b.{0,60}?(?:amam|emem|amıyorum|emiyorum)\b
    | (?:maaf|xin\ lỗi|rất\ tiếc)\b.{0,60}?\b(?:saya\ tidak\ (?:bisa|dapat)|tôi\ không\ thể)
    | (?:很?抱歉|对不起|對不起|不好意思).{0,30}?我?(?:无法|無法|不能)
    | (?:申し訳|すみません|ごめん).{0,40}?(?:できません|いたしかねます)
    | (?:죄송|미안).{0,40}?(?:수\ 없|못\ ?합)|(?:عذر|آسف|أعتذر|للأسف).{0,40}?(?:لا\ أستطيع|لا\ يمكنني)
    | (?:क्षमा|माफ़?\ ?करें|मुझे\ खेद).{0,60}?नहीं\ कर\ सक
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
INABILITY = re.compile(
    r"n['’]t\b|\b(?:cannot|can\ not|unable|not\ able|unfortunately|failed|impossible)\b", re.IGNORECASE
)
ANNOUNCED = re.compile(r"(?:sure[,.!]? )?here(?:['’]s| is) (?:the|your) translat\w{1,9}[^:\n]{0,40}:", re.IGNORECASE)
COLONS = re.compile("[:：]")

# Invisible characters: they override the reading direction, control machines, or replace unreadable bytes.
UNSEEN = re.compile(
    r"[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202d\u202e\ufff9-\ufffb\ufffd\ufffe\uffff\U000e0000-\U000e007f]"
)


def doubt(source: str, translation: str) -> str | None:
    """Return why `translation` cannot be a translation of `source`, or None."""
    if not translation.strip():
        return "is empty"
    if not set(UNSEEN.findall(translation)) <= set(UNSEEN.findall(source)):
        return "has invisible characters"
    if any(line in translation and line not in source for line in PROMPT_LINES):
        return "repeats the instructions"
    if SAID_INSTEAD.search(translation) and not _may_say_so(source):
        return "is not a translation but a remark about one"
    if APOLOGETIC.search(source) is None and (APOLOGY.match(translation) or _refuses(source, translation)):
        return "is an apology, but the text is not"
    if ANNOUNCED.match(translation) and len(COLONS.findall(translation)) > len(COLONS.findall(source)):
        return "is not the translation alone"
    if _is_json(translation) and not _is_json(source):
        return "is JSON, not a text"
    return _doubtful_length(token_estimate(source), token_estimate(translation))


def longest_translation(source: int) -> int:
    """Return the maximum tokens of a translation of a source with `source` tokens."""
    return LONGEST * source + SPARE_TOKENS


def _refuses(source: str, translation: str) -> bool:
    return bool(REFUSAL.match(translation)) and INABILITY.search(source) is None and not _may_say_so(source)


def _may_say_so(source: str) -> bool:
    return any(pattern.search(text) for pattern in (SAID_INSTEAD, KINDRED) for text in (source, source.lower()))


def _doubtful_length(source: int, translation: int) -> str | None:
    if translation > longest_translation(source):
        return "is far longer than the text"
    if source > SHORT_TEXT_TOKENS and translation * SHORTEST < source:
        return "is far shorter than the text"
    return None


def _is_json(text: str) -> bool:
    if text[:1] not in ("{", "[") or text[-1:] not in ("}", "]"):
        return False
    return parse_json_response(text)[0] is not None
