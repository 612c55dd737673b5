"""A catalogue of 1,000 texts: how long it takes, and the cost of errors, of one change and of the checks.

References: one call for each text, one call for all, a run without errors, and reading the same texts as JSON.
"""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmarks.host import milliseconds, on_each_engine, show, verdict

COUNT = 1_000
ALONE = 20
"""Texts that are really sent in a call each. The rest would take 49 times as long."""
FAULTS = 20
"""One in this many is an error."""
CHARACTERS_PER_TOKEN = 4
TEMPLATES = [
    "Field {field} must not be empty (%d)",
    "Order {number} was placed %d days ago and cannot be changed any more; please write to help@example.com",
    "<b>{name}</b>, your %d. payment was declined. <a href='https://example.com/help'>Try again</a>",
    "%d words alone",
    "{count, plural, one {# file of %d} other {# files of %d}} selected",
    "Dear %(name)s,\n\nthank you for your %d. order with us. We send it to you as soon as it is paid.\n",
]


def catalogue(run: str) -> dict[str, str]:
    """Texts that no other run has."""
    templates = itertools.cycle(TEMPLATES)
    return {f"key.{n}": f"{next(templates).replace('%d', str(n))} {run}" for n in range(COUNT)}


Fault = Callable[[dict[str, str], dict[str, str]], object]
"""Returns what a model answers, from the texts it was sent and its replies for them."""


class Model:
    """A model that answers in capitals after `seconds`, costs tokens by length, and makes a `fault` now and then."""

    def __init__(self, seconds: float = 0, fault: Fault = lambda texts, replies: replies) -> None:
        self.calls = self.texts = self.tokens = 0
        self._seconds = seconds
        self._fault = fault
        self._lock = threading.Lock()

    def __call__(self, request: Any) -> Any:
        from stapel_agent import ProviderResult

        time.sleep(self._seconds)
        texts = json.loads(request.prompt)
        with self._lock:
            replies = self._fault(texts, {n: text.upper() for n, text in texts.items()})
            reply = json.dumps(replies, ensure_ascii=False)
            sent = (len(request.prompt) + len(request.system_prompt)) // CHARACTERS_PER_TOKEN
            answered = len(reply) // CHARACTERS_PER_TOKEN
            self.calls, self.texts, self.tokens = (
                self.calls + 1,
                self.texts + len(texts),
                self.tokens + sent + answered,
            )
        return ProviderResult(reply, input_tokens=sent, output_tokens=answered)


def one_text_in_twenty() -> Fault:
    """Every twentieth answered text loses its marks, or is left out."""
    numbers, faults = itertools.count(1), itertools.cycle(["", None])

    def fault(texts: dict[str, str], replies: dict[str, str]) -> object:
        return {n: next(faults) if next(numbers) % FAULTS == 0 else text for n, text in replies.items()}

    return fault


def one_untranslated_in_twenty() -> Fault:
    """Every twentieth answered text is returned unchanged."""
    numbers = itertools.count(1)
    return lambda texts, replies: {n: texts[n] if next(numbers) % FAULTS == 0 else text for n, text in replies.items()}


