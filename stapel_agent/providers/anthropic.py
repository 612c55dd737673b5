"""The Anthropic API, through the vendor's own SDK."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from io import StringIO
from typing import Any

import httpx

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import AccessDenied, AnswerInterrupted, AnswerMissing, ProviderError, RequestRejected
from stapel_agent.figures import token_count
from stapel_agent.types import Image, LinkedImage, Usage

from .anthropic_sdk import MISSING_SDK, clients, sdk
from .base import LlmProvider, ProviderResult
from .wire.call import Call
from .wire.finish_reasons import finish_reason
from .wire.http import api_root, base_url_mend, peer_of
from .wire.limits import Bounds, abounded_attempt, bounded_attempt
from .wire.status_codes import classify, error_codes, excerpt, is_of_another_address, retry_after

VENDOR_URL = "https://api.anthropic.com"
CATEGORY_LENGTH = 64

# An error event inside a stream has no HTTP status of its own; the API reference pairs its types with these.
STATUS_BY_ERROR_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class AnthropicProvider(LlmProvider):
    """The Messages API. Answers are streamed and put together: the SDK refuses long ones in one piece."""

    vendor = "anthropic"
    supports_schema = True
    supports_images = True
    supports_max_tokens = True
    supports_timeout = True

    def complete(self, **arguments: Any) -> ProviderResult:
        question = Question(**arguments)
        answer = StreamedAnswer()
        with answer.kept(), bounded_attempt(question.seconds, _peer()) as bounds, _sdk_faults(bounds):
            messages = clients.client(*access()).messages
            with messages.create(stream=True, **question.wire_form()) as stream:
                for event in stream:
                    answer.add(event)
        return answer.result()

    async def acomplete(self, **arguments: Any) -> ProviderResult:
        if "anthropic" not in sys.modules:
            access()
            await asyncio.to_thread(sdk)
        question = Question(**arguments)
        answer = StreamedAnswer()
        with answer.kept():
            async with abounded_attempt(question.seconds, _peer()) as bounds:
                with _sdk_faults(bounds):
                    messages = (await clients.async_client(*access())).messages
                    async with await messages.create(stream=True, **question.wire_form()) as stream:
                        async for event in stream:
                            answer.add(event)
        return answer.result()

    def configuration_error(self) -> str | None:
        lacking = [] if find_spec("anthropic") else [MISSING_SDK]
        try:
            access()
        except ProviderError as fault:
            lacking.insert(0, str(fault))  # as a call comes upon them
        return "; ".join(lacking) or None


@dataclass(frozen=True)
class Question(Call):
    """A call of the Messages API."""

    def wire_form(self) -> dict[str, Any]:
        """The arguments of the SDK's `messages.create`."""
        question: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "user", "content": self._content()}],
            "max_tokens": self.token_cap,
        }
        if self.system_prompt:
            question["system"] = _encodable(self.system_prompt)
        if self.schema is not None:
            question["output_config"] = {"format": {"type": "json_schema", "schema": _decoder_schema(self.schema)}}
        return question

    def _content(self) -> str | list[dict[str, Any]]:
        text = _encodable(self.prompt)
        if not self.images:
            return text
        return [*map(_image_block, self.images), {"type": "text", "text": text}]


class StreamedAnswer:
    """An answer, put together from the events of its stream."""

    def __init__(self) -> None:
        self._text = StringIO()
        self._tokens: dict[str, int] = {}
        self._finish_reason = "stop"
        self._metadata: dict[str, str] = {}
        self._complete = False

    @property
    def text(self) -> str:
        return self._text.getvalue()

    @property
    def usage(self) -> Usage:
        usage = Usage(**self._tokens)  # type: ignore[arg-type]
        return replace(usage, thinking_tokens=min(usage.thinking_tokens, usage.output_tokens))

    def add(self, event: Any) -> None:
        """Take in one event. The SDK does not validate events: whatever raises here is a malformed one."""
        if event.type == "message_start":
            self._count(getattr(event.message, "usage", None))
        elif event.type == "content_block_start" and event.content_block.type == "text":
            self._text.write(event.content_block.text)
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            self._text.write(event.delta.text)
        elif event.type == "message_delta":
            self._count(getattr(event, "usage", None))
            self._finish_reason = finish_reason(event.delta.stop_reason)
            category = getattr(getattr(event.delta, "stop_details", None), "category", None)
            self._metadata = {"refusal_category": str(category)[:CATEGORY_LENGTH]} if category else {}
        elif event.type == "message_stop":
            self._complete = True

    def _count(self, usage: Any) -> None:
        details = getattr(usage, "output_tokens_details", None)
        figures = {
            "input_tokens": getattr(usage, "input_tokens", None),
            "output_tokens": getattr(usage, "output_tokens", None),
            "thinking_tokens": getattr(details, "thinking_tokens", None),
            "cache_read_tokens": getattr(usage, "cache_read_input_tokens", None),
            "cache_write_tokens": getattr(usage, "cache_creation_input_tokens", None),
            "cache_write_1h_tokens": getattr(getattr(usage, "cache_creation", None), "ephemeral_1h_input_tokens", None),
        }
        # Each event states totals, and may leave some out: the larger figure is the later one.
        for name, figure in figures.items():
            self._tokens[name] = max(self._tokens.get(name, 0), token_count(figure))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Give a fault what had come before it. After the last event there is none: the answer is whole."""
        try:
            yield
        except ProviderError as fault:
            if not self._complete:
                fault.usage, fault.text = self.usage or None, self.text or None
                raise

    def result(self) -> ProviderResult:
        if not self._complete:
            raise AnswerInterrupted("the answer broke off before its end", usage=self.usage, text=self.text or None)
        if not self.text.strip() and self._finish_reason not in ("length", "content_filter"):
            raise AnswerMissing("the answer holds no text", usage=self.usage)
        return ProviderResult(
            self.text, finish_reason=self._finish_reason, metadata=self._metadata, **asdict(self.usage)
        )


def _image_block(image: Image) -> dict[str, Any]:
    if isinstance(image, LinkedImage):
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    source = {"type": "base64", "media_type": image.media_type, "data": image.data_b64}
    return {"type": "image", "source": source}


def _encodable(text: str) -> str:
    # A lone surrogate is no text, and the SDK cannot send it.
    return text.encode("utf-8", "replace").decode()


def _decoder_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` in the subset that the API's decoder takes; what that leaves out is told to the model in words."""
    try:
        return sdk().transform_schema(_spelled_out(schema))  # type: ignore[no-any-return]
    except ProviderError:
        raise
    except Exception:
        raise RequestRejected(
            "the schema does not fit Anthropic's structured output: "
            "each part of it needs a 'type', 'enum', 'const', 'anyOf' or '$ref'"
        ) from None


