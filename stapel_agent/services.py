"""The facade: build the request, call a verb, build the answer dict. Nothing here raises for a provider's fault."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

from . import completion, structured, translation
from .conf import DEFAULTS, agent_settings
from .contracts import field_mend
from .deadline import Deadline
from .exceptions import (
    AccessDenied,
    AgentError,
    IdempotencyConflict,
    InvalidRequest,
    OverBudget,
    ProviderUnusable,
    WrongSetting,
)
from .idempotency import Once
from .images import Image, read_images
from .models import PromptSource
from .parsing import storable
from .providers.base import LlmProvider
from .providers.registry import registry
from .redaction import redact
from .setting_kinds import CHECK, require_kinds
from .standing import Standing
from .telemetry import request_timed
from .tracing import request_span
from .types import Completion, CompletionRequest, Usage

logger = logging.getLogger(__name__)

INTERNAL_ERROR = "internal_error"
"""The failure of a request that met a bug of this package."""
SOURCE_LENGTH = 32
"""Characters of a source that the ledger's column holds."""


class RequestOptions(TypedDict, total=False):
    """The keywords of every verb: who is asked, who asks, for whom and what for.

    A call with the `idempotency_key` of an earlier one of the same caller gets its answer. That is the caller of the
    same `workspace_id` and `user_id`, or the `caller` that an edge names who knows; to such an edge a key used for
    another payload is no answer, but raised as IdempotencyConflict.
    """

    provider: str | None
    user_id: str | None
    workspace_id: str | None
    idempotency_key: str | None
    caller: str | None
    skip_cache: bool


class CompletionOptions(RequestOptions, total=False):
    """The keywords of `complete()` and its kin. `max_tokens` may lower MAX_TOKENS, not raise it.

    Each image is `{"url"}`, `{"data_b64", "mime"?}`, or one as read. `context` is kept in the ledger's metadata.
    """

    system_prompt: str | None
    images: Sequence[Image | Mapping[str, str]] | None
    source: str
    max_tokens: int | None
    context: Mapping[str, str | int] | None
    metadata: Mapping[str, Any] | None


class JsonOptions(CompletionOptions, total=False):
    """The keywords of `complete_json()`; `schema` is a JSON Schema that the answer must satisfy."""

    schema: Mapping[str, Any] | None


def complete(prompt: str, model_size: str, **options: Unpack[CompletionOptions]) -> dict[str, Any]:
    """The model's raw text: `{"status": "ok", "result": text, "usage": {...}}`, or a failure with its `reason`.

    Every answer says who gave it (`model`, `provider`), and under which `request_id` the ledger has it.
    """
    answer = Answer("complete", _request(prompt, model_size, **options), _text)
    return _completed(answer, completion.complete, options)


async def acomplete(prompt: str, model_size: str, **options: Unpack[CompletionOptions]) -> dict[str, Any]:
    """`complete()` on an event loop."""
    answer = Answer("complete", _request(prompt, model_size, **options), _text)
    return await _acompleted(answer, completion.acomplete, options)


def complete_json(prompt: str, model_size: str, **options: Unpack[JsonOptions]) -> dict[str, Any]:
    """The model's answer as JSON: `result`, the prose around it as `comment`, and `usage`.

    Without a system prompt the built-in one, "answer with JSON only", is sent. A failure after an
    answer keeps what was paid for: the raw text as `comment`, and its `usage`.
    """
    answer = Answer("complete_json", _json_request(prompt, model_size, **options), _json)
    return _completed(answer, structured.complete_json, options)


async def acomplete_json(prompt: str, model_size: str, **options: Unpack[JsonOptions]) -> dict[str, Any]:
    """`complete_json()` on an event loop."""
    answer = Answer("complete_json", _json_request(prompt, model_size, **options), _json)
    return await _acompleted(answer, structured.acomplete_json, options)


