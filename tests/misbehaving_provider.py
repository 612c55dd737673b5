"""The model of `tests.catalogue_host`: it translates to capitals, and misbehaves on a fixed schedule.

It eventually translates every text that it is asked for repeatedly, except for the cursed ones.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from stapel_agent import LlmProvider, ProviderResult

TOKENS = 3
"""The tokens of a question, and those of an answer."""
PATIENCE = 2
"""How often it may misbehave for one text."""
CURSED: list[Any] = [None, "NO PLACEHOLDER", 7, "", "I cannot translate this", ["{code}"], "⟦1⟧ ⟦1⟧"]
"""The answers for the texts "cursed 0 ...", "cursed 1 ...", and so on, however often they are asked for."""

Translations = dict[str, Any]

_calls = itertools.count()
_asked: Counter[str] = Counter()
_lock = threading.Lock()


def result(text: str, finish_reason: str = "stop") -> ProviderResult:
    return ProviderResult(text, input_tokens=TOKENS, output_tokens=TOKENS, finish_reason=finish_reason)


def right(translations: Translations) -> str:
    return json.dumps(translations)


def in_prose(translations: Translations) -> str:
    return f"Sure! {{Here}} you are:\n```json\n{right(translations)}\n```\nAnything else?"


def with_keys_dropped(translations: Translations) -> str:
    return right(dict(list(translations.items())[::2]))


def with_placeholders_renamed(translations: Translations) -> str:
    return right({number: f"{text} {{NAME}}".replace("⟦1⟧", "{Feld}") for number, text in translations.items()})


def of_wrong_types(translations: Translations) -> str:
    others = itertools.cycle([3, ["a"], {"text": "a"}, None, True])
    return right({number: next(others) for number in translations})


def as_array(translations: Translations) -> str:
    return json.dumps(list(translations.values()))


def broken_off(translations: Translations) -> str:
    text = right(translations)
    return text[: len(text) // 2]


def truncated(translations: Translations) -> ProviderResult:
    return result(broken_off(translations), "length")


SCHEDULE: list[Callable[[Translations], str | ProviderResult]] = [
    with_keys_dropped,
    with_placeholders_renamed,
    truncated,
    right,
    of_wrong_types,
    in_prose,
    as_array,
    broken_off,
]


class Provider(LlmProvider):
    def complete(self, *, prompt: str, model: str, system_prompt: str | None = None) -> ProviderResult:
        texts = json.loads(prompt)
        with _lock:
            misbehave = SCHEDULE[next(_calls) % len(SCHEDULE)]
            _asked.update(texts.values())
            is_patient = all(_asked[text] <= PATIENCE for text in texts.values())
        translations = {number: translation(text) for number, text in texts.items()}
        reply = misbehave(translations) if is_patient else right(translations)
        return (
            reply
            if isinstance(reply, ProviderResult)
            else ProviderResult(reply, input_tokens=TOKENS, output_tokens=TOKENS)
        )


def translation(text: str) -> Any:
    return CURSED[int(text.split()[1])] if text.startswith("cursed") else text.upper()
