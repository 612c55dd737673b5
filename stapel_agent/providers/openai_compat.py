"""Any `/chat/completions` endpoint: OpenAI, and the vendors and servers that are compatible with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from typing import Any

import httpx
from stapel_core.schema_strict import DROPPED_KEYS, to_strict_subset

from stapel_agent.conf import DEFAULTS
from stapel_agent.exceptions import AccessDenied, ProviderError, RequestRejected
from stapel_agent.types import Image, LinkedImage

from .base import ProviderResult
from .dialects import (
    MAX_TOKENS_PARAMS,
    Dialect,
    dialect_for,
    known_dialects,
    merged,
    optional_effort,
    read_answer,
    stated_usage,
)
from .endpoint_settings import Endpoint, EndpointProvider
from .wire.call_arguments import Call
from .wire.call_thread import read_off_loop
from .wire.http import Post, apost, base_url_fix, post
from .wire.optional_fields import OptionalFields

PATH = "/chat/completions"

STRICT_KEYWORDS = frozenset(
    {
        *DROPPED_KEYS,
        *("$defs", "$ref", "additionalProperties", "anyOf", "const", "definitions", "description", "enum"),
        *("items", "properties", "required", "title", "type"),
    }
)
NAMED_SUBSCHEMAS = ("properties", "$defs", "definitions")
BESIDE_A_REFERENCE = frozenset({"$ref", "description", "title", *DROPPED_KEYS})


class OpenAICompatProvider(EndpointProvider):
    """Calls the endpoint at OPENAI_COMPAT_BASE_URL, or in an entry of PROVIDERS. See docs/dialects.md for dialects."""

    settings_prefix = "OPENAI_COMPAT"

    def __init__(self) -> None:
        super().__init__()
        self.vendor = type(self).vendor or _price_list(self.endpoint)

    def complete(self, **arguments: Any) -> ProviderResult:
        chat_call = ChatCall(self.endpoint, Call(**arguments))
        return chat_call.read(post(chat_call.request()))

    async def acomplete(self, **arguments: Any) -> ProviderResult:
        chat_call = ChatCall(self.endpoint, Call(**arguments))
        body = await apost(chat_call.request())
        return await read_off_loop(len(body), chat_call.read, body=body)

    def model_error(self, model_size: str, default: str) -> str | None:
        if self.endpoint.models().get(model_size) or default != DEFAULTS["MODELS"].get(model_size):
            return None
        return f"set {self.model_setting(model_size)} to a model of that endpoint; {default!r} is an Anthropic model"

    def configuration_error(self) -> str | None:
        try:
            ChatCall(self.endpoint, Call("", "")).request()
            self.endpoint.models()
        except ProviderError as fault:
            return str(fault)
        return None

    def finish_reason_fix(self, reason: str) -> str:
        declaration = f"'finish_reasons': {{{reason!r}: 'stop'}}"
        if self.entry is None:
            return f"define the endpoint in STAPEL_AGENT['PROVIDERS'], with {declaration}"
        return f"declare it in STAPEL_AGENT['PROVIDERS'][{self.entry_name!r}] as {declaration}"


def _price_list(endpoint: Endpoint) -> str | None:
    """Return the price list: the one that the entry or its dialect names, or the one for the base URL."""
    known = known_dialects().get(str(endpoint.get("dialect") or ""))
    return endpoint.get("vendor") or (known.vendor if known else None) or endpoint.get("base_url") or None


class ChatCall:
    """One call to one endpoint: builds the request and reads the answer. Raises AccessDenied with the fix."""

    def __init__(self, endpoint: Endpoint, call: Call) -> None:
        self._endpoint = endpoint
        self._call = call
        self._url = _url(endpoint)
        self._dialect = _dialect(endpoint, self._url.host)

    def request(self) -> Post:
        call, optional_fields = self._call, self._optional_fields
        body: dict[str, Any] = {"model": call.model, "messages": _messages(call)}
        if call.schema is not None:
            body["response_format"] = response_format(call.schema)
        content = _encoded(merged(body, *(part.fields for part in optional_fields), call.options))
        return Post(
            self._url,
            content,
            call.seconds,
            self._headers(),
            self._label,
            PATH,
            own_codes=self._dialect.error_codes,
            optional_fields=optional_fields,
            usage_in=partial(stated_usage, dialect=self._dialect),
            empty_key="" if self._key else self._endpoint.label("api_key"),
            model_fix=f"set {self._endpoint.label('models')} to models of this endpoint",
        )

    def read(self, body: bytes) -> ProviderResult:
        fix = base_url_fix(self._label, PATH)
        return read_answer(body, self._dialect, fix, self._call.token_cap, self._optional_fields)

    @property
    def _label(self) -> str:
        return self._endpoint.label("base_url")

    @property
    def _key(self) -> str:
        return self._call.api_key or next(iter(self._endpoint.keys()), "")

    def _headers(self) -> dict[str, str]:
        key = self._key
        own = {self._dialect.key_header: key} if self._dialect.key_header else {}
        return {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}", **own} if key else {})}

    @cached_property
    def _optional_fields(self) -> tuple[OptionalFields, ...]:
        # Read once: a parallel call may record a refusal before this one ends.
        call, address = self._call, str(self._url)
        preferred = self._endpoint.max_tokens_param() or self._dialect.max_tokens_param
        names = [preferred, *({*MAX_TOKENS_PARAMS} - {preferred})]
        setting = self._endpoint.label("max_tokens_param")
        cap = OptionalFields.for_token_cap(address, call.model, names, call.token_cap, setting)
        # First the cap: a message about it may mention reasoning, which would look like a refused effort.
        return cap, optional_effort(self._dialect.efforts, call, address)


def _dialect(endpoint: Endpoint, host: str) -> Dialect:
    try:
        dialect = dialect_for(host, endpoint.get("dialect"))
    except KeyError:
        names = ", ".join(known_dialects())
        raise AccessDenied(f"{endpoint.label('dialect')} is not known: use one of {names}") from None
    own = endpoint.get("finish_reasons")
    return replace(dialect, finish_reasons={**dialect.finish_reasons, **own}) if own else dialect


def _url(endpoint: Endpoint) -> httpx.URL:
    root, label = endpoint.root(), endpoint.label("base_url")
    if root is None:
        raise AccessDenied(f"{label} is empty: set it to the root of the API, such as 'http://127.0.0.1:8000/v1'")
    return _asked(root)


@lru_cache(maxsize=64)
def _asked(root: httpx.URL) -> httpx.URL:
    path, mark, query = root.raw_path.partition(b"?")  # `root.path` is decoded: its "/" may have been "%2F"
    return root.copy_with(raw_path=path.rstrip(b"/") + PATH.encode() + mark + query)


def _messages(call: Call) -> list[dict[str, Any]]:
    user = {"role": "user", "content": _content(call)}
    return [{"role": "system", "content": call.system_prompt}, user] if call.system_prompt else [user]


def _content(call: Call) -> str | list[dict[str, Any]]:
    if not call.images:
        return call.prompt
    parts = [{"type": "image_url", "image_url": {"url": _image_url(image)}} for image in call.images]
    return [*parts, {"type": "text", "text": call.prompt}]


def _image_url(image: Image) -> str:
    return image.url if isinstance(image, LinkedImage) else f"data:{image.media_type};base64,{image.data_b64}"


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as fault:
        raise RequestRejected(f"the request cannot be written as JSON ({type(fault).__name__})") from None
    # A lone surrogate is not valid text, and half of the servers reject an escaped one.
    return text.encode("utf-8", "replace")


def response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request field that constrains the decoder to `schema`.

    A schema that the strict subset cannot express (an open map, an array at the root, `oneOf`, ...) is sent unchanged
    and without `strict`. Self-hosted servers still constrain the answer to it; hosted ones treat it as a hint.
    """
    strict = schema.get("type") == "object" and "anyOf" not in schema and _is_strict(schema)
    wire_schema = _with_bare_references(to_strict_subset(dict(schema))) if strict else schema
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": strict, "schema": wire_schema}}


