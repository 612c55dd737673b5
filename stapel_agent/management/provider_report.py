"""The reports of `llm providers` on registered providers, usable or not."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db.models import QuerySet

from stapel_agent import services
from stapel_agent.asking import fingerprint
from stapel_agent.conf import agent_settings
from stapel_agent.database import ledger_alias
from stapel_agent.exceptions import AccessDenied, AgentError, AnswerTruncated, OutOfCredit, ProviderUnusable
from stapel_agent.models import PromptLog, PromptSource, PromptStatus
from stapel_agent.providers import (
    Endpoint,
    EndpointProvider,
    LlmProvider,
    model_for,
    model_problem,
    model_warnings,
    provider_registry,
    unset_keys,
)

from .answer_text import spent
from .summary import printable

PROMPT = 'Reply with {"ok": true}'
PING_TOKENS = 32
LABEL_WIDTH = 15
TEXT_LENGTH = 2000


@dataclass(frozen=True)
class Ping:
    """The outcome of one tiny call: `reason` is why it failed, or None after an answer."""

    seconds: float
    reason: str | None
    usage: Mapping[str, Any] | None
    request_id: str | None

    def __str__(self) -> str:
        said = "answered" if self.reason is None else self.reason
        return ", ".join(part for part in (said, f"{self.seconds:.2f} s", spent(self.usage)) if part)


@dataclass(frozen=True)
class ProviderReport:
    """A provider's configuration. `error` says why it cannot be called and how to fix that, or is None."""

    name: str
    path: str
    is_default: bool
    models: Mapping[str, str]
    error: str | None
    ping: Ping | None = None
    warnings: Sequence[str] = ()

    @property
    def is_silent(self) -> bool:
        """Whether it was called and did not answer."""
        return self.ping is not None and self.ping.reason is not None

    def pinged(self) -> ProviderReport:
        """The report after one tiny call for each key, with warnings about keys and models, if it can be called."""
        if self.error:
            return self
        pings = [_ping(self) for _ in range(max(1, len(_keys(self.name))))]  # the keys take turns
        answered = next((ping for ping in pings if ping.reason is None), pings[0])
        return replace(
            self, ping=answered, warnings=[*self.warnings, *_refused_keys(self.name, pings), *model_warnings(self.name)]
        )

    def as_json(self) -> dict[str, Any]:
        """The report for JSON. Leaves out empty `warnings`."""
        fields = asdict(self)
        return fields if self.warnings else {name: fields[name] for name in fields if name != "warnings"}

    def lines(self, width: int | None) -> Iterator[str]:
        """A paragraph, wrapped to `width` columns if given."""
        yield printable(f"{self.name} (default)" if self.is_default else self.name, TEXT_LENGTH)
        models = ", ".join(f"{size} {model}" for size, model in self.models.items())
        if models and (missing := [str(size) for size in agent_settings.MODELS if str(size) not in self.models]):
            models += f"; none for {', '.join(missing)}"
        ping = str(self.ping) if self.ping else ""
        facts = {"class": self.path, "models": models, "configuration": self.error or "ok", "ping": ping}
        for label, text in facts.items():
            if text:
                yield from _wrapped(label, printable(text, TEXT_LENGTH), width)
        for text in self.warnings:
            yield from _wrapped("warning", printable(text, TEXT_LENGTH), width)


def reports() -> Iterator[ProviderReport]:
    """A report for each registered provider, in order, and always for the default one."""
    entries, default = provider_registry.entries(), agent_settings.DEFAULT_PROVIDER
    names = list(entries)
    for name in names if default in names else [*names, default]:
        models, error = _configuration(name)
        unset = list(unset_keys(provider_registry.load(name)())) if error is None else ()
        path = provider_registry.path_of(entries[name]) if name in names else ""
        is_default = name in (default,)  # NaN, a mistake in the settings, does not equal itself
        yield ProviderReport(str(name), path, is_default, models, error, warnings=unset)


def _configuration(name: str) -> tuple[dict[str, str], str | None]:
    """The provider's models by size, as far as it has any, and why it cannot be called, or None."""
    if not isinstance(agent_settings.MODELS, dict):
        return {}, "MODELS must map sizes to model names: set STAPEL_AGENT['MODELS'] to such a dict"
    try:
        provider = provider_registry.load(name)()
        models, missing = _models(name, provider)
        lacking = provider.configuration_error() or (None if models else missing)
    except ProviderUnusable as fault:
        return {}, f"{fault}: name an LlmProvider subclass in STAPEL_AGENT['PROVIDERS'], or None to remove it"
    except AgentError as fault:
        return {}, str(fault)
    except Exception as fault:
        return {}, f"the provider's own code raised {type(fault).__name__}: fix its class"
    return models, None if lacking is None else str(lacking)


