"""The registry of providers: built-ins, then the PROVIDERS setting, then register(). Later entries override earlier."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.utils.module_loading import import_string

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import InvalidRequest, ProviderMisconfigured, ProviderUnimportable, ProviderUnusable
from stapel_agent.redaction import redact, without_keys

from .base import LlmProvider
from .builtins import BUILTIN_PROVIDERS
from .endpoint_settings import entry_problems

DOTTED_PATH = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")

ProviderEntry = type[LlmProvider] | str | Mapping[str, Any]
"""A class, its dotted path, or, in PROVIDERS, a dict for an endpoint."""


class EndpointEntry(dict[str, Any]):
    """An entry of PROVIDERS that is a dict. Its repr, which logs and error reports may show, contains no key."""

    def __repr__(self) -> str:
        return without_keys(super().__repr__())


class Registry:
    """Provider name -> class. A dotted path is imported when a request first needs it."""

    def __init__(self, builtins: Mapping[str, ProviderEntry]) -> None:
        self._builtins = builtins
        self._registered: dict[str, ProviderEntry | None] = {}
        self._refusal = ""

    def register(self, name: str, provider: ProviderEntry | None) -> None:
        """Add or override `name`. None removes it. Raises TypeError if `provider` is not a class or a dotted path."""
        if not (provider is None or isinstance(provider, str) or _is_provider_class(provider)):
            kind = _type(provider)  # the value may contain a key
            raise TypeError(f"provider {name!r} must be an LlmProvider subclass or a dotted path, not {kind}")
        self._registered[name] = provider

    @contextmanager
    def overridden(self, entries: Mapping[str, ProviderEntry | None]) -> Iterator[None]:
        """Register `entries` inside the block, and restore the registry afterwards. For tests."""
        before = self._registered
        self._registered = {**before, **entries}
        try:
            yield
        finally:
            self._registered = before

    @contextmanager
    def refusing(self, refusal: str) -> Iterator[None]:
        """Reject calls to built-in providers inside the block, with `refusal` as the reason if not empty. For tests."""
        before, self._refusal = self._refusal, refusal
        try:
            yield
        finally:
            self._refusal = before

    def entries(self) -> dict[str, ProviderEntry]:
        """Return the effective entries, without importing them."""
        own = agent_settings.PROVIDERS
        named = own if isinstance(own, Mapping) else {}  # calls and checks report a wrong type
        merged = {**self._builtins, **named, **self._registered}
        return {
            name: entry
            for name, entry in merged.items()
            if (entry or isinstance(entry, Mapping)) and isinstance(name, str)
        }

    def shown_entries(self) -> dict[str, ProviderEntry]:
        """Return the effective entries, without importing them. The keys of endpoints are not in their repr."""
        entries = self.entries().items()
        return {name: EndpointEntry(entry) if isinstance(entry, Mapping) else entry for name, entry in entries}

    def load(self, name: str) -> type[LlmProvider]:
        """Return the class registered as `name`. Raises ProviderUnusable if no class is registered."""
        entries = self.entries()
        if not isinstance(name, str) or name not in entries:
            named = "DEFAULT_PROVIDER" if name == agent_settings.DEFAULT_PROVIDER else "provider"
            raise ProviderUnusable(f"{named} {name!r} is not registered: use one of {', '.join(sorted(entries))}")
        return self.imported(name, entries[name])

    def askable(self, name: str) -> type[LlmProvider]:
        """Return the class to call for `name`. Raises as `load()`, and InvalidRequest if tests may not call it."""
        provider = self.load(name)
        if self._refusal and not agent_settings.REAL_MODELS_IN_TESTS and _is_built_in(provider):
            raise InvalidRequest(self._refusal.format(name=name))
        return provider

    def unusable(self) -> Iterator[tuple[str, ProviderUnusable]]:
        """Yield every entry that `load()` rejects, with its error. For system checks."""
        for name in self.entries():
            try:
                self.load(name)
            except ProviderUnusable as fault:
                yield name, fault

    @classmethod
    def imported(cls, name: str, entry: ProviderEntry) -> type[LlmProvider]:
        """Return the class for an entry, and import it if `entry` is a path. Raises ProviderUnusable."""
        if isinstance(entry, Mapping):
            return _of_endpoint(name, entry)
        provider = cls._import(name, entry)
        if not _is_provider_class(provider):
            raise ProviderUnusable(f"provider {name!r} is not an LlmProvider subclass")
        return provider

    @staticmethod
    def path_of(entry: object) -> str:
        """Return the dotted path of an entry's class. Empty for any other entry: it may be a key in the wrong place."""
        if isinstance(entry, Mapping):
            return str(BUILTIN_PROVIDERS.get(str(entry.get("class", "openai-compat")), ""))
        if isinstance(entry, type):
            return f"{entry.__module__}.{entry.__qualname__}"
        if not isinstance(entry, str) or not DOTTED_PATH.fullmatch(entry):
            return ""
        # Without a digit it is no key, although a module named xai_house looks like one.
        return redact(entry) if any(map(str.isdigit, entry)) else entry

    @classmethod
    def _import(cls, name: str, entry: type[LlmProvider] | str) -> type[LlmProvider]:
        if not isinstance(entry, str):
            return entry
        try:
            return import_string(entry)  # type: ignore[no-any-return]
        except Exception as fault:
            path = cls.path_of(entry)
            source = repr(path) if path else "its entry in PROVIDERS, which is not a dotted path"
            text = f"provider {name!r} cannot be imported from {source} ({_type(fault)})"
            raise ProviderUnimportable(text) from (fault if path == entry else None)


# Name -> the entry and the class made for it, so that an entry is not validated for each request.
_endpoint_classes: dict[str, tuple[Mapping[str, Any], type[LlmProvider]]] = {}


def _of_endpoint(name: str, entry: Mapping[str, Any]) -> type[LlmProvider]:
    """Return the class for an endpoint. Raises ProviderMisconfigured with the first error in its entry."""
    known = _endpoint_classes.get(name)
    if known is None or known[0] is not entry:
        known = _endpoint_classes[name] = entry, _endpoint_class(name, entry)
    return known[1]


def _endpoint_class(name: str, entry: Mapping[str, Any]) -> type[LlmProvider]:
    if problem := next(entry_problems(name, entry), None):
        raise ProviderMisconfigured(problem)
    path = BUILTIN_PROVIDERS[entry.get("class", "openai-compat")]
    base = Registry.imported(name, path)
    return type(
        base.__name__, (base,), {"__module__": base.__module__, "entry": EndpointEntry(entry), "entry_name": name}
    )


def _is_built_in(provider: type[LlmProvider]) -> bool:
    """Whether a class is a built-in provider or a subclass of one, and so would call a vendor."""
    paths = {f"{kind.__module__}.{kind.__qualname__}" for kind in provider.__mro__}
    return not paths.isdisjoint(map(str, BUILTIN_PROVIDERS.values()))


def _type(value: object) -> str:
    return type(value).__name__


def _is_provider_class(candidate: object) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, LlmProvider)


provider_registry = Registry(BUILTIN_PROVIDERS)
register_provider = provider_registry.register
registered_providers = provider_registry.shown_entries
