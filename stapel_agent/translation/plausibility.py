"""Can this be a translation of that? What a model says in place of one, and lengths that no translation has."""

from __future__ import annotations

import re

from stapel_agent.parsing import parse_json_response

from .borders import token_estimate
from .texts import INSTRUCTIONS

LONGEST, SHORTEST = 6, 8
"""A translation has at most so many times, and at least such a part, of the tokens of its source."""
SPARE_TOKENS = 40
SHORT_TEXT_TOKENS = 20

PROMPT_LINES = [line[:60] for line in INSTRUCTIONS.splitlines()] + ["The user's message is one JSON object"]

# Said about a translation, not in one: apologies as such are what texts are full of.
SAID_INSTEAD = re.compile(
    r"""
      \b(?:as|I\s?am|I['’]m)\ an?\ (?:AI|artificial\ intelligence|(?:large\ )?language\ model)\b
    | \bI(?:\ ?can['’]?t|\ cannot|\ won['’]t|\ will\ not|(?:['’]m|\ am)\ (?:unable|not\ able)\ to)\ (?:\w{1,20}\ ){0,2}
        (?:translate|assist|comply|help\ (?:you\ )?with)\b
    | \b(?:ich\ kann|je\ ne\ peux\ pas|no\ puedo|não\ posso|non\ posso)\ (?:[\w']{1,20}\ ){0,4}
        (?:übersetzen|traduire|traducir|traduzir|tradurre)\b
    | \bals\ (?:KI|Sprachmodell)\b | \ben\ tant\ qu(?:e\ modèle|['’]IA)\b | \bcomo\ modelo\ de\ (?:lenguaje|linguagem)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
ANNOUNCED = re.compile(r"(?:sure[,.!]? )?here(?:['’]s| is) (?:the|your) translat\w{1,9}[^:\n]{0,40}:", re.IGNORECASE)


def doubt(source: str, translation: str) -> str | None:
    """Why `translation` cannot be one of `source`, or None."""
    if not translation.strip():
        return "is empty"
    if "\ufffd" in translation and "\ufffd" not in source:
        return "has characters that are none"
    if any(line in translation and line not in source for line in PROMPT_LINES):
        return "repeats the instructions"
    if SAID_INSTEAD.search(translation) and not SAID_INSTEAD.search(source):
        return "is not a translation but a remark about one"
    if ANNOUNCED.match(translation) and ":" not in source:
        return "is not the translation alone"
    if _is_json(translation) and not _is_json(source):
        return "is JSON and not a text"
    return _doubtful_length(token_estimate(source), token_estimate(translation))


def _doubtful_length(source: int, translation: int) -> str | None:
    if translation > LONGEST * source + SPARE_TOKENS:
        return "is far longer than the text"
    if source > SHORT_TEXT_TOKENS and translation * SHORTEST < source:
        return "is far shorter than the text"
    return None


def _is_json(text: str) -> bool:
    if text[:1] not in ("{", "[") or text[-1:] not in ("}", "]"):
        return False
    return parse_json_response(text)[0] is not None
