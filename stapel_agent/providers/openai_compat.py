"""Any `/chat/completions` endpoint: OpenAI's own, and those of the vendors and servers that speak its dialect."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import httpx
from stapel_core.schema_strict import DROPPED_KEYS, to_strict_subset

from stapel_agent.conf import DEFAULTS, agent_settings
from stapel_agent.exceptions import AccessDenied, ProviderError, RequestRejected
from stapel_agent.types import Image, LinkedImage

from .base import LlmProvider, ProviderResult
from .dialects import dialect_for, read_answer
from .wire.call import Call
from .wire.http import Post, api_root, apost, base_url_mend, post

BASE_URL, PATH = "OPENAI_COMPAT_BASE_URL", "/chat/completions"
MAX_TOKENS_PARAMS = ("max_tokens", "max_completion_tokens")

STRICT_KEYWORDS = frozenset(DROPPED_KEYS) | {
    "$defs",
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "definitions",
    "description",
    "enum",
    "items",
    "properties",
    "required",
    "title",
    "type",
}


class OpenAICompatProvider(LlmProvider):
    """Asks the endpoint below OPENAI_COMPAT_BASE_URL. What is read out of which dialect: docs/dialects.md."""

    supports_schema = True
    supports_images = True
    supports_max_tokens = True
    supports_timeout = True

    def __init__(self) -> None:
        self.vendor = agent_settings.OPENAI_COMPAT_BASE_URL or None

    def complete(self, **arguments: Any) -> ProviderResult:
        request = _request(Call(**arguments))
        return _read(request, post(request))

    async def acomplete(self, **arguments: Any) -> ProviderResult:
        request = _request(Call(**arguments))
        return _read(request, await apost(request))

    def resolve_model(self, model_size: str, default: str) -> str:
        return _models().get(model_size) or default

    def model_error(self, model_size: str, default: str) -> str | None:
        if _models().get(model_size) or default != DEFAULTS["MODELS"].get(model_size):
            return None
        setting = f"OPENAI_COMPAT_MODELS[{model_size!r}]"
        return f"set {setting} to a model of that endpoint; {default!r} is one of Anthropic's"

    def configuration_error(self) -> str | None:
        try:
            _access()
            _models()
        except ProviderError as fault:
            return str(fault)
        return None


def _access() -> tuple[httpx.URL, dict[str, str]]:
    """The endpoint that is set, and the headers it wants. Raises a ProviderError that says the mend."""
    base_url, key = agent_settings.OPENAI_COMPAT_BASE_URL, agent_settings.OPENAI_COMPAT_API_KEY
    if base_url and not isinstance(base_url, str):
        raise AccessDenied(f"{BASE_URL} is no text, but of the type {type(base_url).__name__}: set it to a URL")
    if not base_url:
        raise AccessDenied(
            "OPENAI_COMPAT_BASE_URL is empty: set it to the root of the API, like 'http://127.0.0.1:8000/v1'"
        )
    endpoint = _endpoint(base_url)
    if endpoint is None:
        raise AccessDenied(
            "OPENAI_COMPAT_BASE_URL is no http(s) URL, or holds a password: set it to the bare root of the API"
        )
    if not isinstance(key or "", str):
        raise AccessDenied(f"OPENAI_COMPAT_API_KEY is no text, but of the type {type(key).__name__}: set it to one")
    if not re.fullmatch("[!-~]*", key or ""):
        raise AccessDenied("OPENAI_COMPAT_API_KEY holds a space, a line break or a letter beyond ASCII: set it anew")
    if agent_settings.OPENAI_COMPAT_MAX_TOKENS_PARAM not in MAX_TOKENS_PARAMS:
        raise AccessDenied(f"OPENAI_COMPAT_MAX_TOKENS_PARAM is none of {MAX_TOKENS_PARAMS}: set it to one")
    return endpoint, {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}


def _models() -> Mapping[str, str]:
    """The names that the models of some sizes have here. Raises AccessDenied with the mend."""
    models = agent_settings.OPENAI_COMPAT_MODELS or {}
    if not isinstance(models, Mapping) or not all(isinstance(name, str) for name in models.values()):
        raise AccessDenied(
            "OPENAI_COMPAT_MODELS is no dict of sizes, each with the name of a model: set it to one, "
            "such as {'small': 'qwen3:4b'}"
        )
    return models


@lru_cache(maxsize=16)
def _endpoint(base_url: str) -> httpx.URL | None:
    root = api_root(base_url)
    return root and root.copy_with(path=f"{root.path.rstrip('/')}{PATH}")


def _request(call: Call) -> Post:
    endpoint, headers = _access()
    body: dict[str, Any] = {
        "model": call.model,
        "messages": _messages(call),
        agent_settings.OPENAI_COMPAT_MAX_TOKENS_PARAM: call.token_cap,
    }
    if call.schema is not None:
        body["response_format"] = response_format(call.schema)
    return Post(endpoint, _encoded(body), call.seconds, headers, BASE_URL, PATH)


def _read(request: Post, body: bytes) -> ProviderResult:
    return read_answer(body, dialect_for(request.url.host), base_url_mend(request.setting, request.path))


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
    # A lone surrogate is no text, and an escaped one is refused by half of the servers.
    return text.encode("utf-8", "replace")


def response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The request field that constrains the decoder to `schema`.

    A schema that the strict subset cannot express (an open map, an array at the root, `oneOf`, ...) is sent as it is
    and without `strict`: self-hosted servers still constrain to it, hosted ones take it for a hint.
    """
    strict = schema.get("type") == "object" and "anyOf" not in schema and _is_strict(schema)
    wire_schema = to_strict_subset(dict(schema)) if strict else schema
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": strict, "schema": wire_schema}}


def _is_strict(node: Any) -> bool:
    if not isinstance(node, Mapping) or not node.keys() <= STRICT_KEYWORDS:
        return False
    kinds = node.get("type", [])
    is_open = "object" in ([kinds] if isinstance(kinds, str) else kinds) and "properties" not in node
    if is_open or node.get("additionalProperties", False) is not False:
        return False
    return not node.keys().isdisjoint({"type", "anyOf", "$ref"}) and all(map(_is_strict, _subschemas(node)))


def _subschemas(node: Mapping[str, Any]) -> Iterator[Any]:
    for name in ("properties", "$defs", "definitions"):
        yield from node.get(name, {}).values()
    yield from node.get("anyOf", [])
    if "items" in node:
        yield node["items"]
