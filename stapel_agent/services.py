"""The facade: builds the request, calls a verb, builds the answer dict. Provider errors become failures in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, Unpack, cast, overload

from . import answers, completion, structured, translation
from .answers import Answer
from .conf import agent_settings
from .deadline import Deadline
from .exceptions import InvalidRequest
from .images import read_images
from .models import PromptSource
from .parsing import storable
from .profiles import known_profile, token_limit
from .providers import LlmProvider, provider_registry
from .schemas import (
    JUST_JSON,
    NOT_GIVEN,
    AnswerFailed,
    AnswerSchema,
    BaseAnswer,
    CompletionOptions,
    JsonAnswer,
    TextAnswer,
    TranslateOptions,
    TranslationAnswer,
    field_mend,
    given_keywords,
)
from .settings_validation import require_kinds
from .sharing import Once
from .types import Completion, CompletionRequest

logger = logging.getLogger(__name__)

T = TypeVar("T")
SOURCE_LENGTH = 32
"""Maximum length of a source, set by the ledger's column."""


def complete(prompt: str, model_size: str = NOT_GIVEN, **options: Unpack[CompletionOptions]) -> TextAnswer:
    """Return the model's raw text: `{"status": "ok", "result": text, "usage": {...}}`, or a failure with its `reason`.

    Every answer names its `model` and `provider`, and the `request_id` of its rows in the ledger.
    """
    size, given = given_keywords("complete", model_size, options, CompletionOptions)
    answer = Answer("complete", _request(prompt, size, **given), answers.text_fields)
    return cast(TextAnswer, _completed(answer, completion.complete, given))


async def acomplete(prompt: str, model_size: str = NOT_GIVEN, **options: Unpack[CompletionOptions]) -> TextAnswer:
    """`complete()` on an event loop."""
    size, given = given_keywords("acomplete", model_size, options, CompletionOptions)
    answer = Answer("complete", _request(prompt, size, **given), answers.text_fields)
    return cast(TextAnswer, await _acompleted(answer, completion.acomplete, given))


@overload
def complete_json(
    prompt: str, model_size: str = NOT_GIVEN, *, schema: type[T], **options: Unpack[CompletionOptions]
) -> JsonAnswer[T]: ...
@overload
def complete_json(
    prompt: str,
    model_size: str = NOT_GIVEN,
    *,
    schema: Mapping[str, Any] | None = None,
    **options: Unpack[CompletionOptions],
) -> JsonAnswer[Any]: ...
def complete_json(prompt: str, model_size: str = NOT_GIVEN, *, schema: Any = None, **options: Any) -> JsonAnswer[Any]:
    """Return the model's answer as JSON: `result`, the prose around it as `comment`, and `usage`.

    `schema` is a JSON Schema, a class with Pydantic's interface, a dataclass or a TypedDict. With a class, `result`
    is an instance of it. If you give no system prompt, the built-in one, "answer with JSON only", is sent. If an
    answer fails its checks, the failure holds its raw text as `comment`, and its `usage`.
    """
    size, given = given_keywords("complete_json", model_size, options, CompletionOptions)
    wanted = AnswerSchema.of(schema)
    given["schema"] = wanted.json_schema
    answer = Answer("complete_json", _json_request(prompt, size, **given), answers.json_fields)
    verb = partial(structured.complete_json, read=wanted.read)
    return cast(JsonAnswer[Any], _completed(answer, verb, given, wanted))


@overload
async def acomplete_json(
    prompt: str, model_size: str = NOT_GIVEN, *, schema: type[T], **options: Unpack[CompletionOptions]
) -> JsonAnswer[T]: ...
@overload
async def acomplete_json(
    prompt: str,
    model_size: str = NOT_GIVEN,
    *,
    schema: Mapping[str, Any] | None = None,
    **options: Unpack[CompletionOptions],
) -> JsonAnswer[Any]: ...
async def acomplete_json(
    prompt: str, model_size: str = NOT_GIVEN, *, schema: Any = None, **options: Any
) -> JsonAnswer[Any]:
    """`complete_json()` on an event loop."""
    size, given = given_keywords("acomplete_json", model_size, options, CompletionOptions)
    wanted = AnswerSchema.of(schema)
    given["schema"] = wanted.json_schema
    answer = Answer("complete_json", _json_request(prompt, size, **given), answers.json_fields)
    verb = partial(structured.acomplete_json, read=wanted.read)
    return cast(JsonAnswer[Any], await _acompleted(answer, verb, given, wanted))


