"""The first page of the running example: where to go, and what to try."""

import html
import json
import shlex
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from host import ADMIN_NAME, ADMIN_PASSWORD, LEDGER_PATH

QUESTION = {
    "prompt": "A customer writes: My kettle has not arrived. What is it about?",
    "model": "small",
    "schema": {
        "type": "object",
        "properties": {"topic": {"enum": ["delivery", "payment", "returns"]}},
        "required": ["topic"],
        "additionalProperties": False,
    },
}
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>stapel-agent</title>
<style>body {{ font: 16px/1.5 system-ui; max-width: 48rem; margin: 3rem auto; padding: 0 1rem }}
pre {{ overflow-wrap: anywhere; padding: 1rem; background: #8882; white-space: pre-wrap }}</style></head>
<body>
<h1>stapel-agent is running</h1>
<p>Sign in to the admin as <b>{name}</b> with the password <b>{password}</b>:</p>
<ul>
<li><a href="{ledger}">the ledger</a>: a row for each call to a model</li>
<li><a href="{ledger}usage/">usage</a>: who spent what</li>
<li><a href="/admin/">the whole admin</a></li>
</ul>
<p>Ask the model, as another service does:</p>
<pre>{command}</pre>
<p>Then look at its row in the ledger.</p>
</body>
</html>
"""


def welcome(request: HttpRequest) -> HttpResponse:
    command = html.escape(ask_command(request.build_absolute_uri("/").rstrip("/")))
    return HttpResponse(PAGE.format(name=ADMIN_NAME, password=ADMIN_PASSWORD, ledger=LEDGER_PATH, command=command))


def no_icon(request: HttpRequest) -> HttpResponse:
    """Browsers request an icon on their own."""
    return HttpResponse(status=204)


def ask_command(url: str, question: dict[str, Any] = QUESTION) -> str:
    """Return the curl command with a question that the small model can answer."""
    headers = {"X-API-KEY": settings.SERVICE_API_KEY, "Content-Type": "application/json"}
    lines = [f"curl {url}/agent/api/v1/llm/complete"]
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    return " \\\n  ".join([*lines, f"-d {shlex.quote(json.dumps(question))}"])
