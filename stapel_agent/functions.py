"""The comm functions `llm.complete` and `llm.translate`. Their payload schemas are in schemas/comm_functions/."""

from __future__ import annotations

from typing import Any

from stapel_core.comm import function

from . import services
from .schemas import JsonAnswer, TranslationAnswer, function_schema


@function("llm.complete", schema=function_schema("llm.complete"))
def llm_complete(payload: dict[str, Any]) -> JsonAnswer[Any]:
    options = dict(payload)
    return services.complete_json(options.pop("prompt", ""), options.pop("model", ""), **options)


@function("llm.translate", schema=function_schema("llm.translate"))
def llm_translate(payload: dict[str, Any]) -> TranslationAnswer:
    options = dict(payload)
    from_lang, to, entries = (options.pop(name, "") for name in ("from_lang", "to", "entries"))
    return services.translate(from_lang, to, entries, options.pop("model", None) or "small", **options)
