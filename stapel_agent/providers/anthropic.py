"""The Anthropic API, called through the vendor's SDK."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from typing import Any

import httpx

from stapel_agent.conf import DEFAULTS
from stapel_agent.exceptions import AccessDenied, ProviderError, RequestRejected
from stapel_agent.token_estimation import token_estimate
from stapel_agent.types import Image, LinkedImage

from .anthropic_models import model_facts
from .anthropic_sdk import MISSING_SDK, clients, sdk
from .anthropic_stream import StreamedAnswer
from .base import ProviderResult
from .dialects import CLAUDE, merged, optional_effort, stated_usage
from .endpoint_settings import Endpoint, EndpointProvider
from .model_facts import ModelFacts
from .prompt_cache import CachePlan, minimum_tokens, plan
from .wire.attempt_limits import Bounds, abounded_attempt, bounded_attempt
from .wire.call_arguments import Call
from .wire.error_body import ErrorBody
from .wire.http import base_url_fix, peer_of
from .wire.optional_fields import OptionalFields
from .wire.status_codes import STATUS_BY_TYPE

CACHE_CONTROL = {"type": "ephemeral"}
VENDOR_URL = "https://api.anthropic.com"
DEFINITIONS = "#/definitions/"


class AnthropicProvider(EndpointProvider):
    """Calls the Messages API. Answers are streamed, because the SDK rejects long answers without streaming."""

    vendor = "anthropic"
    settings_prefix = "ANTHROPIC"
    supports_prefix = True
    default_models = DEFAULTS["MODELS"]

    def __init__(self) -> None:
        super().__init__()
        self.vendor = self.endpoint.get("vendor") or type(self).vendor

    def complete(self, **arguments: Any) -> ProviderResult:
        question = self._question(arguments)
        sdk()  # before the time limit starts, because the first import may take seconds
        answer = StreamedAnswer()
        with (
            question.plan.settled(answer),
            answer.kept(),
            bounded_attempt(question.call.seconds, question.access.peer, question.refused_in_part) as bounds,
            _sdk_faults(bounds, question),
        ):
            messages = clients.client(*question.access.client).messages
            with messages.create(stream=True, **question.wire_form()) as stream:
                for event in stream:
                    answer.add(event)
        return answer.result()

    async def acomplete(self, **arguments: Any) -> ProviderResult:
        if "anthropic" not in sys.modules:
            Access.of(self.endpoint)
            await asyncio.to_thread(sdk)
        question = self._question(arguments)
        answer = StreamedAnswer()
        with question.plan.settled(answer), answer.kept():
            seconds, peer = question.call.seconds, question.access.peer
            async with abounded_attempt(seconds, peer, question.refused_in_part) as bounds:
                with _sdk_faults(bounds, question):
                    messages = (await clients.async_client(*question.access.client)).messages
                    async with await messages.create(stream=True, **question.wire_form()) as stream:
                        async for event in stream:
                            answer.add(event)
        return answer.result()

    def model_facts(self, model: str) -> ModelFacts | None:
        access = Access.of(self.endpoint)
        return model_facts(access.client, access.peer, model)

    def configuration_error(self) -> str | None:
        lacking = [] if find_spec("anthropic") else [MISSING_SDK]
        try:
            Access.of(self.endpoint)
        except ProviderError as fault:
            lacking.insert(0, str(fault))  # in the order in which a call would report them
        return "; ".join(lacking) or None

    def finish_reason_fix(self, reason: str) -> None:
        """Return None: an entry of this class cannot declare finish reasons."""

    def _question(self, arguments: Mapping[str, Any]) -> Question:
        call = Call(**arguments)
        access = Access.of(self.endpoint, call.api_key)
        return Question(call, access, _plan(call, access))


@dataclass(frozen=True)
class Access:
    """The address of the API and its key. `label` is the setting for the address, if it is set."""

    key: str = field(repr=False)
    base_url: str
    label: str = ""

    @classmethod
    def of(cls, endpoint: Endpoint, key: str | None = None) -> Access:
        """Return the access to `endpoint`. Raises AccessDenied with the fix."""
        key = key or next(iter(endpoint.keys()), "")
        if not key:
            raise AccessDenied(f"{endpoint.label('api_key')} is empty: set it to a key of the Anthropic API")
        if endpoint.root() is None:
            return cls(key, VENDOR_URL)
        return cls(key, endpoint.get("base_url"), endpoint.label("base_url"))

    @property
    def client(self) -> tuple[str, str]:
        return self.key, self.base_url

    @property
    def peer(self) -> str:
        return peer_of(httpx.URL(self.base_url), self.label)


@dataclass(frozen=True)
class Question:
    """A call to the Messages API."""

    call: Call
    access: Access
    plan: CachePlan

    def wire_form(self) -> dict[str, Any]:
        """Return the arguments for the SDK's `messages.create`."""
        call = self.call
        question: dict[str, Any] = {
            "model": call.model,
            "messages": [{"role": "user", "content": self._content()}],
            "max_tokens": call.token_cap,
        }
        if call.system_prompt:
            question["system"] = self._system(call.system_prompt)
        if call.schema is not None:
            question["output_config"] = {"format": {"type": "json_schema", "schema": _decoder_schema(call.schema)}}
        if call.options:
            question["extra_body"] = dict(call.options)
        return merged(question, self._effort.fields)

    def refused_in_part(self, bounds: Bounds) -> ProviderError:
        """Return the exception for an error response whose end did not arrive."""
        return self.fault(ErrorBody(bounds, is_whole=False))

    def fault(self, body: ErrorBody) -> ProviderError:
        fix = base_url_fix(self.access.label, "/v1/messages") if self.access.label else ""
        return body.fault(address_fix=fix, optional_fields=self.optional_fields, usage_in=stated_usage)

    @property
    def optional_fields(self) -> tuple[OptionalFields, ...]:
        """The fields that a gateway may refuse."""
        return self._effort, _marking(self.call, self.access) if self.plan.is_marked else OptionalFields()

    def _system(self, prompt: str) -> str | list[dict[str, Any]]:
        if not self.plan.is_marked:
            return _encodable(prompt)
        length = _stable_length(self.call)
        marked = {"type": "text", "text": _encodable(prompt[:length]), "cache_control": CACHE_CONTROL}
        rest = {"type": "text", "text": _encodable(prompt[length:])}
        return [marked, rest] if prompt[length:] else [marked]

    @cached_property
    def _effort(self) -> OptionalFields:
        # Read once: a parallel call may record a refusal before the answer to this one arrives.
        return optional_effort(CLAUDE, self.call, self.access.base_url)

    def _content(self) -> str | list[dict[str, Any]]:
        text = _encodable(self.call.prompt)
        if not self.call.images:
            return text
        return [*map(_image_block, self.call.images), {"type": "text", "text": text}]