def _models(name: str, provider: LlmProvider) -> tuple[dict[str, str], str | None]:
    """The provider's models by size, and why it has none for the last of the other sizes."""
    models, missing = {}, None
    for size in agent_settings.MODELS:
        if problem := model_problem(name, provider, size):
            missing = problem
        else:
            models[str(size)] = model_for(name, provider, size)
    return models, missing


def _keys(name: str) -> tuple[str, ...]:
    provider = provider_registry.load(name)()
    try:
        return tuple(provider.api_keys()) if provider.supports_api_key else ()
    except Exception:  # from a host's class; a call reports it
        return ()


def _endpoint(name: str) -> Endpoint | None:
    """The settings of the provider, if it is a built-in one for an HTTP API."""
    provider = provider_registry.load(name)()
    return provider.endpoint if isinstance(provider, EndpointProvider) else None


def _refused_keys(name: str, pings: Sequence[Ping]) -> Iterator[str]:
    """Why calls with one of several keys failed. The ledger names a key by its fingerprint."""
    ids = [ping.request_id for ping in pings if ping.request_id]
    rows = _calls(name, ids).exclude(status=PromptStatus.SUCCESS)
    made = rows.order_by("created_at").values_list("metadata", "error_message")
    with_keys = ((facts, message) for facts, message in made if facts and "key" in facts)
    failed = {facts["key"]: f"{facts.get('failure')}: {message}" for facts, message in with_keys}
    places = {fingerprint(key): place for place, key in enumerate(_keys(name), 1)}
    for key, failure in failed.items() if len(places) > 1 else ():
        which = f"key {places[key]} of {len(places)}" if key in places else "a key"
        yield f"{which}, whose SHA-256 begins with {key}, failed: {failure}"


def _calls(name: str, request_ids: Sequence[str]) -> QuerySet[PromptLog]:
    """The provider's calls of these requests, just written: a replica, which a host may read from, may lack them."""
    return PromptLog.objects.using(ledger_alias()).filter(request_id__in=request_ids, provider=name)


def _ping(report: ProviderReport) -> Ping:
    size = "small" if "small" in report.models else next(iter(report.models), "small")
    started_at = time.perf_counter()
    answer = services.complete(
        PROMPT,
        size,
        provider=report.name,
        source=PromptSource.OTHER,
        max_tokens=PING_TOKENS,
        metadata={"ping": True},
        skip_cache=True,
    )
    seconds = round(time.perf_counter() - started_at, 3)
    request_id = answer.get("request_id")
    return Ping(seconds, _reason(answer, report.name), answer.get("usage"), request_id)


def _reason(answer: Mapping[str, Any], name: str) -> str | None:
    """Why this provider gave no answer. A truncated answer counts, a fallback's answer does not."""
    if answer["status"] != "ok":
        reason = str(answer["reason"])
        is_cut = reason.startswith(AnswerTruncated.failure)
        return None if is_cut else f"{reason}{_key_to_check(name, answer['failure'], reason)}"
    if answer["provider"] == name:
        return None
    row = _calls(name, [answer["request_id"]]).order_by("created_at").last()
    reason = "cooling down"
    if row is not None:
        failure, message = str((row.metadata or {}).get("failure")), row.error_message or ""
        reason = f"{failure}: {message}{_key_to_check(name, failure, message)}"
    return f"{reason} (its fallback {answer['provider']!r} answered)"


def _key_to_check(name: str, failure: str, reason: str) -> str:
    """The setting of the key that the vendor rejected, unless the reason names a setting itself."""
    is_refused = failure in (AccessDenied.failure, OutOfCredit.failure) and "HTTP" in reason
    endpoint = _endpoint(name) if is_refused else None
    return f"; check {label}" if endpoint and (label := endpoint.label("api_key")) not in reason else ""


def _wrapped(label: str, text: str, width: int | None) -> list[str]:
    start = f"  {label:<{LABEL_WIDTH}}"
    if width is None:
        return [f"{start}{text}"]
    return textwrap.wrap(
        text,
        max(width, 3 * LABEL_WIDTH),
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
