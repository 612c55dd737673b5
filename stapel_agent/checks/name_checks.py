"""System checks of the names in settings: a misspelt name has no effect."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import SequenceMatcher

from django.core.checks import CheckMessage, Warning

from stapel_agent.conf import agent_settings
from stapel_agent.models import PromptSource
from stapel_agent.prices import own_entry
from stapel_agent.providers import BUILTIN_PROVIDERS, DIALECTS, model_for, provider_registry

BY_SOURCE = ("CACHE_LOOKUP", "CACHE_SCOPE", "EFFORT", "PROMPT_CACHE", "LOG_CONTENT")
WORD = re.compile(r"[^\W\d_]+")
DIGITS = re.compile(r"\d+")
LEAST_LIKENESS = 0.8
"""The part of two words that must be the same. "groq" and "grok", or "small" and "large", are not misspelt."""


def misspelt_names() -> Iterator[CheckMessage]:
    """Yield names in settings that are unknown and resemble a source, a built-in provider or a built-in dialect."""
    for key in BY_SOURCE:
        yield from _misspelt(key, _keys(getattr(agent_settings, key)), PromptSource.values)
    yield from _misspelt("BUDGETS", _budgeted_sources(), PromptSource.values)
    yield from _misspelt("PROVIDERS", _keys(agent_settings.PROVIDERS), BUILTIN_PROVIDERS)
    yield from _misspelt("DIALECTS", _keys(agent_settings.DIALECTS), DIALECTS)


def misspelt_models(asked: Mapping[str, list[str]]) -> Iterator[CheckMessage]:
    """Yield names in PRICES that resemble a model without an entry, of `asked`: the providers with their sizes.

    The name of another model of `asked` is not misspelt.
    """
    models = {(name, model) for name, sizes in asked.items() for model in _models(name, sizes)}
    without = {(name, model) for name, model in models if own_entry(name, model) is None}
    yield from _misspelt("PRICES", set(_keys(agent_settings.PRICES)) - _price_names(models), _price_names(without))


def _price_names(models: Iterable[tuple[str, str]]) -> set[str]:
    return {written for name, model in models for written in (model, f"{name}/{model}")}


def _misspelt(key: str, names: Collection[str], known: Iterable[str]) -> Iterator[CheckMessage]:
    absent = sorted(set(known) - set(names))
    for name in sorted(set(names) - set(known)):
        if meant := next((other for other in absent if _resembles(name, other)), None):
            text = f"STAPEL_AGENT[{key!r}] has {name!r}, which has no effect on {meant!r}."
            yield Warning(text, f"Did you mean {meant!r}?", id="stapel_agent.W019")


def _resembles(name: str, other: str) -> bool:
    """Whether one name is the other one with a slip: in its separators, its case or a letter of a word."""
    first, second = ([word.casefold() for word in WORD.findall(text)] for text in (name, other))
    if DIGITS.findall(name) != DIGITS.findall(other):
        return False
    likeness = (SequenceMatcher(None, *pair).ratio() for pair in zip(first, second, strict=False))
    is_close = len(first) == len(second) and all(part >= LEAST_LIKENESS for part in likeness)
    return is_close or "".join(first) == "".join(second)


def _keys(setting: object) -> list[str]:
    return [key for key in setting if isinstance(key, str)] if isinstance(setting, Mapping) else []


def _budgeted_sources() -> list[str]:
    setting = agent_settings.BUDGETS
    entries = [entry for entry in setting if isinstance(entry, Mapping)] if isinstance(setting, list | tuple) else []
    sources = (entry.get("id") for entry in entries if entry.get("scope") == "source")
    return [source for source in sources if isinstance(source, str)]


def _models(name: str, sizes: list[str]) -> set[str]:
    try:
        provider = provider_registry.load(name)()
        return {model_for(name, provider, size).strip() for size in sizes} - {""}
    except Exception:  # other checks report errors in the provider
        return set()
