"""The facade: builds the request, calls a verb, and builds the answer dict, in which provider errors are failures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, Unpack, cast, overload

from . import answers, completion, structured, translation
from .answers import Answer
from .arguments import json_request_of, once_of, request_of, require_readable, valid
from .conf import agent_settings
from .models import PromptSource
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
    given_keywords,
    takes_keywords_of,
)
from .settings_validation import require_kinds
from .types import Completion, CompletionRequest

T = TypeVar("T")


@takes_keywords_of(CompletionOptions)
def complete(prompt: str, model_size: str = NOT_GIVEN, **options: Unpack[CompletionOptions]) -> TextAnswer:
    """Return the model's raw text: `{"status": "ok", "result": text, "usage": {...}}`, or a failure with its `reason`.

    Every answer names its `model` and `provider`, and the `request_id` of its rows in the ledger.
    """
    size, given = given_keywords("complete", model_size, options)
    answer = Answer("complete", request_of(prompt, size, **given), answers.text_fields)
    return cast(TextAnswer, _completed(answer, completion.complete, given))


@takes_keywords_of(CompletionOptions)
async def acomplete(prompt: str, model_size: str = NOT_GIVEN, **options: Unpack[CompletionOptions]) -> TextAnswer:
    """`complete()` on an event loop."""
    size, given = given_keywords("acomplete", model_size, options)
    answer = Answer("complete", request_of(prompt, size, **given), answers.text_fields)
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
@takes_keywords_of(CompletionOptions)
def complete_json(prompt: str, model_size: str = NOT_GIVEN, *, schema: Any = None, **options: Any) -> JsonAnswer[Any]:
    """Return the model's answer as JSON: `result`, the prose around it as `comment`, and `usage`.

    `schema` is a JSON Schema, a class with Pydantic's interface, a dataclass or a TypedDict. With a class, `result`
    is an instance of it. If you give no system prompt, the built-in one, "answer with JSON only", is sent. If an
    answer fails its checks, the failure holds its raw text as `comment`, and its `usage`.
    """
    size, given = given_keywords("complete_json", model_size, options)
    wanted = AnswerSchema.of(schema)
    given["schema"] = wanted.json_schema
    answer = Answer("complete_json", json_request_of(prompt, size, **given), answers.json_fields)
    verb = partial(structured.complete_json, read=wanted.read, type_name=wanted.type_name)
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
@takes_keywords_of(CompletionOptions)
async def acomplete_json(
    prompt: str, model_size: str = NOT_GIVEN, *, schema: Any = None, **options: Any
) -> JsonAnswer[Any]:
    """`complete_json()` on an event loop."""
    size, given = given_keywords("acomplete_json", model_size, options)
    wanted = AnswerSchema.of(schema)
    given["schema"] = wanted.json_schema
    answer = Answer("complete_json", json_request_of(prompt, size, **given), answers.json_fields)
    verb = partial(structured.acomplete_json, read=wanted.read, type_name=wanted.type_name)
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
@takes_keywords_of(CompletionOptions)
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
@takes_keywords_of(CompletionOptions)
async def aask(prompt: str, model_size: str = NOT_GIVEN, *, schema: Any = None, **options: Any) -> Any:
    """`ask()` on an event loop."""
    if schema is None:
        return _value(await acomplete(prompt, model_size, **options))
    return _value(await acomplete_json(prompt, model_size, schema=schema, **options))


@takes_keywords_of(TranslateOptions)
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
    size, given = given_keywords("translate", model_size, options, default="small")
    answer, texts_of = _translation_answer(size, **given)
    with answer:
        texts = texts_of(from_lang, to, entries)
        with once_of(answer.request, answer.verb, texts.identity, given) as once:
            answer.content = once.follow() or once.keep(answer.of(translation.translate(texts, once.request)))
    return cast(TranslationAnswer, answer.content)


@takes_keywords_of(TranslateOptions)
async def atranslate(
    from_lang: str,
    to: str,
    entries: Mapping[str, str | Mapping[str, Any]],
    model_size: str = NOT_GIVEN,
    **options: Unpack[TranslateOptions],
) -> TranslationAnswer:
    """`translate()` on an event loop."""
    size, given = given_keywords("atranslate", model_size, options, default="small")
    answer, texts_of = _translation_answer(size, **given)
    with answer:
        texts = texts_of(from_lang, to, entries)
        async with once_of(answer.request, answer.verb, texts.identity, given) as once:
            translated = await once.afollow() or answer.of(await translation.atranslate(texts, once.request))
            answer.content = await once.akeep(translated)
    return cast(TranslationAnswer, answer.content)


@takes_keywords_of(TranslateOptions)
def translation_cost(
    from_lang: str, to: str, entries: Mapping[str, str | Mapping[str, Any]], model_size: str = "small", **options: Any
) -> translation.CostRange:
    """What `translate()` would cost with these arguments. Calls no model. May raise an AgentError."""
    size, given = given_keywords("translation_cost", model_size, options, default="small")
    answer, texts_of = _translation_answer(size, **given)
    return translation.cost_range(texts_of(from_lang, to, entries), valid(answer.request))


def get_provider(name: str | None = None) -> LlmProvider:
    """Return a new instance of the named provider, or of the default one. Raises ProviderUnusable."""
    named = require_readable(provider=name)["provider"]
    return provider_registry.askable(named or agent_settings.DEFAULT_PROVIDER)()


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
    request = request_of("", model_size, source=PromptSource.TRANSLATE.value, context=facts, **options)
    texts_of = partial(
        _texts,
        glossary={} if glossary is None else glossary,
        context=sentence,
        format=format or agent_settings.TRANSLATE_FORMAT,
        protect=() if protect is None else protect,
    )
    return Answer("translate", request, answers.translation_fields), texts_of


def _texts(from_lang: str, to: str, entries: Mapping[str, Any], **options: Any) -> translation.Texts:
    require_kinds(translation=True)
    return translation.Texts(**require_readable(from_lang=from_lang, to=to, entries=entries, **options))


def _completed(
    answer: Answer,
    ask: Callable[[CompletionRequest], Completion],
    options: Mapping[str, Any],
    schema: AnswerSchema = JUST_JSON,
) -> dict[str, Any]:
    with answer, once_of(answer.request, answer.verb, answer.request.prompt, options) as once:
        answer.content = schema.applied(once.follow() or once.keep(answer.of(ask(once.request))))
    return answer.content


async def _acompleted(
    answer: Answer,
    ask: Callable[[CompletionRequest], Awaitable[Completion]],
    options: Mapping[str, Any],
    schema: AnswerSchema = JUST_JSON,
) -> dict[str, Any]:
    with answer:
        async with once_of(answer.request, answer.verb, answer.request.prompt, options) as once:
            completed = await once.afollow() or await once.akeep(answer.of(await ask(once.request)))
            answer.content = schema.applied(completed)
    return answer.content


def _value(answer: BaseAnswer) -> Any:
    if answer["status"] == "failure":
        raise AnswerFailed.of(answer)
    return answer["result"]  # type: ignore[typeddict-item]