@overload
def ask(
    prompt: str, model_size: str = NOT_GIVEN, *, schema: None = None, **options: Unpack[CompletionOptions]
) -> str: ...
@overload
def ask(prompt: str, model_size: str = NOT_GIVEN, *, schema: type[T], **options: Unpack[CompletionOptions]) -> T: ...
@overload
def ask(
    prompt: str, model_size: str = NOT_GIVEN, *, schema: Mapping[str, Any], **options: Unpack[CompletionOptions]
) -> Any: ...
def ask(prompt: str, model_size: str = NOT_GIVEN, *, schema: Any = None, **options: Any) -> Any:
    """Return only the result: text, or with `schema` the result of `complete_json()`. Raises AnswerFailed."""
    if schema is None:
        return _value(complete(prompt, model_size, **options))
    return _value(complete_json(prompt, model_size, schema=schema, **options))


@overload
async def aask(
    prompt: str, model_size: str = NOT_GIVEN, *, schema: None = None, **options: Unpack[CompletionOptions]
) -> str: ...
@overload
async def aask(
    prompt: str, model_size: str = NOT_GIVEN, *, schema: type[T], **options: Unpack[CompletionOptions]
) -> T: ...
@overload
async def aask(
    prompt: str, model_size: str = NOT_GIVEN, *, schema: Mapping[str, Any], **options: Unpack[CompletionOptions]
) -> Any: ...
async def aask(prompt: str, model_size: str = NOT_GIVEN, *, schema: Any = None, **options: Any) -> Any:
    """`ask()` on an event loop."""
    if schema is None:
        return _value(await acomplete(prompt, model_size, **options))
    return _value(await acomplete_json(prompt, model_size, schema=schema, **options))


def translate(
    from_lang: str,
    to: str,
    entries: Mapping[str, str | Mapping[str, Any]],
    model_size: str = NOT_GIVEN,
    **options: Unpack[TranslateOptions],
) -> TranslationAnswer:
    """Translate the entries: `{"status": "ok", "result": {key: text}, "usage": {...}}`.

    `result` holds the translations that passed their checks. If any did not, `failed` maps their keys to reasons.
    An answer with the status "failure" holds no translation. Without entries, no model is called.
    """
    size, given = given_keywords("translate", model_size, options, TranslateOptions, default="small")
    answer, texts_of = _translation_answer(size, **given)
    with answer:
        texts = texts_of(from_lang, to, entries)
        with _once(answer.request, answer.verb, texts.identity, given) as once:
            answer.content = once.follow() or once.keep(answer.of(translation.translate(texts, once.request)))
    return cast(TranslationAnswer, answer.content)


async def atranslate(
    from_lang: str,
    to: str,
    entries: Mapping[str, str | Mapping[str, Any]],
    model_size: str = NOT_GIVEN,
    **options: Unpack[TranslateOptions],
) -> TranslationAnswer:
    """`translate()` on an event loop."""
    size, given = given_keywords("atranslate", model_size, options, TranslateOptions, default="small")
    answer, texts_of = _translation_answer(size, **given)
    with answer:
        texts = texts_of(from_lang, to, entries)
        async with _once(answer.request, answer.verb, texts.identity, given) as once:
            translated = await once.afollow() or answer.of(await translation.atranslate(texts, once.request))
            answer.content = await once.akeep(translated)
    return cast(TranslationAnswer, answer.content)


def translation_cost(
    from_lang: str, to: str, entries: Mapping[str, str | Mapping[str, Any]], model_size: str = "small", **options: Any
) -> translation.Most:
    """The most that `translate()` could cost with these arguments. Calls no model. May raise an AgentError."""
    answer, texts_of = _translation_answer(model_size, **options)
    return translation.most(texts_of(from_lang, to, entries), _valid(answer.request))


def get_provider(name: str | None = None) -> LlmProvider:
    """Return a new instance of the named provider, or of the default one. Raises ProviderUnusable."""
    return provider_registry.askable(name or agent_settings.DEFAULT_PROVIDER)()


def _translation_answer(
    model_size: str,
    *,
    glossary: Mapping[str, str] | None = None,
    context: str | Mapping[str, str | int] | None = None,
    format: str | None = None,
    protect: Sequence[str] | None = None,
    **options: Any,
) -> tuple[Answer, Callable[[str, str, Mapping[str, Any]], translation.Texts]]:
    """The answer, and a function that makes its texts; inside the answer, invalid texts become a failure."""
    sentence, facts = (context, None) if isinstance(context, str) else ("", context)
    request = _request("", model_size, source=PromptSource.TRANSLATE, context=facts, **options)
    texts_of = partial(
        translation.Texts,
        glossary=glossary or {},
        context=sentence,
        format=format or agent_settings.TRANSLATE_FORMAT,
        protect=protect or (),
    )
    return Answer("translate", request, answers.translation_fields), texts_of