def _spelled_out(part: Any) -> Any:
    """A schema with lists of types spelled as `anyOf`, the one form of a choice that the SDK transforms."""
    if isinstance(part, list):
        return [_spelled_out(item) for item in part]
    if not isinstance(part, Mapping):
        return part
    part = {name: _spelled_out(value) for name, value in part.items()}
    if part.get("type") == "object" and not part.get("properties") and part.get("additionalProperties") is not False:
        # The decoder closes every object: this one could only ever be {}.
        raise RequestRejected("Anthropic's structured output needs each object of the schema to name its properties")
    if not isinstance(part.get("type"), list):
        return part
    types = part.pop("type")
    return {"anyOf": [{"type": name} if name == "null" else {**part, "type": name} for name in types]}


def access() -> tuple[str, str]:
    """The key and the base URL that are set. Raises AccessDenied, saying the mend."""
    key = agent_settings.ANTHROPIC_API_KEY or ""
    if not key:
        raise AccessDenied("ANTHROPIC_API_KEY is empty: set it to a key of the Anthropic API")
    if not isinstance(key, str):
        raise AccessDenied(f"ANTHROPIC_API_KEY is no text, but of the type {type(key).__name__}: set it to one")
    if not re.fullmatch("[!-~]*", key):
        raise AccessDenied("ANTHROPIC_API_KEY holds a space, a line break or a letter beyond ASCII: set it anew")
    base_url = agent_settings.ANTHROPIC_BASE_URL or VENDOR_URL
    if not isinstance(base_url, str) or api_root(base_url) is None:
        raise AccessDenied(
            "ANTHROPIC_BASE_URL is no http(s) URL, or holds a password: set it to the bare root of the API"
        )
    return key, base_url


def _peer() -> str:
    root = api_root(access()[1]) or httpx.URL(VENDOR_URL)
    return peer_of(root, "ANTHROPIC_BASE_URL" if agent_settings.ANTHROPIC_BASE_URL else "")


@contextmanager
def _sdk_faults(bounds: Bounds) -> Iterator[None]:
    """Turn whatever the SDK raises into a ProviderError."""
    try:
        yield
    except ProviderError:
        raise
    except Exception as fault:
        raise _provider_fault(fault, bounds) from None


def _provider_fault(fault: Exception, bounds: Bounds) -> ProviderError:
    import httpx2

    anthropic = sdk()
    if isinstance(fault, anthropic.APIStatusError):
        return _refusal(fault)
    if isinstance(fault, anthropic.APIConnectionError) and isinstance(fault.__cause__, Exception):
        cause = fault.__cause__
        return cause if isinstance(cause, ProviderError) else bounds.fault(cause)
    if not bounds.status and not isinstance(fault, httpx2.TransportError):
        return ProviderError(f"the Anthropic SDK failed ({type(fault).__name__})")
    return bounds.fault(fault)


def _refusal(fault: Any) -> ProviderError:
    """What an error answer means; `fault` is the SDK's APIStatusError."""
    status = fault.status_code
    if 200 <= status < 300:
        status = STATUS_BY_ERROR_TYPE.get(str(fault.type), 500)
    body = fault.body or ""
    text = body if isinstance(body, str) else json.dumps(body)
    message = excerpt(text)
    if is_of_another_address(status, message) and agent_settings.ANTHROPIC_BASE_URL:
        message = f"{message}; {base_url_mend('ANTHROPIC_BASE_URL', '/v1/messages')}"
    waiting = retry_after(fault.response.headers)
    return classify(status, message, codes=error_codes(text), retry_after=waiting)