def _is_strict(node: Any) -> bool:
    if not isinstance(node, Mapping) or not node.keys() <= STRICT_KEYWORDS:
        return False
    kinds = node.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    is_open = ("object" in kinds and "properties" not in node) or ("array" in kinds and "items" not in node)
    if is_open or node.get("additionalProperties", False) is not False:
        return False
    if "$ref" in node and not node.keys() <= BESIDE_A_REFERENCE:
        return False
    return not node.keys().isdisjoint({"type", "anyOf", "$ref"}) and all(map(_is_strict, _subschemas(node)))


def _subschemas(node: Mapping[str, Any]) -> Iterator[Any]:
    for name in NAMED_SUBSCHEMAS:
        yield from node.get(name, {}).values()
    yield from node.get("anyOf", [])
    if "items" in node:
        yield node["items"]


def _with_bare_references(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a strict schema in which nothing is beside a `$ref`: OpenAI rejects even a description there."""
    named = {
        name: {key: _with_bare_references(part) for key, part in node[name].items()}
        for name in NAMED_SUBSCHEMAS
        if name in node
    }
    items = {"items": _with_bare_references(node["items"])} if "items" in node else {}
    either = {"anyOf": [_with_bare_references(part) for part in node["anyOf"]]} if "anyOf" in node else {}
    bare = {**node, **named, **items, **either}
    if "$ref" in bare and len(bare) > 1:
        bare["anyOf"] = [{"$ref": bare.pop("$ref")}]
    return bare