def _stable_length(call: Call) -> int:
    """Return the length of the marked part of the system prompt: all of it if only whitespace would remain."""
    prompt = call.system_prompt or ""
    length = call.prefix.length if call.prefix else 0
    return length if prompt[length:].strip() else len(prompt)


def _marking(call: Call, access: Access) -> OptionalFields:
    fields = {"cache_control": CACHE_CONTROL}
    setting = "STAPEL_AGENT['PROMPT_CACHE'][{source!r}]"
    return OptionalFields(access.base_url, call.model, "prompt_cache", fields=fields, setting=setting)


def _plan(call: Call, access: Access) -> CachePlan:
    """Decide whether to mark the prefix: the schema, which the API puts first, and the start of the system prompt."""
    is_refused = OptionalFields.is_refused(access.base_url, call.model, "prompt_cache")
    if call.prefix is None or not call.prefix.length or is_refused:
        return CachePlan(None, is_marked=False)
    schema = json.dumps(call.schema, sort_keys=True, default=str) if call.schema is not None else ""
    text = schema + (call.system_prompt or "")[: _stable_length(call)]
    if token_estimate(text) < minimum_tokens(call.model):
        return CachePlan(None, is_marked=False)
    identity = "\0".join((*access.client, call.model, text))
    return plan(sha256(identity.encode("utf-8", "replace")).digest(), wish=call.prefix.is_reused)


