"""The facade: build the request, call a verb, build the answer dict. Nothing here raises for a provider's fault."""

from __future__ import annotations

import json
import logging
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

from . import completion, structured, translation
from .conf import agent_settings
from .deadline import Deadline
from .exceptions import AgentError, InvalidRequest
from .images import Image, read_images
from .models import PromptSource
from .parsing import storable
from .providers.base import LlmProvider
from .providers.registry import registry
from .redaction import redact
from .types import Completion, CompletionRequest, Usage

logger = logging.getLogger(__name__)

SOURCE_LENGTH = 32
"""Characters of a source that the ledger's column holds."""


class RequestOptions(TypedDict, total=False):
    """The keywords of every verb."""

    provider: str | None
    user_id: str | None
    skip_cache: bool


class CompletionOptions(RequestOptions, total=False):
    """The keywords of `complete()` and its kin; each image is `{"url"}`, `{"data_b64", "mime"?}`, or one as read."""

    system_prompt: str | None
    images: Sequence[Image | Mapping[str, str]] | None
    source: str
    metadata: Mapping[str, Any] | None


class JsonOptions(CompletionOptions, total=False):
    """The keywords of `complete_json()`; `schema` is a JSON Schema that the answer must satisfy."""

    schema: Mapping[str, Any] | None


def complete(prompt: str, model_size: str, **options: Unpack[CompletionOptions]) -> dict[str, Any]:
    """The model's raw text: `{"status": "ok", "result": text, "usage": {...}}`, or a failure with its `reason`."""
    request = _request(prompt, model_size, **options)
    with Answer(_text) as answer:
        answer.completion = completion.complete(_valid(request))
    return answer.content


async def acomplete(prompt: str, model_size: str, **options: Unpack[CompletionOptions]) -> dict[str, Any]:
    """`complete()` on an event loop."""
    request = _request(prompt, model_size, **options)
    with Answer(_text) as answer:
        answer.completion = await completion.acomplete(_valid(request))
    return answer.content


def complete_json(prompt: str, model_size: str, **options: Unpack[JsonOptions]) -> dict[str, Any]:
    """The model's answer as JSON: `result`, the prose around it as `comment`, and `usage`.

    Without a system prompt the built-in one, "answer with JSON only", is sent. A failure after an
    answer keeps what was paid for: the raw text as `comment`, and its `usage`.
    """
    request = _json_request(prompt, model_size, **options)
    with Answer(_json) as answer:
        answer.completion = structured.complete_json(_valid(request))
    return answer.content


async def acomplete_json(prompt: str, model_size: str, **options: Unpack[JsonOptions]) -> dict[str, Any]:
    """`complete_json()` on an event loop."""
    request = _json_request(prompt, model_size, **options)
    with Answer(_json) as answer:
        answer.completion = await structured.acomplete_json(_valid(request))
    return answer.content


def translate(
    from_lang: str,
    to: str,
    entries: Mapping[str, str],
    model_size: str = "small",
    *,
    glossary: Mapping[str, str] | None = None,
    context: str | None = None,
    **options: Unpack[RequestOptions],
) -> dict[str, Any]:
    """The entries in another language: `{"status": "ok", "result": {key: text}, "usage": {...}}`.

    `result` holds what came back and passed its checks; the rest is in `failed`, key -> reason, which is there only
    if something failed. A failure has no translation at all. No entries, no call. `glossary` maps terms to the
    translations they are to have; `context` is a sentence on what the texts are for.
    """
    request = _request("", model_size, source=PromptSource.TRANSLATE, **options)
    with Answer(_translations) as answer:
        texts = translation.Texts(from_lang, to, entries, glossary or {}, context or "")
        answer.completion = translation.translate(texts, _valid(request)) if entries else NOTHING
    return answer.content


async def atranslate(
    from_lang: str,
    to: str,
    entries: Mapping[str, str],
    model_size: str = "small",
    *,
    glossary: Mapping[str, str] | None = None,
    context: str | None = None,
    **options: Unpack[RequestOptions],
) -> dict[str, Any]:
    """`translate()` on an event loop."""
    request = _request("", model_size, source=PromptSource.TRANSLATE, **options)
    with Answer(_translations) as answer:
        texts = translation.Texts(from_lang, to, entries, glossary or {}, context or "")
        answer.completion = await translation.atranslate(texts, _valid(request)) if entries else NOTHING
    return answer.content


