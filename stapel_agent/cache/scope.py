"""Who may reuse an answer: CACHE_SCOPE as a part of the cache key."""

from __future__ import annotations

import json

from stapel_agent.conf import agent_settings
from stapel_agent.types import CompletionRequest


def scope_of(request: CompletionRequest) -> str:
    scope = agent_settings.CACHE_SCOPE.get(request.source, "user")
    if scope == "shared":
        return ""
    owner = [request.workspace_id] if scope == "workspace" else [request.workspace_id, request.user_id]
    return json.dumps([scope, *owner])
