"""Asks a model for a structured answer and for a translation, over HTTP and in-process, and shows the ledger."""

import json
import logging
import signal
import sys
import time
from typing import Any

import httpx
from django.apps import apps
from django.conf import settings
from host import ADMIN_NAME, ADMIN_PASSWORD, LEDGER_PATH, PORT, running_host
from model import LOOPBACK
from stapel_core.comm import call
from table import table

PATIENCE_SECONDS = 300
INTERRUPTED = 130

QUESTIONS: dict[str, dict[str, Any]] = {
    "llm.complete": {
        "prompt": "A customer writes: The kettle I ordered two weeks ago has still not arrived. What is it about?",
        "model": "small",
        "schema": {
            "type": "object",
            "properties": {
                "topic": {"type": "string", "enum": ["delivery", "payment", "returns"]},
                "urgent": {"type": "boolean"},
            },
            "required": ["topic", "urgent"],
            "additionalProperties": False,
        },
    },
    "llm.translate": {
        "from_lang": "en",
        "to": "de",
        "entries": {"cart.title": "Your shopping cart", "cart.empty": "Your cart is empty."},
    },
}

LEDGER = {
    "source": "source",
    "user": "user_id",
    "model": "model",
    "status": "status",
    "in": "input_tokens",
    "cached": "cache_read_tokens",
    "out": "output_tokens",
    "ms": "duration_ms",
    "response": "response",
}
"""Heading -> field of PromptLog."""


class ServiceCaller:
    """Another service: it has the host's URL and the key."""

    user_id = "anna"

    def __init__(self, url: str) -> None:
        self.url = url

    def describe(self, name: str) -> str:
        return f"{name} over HTTP: POST {self._endpoint(name)} with X-API-KEY"

    def payload(self, question: dict[str, Any]) -> dict[str, Any]:
        """Over HTTP the language is `from`, which in Python is a keyword."""
        named = {"from" if name == "from_lang" else name: value for name, value in question.items()}
        return {**named, "user_id": self.user_id}

    def ask(self, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        headers = {"X-API-KEY": settings.SERVICE_API_KEY}
        # Without the environment: it may name a proxy, which does not know this loopback.
        with httpx.Client(headers=headers, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            body = {("from" if key == "from_lang" else key): value for key, value in payload.items()}
            return client.post(self._endpoint(name), json=body).raise_for_status().json()

    def _endpoint(self, name: str) -> str:
        return f"{self.url}/agent/api/v1/{name.replace('.', '/')}"


class AppCaller:
    """Another app of the same host: it has the function's name."""

    user_id = "ben"

    def describe(self, name: str) -> str:
        return f"{name} in-process: stapel_core.comm.call({name!r}, ...)"

    def payload(self, question: dict[str, Any]) -> dict[str, Any]:
        return {**question, "user_id": self.user_id}

    def ask(self, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        return call(name, payload)


def main() -> int:
    # A terminal that has no "…" shows a "?", and a pipe gets each line at once.
    sys.stdout.reconfigure(errors="replace", line_buffering=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with running_host(fresh=True) as host:
            logging.getLogger("django.server").setLevel(logging.WARNING)
            print(host.model)
            completed = converse(host.url)
            print(ledger())
    except KeyboardInterrupt:
        return INTERRUPTED
    print("\nThe same rows in the admin: make serve, then open")
    print(f"http://{LOOPBACK}:{PORT}{LEDGER_PATH} and sign in as {ADMIN_NAME!r}, password {ADMIN_PASSWORD!r}.")
    return 0 if completed else 1


def converse(url: str) -> bool:
    """Ask every question as every caller; True if each structured answer came."""
    completed = True
    for caller in (ServiceCaller(url), AppCaller()):
        for name, question in QUESTIONS.items():
            answer = exchange(caller, name, question)
            completed = completed and (name != "llm.complete" or answer["status"] == "ok")
    return completed


def exchange(caller: ServiceCaller | AppCaller, name: str, question: dict[str, Any]) -> dict[str, Any]:
    """Ask one question, and print it with its answer."""
    payload = caller.payload(question)
    print(f"\n{caller.describe(name)}\n{as_json(payload)}")
    started_at = time.perf_counter()
    answer = caller.ask(name, payload)
    print(f"answered in {time.perf_counter() - started_at:.1f} s:\n{as_json(answer)}")
    return answer


def ledger() -> str:
    rows = apps.get_model("agent", "PromptLog").objects.order_by("created_at").values_list(*LEDGER.values())
    heading = "The ledger, a row for each provider call. A translation made before is reused without one."
    return f"\n{heading}\n\n{table(list(LEDGER), list(rows))}"


def as_json(content: dict[str, Any]) -> str:
    """A line for each key, so that a schema does not fill the screen."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in content.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


if __name__ == "__main__":
    sys.exit(main())
