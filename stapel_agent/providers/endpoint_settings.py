"""The address and options of an API, from a built-in provider's settings or from an entry of PROVIDERS."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import httpx

from stapel_agent.conf import agent_settings, key_texts, unset_variables
from stapel_agent.exceptions import AccessDenied
from stapel_agent.model_profiles import option_problem
from stapel_agent.redaction import redact
from stapel_agent.settings_validation import is_map, is_text

from .base import LlmProvider
from .dialects import MAX_TOKENS_PARAMS, ONE_OF_PARAMS, OUTCOMES, known_dialects
from .wire.http import ROOT_FIX, api_root

COMMON = ("class", "base_url", "api_key", "models", "options", "vendor")
FIELDS: dict[str, tuple[str, ...]] = {
    "openai-compat": (*COMMON, "max_tokens_param", "dialect", "finish_reasons"),
    "anthropic": COMMON,
}
"""The keys allowed in an entry of each class."""

KEYS = "a string, {'env': 'NAME'}, or a list of these"
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
UNSHOWN = "an environment variable that"
"""Stands for a name that may be a key in the wrong place."""
ONE_KEY = "a string; an endpoint in PROVIDERS takes {'env': 'NAME'} and lists too"


class Endpoint:
    """The settings of one API: an entry of PROVIDERS, or the settings that start with `place`."""

    def __init__(self, values: Mapping[str, Any], place: str, *, is_entry: bool) -> None:
        self._values = values
        self._place = place
        self._is_entry = is_entry

    def label(self, name: str) -> str:
        """Return the name of the setting for a value."""
        return f"{self._place}[{name!r}]" if self._is_entry else f"{self._place}_{name.upper()}"

    def get(self, name: str) -> Any:
        return self._values.get(name)

    def keys(self) -> tuple[str, ...]:
        """Return the API keys without duplicates. Raises AccessDenied with the fix."""
        setting, label = self.get("api_key"), self.label("api_key")
        is_right, described = (_are_keys, KEYS) if self._is_entry else (is_text, ONE_KEY)
        if setting is not None and not is_right(setting):
            raise AccessDenied(f"{label} has a value of the type {type(setting).__name__}: it must be {described}")
        keys = tuple(dict.fromkeys(key_texts(setting)))
        if not all(re.fullmatch("[!-~]*", key) for key in keys):
            raise AccessDenied(f"{label} contains a space, a line break or a non-ASCII letter: set it again")
        if not keys and (unset := next(self.unset_keys(), None)):
            raise AccessDenied(f"{unset}: set it")
        return keys

    def unset_keys(self) -> Iterator[str]:
        """Yield a sentence for each environment variable that is named as a key and is not set."""
        for name in unset_variables(self.get("api_key")):
            variable = f"the environment variable {redact(name)}, which" if VARIABLE.fullmatch(name) else UNSHOWN
            yield f"{self.label('api_key')} names {variable} is not set"

    def root(self) -> httpx.URL | None:
        """Return the root URL of the API, or None if it is not set. Raises AccessDenied with the fix."""
        if not _is_root(self.get("base_url")):
            raise AccessDenied(f"{self.label('base_url')} {ROOT_FIX}")
        return api_root(self.get("base_url") or "")

    def models(self) -> Mapping[str, str]:
        """Return the models that this endpoint sets for sizes. Raises AccessDenied with the fix."""
        models = self.get("models") or {}
        if not isinstance(models, Mapping) or not all(map(is_text, models.values())):
            raise AccessDenied(
                f"{self.label('models')} must be a dict of sizes, each with the name of a model: "
                "set it to one, such as {'small': 'qwen3:4b'}"
            )
        return models

    def max_tokens_param(self) -> str | None:
        """Return the request field for the token cap, if one is set. Raises AccessDenied with the fix."""
        chosen = self.get("max_tokens_param")
        if chosen in (None, *MAX_TOKENS_PARAMS):
            return chosen  # type: ignore[no-any-return]
        raise AccessDenied(f"{self.label('max_tokens_param')} is invalid: set it to {ONE_OF_PARAMS}")


@cache
def _keys_of(prefix: str) -> list[tuple[str, str]]:
    """The fields of an endpoint that settings with this prefix have, each with its setting."""
    keys = ((name, f"{prefix}_{name.upper()}") for name in FIELDS["openai-compat"])
    return [(name, key) for name, key in keys if key in agent_settings.defaults]


class EndpointProvider(LlmProvider):
    """A provider for an HTTP API, configured by the settings that start with `settings_prefix`, or by `entry`."""

    settings_prefix = ""
    entry: Mapping[str, Any] | None = None
    entry_name = ""

    supports_schema = True
    supports_images = True
    supports_max_tokens = True
    supports_timeout = True
    supports_effort = True
    supports_options = True
    supports_api_key = True

    def __init__(self) -> None:
        self.options = self.endpoint.get("options") or {}

    @property
    def endpoint(self) -> Endpoint:
        if self.entry is not None:
            return Endpoint(self.entry, f"PROVIDERS[{self.entry_name!r}]", is_entry=True)
        settings = {name: getattr(agent_settings, key) for name, key in _keys_of(self.settings_prefix)}
        return Endpoint(settings, self.settings_prefix, is_entry=False)

    def api_keys(self) -> tuple[str, ...]:
        return () if self.entry is None else self.endpoint.keys()

    def resolve_model(self, model_size: str, default: str) -> str:
        return self.endpoint.models().get(model_size) or default

    def model_setting(self, model_size: str) -> str:
        """Return the setting for the model of a size. Empty if there is none."""
        is_settable = self.entry is not None or f"{self.settings_prefix}_MODELS" in agent_settings.defaults
        return f"{self.endpoint.label('models')}[{model_size!r}]" if is_settable else ""


def unset_keys(provider: LlmProvider) -> Iterator[str]:
    """Yield a sentence for each of several keys of `provider` that is empty, or whose environment variable is not set.

    Ask only a provider without a `configuration_error()`, which would report a missing key.
    """
    if not isinstance(provider, EndpointProvider):
        return
    endpoint = provider.endpoint
    setting = endpoint.get("api_key")
    is_gap = isinstance(setting, list | tuple) and "" in setting and bool(endpoint.keys())
    empty = [f"{endpoint.label('api_key')} has an empty key"] if is_gap else []
    for fact in (*endpoint.unset_keys(), *empty):
        yield f"{fact}: calls use the other keys"


def entry_problems(name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield the errors in an entry of PROVIDERS that is a dict, each with its fix."""
    place, kind = f"PROVIDERS[{name!r}]", entry.get("class", "openai-compat")
    if not isinstance(kind, str) or kind not in FIELDS:
        yield f"{place}['class'] is {str(kind)[:40]!r}: use one of {', '.join(FIELDS)}, or leave it out"
        return
    for unknown in sorted(str(key) for key in entry if key not in FIELDS[kind]):
        yield f"{place} has an unknown key {unknown!r}: use {', '.join(FIELDS[kind])}"
    yield from _address_faults(place, kind, entry)
    for field, (is_right, described) in _CHECKS.items():
        if entry.get(field) is not None and not is_right(entry[field]):
            yield f"{place}[{field!r}] must be {described}"
    if entry.get("dialect") is not None and entry["dialect"] not in (names := list(known_dialects())):
        yield f"{place}['dialect'] must be one of {', '.join(names)}"
    if entry.get("options") is not None and (problem := option_problem(entry["options"])):
        yield f"{place}['options'] {problem}"