def translate(
    from_lang: str,
    to: str,
    entries: Mapping[str, str],
    model_size: str = "small",
    *,
    glossary: Mapping[str, str] | None = None,
    context: str | Mapping[str, str | int] | None = None,
    **options: Unpack[RequestOptions],
) -> dict[str, Any]:
    """The entries in another language: `{"status": "ok", "result": {key: text}, "usage": {...}}`.

    `result` holds what came back and passed its checks; the rest is in `failed`, key -> reason, which is there only
    if something failed. A failure has no translation at all. No entries, no call. `glossary` maps terms to the
    translations they are to have. A `context` that is a text tells the model what the texts are for; a map is kept
    in the ledger's metadata.
    """
    sentence, facts = (context, None) if isinstance(context, str) else ("", context)
    request = _request("", model_size, source=PromptSource.TRANSLATE, context=facts, **options)
    with Answer("translate", request, _translations) as answer:
        texts = translation.Texts(from_lang, to, entries, glossary or {}, sentence)
        with _once(request, "translate", texts.identity, options) as once:
            answer.content = once.follow() or answer.of(
                translation.translate(texts, once.request) if entries else NOTHING
            )
            once.keep(answer.content)
    return answer.content


async def atranslate(
    from_lang: str,
    to: str,
    entries: Mapping[str, str],
    model_size: str = "small",
    *,
    glossary: Mapping[str, str] | None = None,
    context: str | Mapping[str, str | int] | None = None,
    **options: Unpack[RequestOptions],
) -> dict[str, Any]:
    """`translate()` on an event loop."""
    sentence, facts = (context, None) if isinstance(context, str) else ("", context)
    request = _request("", model_size, source=PromptSource.TRANSLATE, context=facts, **options)
    with Answer("translate", request, _translations) as answer:
        texts = translation.Texts(from_lang, to, entries, glossary or {}, sentence)
        async with _once(request, "translate", texts.identity, options) as once:
            answer.content = await once.afollow() or answer.of(
                await translation.atranslate(texts, once.request) if entries else NOTHING
            )
            await once.akeep(answer.content)
    return answer.content


def joined(portions: Sequence[tuple[Mapping[str, str], dict[str, Any]]]) -> dict[str, Any]:
    """The answers to the portions of one translation, at least one, as one answer, each given with its entries.

    Each portion has a `request_id` of its own; where there are several, the whole has none.
    """
    answers = [answer for _, answer in portions]
    if len(answers) == 1 or all(answer["status"] == "failure" and "failed" not in answer for answer in answers):
        return answers[0]
    result, failed, usage = dict[str, str](), dict[str, str](), Usage()
    for entries, answer in portions:
        result |= answer.get("result", {})
        # A portion that nobody was asked for has a reason, and not one for each of its keys.
        failed |= answer.get("failed") or dict.fromkeys(entries if "reason" in answer else (), answer.get("reason", ""))
        usage += Usage(**answer.get("usage", {}))
    reasons = [answer["reason"] for answer in answers if "reason" in answer]
    status: dict[str, Any] = (
        {"status": "ok", "result": result} if result else {"status": "failure", "reason": reasons[0]}
    )
    by: dict[str, Any] = {name: answer[name] for answer in answers for name in ("model", "provider") if name in answer}
    return {**status, **({"failed": failed} if failed else {}), "usage": _usage(usage), **by}


def get_provider(name: str | None = None) -> LlmProvider:
    """A provider, made anew; the default one without a name. Raises ProviderUnusable."""
    return registry.load(name or agent_settings.DEFAULT_PROVIDER)()