def _completed(
    answer: Answer,
    ask: Callable[[CompletionRequest], Completion],
    options: Mapping[str, Any],
    schema: AnswerSchema = JUST_JSON,
) -> dict[str, Any]:
    with answer, _once(answer.request, answer.verb, answer.request.prompt, options) as once:
        answer.content = schema.applied(once.follow() or once.keep(answer.of(ask(once.request))))
    return answer.content


async def _acompleted(
    answer: Answer,
    ask: Callable[[CompletionRequest], Awaitable[Completion]],
    options: Mapping[str, Any],
    schema: AnswerSchema = JUST_JSON,
) -> dict[str, Any]:
    with answer:
        async with _once(answer.request, answer.verb, answer.request.prompt, options) as once:
            completed = await once.afollow() or await once.akeep(answer.of(await ask(once.request)))
            answer.content = schema.applied(completed)
    return answer.content


def _value(answer: BaseAnswer) -> Any:
    if answer["status"] == "failure":
        raise AnswerFailed.of(answer)
    return answer["result"]  # type: ignore[typeddict-item]


TOLD_APART = frozenset({"caller", "idempotency_key", "images", "context", "glossary", "format", "protect"})
"""Options left out of the request's identity: they name the caller, are not JSON, or are part of it already."""


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
    **as_given: Any,
) -> CompletionRequest:
    return CompletionRequest(
        prompt=storable(prompt),
        system_prompt=storable(system_prompt),
        images=images,
        model_size=model_size,
        provider=provider or known_profile(model_size).provider or agent_settings.DEFAULT_PROVIDER,
        source=str(source),
        max_tokens=token_limit(model_size) if max_tokens is None else max_tokens,
        user_id=None if user_id is None else str(user_id),
        workspace_id=None if workspace_id is None else str(workspace_id),
        context=dict(context) if isinstance(context, Mapping) else context,
        metadata=metadata or {},
        deadline=Deadline(agent_settings.DEADLINE),
        **as_given,
    )


def _json_request(
    prompt: str, model_size: str, *, schema: Mapping[str, Any] | None = None, **options: Any
) -> CompletionRequest:
    request = _request(prompt, model_size, **options)
    return replace(request, schema=schema, system_prompt=request.system_prompt or structured.SYSTEM_PROMPT)


def _valid(request: CompletionRequest) -> CompletionRequest:
    """Check `request`, cap its tokens, and set its images, cache scope and effort. Raises InvalidRequest."""
    if not isinstance(request.prompt, str):
        raise InvalidRequest(f"prompt must be a string, not {type(request.prompt).__name__}")
    if not isinstance(request.model_size, str):
        raise InvalidRequest(f"model size must be a string, not {type(request.model_size).__name__}")
    if len(request.source) > SOURCE_LENGTH or storable(request.source) != request.source:
        raise InvalidRequest(
            f"source must have at most {SOURCE_LENGTH} characters, without NUL or an unpaired surrogate"
        )
    for field in ("context", "idempotency_key", "effort"):
        _check(field, getattr(request, field))
    return replace(
        request,
        images=read_images(request.images, agent_settings.IMAGE_MAX_BYTES),
        cache_scope=_cache_scope(request),
        max_tokens=_token_cap(request.max_tokens, token_limit(request.model_size)),
        effort=request.effort or known_profile(request.model_size).effort or agent_settings.EFFORT.get(request.source),
    )


def _cache_scope(request: CompletionRequest) -> str:
    scope = agent_settings.CACHE_SCOPE.get(request.source, "user")
    if scope == "shared":
        return ""
    owner = [request.workspace_id] if scope == "workspace" else [request.workspace_id, request.user_id]
    return json.dumps([scope, *owner])


def _token_cap(wish: int, limit: int) -> int:
    """The caller's limit, or the size's limit if that is lower."""
    if wish == limit:
        return limit
    _check("max_tokens", wish)
    return min(int(wish), limit)


def _check(field: str, value: object) -> None:
    """Validate an option against the JSON Schema that HTTP and comm use."""
    if value is not None and (problem := field_mend("llm.complete", field, value)):
        raise InvalidRequest(f"{field} is invalid: {problem}")


def _once(request: CompletionRequest, verb: str, asked: Any, options: Mapping[str, Any]) -> Once:
    """Validate `request` and wrap it as one call under its idempotency key, if it has one."""
    require_kinds(translation=verb == "translate")
    given = {name: value for name, value in options.items() if value is not None and name not in TOLD_APART}
    valid = _valid(request)
    images = [image.identity for image in valid.images]
    return Once(valid, [verb, request.model_size, asked, images, request.context, given])
