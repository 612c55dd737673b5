"""What the facade adds to a provider call: `call("llm.complete")` with an instant provider and the ledger.

Reference: one bare INSERT of the finished row, by the same driver.
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

from benchmarks.host import milliseconds, on_each_engine, show, verdict

PAYLOAD = {"prompt": "Name the capital of France. " * 20, "model": "small"}
ANSWER = '{"city": "Paris", "country": "France", "population": 2100000}'


def measure() -> None:
    from dataclasses import replace

    from django.db import connection
    from stapel_core.comm import call, function_registry

    from stapel_agent import arguments, ledger
    from stapel_agent.asking.attempt_sequence import Attempts
    from stapel_agent.parsing import parse_json_response
    from stapel_agent.testing import scripted_provider

    with scripted_provider(ANSWER) as model:
        request = arguments.valid(arguments.json_request_of(PAYLOAD["prompt"], PAYLOAD["model"]))
        attempt = next(Attempts(request, parse_json_response))
        with attempt:
            attempt.ask()

        def written_ahead() -> None:
            with ledger.entry(attempt):
                pass

        def whole_call() -> None:
            assert call("llm.complete", PAYLOAD)["status"] == "ok"
            model.requests.clear()

        steps = (whole_call, bare_insert_of(attempt), written_ahead)
        whole, insert, ahead = milliseconds(*steps)
        processor_time = milliseconds(*steps, rounds=200, clock=time.thread_time)
        validation, key, parsing = milliseconds(
            lambda: function_registry.validate("llm.complete", PAYLOAD),
            lambda: replace(attempt.request).cache_key,
            lambda: parse_json_response(ANSWER),
        )
    show("bare INSERT of the finished row (reference)", insert)
    show('call("llm.complete"), instant provider, ledger on', whole, note=f"= {whole / insert:.2f}x the INSERT")
    show("  of which the row, written ahead and closed", ahead, note=f"= {ahead / insert:.2f}x the INSERT")
    show("  of which validation of the payload", validation)
    show("  of which cache key", key)
    show("  of which parsing the answer", parsing)
    show("  of which the rest", whole - validation - key - ahead - parsing)
    show_processor_time(*processor_time)
    if connection.vendor == "postgresql":
        verdict("p50 <= 2.5 ms", whole <= 2.5)
        verdict("<= 2.3x the INSERT", whole <= 2.3 * insert)


def bare_insert_of(attempt: Any) -> Callable[[], None]:
    """Inserts the finished row of an attempt, each time under a new id."""
    from django.db import connection

    from stapel_agent import ledger
    from stapel_agent.models import PromptLog

    fields = PromptLog._meta.concrete_fields
    columns = [field.column for field in fields]
    statement = f"INSERT INTO agent_prompt_log ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"
    row = ledger.columns.pending(attempt)
    ledger.columns.settle(row, attempt)
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]

    def bare_insert() -> None:
        values[0] = PromptLog._meta.pk.get_db_prep_save(uuid.uuid4(), connection)
        with connection.cursor() as cursor:
            cursor.execute(statement, values)

    return bare_insert


def show_processor_time(whole: float, insert: float, ahead: float) -> None:
    """The processor time of this thread, without the database's own and the wait for its disk."""
    show("processor time of the bare INSERT (reference)", insert)
    show("processor time of the row, written ahead and closed", ahead, note=f"= {ahead / insert:.2f}x the INSERT's")
    show("processor time of the call", whole, note=f"= {whole / insert:.2f}x the INSERT's")


ORDER = """
import time, django
from django.conf import settings
from tests import settings as host
apps = [app for app in (*host.INSTALLED_APPS, "stapel_core.django.taskstore") if app != {last!r}]
options = {{name: getattr(host, name) for name in dir(host) if name.isupper()}}
settings.configure(**{{**options, "INSTALLED_APPS": [*apps, {last!r}]}})
django.setup()
from stapel_core.comm import function_registry
from benchmarks.host import milliseconds
validate = lambda: function_registry.validate("llm.complete", {payload!r})
print(milliseconds(validate, rounds=1000, clock=time.thread_time)[0])
"""


def orders_of_apps() -> None:
    """`stapel_core.django.taskstore` loads the schemas of all apps when it is ready."""
    print("\noverhead of both orders of INSTALLED_APPS", flush=True)
    first, last = (validation(last) for last in ("stapel_agent", "stapel_core.django.taskstore"))
    show("validation of the payload, stapel-core's taskstore first (reference)", first)
    show("validation of the payload, taskstore last", last, note=f"= {last / first:.2f}x")
    verdict("<= 1.5x", last <= 1.5 * first)


def validation(last: str) -> float:
    """Milliseconds of processor time to validate a payload, with this app or taskstore `last`."""
    script = ORDER.format(last=last, payload=PAYLOAD)
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return float(done.stdout)


if __name__ == "__main__":
    on_each_engine("benchmarks.overhead", measure, ("sqlite", "postgresql", "mariadb"))
    if "BENCHMARK_ENGINE" not in os.environ:
        orders_of_apps()
