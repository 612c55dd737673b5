"""The kind of value each setting must have. Checks report invalid values, and calls that need them fail."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from . import log_content
from .column_ranges import is_whole
from .conf import agent_settings
from .exceptions import WrongSetting
from .model_profiles import EFFORTS
from .redaction import redact_start
from .types import TEXT_FORMATS

SIZE_LENGTH = 16
SHOWN_LENGTH = 100
MOST = 10**9
"""The largest number of seconds, tokens or bytes. A larger one would overflow a date or a column."""
CHECK = "manage.py check --tag stapel_agent --deploy"
PROVIDERS_COMMAND = "manage.py llm providers"

BASE_URL = re.compile(r"(https?://[^/\s@]+(/[^\s@]*)?)?", re.IGNORECASE)


@dataclass(frozen=True)
class Kind:
    """What a value must be. `described` completes "must be ..." in messages; `id` is the id of the check."""

    described: str
    admits: Callable[[Any], bool]
    id: str = "stapel_agent.E009"
    may_be_shown: Callable[[Any], bool] = lambda value: True


@dataclass(frozen=True)
class WrongKind:
    """A setting with an invalid value, or STAPEL_AGENT itself."""

    key: str
    text: str
    id: str


def number(least: float, *, none: bool = False) -> Kind:
    described = f"a number from {least} to {MOST}{', or None' if none else ''}"
    return Kind(described, lambda value: _is_number(value, least) or (none and value is None), "stapel_agent.E002")


def whole(least: int) -> Kind:
    described = f"a whole number from {least} to {MOST}"
    return Kind(described, lambda value: is_whole(value, least, MOST), "stapel_agent.E002")


def base_url(example: str) -> Kind:
    """A URL. Messages do not show it if it may contain a password or key."""
    return Kind(
        f"empty, or a URL that starts with 'http://' or 'https://' and contains no password, such as {example!r}",
        lambda value: value is None or bool(BASE_URL.fullmatch(value)),
        may_be_shown=lambda value: "@" not in value and "?" not in value,
    )


def choices(*values: object) -> Kind:
    described = f"a dict of sources, each with one of {', '.join(map(repr, values))}"
    return Kind(described, lambda value: is_map(value, lambda choice: choice in values), "stapel_agent.E004")


SWITCH = Kind("True or False, without quotes", lambda value: isinstance(value, bool), "stapel_agent.E002")
API_KEY = Kind(
    "a string, or be left out (an endpoint in PROVIDERS takes {'env': 'NAME'} and lists too)",
    lambda value: value is None or is_text(value),
    may_be_shown=lambda value: False,
)

FALLBACK_FAILURES = (
    *("interrupted", "invalid_answer", "overloaded", "provider_bug", "rate_limited", "refused", "rejected"),
    *("timeout", "truncated", "unreachable", "out_of_credit", "auth", "busy"),
)

KINDS: dict[str, Kind] = {
    "MODELS": Kind(
        f"a dict of sizes, each of at most {SIZE_LENGTH} characters and with the name of a model, such as "
        "{'small': 'claude-haiku-4-5-20251001'}, or a profile, such as {'small': {'model': 'm', 'effort': 'low'}}",
        lambda value: (
            bool(value)
            and is_map(value, lambda entry: isinstance(entry, str | Mapping))
            and all(len(size) <= SIZE_LENGTH for size in value)
        ),
        "stapel_agent.E003",
    ),
    "PROVIDERS": Kind(
        "a dict of names, each with an LlmProvider or its dotted path, such as {'mine': 'host.llm.MyProvider'}, "
        "or with an endpoint, such as {'mine': {'base_url': 'https://llm.example.com/v1'}}",
        lambda value: value is None or is_map(value),
        may_be_shown=lambda value: False,  # it may contain a key anywhere
    ),
    "DEFAULT_PROVIDER": Kind("a string, the name of a provider", lambda value: is_text(value)),
    "ANTHROPIC_API_KEY": API_KEY,
    "ANTHROPIC_BASE_URL": base_url("https://api.anthropic.com"),
    "OPENAI_COMPAT_BASE_URL": base_url("http://127.0.0.1:8000/v1"),
    "OPENAI_COMPAT_API_KEY": API_KEY,
    "OPENAI_COMPAT_MODELS": Kind(
        "a dict of sizes, each with the name of a model, such as {'small': 'qwen3:4b'}",
        lambda value: value is None or is_map(value, is_text),
    ),
    "OPENAI_COMPAT_MAX_TOKENS_PARAM": Kind(
        "'max_tokens', 'max_completion_tokens' or None",
        lambda value: value in (None, "max_tokens", "max_completion_tokens"),
    ),
    "CLI_BINARY": Kind(
        "a string, the name or path of a program", lambda value: isinstance(value, str | os.PathLike | None)
    ),
    "CLI_TIMEOUT": number(0.001),
    "DEADLINE": number(0.001, none=True),
    "RETRIES": whole(0),
    "RETRY_BILLED": SWITCH,
    "FALLBACKS": Kind(
        "a dict of providers, each with a list of others, such as {'anthropic': ['openai-compat']}",
        lambda value: is_map(value, lambda names: isinstance(names, list | tuple) and all(map(is_text, names))),
        "stapel_agent.E005",
    ),
    "FALLBACK_ON": Kind(
        f"a list of failures from {', '.join(FALLBACK_FAILURES)}, such as ['refused', 'truncated']",
        lambda value: isinstance(value, list | tuple | set | frozenset) and set(FALLBACK_FAILURES).issuperset(value),
        "stapel_agent.E005",
    ),
    "COOLDOWN_FAILURES": whole(1),
    "COOLDOWN_SECONDS": number(0),
    "MAX_CONCURRENCY": Kind(
        "a dict of providers, each with a whole number of at least 1, such as {'anthropic': 8}",
        lambda value: is_map(value, whole(1).admits),
        "stapel_agent.E005",
    ),
    "MAX_TOKENS": whole(1),
    "SCHEMA_RETRIES": whole(0),
    "SCHEMA_IN_PROMPT": SWITCH,
    "TRANSLATE_CHUNK_ENTRIES": whole(1),
    "TRANSLATE_CONCURRENCY": whole(1),
    "TRANSLATE_RETRIES": whole(0),
    "TRANSLATE_GLOSSARY_MISSED": Kind("'warnings' or 'failed'", lambda value: value in ("warnings", "failed")),
    "TRANSLATE_FORMAT": Kind(
        f"empty, or one of {', '.join(TEXT_FORMATS)}", lambda value: value == "" or value in TEXT_FORMATS
    ),
    "IMAGE_FETCH": SWITCH,
    "REAL_MODELS_IN_TESTS": SWITCH,
    "IMAGE_MAX_BYTES": whole(1),
    "EFFORT": choices(*EFFORTS),
    "DIALECTS": Kind(
        "a dict of dialects, each with a dict, such as {'mine': {'like': 'openai', 'hosts': ['llm.example.com']}}",
        lambda value: value is None or is_map(value, lambda entry: isinstance(entry, Mapping)),
    ),
    "PROMPT_CACHE": choices(True, False),
    "CACHE_LOOKUP": choices(True, False),
    "CACHE_SCOPE": choices("user", "workspace", "shared"),
    "LOG_CONTENT": choices(*log_content.CHOICES),
    "RETENTION_DAYS": number(0.001, none=True),
    "CACHE_TTL": number(0),
    "IDEMPOTENCY_TTL": number(0),
    "TRACE_CONTENT": SWITCH,
}

NEEDED = (
    *("MODELS", "PROVIDERS", "FALLBACKS", "FALLBACK_ON", "SCHEMA_IN_PROMPT", "MAX_CONCURRENCY"),
    *("CACHE_SCOPE", "EFFORT", "PROMPT_CACHE", "IDEMPOTENCY_TTL"),
    *("MAX_TOKENS", "CLI_TIMEOUT", "DEADLINE", "RETRIES", "SCHEMA_RETRIES", "COOLDOWN_FAILURES", "COOLDOWN_SECONDS"),
)
EMPTY_AS_NONE = ("FALLBACKS", "MAX_CONCURRENCY")
TRANSLATION_NEEDS = (
    *("TRANSLATE_CHUNK_ENTRIES", "TRANSLATE_CONCURRENCY", "TRANSLATE_RETRIES"),
    *("TRANSLATE_FORMAT", "TRANSLATE_GLOSSARY_MISSED"),
)
CACHE_NEEDS = ("CACHE_LOOKUP", "CACHE_TTL")
"""The settings that every call (NEEDED), every translation and every cache lookup need. Providers check the others."""


def wrong_kinds(keys: Iterable[str] = KINDS) -> Iterator[WrongKind]:
    """Yield the settings in `keys` with invalid values. If STAPEL_AGENT is not a dict, yield only that."""
    found = getattr(settings, "STAPEL_AGENT", {})
    if not isinstance(found, Mapping):
        text = f"STAPEL_AGENT must be a dict, such as {{'DEFAULT_PROVIDER': 'anthropic'}}, not {_type(found)}"
        yield WrongKind("STAPEL_AGENT", text, "stapel_agent.E009")
        return
    for key in keys:
        kind, value = KINDS[key], getattr(agent_settings, key)
        if not _answers(kind.admits, value):
            text = f"STAPEL_AGENT[{key!r}] must be {kind.described}, not {_shown(kind, value)}"
            yield WrongKind(key, text, kind.id)


def require_kinds(*, translation: bool = False) -> None:
    """Check the settings before anything is spent. Raises WrongSetting, with the fix, if a call cannot work."""
    _require((*NEEDED, *TRANSLATION_NEEDS) if translation else NEEDED)


def require_cache_kinds() -> None:
    """Check the settings before a cache lookup. Raises WrongSetting, with the fix."""
    _require(CACHE_NEEDS)


def _require(keys: tuple[str, ...]) -> None:
    if keys not in agent_settings.verdicts:
        wrong = wrong_kinds(key for key in keys if key not in EMPTY_AS_NONE or getattr(agent_settings, key) is not None)
        agent_settings.verdicts[keys] = next((fault.text for fault in wrong), None)
    if text := agent_settings.verdicts[keys]:
        raise WrongSetting(text)


def _answers(question: Callable[[Any], bool], value: object) -> bool:
    """Whether `question` is true for a value. The value may have any type, and may raise when it is used."""
    try:
        return question(value)
    except Exception:
        return False


def is_map(value: object, admits: Callable[[Any], bool] = lambda value: True) -> bool:
    """Whether `value` is a map of strings to values that `admits` accepts."""
    return isinstance(value, Mapping) and all(map(is_text, value)) and all(map(admits, value.values()))


def is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object, least: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= MOST


def _shown(kind: Kind, value: object) -> str:
    """Return the value, if it may be shown, and its type."""
    if _answers(kind.may_be_shown, value):
        with suppress(Exception):
            return f"{redact_start(repr(value), SHOWN_LENGTH)} ({_type(value)})"
    return f"a value of the type {_type(value)}"


def _type(value: object) -> str:
    return type(value).__name__
