"""The providers this package brings, and how a host adds its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .registry import register_provider, registered_providers

__all__ = ["BUILTIN_PROVIDERS", "register_provider", "registered_providers"]

BUILTIN_PROVIDERS = {
    "anthropic": "stapel_agent.providers.anthropic.AnthropicProvider",
    "openai-compat": "stapel_agent.providers.openai_compat.OpenAICompatProvider",
    "claude-code": "stapel_agent.providers.claude_cli.ClaudeCodeCLIProvider",
}


def __getattr__(name: str) -> Any:
    # The registry reads settings; LlmProvider, imported through this package, must load no Django.
    if name in {"register_provider", "registered_providers"}:
        from . import registry

        return getattr(registry, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
