"""The package at work in six steps with a real model: answers, cache, failures, a budget, translations, a ledger."""

import json
import logging
import re
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

import httpx
from django.apps import apps
from django.conf import settings
from django.test.utils import override_settings
from host import ADMIN_NAME, ADMIN_PASSWORD, LEDGER_PATH, PORT, running_host
from model import LOOPBACK
from stapel_core.comm import call
from table import table

PATIENCE_SECONDS = 300
INTERRUPTED = 130
ENDPOINT = "agent/api/v1/llm/complete"

SCHEMA = {
    "type": "object",
    "properties": {
        "topic": {"type": "string", "enum": ["delivery", "payment", "returns"]},
        "urgent": {"type": "boolean"},
    },
    "required": ["topic", "urgent"],
    "additionalProperties": False,
}
LETTER = {
    "prompt": "A customer writes: The kettle I ordered two weeks ago has still not arrived. What is it about?",
    "model": "small",
    "schema": SCHEMA,
    "user_id": "anna",
}
TEXTS = {
    "from_lang": "en",
    "to": "de",
    "entries": {"cart.title": "Your shopping cart, {name}", "cart.empty": "Your cart is empty."},
}
GERMAN = {"Your shopping cart": "Ihr Warenkorb", "Your cart is empty.": "Ihr Warenkorb ist leer."}

LEDGER = {
    "source": "source",
    "user": "user_id",
    "model": "model",
    "status": "status",
    "in": "input_tokens",
    "out": "output_tokens",
    "cost in $": "cost_usd",
    "ms": "duration_ms",
    "answer or error": "response",
}
"""Heading -> field of PromptLog."""

Answer = dict[str, Any]


def main() -> int:
    # A terminal without "…" shows a "?", and a pipe gets each line at once.
    sys.stdout.reconfigure(errors="replace", line_buffering=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print("Starting a model and a host ...")
    try:
        with running_host(fresh=True) as host:
            logging.getLogger("django.server").setLevel(logging.WARNING)
            print(host.model)
            answered = show(host.url)
            print(ledger())
    except KeyboardInterrupt:
        return INTERRUPTED
    print("\nThe same rows in the admin: make serve, then open")
    print(f"http://{LOOPBACK}:{PORT}{LEDGER_PATH} and sign in as {ADMIN_NAME!r}, password {ADMIN_PASSWORD!r}.")
    return 0 if answered else 1


def show(url: str) -> bool:
    """Run every step. Returns whether the real model gave its structured answer."""
    # Imported after Django is set up.
    from stapel_agent.testing import scripted_provider, translating

    def post(payload: dict[str, Any]) -> Answer:
        # Without the environment, which may name a proxy that does not know this loopback address.
        headers = {"X-API-KEY": settings.SERVICE_API_KEY}
        with httpx.Client(headers=headers, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            return client.post(f"{url}/{ENDPOINT}", json=payload).raise_for_status().json()

    def complete(payload: dict[str, Any]) -> Answer:
        return call("llm.complete", payload)

    def translate(payload: dict[str, Any]) -> Answer:
        return call("llm.translate", payload)

    answered = step("A structured answer by the real model, over HTTP", post, LETTER)
    with stapel_agent(CACHE_LOOKUP={"llm_facade": True, "translate": True}):
        step("The same question again, in the process: answered from the cache, at no cost", complete, LETTER)
    wrong = {**LETTER, "user_id": "scripted", "prompt": "What is the weather like?"}
    with scripted_provider({"topic": "weather", "urgent": True}), stapel_agent(SCHEMA_RETRIES=0):
        step("A wrong answer by a SCRIPTED model: a failure, with the reason", complete, wrong)
    with stapel_agent(BUDGETS=[{"scope": "user", "id": "carl", "period": "day", "tokens": 100}]):
        step("A budget of 100 tokens a day stops a call before it is made", complete, {**LETTER, "user_id": "carl"})
    with stapel_agent(TRANSLATE_RETRIES=0, MAX_TOKENS=64):
        step("A translation by the real model, which is too small for it: a failure", translate, TEXTS)
    with scripted_provider(translating(german)):
        scripted = {**TEXTS, "user_id": "scripted", "context": "Buttons of a shop."}
        step("The same translation by a SCRIPTED model: the placeholder is kept", translate, scripted)
    return answered["status"] == "ok"


def stapel_agent(**keys: Any) -> AbstractContextManager[None]:
    """Set these keys of STAPEL_AGENT inside the block."""
    return override_settings(STAPEL_AGENT={**settings.STAPEL_AGENT, **keys})


def step(title: str, ask: Callable[[dict[str, Any]], Answer], payload: dict[str, Any]) -> Answer:
    """Ask one question, and print it with its answer."""
    print(f"\n--- {title}\n{as_json(payload)}")
    started_at = time.perf_counter()
    answer = ask(payload)
    print(f"answered in {time.perf_counter() - started_at:.1f} s:\n{as_json(answer)}")
    return answer


def german(text: str) -> str:
    """A translator's answer for the texts of this demo, with placeholders left in place."""
    return re.sub("|".join(map(re.escape, GERMAN)), lambda found: GERMAN[found[0]], text)


def ledger() -> str:
    rows = apps.get_model("agent", "PromptLog").objects.order_by("created_at")
    shown = [[cell(row, field) for field in LEDGER.values()] for row in rows]
    return f"\n--- The ledger: a row for each call to a model, with its cost\n\n{table(list(LEDGER), shown)}"


def cell(row: Any, field: str) -> Any:
    value = (row.error_message or row.response) if field == "response" else getattr(row, field)
    return f"{value:.6f}" if isinstance(value, Decimal) else value


def as_json(content: dict[str, Any]) -> str:
    """Format an answer with one line per key, so that a schema does not fill the screen."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in content.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


if __name__ == "__main__":
    sys.exit(main())