class Answer:
    """The answer dict, built around the call of a verb: any fault inside becomes a failure."""

    def __init__(self, verb: str, request: CompletionRequest, fields: Callable[[Completion], dict[str, Any]]) -> None:
        self.content: dict[str, Any] = {}
        self.verb = verb
        self.request = request
        self._fields = fields
        self._observers = ExitStack()

    def of(self, completion: Completion) -> dict[str, Any]:
        """What there is to say of a completion."""
        return {"status": "ok", **self._fields(completion), **self._attribution(completion)}

    def __enter__(self) -> Self:
        self._observers.enter_context(request_timed(self.request.source))
        self._observers.enter_context(request_span(self.verb, self.request))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._observers.__exit__(kind, fault, trace)
        if isinstance(fault, IdempotencyConflict) and self.request.caller:
            return False
        if isinstance(fault, AgentError):
            self.content = {"status": "failure", "reason": _reason(fault), **_paid(fault), **self._trace(fault)}
        elif isinstance(fault, Exception):
            logger.error("internal error:\n%s", redact("".join(traceback.format_exception(fault))))
            reason = f"{INTERNAL_ERROR}: {type(fault).__name__}"
            self.content = {"status": "failure", "reason": reason, **self._trace(fault)}
        return isinstance(fault, Exception)

    def _attribution(self, completion: Completion) -> dict[str, Any]:
        """Who answered, and where the ledger has it; of nothing, if nobody did."""
        if not completion.provider:
            return {}
        named = {"model": storable(completion.model), "provider": storable(completion.provider)}
        return {**named, "request_id": str(self.request.request_id)}

    def _trace(self, fault: Exception) -> dict[str, Any]:
        """Where the ledger may tell more of a failure; not of one before anybody was asked, which has no usage."""
        nobody_asked = isinstance(fault, InvalidRequest | ProviderUnusable) and fault.usage is None
        return {} if nobody_asked else {"request_id": str(self.request.request_id)}


def _completed(
    answer: Answer, ask: Callable[[CompletionRequest], Completion], options: Mapping[str, Any]
) -> dict[str, Any]:
    with answer, _once(answer.request, answer.verb, answer.request.prompt, options) as once:
        answer.content = once.follow() or once.keep(answer.of(ask(once.request)))
    return answer.content


async def _acompleted(
    answer: Answer, ask: Callable[[CompletionRequest], Awaitable[Completion]], options: Mapping[str, Any]
) -> dict[str, Any]:
    with answer:
        async with _once(answer.request, answer.verb, answer.request.prompt, options) as once:
            answer.content = await once.afollow() or await once.akeep(answer.of(await ask(once.request)))
    return answer.content


TOLD_APART = frozenset({"caller", "idempotency_key", "images", "context"})
"""Options that say who asks, or whose form is no JSON."""

NOTHING = Completion(text="", provider="", model="")
"""The translation of no entries."""


def _text(answered: Completion) -> dict[str, Any]:
    return {"result": storable(answered.text), "usage": _usage(answered.usage)}


def _json(answered: Completion) -> dict[str, Any]:
    comment = {"comment": answered.value.comment} if answered.value.comment else {}
    return {"result": answered.value.result, **comment, "usage": _usage(answered.usage)}


def _translations(answered: Completion) -> dict[str, Any]:
    if answered is NOTHING:
        return {"result": {}}
    texts, failed = answered.value.texts, answered.value.failed
    return {"result": texts, **({"failed": failed} if failed else {}), "usage": _usage(answered.usage)}


def _reason(fault: AgentError) -> str:
    """The failure's name and what there is to say of it."""
    message: str = storable(str(fault))
    reason = message if message.startswith(fault.failure) else f"{fault.failure}: {message}"
    return f"{reason} ({CHECK} tells more)" if _is_told_by_checks(fault) else reason


def _is_told_by_checks(fault: AgentError) -> bool:
    """Whether the host's settings are at fault; of access, the message then begins with the name of one."""
    has_no_access = isinstance(fault, AccessDenied) and str(fault).partition(" ")[0] in DEFAULTS
    return has_no_access or isinstance(fault, WrongSetting | ProviderUnusable)


def _paid(fault: AgentError) -> dict[str, Any]:
    """What a failure keeps: what each text of a translation lacked, what was paid for, and what may still be."""
    comment = {"comment": storable(fault.text)} if fault.text else {}
    usage = {"usage": _usage(fault.usage)} if fault.usage else {}
    failed = {"failed": fault.failed} if fault.failed else {}
    standing = fault.standing if isinstance(fault, OverBudget) else None
    budget = {"budget": budget_entry(standing)} if isinstance(standing, Standing) else {}
    return {**failed, **comment, **usage, **budget}


BUDGET_KEYS = ("scope", "id", "left_usd", "left_tokens", "period", "resets_at")


def budget_entry(standing: Standing) -> dict[str, Any]:
    """What is left of one budget, and when it is whole again."""
    entry = standing.as_json()
    return {name: entry[name] for name in BUDGET_KEYS if name in entry}


