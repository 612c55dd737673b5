"""What the facade adds to a provider call: `call("llm.complete")` with an instant provider, ledger on.

Reference: one bare INSERT of the finished row, by the same driver.
"""

import uuid

from benchmarks.host import milliseconds, on_each_engine, show, verdict

PAYLOAD = {"prompt": "Name the capital of France. " * 20, "model": "small"}
ANSWER = '{"city": "Paris", "country": "France", "population": 2100000}'


def measure() -> None:
    from dataclasses import replace

    from django.db import connection
    from stapel_core.comm import call, function_registry

    from stapel_agent import ledger, services
    from stapel_agent.asking.attempt_sequence import Attempts
    from stapel_agent.models import PromptLog
    from stapel_agent.parsing import parse_json_response
    from stapel_agent.testing import scripted_provider

    with scripted_provider(ANSWER) as model:
        fields = PromptLog._meta.concrete_fields
        columns = [field.column for field in fields]
        request = services._valid(services._json_request(PAYLOAD["prompt"], PAYLOAD["model"]))
        attempt = next(Attempts(request, parse_json_response))
        with attempt:
            attempt.ask()
        statement = f"INSERT INTO agent_prompt_log ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"

        row = ledger.columns.pending(attempt)
        ledger.columns.settle(row, attempt)
        values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]

        def bare_insert() -> None:
            values[0] = PromptLog._meta.pk.get_db_prep_save(uuid.uuid4(), connection)
            with connection.cursor() as cursor:
                cursor.execute(statement, values)

        def written_ahead() -> None:
            with ledger.entry(attempt):
                pass

        def whole_call() -> None:
            assert call("llm.complete", PAYLOAD)["status"] == "ok"
            model.requests.clear()

        whole, insert, ahead = milliseconds(whole_call, bare_insert, written_ahead)
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
    if connection.vendor == "postgresql":
        verdict("p50 <= 2.5 ms", whole <= 2.5)


if __name__ == "__main__":
    on_each_engine("benchmarks.overhead", measure, ("sqlite", "postgresql", "mariadb"))
