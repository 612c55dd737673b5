"""Finds the dialect of an endpoint by its name, or by the host of the base URL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from stapel_agent.conf import agent_settings
from stapel_agent.model_profiles import EFFORTS
from stapel_agent.settings_validation import is_map, is_text

from .dialect import OUTCOMES, Dialect, EffortRule
from .usage_fields import UsageFields
from .vendors import DIALECTS, OPENAI

UNKNOWN = replace(OPENAI, hosts=(), efforts=(), max_tokens_param="max_tokens", vendor=None)
"""The dialect for unknown hosts: plain `openai`, without effort."""

MAX_TOKENS_PARAMS = ("max_tokens", "max_completion_tokens")
ONE_OF_PARAMS = " or ".join(map(repr, MAX_TOKENS_PARAMS))
USAGE_FIELDS = tuple(field.name for field in fields(UsageFields))


def known_dialects() -> dict[str, Dialect]:
    """Return the built-in dialects, overridden by the DIALECTS setting. Invalid entries are left out."""
    own = agent_settings.DIALECTS
    if not own or not isinstance(own, Mapping):
        return DIALECTS
    known = dict(DIALECTS)
    for name, entry in own.items():
        if not any(dialect_problems(name, entry)):
            known[name] = _dialect(name, entry)
    return known


def dialect_for(host: str, name: str | None = None) -> Dialect:
    """Return the dialect `name`, or the dialect of `host`. Raises KeyError if the name is unknown."""
    known = known_dialects()
    if name:
        return known[name]
    # Dialects from the setting come last, and take precedence over the built-in ones.
    return next((dialect for dialect in reversed(known.values()) if _speaks(dialect, host)), UNKNOWN)


def dialect_problems(name: object, entry: Any) -> Iterator[str]:
    """Yield the errors in an entry of DIALECTS, each with its fix."""
    place = f"STAPEL_AGENT['DIALECTS'][{name!r}]"
    if not isinstance(name, str) or not isinstance(entry, Mapping):
        yield f"{place} must be a dict under the dialect's name, such as {{'hosts': ['llm.example.com']}}"
        return
    for unknown in sorted(str(key) for key in entry if key not in _CHECKS):
        yield f"{place} has an unknown key {unknown!r}: use {', '.join(_CHECKS)}"
    for key, (is_right, described) in _CHECKS.items():
        if key in entry and not is_right(entry[key]):
            yield f"{place}[{key!r}] must be {described}"


def _dialect(name: str, entry: Mapping[str, Any]) -> Dialect:
    base = DIALECTS.get(entry.get("like") or name, OPENAI)
    usage = {field: tuple(paths) for field, paths in entry.get("usage", {}).items()}
    effort = entry.get("effort")
    return replace(
        base,
        name=name,
        hosts=tuple(entry.get("hosts", base.hosts if base.name == name else ())),
        max_tokens_param=entry.get("max_tokens_param", base.max_tokens_param),
        efforts=base.efforts if effort is None else (EffortRule("", effort),),
        usage=replace(base.usage, **usage),
        finish_reasons={**base.finish_reasons, **entry.get("finish_reasons", {})},
        error_codes={**base.error_codes, **entry.get("error_codes", {})},
        vendor=entry.get("vendor", base.vendor),
    )


def _speaks(dialect: Dialect, host: str) -> bool:
    host = host.lower().rstrip(".")
    return any(host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern for pattern in dialect.hosts)


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


_CHECKS: dict[str, tuple[Any, str]] = {
    "like": (lambda value: value in list(DIALECTS), f"one of {', '.join(DIALECTS)}"),
    "hosts": (_are_texts, "a list of hosts, such as ['llm.example.com', '*.example.com']"),
    "max_tokens_param": (lambda value: value in MAX_TOKENS_PARAMS, ONE_OF_PARAMS),
    "effort": (
        lambda value: is_map(value, lambda fields: isinstance(fields, Mapping)) and value.keys() <= set(EFFORTS),
        f"a dict of efforts ({', '.join(EFFORTS)}), each with the request fields that express it",
    ),
    "usage": (
        lambda value: is_map(value, _are_texts) and value.keys() <= set(USAGE_FIELDS),
        f"a dict of figures ({', '.join(USAGE_FIELDS)}), each with a list of dotted paths below 'usage'",
    ),
    "finish_reasons": (
        lambda value: is_map(value, lambda outcome: outcome in OUTCOMES),
        f"a dict of the vendor's words, each with one of {', '.join(OUTCOMES)}",
    ),
    "error_codes": (
        lambda value: is_map(value, is_text),
        "a dict of the vendor's codes, each with the name of a failure",
    ),
    "vendor": (lambda value: value is None or is_text(value), "an id of genai-prices, or the URL of an API"),
}
