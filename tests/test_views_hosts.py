"""The endpoints in separate hosts: outside the request's transaction, and with an unreachable database."""

from __future__ import annotations

import json

import pytest

from tests.hosts import Host
from tests.scripted_server import Reply, ScriptedServer

ANSWER = Reply.of(
    {"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 7}}, thinking=1.5
)
POST = """
from django.contrib.auth import get_user_model
from django.test import Client
client = Client()
headers = {}
if __WAY__ == "session":
    user = get_user_model().objects.filter(is_staff=True).first() or get_user_model().objects.create_superuser(
        username="staff", email="staff@example.com", password="x")
    client.force_login(user)
else:
    headers["X-API-KEY"] = "a-service-key"
from django.conf import settings
settings.SERVICE_API_KEY = "a-service-key"
answer = client.post(
    "/agent/api/v1/llm/complete", {"prompt": "say", "model": "small"}, content_type="application/json", headers=headers)
say([answer.status_code, answer.json().get("status"), list(PromptLog.objects.values_list("status", flat=True))])
"""


@pytest.mark.parametrize("way", ["session", "service"])
def test_endpoint__outside_the_requests_transaction(host: Host, model: ScriptedServer, way: str) -> None:
    """With ATOMIC_REQUESTS, a model may think for longer than the server allows a transaction to be idle."""
    model.replies = [ANSWER]
    host.environment["HOST_ATOMIC_REQUESTS"] = "1"
    if host.server.kind == "postgresql":
        options = {"options": "-c idle_in_transaction_session_timeout=500"}
        host.environment["HOST_DATABASE_OPTIONS"] = json.dumps(options)
    assert host.run(POST.replace("__WAY__", repr(way))) == [200, "ok", ["success"]]