def _image_block(image: Image) -> dict[str, Any]:
    if isinstance(image, LinkedImage):
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    source = {"type": "base64", "media_type": image.media_type, "data": image.data_b64}
    return {"type": "image", "source": source}


def _encodable(text: str) -> str:
    # The SDK cannot send a lone surrogate.
    return text.encode("utf-8", "replace").decode()


def _decoder_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schema` in the subset that the API supports. Unsupported keywords move into descriptions."""
    try:
        return sdk().transform_schema(_spelled_out(_with_defs(schema)))  # type: ignore[no-any-return]
    except ProviderError:
        raise
    except Exception:
        raise RequestRejected(
            "the schema does not fit Anthropic's structured output: "
            "each part of it needs a 'type', 'enum', 'const', 'anyOf' or '$ref'"
        ) from None


def _with_defs(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `schema` with its `definitions`, as they were named until draft 7, in `$defs`: the SDK knows no others."""
    definitions = schema.get("definitions")
    if not isinstance(definitions, Mapping):
        return schema
    others = {name: value for name, value in schema.items() if name != "definitions"}
    return {**others, "$defs": {**definitions, **schema.get("$defs", {})}}


def _spelled_out(part: Any) -> Any:
    """Return a schema with lists of types as `anyOf`, and references to `$defs`: the SDK transforms only these."""
    if isinstance(part, list):
        return [_spelled_out(item) for item in part]
    if not isinstance(part, Mapping):
        return part
    part = {name: _spelled_out(value) for name, value in part.items()}
    if str(reference := part.get("$ref")).startswith(DEFINITIONS):
        part["$ref"] = f"#/$defs/{str(reference).removeprefix(DEFINITIONS)}"
    if part.get("type") == "object" and not part.get("properties") and part.get("additionalProperties") is not False:
        # The API allows no additional properties, so this object could only be {}.
        raise RequestRejected("Anthropic's structured output needs each object of the schema to name its properties")
    if not isinstance(part.get("type"), list):
        return part
    types = part.pop("type")
    return {"anyOf": [{"type": name} if name == "null" else {**part, "type": name} for name in types]}


@contextmanager
def _sdk_faults(bounds: Bounds, question: Question) -> Iterator[None]:
    """Turn every exception of the SDK into a ProviderError."""
    try:
        yield
    except ProviderError:
        raise
    except Exception as fault:
        raise _provider_fault(fault, bounds, question) from None


def _provider_fault(fault: Exception, bounds: Bounds, question: Question) -> ProviderError:
    import httpx2

    anthropic = sdk()
    if isinstance(fault, anthropic.APIStatusError):
        return _stated_refusal(fault, bounds, question)
    if isinstance(fault, anthropic.APIConnectionError) and isinstance(fault.__cause__, Exception):
        cause = fault.__cause__
        return cause if isinstance(cause, ProviderError) else bounds.fault(cause)
    if not bounds.status and not isinstance(fault, httpx2.TransportError):
        return ProviderError(f"the Anthropic SDK failed ({type(fault).__name__})")
    return bounds.fault(fault)


def _stated_refusal(fault: Any, bounds: Bounds, question: Question) -> ProviderError:
    """Return the exception for an error answer. `fault` is the SDK's APIStatusError."""
    if bounds.status >= 300:
        return question.fault(ErrorBody(bounds, is_whole=True))
    body = fault.body or ""
    text = body if isinstance(body, str) else json.dumps(body)
    status = STATUS_BY_TYPE.get(str(fault.type), 500)
    return question.fault(ErrorBody(bounds, text.encode(), is_whole=True, status=status))
