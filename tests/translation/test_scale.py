"""Many texts and long ones through the facade: complete, in order, with few calls, and each paid for once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from stapel_agent import ProviderResult
from stapel_agent.models import PromptLog
from stapel_agent.testing import ModelRequest, ScriptedModel, translating
from tests.answers import by

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

MANY = 100
CHUNKS = 10
"""The number of questions for so many texts, with TRANSLATE_CHUNK_ENTRIES 10."""
LONG = 30_000
LONG_LIMIT = 2_044 * 3
"""Bytes of the longest segment whose translation fits into MAX_TOKENS 4096."""


def short_text(number: int) -> tuple[str, str]:
    """A text and its translation."""
    source = f"  Order {number} of {{name}} is <b>late</b> by %d days\n"
    return source, f"  ORDER {number} OF {{name}} IS <b>LATE</b> BY %d DAYS\n"


def long_text(size: int) -> tuple[str, str]:
    """A text of at least `size` bytes, with borders of every kind, and its translation."""
    parts = [
        ("A sentence for {name}, said twice.  ", "A SENTENCE FOR {name}, SAID TWICE.  "),
        ("And one without an end\r\n", "AND ONE WITHOUT AN END\r\n"),
        ("\ta line that is set in\t \n\n\n", "\tA LINE THAT IS SET IN\t \n\n\n"),
        ("日本語の文です。空白はない。", "日本語の文です。空白はない。"),
        ("`code` is left. ", "`code` IS LEFT. "),
        ("Read [the manual](https://example.com/a?b=c)!\u2028", "READ [THE MANUAL](https://example.com/a?b=c)!\u2028"),
        ("\u00a0Прошу вас, 🙂 ответьте…\n \n", "\u00a0ПРОШУ ВАС, 🙂 ОТВЕТЬТЕ…\n \n"),
    ]
    source, translation, weight, number = list[str](), list[str](), 0, 0
    while weight < size:
        for ours, theirs in parts[number % 3 :] + parts[: number % 5]:
            source.append(f"{number} {ours}")
            translation.append(f"{number} {theirs}")
            weight += len(source[-1].encode())
            number += 1
    return "".join(source), "".join(translation)


class Crowd:
    """A reply that counts running calls, and answers them in groups of `size`."""

    def __init__(self, size: int, reply: Callable[[ModelRequest], str]) -> None:
        self.peak = self._under_way = 0
        self._reply = reply
        self._lock = threading.Lock()
        self._all_here = threading.Barrier(size)

    def __call__(self, request: ModelRequest) -> str:
        with self._lock:
            self._under_way += 1
            self.peak = max(self.peak, self._under_way)
        self._all_here.wait(timeout=300)
        try:
            return self._reply(request)
        finally:
            with self._lock:
                self._under_way -= 1


def cut_off_at(length: int) -> Callable[[ModelRequest], ProviderResult]:
    """A reply in capitals that breaks off after `length` characters."""
    reply = translating(str.upper)

    def truncated(request: ModelRequest) -> ProviderResult:
        text = reply(request)
        reason = "length" if len(text) > length else "stop"
        return ProviderResult(text[:length], input_tokens=10, output_tokens=5, finish_reason=reason)

    return truncated


def asked(model: ScriptedModel) -> list[str]:
    """The texts that were sent, in no order."""
    return [text for request in model.requests for text in json.loads(request.prompt).values()]


def paid(rows: list[PromptLog]) -> dict[str, int]:
    return {
        "input_tokens": sum(row.input_tokens or 0 for row in rows),
        "output_tokens": sum(row.output_tokens or 0 for row in rows),
    }


@pytest.mark.parametrize("concurrency", [1, 5])
def test_many_texts__complete_in_order(
    facade: Any, agent: Any, scripted_model: ScriptedModel, concurrency: int
) -> None:
    """100 texts come back complete and in order, in 10 calls, TRANSLATE_CONCURRENCY at once, each asked for once."""
    agent(TRANSLATE_CHUNK_ENTRIES=10, TRANSLATE_CONCURRENCY=concurrency)
    crowd = Crowd(concurrency, translating(str.upper))
    scripted_model.script(crowd)
    texts = {f"key.{number}": short_text(number) for number in range(MANY)}
    answer = facade.translate("en", "de", {key: source for key, (source, _) in texts.items()})
    assert list(answer["result"].items()) == [(key, translation) for key, (_, translation) in texts.items()]
    assert answer == {
        "status": "ok",
        "result": answer["result"],
        "usage": {"input_tokens": 10 * CHUNKS, "output_tokens": 5 * CHUNKS},
        **by(),
    }
    assert (len(scripted_model.requests), crowd.peak) == (CHUNKS, concurrency)
    assert len(set(asked(scripted_model))) == len(asked(scripted_model)) == MANY


def test_many_texts__rows(facade: Any, agent: Any, scripted_model: ScriptedModel) -> None:
    """The rows of one call have one request id, name their chunk, and add up to the answer's usage."""
    agent(TRANSLATE_CHUNK_ENTRIES=10)
    scripted_model.script(translating(str.upper))
    answer = facade.translate("en", "de", {f"{number}": short_text(number)[0] for number in range(MANY)})
    rows = list(PromptLog.objects.all())
    told = sorted((row.metadata for row in rows), key=lambda metadata: metadata["chunk"])
    facts = {"provider": "anthropic", "from": "en", "to": "de", "key_count": 10, "chunks": CHUNKS, "asked_again": 0}
    assert told == [{**facts, "chunk": number} for number in range(1, CHUNKS + 1)]
    assert len({row.request_id for row in rows}) == 1
    assert answer["usage"] == paid(rows)


