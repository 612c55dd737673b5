"""The keywords of the public functions, and what is said of others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypedDict

from stapel_agent.types import Image

# What other libraries call a keyword -> what it is called here, where no other spelling is near.
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


NOT_GIVEN: Any = type("NotGiven", (), {"__repr__": lambda self: "NOT_GIVEN"})()
"""The default of an argument that must be given, under one of its names."""


class RequestOptions(TypedDict, total=False):
    """The keywords of every verb: who is asked, how hard to think, who asks and what for.

    `model` is another name of `model_size`, as in a payload. None is the same as leaving a keyword out.

    A call with the `idempotency_key` of an earlier one of the same caller gets its answer. That is the caller of the
    same `workspace_id` and `user_id`, or the `caller` that an edge names who knows; to such an edge a key used for
    another payload is no answer, but raised as IdempotencyConflict.
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
    """The keywords of `complete()` and its kin. `max_tokens` may lower MAX_TOKENS, not raise it.

    Each image is `{"url"}`, `{"data_b64", "mime"?}`, or one as read. `context` is kept in the ledger's metadata.
    """

    system_prompt: str | None
    images: Sequence[Image | Mapping[str, str]] | None
    source: str | None
    max_tokens: int | None
    context: Mapping[str, str | int] | None
    metadata: Mapping[str, Any] | None


class JsonOptions(CompletionOptions, total=False):
    """The keywords of `complete_json()`. An answer must satisfy `schema`, a JSON Schema or a Python type."""

    schema: Any


class TranslateOptions(RequestOptions, total=False):
    """The keywords of `translate()`. `glossary` maps terms to the translations they must have.

    A `context` that is a text tells the model what the texts are for; a map is kept in the ledger's metadata.
    `format` names the format of the entries that name none, and `protect` lists regular expressions for what else
    must stay as it is.
    """

    glossary: Mapping[str, str] | None
    context: str | Mapping[str, str | int] | None
    format: str | None
    protect: Sequence[str] | None


def check_keywords(function: str, given: Iterable[str], declared: type, required: Collection[str] = ()) -> None:
    """Raises TypeError, in the public function's name, for keywords that are undeclared or missing."""
    names, known = set(given), set(declared.__annotations__)
    if unknown := sorted(names - known):
        near = [SYNONYMS[unknown[0]]] if unknown[0] in SYNONYMS else get_close_matches(unknown[0], known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise TypeError(f"{function}() got an unexpected keyword argument {unknown[0]!r}{hint}")
    if missing := [name for name in required if name not in names]:
        raise TypeError(f"{function}() needs {', '.join(required)}: {missing[0]!r} is missing")


def given_keywords(
    function: str, model_size: str, options: Mapping[str, Any], declared: type, *, default: str = NOT_GIVEN
) -> tuple[str, dict[str, Any]]:
    """The model size and the other keywords that are not None. TypeError if a keyword is unknown, or no size given."""
    check_keywords(function, options, declared)
    given = {name: value for name, value in options.items() if value is not None}
    named = given.pop("model", NOT_GIVEN)
    if NOT_GIVEN not in (model_size, named):
        raise TypeError(f"{function}() got both model_size and model: they are two names of one argument")
    size = named if model_size is NOT_GIVEN else model_size
    if size in (NOT_GIVEN, None) and default is not NOT_GIVEN:
        return default, given
    if size is NOT_GIVEN:
        raise TypeError(f"{function}() needs model_size, one of the sizes in MODELS, such as 'small'")
    return size, given
