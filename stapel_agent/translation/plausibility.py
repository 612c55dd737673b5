"""Plausibility: rejects what cannot be a translation, whatever its source says."""

from __future__ import annotations

from stapel_agent.parsing import has_json
from stapel_agent.token_estimation import token_estimate

from .language import illegible
from .leftovers import leftover
from .remarks import remark_in
from .translation_request import INSTRUCTIONS

LONGEST, SHORTEST = 6, 8
"""A translation has at most LONGEST times, and at least 1/SHORTEST, of the tokens of its source."""
SPARE_TOKENS = 40
SHORT_TEXT_TOKENS = 20

PROMPT_LINES = [line[:60] for line in INSTRUCTIONS.splitlines()] + ["The user's message is one JSON object"]


def doubt(source: str, translation: str, to: str = "") -> str | None:
    """Return why `translation` cannot be a translation of `source` into the language `to`, or None."""
    if not translation.strip():
        return "is empty"
    if any(line in translation and line not in source for line in PROMPT_LINES):
        return "repeats the instructions"
    if _is_json(translation) and not _is_json(source):
        return "is JSON, not a text"
    for check in (illegible, remark_in, leftover):
        if fault := check(source, translation, to):
            return fault
    return _doubtful_length(token_estimate(source), token_estimate(translation))


def longest_translation(source: int) -> int:
    """Return the maximum tokens of a translation of a source with `source` tokens."""
    return LONGEST * source + SPARE_TOKENS


def _doubtful_length(source: int, translation: int) -> str | None:
    if translation > longest_translation(source):
        return "is far longer than the text"
    if source > SHORT_TEXT_TOKENS and translation * SHORTEST < source:
        return "is far shorter than the text"
    return None


def _is_json(text: str) -> bool:
    if text[:1] not in ("{", "[") or text[-1:] not in ("}", "]"):
        return False
    return has_json(text)