def test_many_texts__rows_of_what_is_asked_again(facade: Any, scripted_model: ScriptedModel) -> None:
    """Texts that are asked for again are in one row of the same request, which says how often."""

    def forgetful(request: ModelRequest) -> str:
        texts = json.loads(request.prompt)
        again = "earlier answer" in (request.system_prompt or "")
        return json.dumps({key: text.upper() for key, text in texts.items() if again or "7 of" not in text})

    scripted_model.script(forgetful)
    answer = facade.translate("en", "de", {f"{number}": short_text(number)[0] for number in range(100)})
    rows = list(PromptLog.objects.all())
    told = sorted(
        (row.metadata["chunk"], row.metadata["asked_again"], row.metadata["key_count"], row.metadata["chunks"])
        for row in rows
    )
    assert told == [(1, 0, 50, 2), (1, 1, 10, 2), (2, 0, 50, 2)]
    assert len({row.request_id for row in rows}) == 1
    assert answer["usage"] == paid(rows) == {"input_tokens": 30, "output_tokens": 15}
    assert answer["result"] == {f"{number}": short_text(number)[1] for number in range(100)}


def test_many_texts__duplicates(facade: Any, scripted_model: ScriptedModel) -> None:
    """A hundred keys with twenty different texts, in various blanks, are one call for twenty texts."""
    scripted_model.script(translating(str.upper))
    blanks = ["", " ", "\n", "\t\u00a0"]
    entries = {f"{n}": f"{blanks[n % 4]}text {n % 20}{blanks[n % 3]}" for n in range(MANY)}
    answer = facade.translate("en", "de", entries)
    assert answer["result"] == {key: text.upper() for key, text in entries.items()}
    assert [Counter(asked(scripted_model))] == [Counter(f"text {number}" for number in range(20))]
    assert len(scripted_model.requests) == 1


def test_long_text__byte_for_byte(facade: Any, scripted_model: ScriptedModel) -> None:
    """30 KB are returned byte for byte, in no more calls than half-full answers need."""
    source, translation = long_text(LONG)
    scripted_model.script(translating(str.upper))
    answer = facade.translate("en", "ru", {"before": "one", "text": source, "after": "two"})
    rows = list(PromptLog.objects.all())
    assert answer == {
        "status": "ok",
        "result": {"before": "ONE", "text": translation, "after": "TWO"},
        "usage": paid(rows),
        **by(),
    }
    assert list(answer["result"]) == ["before", "text", "after"]
    assert LONG / LONG_LIMIT <= len(rows) <= 2 * LONG / LONG_LIMIT + 2
    assert {row.metadata["chunks"] for row in rows} == {len(rows)}


def test_long_text__asked_once(facade: Any, scripted_model: ScriptedModel) -> None:
    """A translated long text is not asked for again, and one changed sentence costs one piece."""
    source, translation = long_text(15_000)
    scripted_model.script(translating(str.upper))
    facade.translate("en", "ru", {"text": source})
    scripted_model.requests.clear()
    nothing = {"input_tokens": 0, "output_tokens": 0}
    again = {"status": "ok", "result": {"text": translation}, "usage": nothing, **by()}
    assert facade.translate("en", "ru", {"text": source}) == again
    assert scripted_model.requests == []
    changed = f"{source} The end."
    assert facade.translate("en", "ru", {"text": changed})["result"] == {"text": f"{translation} THE END."}
    assert len(scripted_model.requests) <= 2


def test_truncated__many_texts(facade: Any, scripted_model: ScriptedModel) -> None:
    """If a model breaks off, its questions are halved until every text is there. The number of calls stays small."""
    scripted_model.script(cut_off_at(400))
    entries = {f"{number}": short_text(number)[0] for number in range(120)}
    answer = facade.translate("en", "de", entries)
    rows = list(PromptLog.objects.all())
    assert answer["result"] == {f"{number}": short_text(number)[1] for number in range(120)}
    assert answer["usage"] == paid(rows)
    answers = [row for row in rows if row.status == "success"]
    assert len(answers) + len([row for row in rows if row.metadata.get("failure") == "truncated"]) == len(rows)
    assert len(rows) <= 2 * len(answers)
    assert sum(row.metadata["key_count"] for row in answers) == len(entries)


def test_truncated__long_text(facade: Any, scripted_model: ScriptedModel) -> None:
    """A text whose every piece is too long for the model is cut further, and joined byte for byte.

    It is reported as unchanged, because its Japanese pieces have no capitals.
    """
    source, translation = long_text(6_000)
    scripted_model.script(cut_off_at(300))
    answer = facade.translate("en", "ru", {"text": source})
    rows = list(PromptLog.objects.all())
    found = {"result": {"text": translation}, "unchanged": ["text"], "usage": paid(rows)}
    assert answer == {"status": "ok", **found, **by()}
    assert len(rows) <= 2 * len([row for row in rows if row.status == "success"])
    assert len({row.request_id for row in rows}) == 1
