"""Puts a schema into the prompt, for a provider that cannot constrain its decoder to one."""

from __future__ import annotations

import json
from dataclasses import replace

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import InvalidRequest
from stapel_agent.providers import LlmProvider
from stapel_agent.types import CompletionRequest

INSTRUCTION = "Answer with JSON only, no prose and no code fence. It must satisfy this JSON Schema:"


def with_schema_in_prompt(request: CompletionRequest, provider: LlmProvider) -> CompletionRequest:
    """Return `request` with its schema in the prompt, if `provider` does not support schemas.

    Raises InvalidRequest if SCHEMA_IN_PROMPT is off. The answer is validated either way.
    """
    if request.schema is None or provider.supports_schema:
        return request
    if agent_settings.SCHEMA_IN_PROMPT is not True:
        raise InvalidRequest(
            f"provider {request.provider!r} cannot constrain an answer to a schema: choose one that can, "
            "remove the schema, or set SCHEMA_IN_PROMPT to True"
        )
    words = f"{INSTRUCTION}\n{json.dumps(request.schema, ensure_ascii=False, sort_keys=True)}"
    return request if request.prompt.endswith(words) else replace(request, prompt=f"{request.prompt}\n\n{words}")