def one_answer_in_twenty() -> Fault:
    """Every twentieth answer, starting with the tenth, is useless."""
    numbers = itertools.count(FAULTS // 2)
    return lambda texts, replies: [] if next(numbers) % FAULTS == 0 else replies


@contextmanager
def asked(model: Model, **settings: object) -> Iterator[None]:
    from django.test import override_settings

    from stapel_agent.testing import scripted_provider

    with scripted_provider(model), override_settings(STAPEL_AGENT=settings):
        yield


def translate(entries: Mapping[str, str]) -> tuple[float, Any]:
    """The seconds that it takes, and the answer."""
    from stapel_agent import services

    started_at = time.perf_counter()
    answer = services.translate("en", "de", entries)
    seconds = time.perf_counter() - started_at
    assert answer["status"] == "ok" and answer["result"].keys() == entries.keys(), answer
    return seconds, answer


def measure() -> None:
    wall_time()
    faults()
    one_change()
    checking()


def wall_time() -> None:
    entries = catalogue("wall time")
    model = Model(seconds=1)
    with asked(model):
        alone = sum(translate({key: text})[0] for key, text in list(catalogue("alone").items())[:ALONE])
    each = alone * COUNT / ALONE
    show(f"one call for each of 1,000 texts, from {ALONE} of them (reference)", each, "s", f"{COUNT} calls")
    model = Model(seconds=1)
    with asked(model, TRANSLATE_CHUNK_ENTRIES=COUNT, MAX_TOKENS=10**6):
        whole, _ = translate(catalogue("one for all"))
    show("one call for all, if an answer could be that long (reference)", whole, "s", f"{model.calls} call")
    model = Model(seconds=1)
    with asked(model):
        seconds, _ = translate(entries)
    show("1,000 texts, a model of 1 s", seconds, "s", f"{model.calls} calls, {each / seconds:.0f}x as fast")
    from stapel_agent.conf import agent_settings

    rounds = -(-model.calls // agent_settings.TRANSLATE_CONCURRENCY)
    show("of which not waiting for the model", (seconds - rounds) * 1000, note=f"{rounds} calls one after the other")


def faults() -> None:
    faultless = Model()
    with asked(faultless):
        translate(catalogue("faultless"))
    show("tokens without faults (reference)", faultless.tokens, "", f"{faultless.calls} calls")
    shares = []
    models = {
        "faults in 5% of the texts": one_text_in_twenty,
        "5% of the texts unchanged": one_untranslated_in_twenty,
        "faults in 5% of the answers": one_answer_in_twenty,
    }
    for number, (label, make) in enumerate(models.items()):
        model = Model(fault=make())
        with asked(model):
            _, answer = translate(catalogue(f"faultful{number}"))
        assert sum(answer["usage"].values()) == model.tokens
        shares.append(model.tokens / faultless.tokens)
        again = f"{(model.texts - COUNT) / COUNT:.1%} of the texts asked again"
        show(f"tokens with {label}", model.tokens, "", f"= {shares[-1]:.3f}x, {again}")
    verdict("<= 1.15x the tokens", max(shares) <= 1.15)


def one_change() -> None:
    entries = catalogue("one change")
    model = Model()
    with asked(model):
        first, _ = translate(entries)
        paid = model.tokens
        model.calls = model.texts = model.tokens = 0
        again, _ = translate(entries)
        assert model.calls == 0
        changed, _ = translate({**entries, "key.500": "something else about {name}"})
    show("1,000 new texts, a model of 0 s (reference)", first * 1000)
    show("the same again", again * 1000, note=f"= {again / first:.2f}x, no call")
    note = f"{model.calls} call, {model.texts} text, {model.tokens / paid:.2%} of the tokens"
    show("with one of them changed", changed * 1000, note=note)
    verdict("one text paid for", (model.calls, model.texts) == (1, 1))


def checking() -> None:
    from stapel_agent.translation.entry import Entry
    from stapel_agent.translation.glossary import Glossary
    from stapel_agent.translation.placeholders.masking import Protected
    from stapel_agent.translation.segment import Segments, Task

    texts = [text.strip() for text in catalogue("checking").values()]
    segments = Segments(Task("en", "de", limit=10**6, glossary=Glossary({}, "de")))
    asked = [segments.of(Entry(text)) for text in texts]
    masked = [segment.protected.masked for segment in asked]
    replies = [text.upper() for text in masked]

    def check() -> None:
        for segment, reply in zip(asked, replies, strict=True):
            segment.checked(reply)

    def protect() -> None:
        for text in texts:
            Protected(text).masked  # noqa: B018  (computed on first use)

    steps = (lambda: json.loads(json.dumps(masked)), protect, check)
    reading, protecting, checks = milliseconds(*steps, rounds=40, warm_up=3, clock=time.process_time)
    show("1,000 texts to JSON and back, processor time (reference)", reading)
    show("hiding the placeholders of 1,000 texts, processor time", protecting)
    show("checking 1,000 translations, processor time", checks, note=f"= {checks / reading:.0f}x the JSON")
    verdict("<= 50 ms", checks <= 50)


if __name__ == "__main__":
    on_each_engine("benchmarks.translation", measure)