def joined(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The answers to the portions of one translation, at least one, as one answer."""
    if len(answers) == 1 or all(answer["status"] == "failure" and "failed" not in answer for answer in answers):
        return answers[0]
    result, failed, usage = dict[str, str](), dict[str, str](), Counter[str]()
    for answer in answers:
        result |= answer.get("result", {})
        failed |= answer.get("failed", {})
        usage.update(answer.get("usage", {}))
    reasons = [answer["reason"] for answer in answers if "reason" in answer]
    status = {"status": "ok", "result": result} if result else {"status": "failure", "reason": reasons[0]}
    return {**status, **({"failed": failed} if failed else {}), "usage": dict(usage)}


def get_provider(name: str | None = None) -> LlmProvider:
    """A provider, made anew; the default one without a name. Raises ProviderUnusable."""
    return registry.load(name or agent_settings.DEFAULT_PROVIDER)()


class Answer:
    """The answer dict, built around the call of a verb: any fault inside becomes a failure."""

    def __init__(self, fields: Callable[[Completion], dict[str, Any]]) -> None:
        self.completion: Completion | None = None
        self.content: dict[str, Any] = {}
        self._fields = fields

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if fault is None and self.completion is not None:
            self.content = {"status": "ok", **self._fields(self.completion)}
        elif isinstance(fault, AgentError):
            self.content = {"status": "failure", "reason": _reason(fault), **_paid(fault)}
        elif isinstance(fault, Exception):
            logger.error("internal error:\n%s", redact("".join(traceback.format_exception(fault))))
            self.content = {"status": "failure", "reason": f"internal error ({type(fault).__name__})"}
        return isinstance(fault, Exception)


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
    return message if message.startswith(fault.failure) else f"{fault.failure}: {message}"


def _paid(fault: AgentError) -> dict[str, Any]:
    """What a failure keeps: what each text of a translation lacked, and what was paid for."""
    comment = {"comment": storable(fault.text)} if fault.text else {}
    usage = {"usage": _usage(fault.usage)} if fault.usage else {}
    failed = {"failed": fault.failed} if fault.failed else {}
    return {**failed, **comment, **usage}


def _usage(usage: Usage) -> dict[str, int]:
    return {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}


def _request(  # noqa: PLR0913  (the public keywords of complete())
    prompt: str,
    model_size: str,
    *,
    system_prompt: str | None = None,
    images: Any = None,
    provider: str | None = None,
    source: str = PromptSource.LLM_FACADE,
    user_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    skip_cache: bool = False,
) -> CompletionRequest:
    return CompletionRequest(
        prompt=storable(prompt),
        system_prompt=storable(system_prompt),
        images=images,
        model_size=model_size,
        provider=provider or agent_settings.DEFAULT_PROVIDER,
        source=str(source),
        max_tokens=agent_settings.MAX_TOKENS,
        user_id=None if user_id is None else str(user_id),
        skip_cache=skip_cache,
        metadata=metadata or {},
        deadline=Deadline(agent_settings.DEADLINE),
    )


def _json_request(
    prompt: str, model_size: str, *, schema: Mapping[str, Any] | None = None, **options: Unpack[CompletionOptions]
) -> CompletionRequest:
    request = _request(prompt, model_size, **options)
    return replace(request, schema=schema, system_prompt=request.system_prompt or structured.SYSTEM_PROMPT)


def _valid(request: CompletionRequest) -> CompletionRequest:
    """`request` in its cache scope, if the ledger's columns can hold it. Raises InvalidRequest with the mend."""
    if not isinstance(request.prompt, str):
        raise InvalidRequest(f"prompt must be a text, not {type(request.prompt).__name__}")
    if not isinstance(request.model_size, str):
        raise InvalidRequest(f"model size must be a text, not {type(request.model_size).__name__}")
    if len(request.source) > SOURCE_LENGTH or storable(request.source) != request.source:
        raise InvalidRequest(f"source may have {SOURCE_LENGTH} characters, and neither NUL nor half a surrogate pair")
    shared = agent_settings.CACHE_SCOPE.get(request.source, "user") == "shared"
    images = read_images(request.images, agent_settings.IMAGE_MAX_BYTES)
    return replace(request, images=images, cache_scope="" if shared else json.dumps(["user", request.user_id]))