def _usage(usage: Usage) -> dict[str, Any]:
    cost = {} if usage.cost_usd is None else {"cost_usd": f"{usage.cost_usd.normalize():f}"}
    return {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens, **cost}


def _request(  # noqa: PLR0913  (the public keywords of complete())
    prompt: str,
    model_size: str,
    *,
    system_prompt: str | None = None,
    images: Any = None,
    provider: str | None = None,
    source: str = PromptSource.LLM_FACADE,
    max_tokens: int | None = None,
    user_id: str | None = None,
    workspace_id: str | None = None,
    context: Mapping[str, str | int] | None = None,
    metadata: Mapping[str, Any] | None = None,
    skip_cache: bool = False,
    caller: str | None = None,
    idempotency_key: str | None = None,
) -> CompletionRequest:
    return CompletionRequest(
        prompt=storable(prompt),
        system_prompt=storable(system_prompt),
        images=images,
        model_size=model_size,
        provider=provider or agent_settings.DEFAULT_PROVIDER,
        source=str(source),
        max_tokens=agent_settings.MAX_TOKENS if max_tokens is None else max_tokens,
        user_id=None if user_id is None else str(user_id),
        workspace_id=None if workspace_id is None else str(workspace_id),
        context=dict(context) if isinstance(context, Mapping) else context,
        skip_cache=skip_cache,
        caller=caller,
        idempotency_key=idempotency_key,
        metadata=metadata or {},
        deadline=Deadline(agent_settings.DEADLINE),
    )


def _json_request(
    prompt: str, model_size: str, *, schema: Mapping[str, Any] | None = None, **options: Unpack[CompletionOptions]
) -> CompletionRequest:
    request = _request(prompt, model_size, **options)
    return replace(request, schema=schema, system_prompt=request.system_prompt or structured.SYSTEM_PROMPT)


def _valid(request: CompletionRequest) -> CompletionRequest:
    """`request` within MAX_TOKENS and in its cache scope. Raises InvalidRequest with the mend."""
    if not isinstance(request.prompt, str):
        raise InvalidRequest(f"prompt must be a text, not {type(request.prompt).__name__}")
    if not isinstance(request.model_size, str):
        raise InvalidRequest(f"model size must be a text, not {type(request.model_size).__name__}")
    if len(request.source) > SOURCE_LENGTH or storable(request.source) != request.source:
        raise InvalidRequest(f"source may have {SOURCE_LENGTH} characters, and neither NUL nor half a surrogate pair")
    for field in ("context", "idempotency_key"):
        _check(field, getattr(request, field))
    return replace(
        request,
        images=read_images(request.images, agent_settings.IMAGE_MAX_BYTES),
        cache_scope=_cache_scope(request),
        max_tokens=_token_cap(request.max_tokens),
    )


def _cache_scope(request: CompletionRequest) -> str:
    scope = agent_settings.CACHE_SCOPE.get(request.source, "user")
    if scope == "shared":
        return ""
    return json.dumps(["workspace", request.workspace_id] if scope == "workspace" else ["user", request.user_id])


def _token_cap(wish: int) -> int:
    """The caller's wish, which may lower MAX_TOKENS and not raise it."""
    limit: int = agent_settings.MAX_TOKENS
    if wish == limit:
        return limit
    _check("max_tokens", wish)
    return min(int(wish), limit)


def _check(field: str, value: object) -> None:
    """Hold an option against the JSON Schema that HTTP and comm hold it against."""
    if value is not None and (mend := field_mend("llm.complete", field, value)):
        raise InvalidRequest(f"{field} is not as it must be: {mend}")


def _once(request: CompletionRequest, verb: str, asked: Any, options: Mapping[str, Any]) -> Once:
    """The valid `request`, as one call under its idempotency key, if it has one."""
    require_kinds(translation=verb == "translate")
    given = {name: value for name, value in options.items() if value is not None and name not in TOLD_APART}
    valid = _valid(request)
    images = [image.identity for image in valid.images]
    return Once(valid, [verb, request.model_size, asked, images, request.context, given])
