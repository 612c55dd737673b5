"""`agent_settings`: the `STAPEL_AGENT` dict of the host's settings, read lazily, at call time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from stapel_core.conf import AppSettings

DEFAULTS: dict[str, Any] = {
    # Model size -> model name, or a profile: a dict of "model", "provider", "effort", "max_tokens" and "options".
    # The keys are the sizes a request may ask for.
    "MODELS": {
        "small": "claude-haiku-4-5-20251001",
        "medium": "claude-sonnet-5",
        "large": "claude-opus-4-8",
    },
    # Provider name -> LlmProvider subclass, its dotted path, or an endpoint: a dict of "base_url", "api_key", "models",
    # "dialect", "options" and more. Merged over the built-in ones; None removes one.
    "PROVIDERS": {},
    # The provider of a request that names none, and whose size has none in its profile.
    "DEFAULT_PROVIDER": "anthropic",
    # Key of the Anthropic API.
    "ANTHROPIC_API_KEY": "",
    # Root URL of the Anthropic API; empty is the vendor's own.
    "ANTHROPIC_BASE_URL": "",
    # Root of an OpenAI-compatible API, up to where "/chat/completions" follows.
    "OPENAI_COMPAT_BASE_URL": "",
    # Bearer token of that API; empty sends none.
    "OPENAI_COMPAT_API_KEY": "",
    # Model size -> model name at that API; a missing size falls back to MODELS.
    "OPENAI_COMPAT_MODELS": {},
    # The request field that carries the token cap: "max_tokens" or "max_completion_tokens"; None is the dialect's.
    "OPENAI_COMPAT_MAX_TOKENS_PARAM": None,
    # The Claude Code CLI: a name on PATH, or a path.
    "CLI_BINARY": "claude",
    # Seconds a provider has for one attempt, whichever provider it is.
    "CLI_TIMEOUT": 120,
    # Seconds one request has, with all its waiting, retries and fallbacks; None is no limit.
    "DEADLINE": None,
    # Times a provider is asked again after a passing fault: unreachable, too busy, over its limit.
    "RETRIES": 2,
    # May it also be asked again after what may have been billed: a timeout, no answer to a sent request, half of one?
    "RETRY_BILLED": False,
    # Provider name -> names of those to ask, in turn, when it declines.
    "FALLBACKS": {},
    # Names of further failures after which the next one is asked, such as "refused" and "truncated".
    "FALLBACK_ON": [],
    # Dialect name -> what an OpenAI-compatible endpoint does differently, over the dialects that are known.
    "DIALECTS": {},
    # Failures in a row, in one process, after which a provider that has a fallback is passed over.
    "COOLDOWN_FAILURES": 5,
    # Seconds it is passed over for; then one call tries it.
    "COOLDOWN_SECONDS": 30,
    # Provider name -> calls that one process may have under way there; a name left out has no limit.
    "MAX_CONCURRENCY": {},
    # Tokens an answer may have.
    "MAX_TOKENS": 4096,
    # Source -> how hard the model is to think: "none", "minimal", "low", "medium", "high" or "max".
    "EFFORT": {"translate": "low"},
    # Times a model is asked again after an answer that breaks the caller's schema.
    "SCHEMA_RETRIES": 1,
    # Does a provider without `supports_schema` get the schema in its prompt, in place of a rejection?
    "SCHEMA_IN_PROMPT": False,
    # "model" or "provider/model" -> US dollars per million tokens: input, output, cache_read, cache_write(_1h), tiers.
    "PRICES": {},
    # Texts that one question to the model may hold.
    "TRANSLATE_CHUNK_ENTRIES": 50,
    # Questions of one translation that may be under way at once.
    "TRANSLATE_CONCURRENCY": 4,
    # Times a text is asked for again, with others, after a translation that fails its checks; then once alone.
    "TRANSLATE_RETRIES": 2,
    # Format of texts that name none, such as "icu"; without one, what any format could mean is protected.
    "TRANSLATE_FORMAT": "",
    # Where a translation that lacks a term of the glossary is told: "warnings", or "failed", which leaves it out.
    "TRANSLATE_GLOSSARY_MISSED": "warnings",
    # Are images that a caller links to fetched here and sent along, for endpoints that cannot fetch?
    "IMAGE_FETCH": False,
    # May tests that use `stapel_agent.testing` call the built-in providers?
    "REAL_MODELS_IN_TESTS": False,
    # Bytes an image may have.
    "IMAGE_MAX_BYTES": 5242880,
    # Source -> may an earlier answer be reused.
    "CACHE_LOOKUP": {"llm_facade": False, "translate": True},
    # Source -> who reuses an answer: "user" (the same user_id in the same workspace_id), "workspace" or "shared".
    "CACHE_SCOPE": {"llm_facade": "user", "translate": "workspace"},
    # Source -> are long system prompts marked for the vendor's prompt cache; one left out marks what comes repeatedly.
    "PROMPT_CACHE": {},
    # Seconds an answer may be reused for.
    "CACHE_TTL": 604800,
    # CachePolicy subclass, or its dotted path: where answers are kept.
    "CACHE_POLICY": "stapel_agent.cache.PromptLogCachePolicy",
    # Source -> "full", "hash" or "none": what the ledger stores of prompts and answers; one left out is "full".
    "LOG_CONTENT": {},
    # Days after which `manage.py purge_prompt_logs` takes the texts out of the ledger; None is never.
    "RETENTION_DAYS": None,
    # Seconds for which the answer to an idempotency_key is given again.
    "IDEMPOTENCY_TTL": 86400,
    # Do OpenTelemetry's spans hold what was asked and answered?
    "TRACE_CONTENT": False,
    # What users, workspaces, sources or all together may spend in a day or a month; or a BudgetPolicy's dotted path.
    "BUDGETS": [],
}

ENVIRONMENT_KEYS = frozenset({"ANTHROPIC_API_KEY", "OPENAI_COMPAT_API_KEY"})


def key_texts(setting: object) -> list[str]:
    """The keys in a setting that is a key, `{"env": the name of a variable that holds one}`, or a list of these."""
    if isinstance(setting, list | tuple):
        return [key for item in setting for key in key_texts(item)]
    if isinstance(setting, Mapping):
        setting = os.environ.get(str(setting.get("env")), "")
    return [setting] if setting and isinstance(setting, str) else []


def unset_variables(setting: object) -> list[str]:
    """The variables that such a setting names, and that the environment lacks."""
    items = setting if isinstance(setting, list | tuple) else [setting]
    names = [str(item.get("env")) for item in items if isinstance(item, Mapping)]
    return [name for name in names if not os.environ.get(name)]


class AgentSettings(AppSettings):
    """The defaults, where STAPEL_AGENT is no dict: a call says so, and a look at a setting raises nothing.

    `verdicts` holds what has been found of the settings, until they change.
    """

    def __init__(self, namespace: str, **options: Any) -> None:
        super().__init__(namespace, **options)
        self.verdicts: dict[object, str | None] = {}

    def reload(self) -> None:
        super().reload()
        self.verdicts.clear()

    def _raw(self, key: str) -> Any:
        is_readable = isinstance(getattr(settings, self.namespace, None) or {}, Mapping)
        return super()._raw(key) if is_readable else self.defaults[key]


# The framework reads environment variables by their bare name. Only the two keys may come from there:
# a stray MODELS or MAX_TOKENS must not reach a host, nor a variable choose code or where a key is sent.
agent_settings = AgentSettings(
    "STAPEL_AGENT",
    defaults=DEFAULTS,
    import_strings=("CACHE_POLICY",),
    no_env=tuple(DEFAULTS.keys() - ENVIRONMENT_KEYS - {"CACHE_POLICY"}),
)
