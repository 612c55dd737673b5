"""The keywords of the public functions, and the errors for unknown ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import wraps
from inspect import Parameter, iscoroutinefunction, signature
from typing import Any, TypedDict, TypeVar, cast

from stapel_agent.types import Image

from .plain_values import readable_argument

# Keywords of other libraries and their names here, if the spelling is too different to suggest.
SYNONYMS = {
    "size": "model_size",
    "system": "system_prompt",
    "instructions": "system_prompt",
    "json_schema": "schema",
    "output_type": "schema",
    "response_format": "schema",
    "response_model": "schema",
    "from_": "from_lang",
    "source_lang": "from_lang",
    "source_language": "from_lang",
    "target": "to",
    "target_lang": "to",
    "to_lang": "to",
    "to_language": "to",
    "texts": "entries",
    "strings": "entries",
    "terms": "glossary",
    "user": "user_id",
    "tenant": "workspace_id",
    "tenant_id": "workspace_id",
    "workspace": "workspace_id",
    "max_output_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "vendor": "provider",
    "backend": "provider",
}

Function = TypeVar("Function", bound=Callable[..., Any])
NAME_LENGTH = 50
NOT_GIVEN: Any = type("NotGiven", (), {"__repr__": lambda self: "NOT_GIVEN"})()
"""The default of a required argument that has two names."""


class RequestOptions(TypedDict, total=False):
    """The keywords of every public function: provider, effort, caller and purpose.

    `model` is another name for `model_size`, as in a payload. None is the same as leaving a keyword out.

    A call with the `idempotency_key` of an earlier call from the same caller gets the earlier answer. Callers are
    identified by `workspace_id` and `user_id`, or by `caller` if you pass it. With `caller`, a key that was used for
    another payload raises IdempotencyConflict instead of returning a failed answer.
    """

    model: str | None
    provider: str | None
    user_id: str | None
    workspace_id: str | None
    idempotency_key: str | None
    caller: str | None
    skip_cache: bool | None
    effort: str | None


class CompletionOptions(RequestOptions, total=False):
    """The keywords of the completion functions. `max_tokens` may lower MAX_TOKENS, not raise it.

    Each image is `{"url"}`, `{"data_b64", "mime"?}` or an Image. `context` is kept in the ledger's metadata.
    """

    system_prompt: str | None
    images: Sequence[Image | Mapping[str, str]] | None
    source: str | None
    max_tokens: int | None
    context: Mapping[str, str | int] | None
    metadata: Mapping[str, Any] | None


class TranslateOptions(RequestOptions, total=False):
    """The keywords of `translate()`. `glossary` maps terms to their required translations.

    If `context` is a text, it tells the model what the texts are for. If it is a map, it is kept in the ledger's
    metadata. `format` applies to entries without one. `protect` lists regular expressions for other text to keep
    unchanged.
    """

    glossary: Mapping[str, str] | None
    context: str | Mapping[str, str | int] | None
    format: str | None
    protect: Sequence[str] | None


def suggestion(unknown: object, known: Collection[str]) -> str:
    """Return the end of a message that suggests one of the `known` names. Empty if none is near."""
    name = str(unknown)[:NAME_LENGTH]
    near = get_close_matches(SYNONYMS.get(name, name), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def takes_keywords_of(declared: type) -> Callable[[Function], Function]:
    """Decorate a function that takes the keywords in `declared`, to report an unknown keyword before a missing one."""

    def decorated(function: Function) -> Function:
        own = signature(function).parameters.values()
        known = {*declared.__annotations__, *(own.name for own in own if own.kind is not Parameter.VAR_KEYWORD)}

        @wraps(function)
        def checked(*arguments: Any, **keywords: Any) -> Any:
            check_keywords(function.__name__, keywords, known)
            return function(*arguments, **keywords)

        @wraps(function)
        async def achecked(*arguments: Any, **keywords: Any) -> Any:
            return await checked(*arguments, **keywords)

        return cast(Function, achecked if iscoroutinefunction(function) else checked)

    return decorated


def check_keywords(function: str, given: Iterable[str], known: Iterable[str], required: Collection[str] = ()) -> None:
    """Raise TypeError, naming the public function, for unknown or missing keywords."""
    names, known = set(given), set(known)
    if unknown := sorted(names - known):
        hint = suggestion(unknown[0], {*known, SYNONYMS.get(unknown[0], "")})
        raise TypeError(f"{function}() got an unexpected keyword argument {unknown[0]!r}{hint}")
    if missing := [name for name in required if name not in names]:
        raise TypeError(f"{function}() needs {', '.join(required)}: {missing[0]!r} is missing")


def given_keywords(
    function: str, model_size: str, options: Mapping[str, Any], *, default: str = NOT_GIVEN
) -> tuple[str, dict[str, Any]]:
    """Return the model size and the other keywords that are not None, all of them as plain values.

    Raises TypeError if no size is given, or two.
    """
    given = {name: readable_argument(name, value) for name, value in options.items() if value is not None}
    named = given.pop("model", NOT_GIVEN)
    if model_size is not NOT_GIVEN and named is not NOT_GIVEN:
        raise TypeError(f"{function}() got both model_size and model: they are two names of one argument")
    size: Any = named if model_size is NOT_GIVEN else model_size
    if (size is NOT_GIVEN or size is None) and default is not NOT_GIVEN:
        return default, given
    if size is NOT_GIVEN:
        raise TypeError(f"{function}() needs model_size, one of the sizes in MODELS, such as 'small'")
    return (size if size is named else readable_argument("model_size", size)), given
