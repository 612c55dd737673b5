"""Providers, their dialects, and the registry for your own providers. Names are imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import LlmProvider, ProviderResult
    from .builtins import BUILTIN_PROVIDERS
    from .dialects import DIALECTS, dialect_problems
    from .endpoint_settings import Endpoint, EndpointProvider, unset_keys
    from .model_checks import model_warnings
    from .model_facts import ModelFacts
    from .prompt_cache import forget_prefixes
    from .registry import ProviderEntry, provider_registry, register_provider, registered_providers
    from .size_models import model_fix, model_for, model_problem
    from .wire.call_thread import in_own_thread, read_off_loop
    from .wire.finish_reasons import REFUSAL_CATEGORY, finish_reason
    from .wire.optional_fields import forget_refusals, withdraw_refusal

__all__ = [
    "BUILTIN_PROVIDERS",
    "DIALECTS",
    "REFUSAL_CATEGORY",
    "Endpoint",
    "EndpointProvider",
    "LlmProvider",
    "ModelFacts",
    "ProviderEntry",
    "ProviderResult",
    "dialect_problems",
    "finish_reason",
    "forget_prefixes",
    "forget_refusals",
    "in_own_thread",
    "model_fix",
    "model_for",
    "model_problem",
    "model_warnings",
    "provider_registry",
    "read_off_loop",
    "register_provider",
    "registered_providers",
    "unset_keys",
    "withdraw_refusal",
]

# The registry reads settings, but importing LlmProvider from this package must not load Django.
_NAMES = {
    ".base": ("LlmProvider", "ProviderResult"),
    ".builtins": ("BUILTIN_PROVIDERS",),
    ".dialects": ("DIALECTS", "dialect_problems"),
    ".endpoint_settings": ("Endpoint", "EndpointProvider", "unset_keys"),
    ".model_checks": ("model_warnings",),
    ".model_facts": ("ModelFacts",),
    ".prompt_cache": ("forget_prefixes",),
    ".registry": ("ProviderEntry", "provider_registry", "register_provider", "registered_providers"),
    ".size_models": ("model_fix", "model_for", "model_problem"),
    ".wire.call_thread": ("in_own_thread", "read_off_loop"),
    ".wire.finish_reasons": ("REFUSAL_CATEGORY", "finish_reason"),
    ".wire.optional_fields": ("forget_refusals", "withdraw_refusal"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name], __name__), name)
