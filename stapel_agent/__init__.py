"""stapel-agent: one facade in front of any provider of language models. Names are imported when first used."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # importing typing for it would take longer than the rest of this module
if TYPE_CHECKING:
    from typing import Any

    from .accounting import ausage, usage
    from .cache import CachePolicy
    from .conf import agent_settings
    from .ledger import arecord_call, record_call
    from .providers import LlmProvider, ProviderResult, register_provider, registered_providers
    from .schemas import AnswerFailed, AnswerUsage, JsonAnswer, TextAnswer, TranslationAnswer
    from .services import aask, acomplete, acomplete_json, ask, atranslate, complete, complete_json, translate

__all__ = [
    "AnswerFailed",
    "AnswerUsage",
    "CachePolicy",
    "JsonAnswer",
    "LlmProvider",
    "ProviderResult",
    "TextAnswer",
    "TranslationAnswer",
    "aask",
    "acomplete",
    "acomplete_json",
    "agent_settings",
    "arecord_call",
    "ask",
    "atranslate",
    "ausage",
    "complete",
    "complete_json",
    "record_call",
    "register_provider",
    "registered_providers",
    "translate",
    "usage",
]

_NAMES = {
    ".accounting": ("ausage", "usage"),
    ".cache": ("CachePolicy",),
    ".conf": ("agent_settings",),
    ".ledger": ("arecord_call", "record_call"),
    ".providers": ("LlmProvider", "ProviderResult", "register_provider", "registered_providers"),
    ".schemas": ("AnswerFailed", "AnswerUsage", "JsonAnswer", "TextAnswer", "TranslationAnswer"),
    ".services": (
        *("aask", "acomplete", "acomplete_json", "ask", "atranslate"),
        *("complete", "complete_json", "translate"),
    ),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