def _address_faults(place: str, kind: str, entry: Mapping[str, Any]) -> Iterator[str]:
    url = entry.get("base_url")
    if not url and kind == "openai-compat":
        yield f"{place}['base_url'] is missing: set it to the root of the API, such as 'https://api.deepseek.com'"
    elif not _is_root(url):
        yield f"{place}['base_url'] {ROOT_FIX}"


def _is_root(url: object) -> bool:
    return not url or (isinstance(url, str) and api_root(url) is not None)


def _are_keys(setting: Any) -> bool:
    items = setting if isinstance(setting, list | tuple) else [setting]
    return all(isinstance(item, str) or (is_map(item, is_text) and item.keys() == {"env"}) for item in items)


_CHECKS: dict[str, tuple[Callable[[object], bool], str]] = {
    "api_key": (_are_keys, KEYS),
    "models": (lambda models: is_map(models, is_text), "a dict of sizes, each with the name of a model"),
    "max_tokens_param": (lambda field: field in MAX_TOKENS_PARAMS, ONE_OF_PARAMS),
    "vendor": (is_text, "a string: an id of genai-prices, or the URL of an API"),
    "finish_reasons": (
        lambda reasons: is_map(reasons, lambda outcome: outcome in OUTCOMES),
        f"a dict of the endpoint's words, each with one of {', '.join(OUTCOMES)}",
    ),
}
