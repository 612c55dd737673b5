"""`agent_settings`: the `STAPEL_AGENT` dict in the host's settings, read when a value is needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from stapel_core.conf import AppSettings

# docs/settings.md repeats these comments; a test compares them.
DEFAULTS: dict[str, Any] = {
    # Model size -> model name, or a profile: a dict with "model", "provider", "effort", "max_tokens" and "options".
    # A request can ask for any size that is a key here.
    "MODELS": {
        "small": "claude-haiku-4-5-20251001",
        "medium": "claude-sonnet-5",
        "large": "claude-opus-4-8",
    },
    # Provider name -> LlmProvider subclass, its dotted path, or an endpoint: a dict with "base_url", "api_key",
    # "models", "dialect", "options" and more. Merged over the built-in providers; None removes one.
    "PROVIDERS": {},
    # The provider to use if neither the request nor the profile of its size names one.
    "DEFAULT_PROVIDER": "anthropic",
    # API key for the Anthropic API.
    "ANTHROPIC_API_KEY": "",
    # Root URL of the Anthropic API. Empty means the vendor's own URL.
    "ANTHROPIC_BASE_URL": "",
    # Root URL of an OpenAI-compatible API, without "/chat/completions".
    "OPENAI_COMPAT_BASE_URL": "",
    # Bearer token for that API. Empty sends no token.
    "OPENAI_COMPAT_API_KEY": "",
    # Model size -> model name at that API. A missing size falls back to MODELS.
    "OPENAI_COMPAT_MODELS": {},
    # The request field for the token cap: "max_tokens" or "max_completion_tokens". None uses the dialect's field.
    "OPENAI_COMPAT_MAX_TOKENS_PARAM": None,
    # The Claude Code CLI: a command on PATH, or a path.
    "CLI_BINARY": "claude",
    # Timeout of one attempt in seconds, for every provider.
    "CLI_TIMEOUT": 120,
    # Timeout of one request in seconds, including waits, retries and fallbacks. None means no limit.
    "DEADLINE": None,
    # How often to retry a provider after a temporary failure: unreachable, overloaded or rate limited.
    "RETRIES": 2,
    # Whether to also retry after failures that may have been billed: timeouts, and missing or incomplete answers.
    "RETRY_BILLED": False,
    # Provider name -> names of the providers to try, in order, if it fails.
    "FALLBACKS": {},
    # Other failures that lead to a fallback, such as "refused" and "truncated".
    "FALLBACK_ON": [],
    # Dialect name -> how an OpenAI-compatible endpoint differs. Merged over the built-in dialects.
    "DIALECTS": {},
    # Consecutive failures in one process after which a provider that has a fallback is skipped.
    "COOLDOWN_FAILURES": 5,
    # How many seconds it is skipped. Then one call tries it again.
    "COOLDOWN_SECONDS": 30,
    # Provider name -> maximum number of concurrent calls per process. Providers not listed have no limit.
    "MAX_CONCURRENCY": {},
    # Maximum number of tokens in an answer.
    "MAX_TOKENS": 4096,
    # Source -> how hard the model should think: "none", "minimal", "low", "medium", "high" or "max".
    "EFFORT": {"translate": "low"},
    # How often to ask a model again after an answer that does not match the caller's schema.
    "SCHEMA_RETRIES": 1,
    # Whether to put the schema in the prompt of a provider without `supports_schema`, instead of rejecting the call.
    "SCHEMA_IN_PROMPT": False,
    # "model" or "provider/model" -> US dollars per million tokens: input, output, cache_read, cache_write,
    # cache_write_1h, tiers.
    "PRICES": {},
    # Maximum number of texts in one call to the model.
    "TRANSLATE_CHUNK_ENTRIES": 50,
    # Maximum number of concurrent calls for one translation.
    "TRANSLATE_CONCURRENCY": 4,
    # How often to retry a text together with others after its translation fails the checks. Then it is retried alone.
    "TRANSLATE_RETRIES": 2,
    # Default format of texts, such as "icu". If empty, the placeholders of every format are protected.
    "TRANSLATE_FORMAT": "",
    # Where to report a translation that misses a glossary term: "warnings", or "failed", which leaves it out.
    "TRANSLATE_GLOSSARY_MISSED": "warnings",
    # Whether to fetch linked images and send their content, for endpoints that cannot fetch them.
    "IMAGE_FETCH": False,
    # Whether tests that use `stapel_agent.testing` may call real models.
    "REAL_MODELS_IN_TESTS": False,
    # Maximum size of an image in bytes.
    "IMAGE_MAX_BYTES": 5242880,
    # Source -> whether an earlier answer may be reused.
    "CACHE_LOOKUP": {"llm_facade": False, "translate": True},
    # Source -> who may reuse an answer: "user" (the same user_id in the same workspace_id), "workspace" or "shared".
    "CACHE_SCOPE": {"llm_facade": "user", "translate": "workspace"},
    # Source -> whether to mark long system prompts for the vendor's prompt cache. By default, repeated ones are marked.
    "PROMPT_CACHE": {},
    # How many seconds an answer may be reused.
    "CACHE_TTL": 604800,
    # CachePolicy subclass that stores the answers, or its dotted path.
    "CACHE_POLICY": "stapel_agent.cache.PromptLogCachePolicy",
    # Source -> how the ledger stores prompts and answers: "full", "hash" or "none". The default is "full".
    "LOG_CONTENT": {},
    # Days after which `manage.py purge_prompt_logs` removes the texts from the ledger. None means never.
    "RETENTION_DAYS": None,
    # How many seconds a repeated idempotency_key returns the same answer.
    "IDEMPOTENCY_TTL": 86400,
    # Whether OpenTelemetry spans contain prompts and answers.
    "TRACE_CONTENT": False,
    # Daily or monthly limits per user, workspace or source, or for all together; or the dotted path of a BudgetPolicy.
    "BUDGETS": [],
}

ENVIRONMENT_KEYS = frozenset({"ANTHROPIC_API_KEY", "OPENAI_COMPAT_API_KEY"})


def key_texts(setting: object) -> list[str]:
    """Return the keys in a setting: a key, `{"env": "NAME_OF_A_VARIABLE"}`, or a list of these."""
    if isinstance(setting, list | tuple):
        return [key for item in setting for key in key_texts(item)]
    if isinstance(setting, Mapping):
        setting = os.environ.get(str(setting.get("env")), "")
    return [setting] if isinstance(setting, str) and setting else []


def unset_variables(setting: object) -> list[str]:
    """Return the environment variables that such a setting names and that are not set."""
    items = setting if isinstance(setting, list | tuple) else [setting]
    names = [str(item.get("env")) for item in items if isinstance(item, Mapping)]
    return [name for name in names if not os.environ.get(name)]


class AgentSettings(AppSettings):
    """The settings. If STAPEL_AGENT is not a dict, reading a setting returns its default, and calls report the error.

    After its first use a setting is an ordinary attribute. `verdicts` caches the results of validation. Both last
    until the settings change.
    """

    def __init__(self, namespace: str, **options: Any) -> None:
        super().__init__(namespace, **options)
        self.verdicts: dict[object, str | None] = {}

    def __getattr__(self, key: str) -> Any:
        value = super().__getattr__(key)
        if key in self.defaults:
            vars(self)[key] = value
        return value

    def reload(self) -> None:
        super().reload()
        self.verdicts.clear()
        for key in self.defaults:
            vars(self).pop(key, None)

    def _raw(self, key: str) -> Any:
        is_readable = isinstance(getattr(settings, self.namespace, None) or {}, Mapping)
        return super()._raw(key) if is_readable else self.defaults[key]


# The framework reads environment variables by their bare name. Only the two keys may come from there: a stray MODELS
# or MAX_TOKENS must not take effect, and no variable may choose code or the address that receives a key.
agent_settings = AgentSettings(
    "STAPEL_AGENT",
    defaults=DEFAULTS,
    import_strings=("CACHE_POLICY",),
    no_env=tuple(DEFAULTS.keys() - ENVIRONMENT_KEYS - {"CACHE_POLICY"}),
)
