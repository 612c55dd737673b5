"""The built-in providers, by the dotted paths of their classes. Does not import Django."""

from __future__ import annotations

BUILTIN_PROVIDERS: dict[str, str] = {
    "anthropic": "stapel_agent.providers.anthropic.AnthropicProvider",
    "openai-compat": "stapel_agent.providers.openai_compat.OpenAICompatProvider",
    "claude-code": "stapel_agent.providers.claude_cli.ClaudeCodeCLIProvider",
}
