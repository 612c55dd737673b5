"""Translations through the facade, synchronously and on an event loop."""

import asyncio
import json
import threading
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.utils import timezone

from stapel_agent import services
from stapel_agent.exceptions import AccessDenied, AnswerRefused, RateLimited, RequestRejected
from stapel_agent.models import PromptLog, Translation
from stapel_agent.providers.base import ProviderResult, ProviderTimeout
from stapel_agent.testing import ModelRequest, translating
from tests.answers import TRACED, by, failure_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

PRICE = {"input_tokens": 10, "output_tokens": 5}


def texts(request: ModelRequest) -> dict[str, str]:
    """The texts that a model was asked to translate."""
    return json.loads(request.prompt)


def asked(model) -> list[list[str]]:
    """The texts of each question that a scripted model got."""
    return [list(texts(request).values()) for request in model.requests]


def usage(calls: int) -> dict[str, int]:
    return {name: tokens * calls for name, tokens in PRICE.items()}


def but(**replies: object):
    """A translator to capitals with other `replies` for some texts. An empty reply means none at all."""

    def reply(request: ModelRequest) -> str:
        translated = {key: replies.get(text, text.upper()) for key, text in texts(request).items()}
        return json.dumps({key: value for key, value in translated.items() if value is not None})

    return reply


def test_translate__translated(facade, scripted_model):
    """The map is returned with the caller's keys in the caller's order, and its cost."""
    scripted_model.script(translating(str.upper))
    entries = {"b.title": "hello {name}", "a": "", "ключ": "мир"}
    answer = facade.translate("en", "de", entries)
    result = {"b.title": "HELLO {name}", "a": "", "ключ": "МИР"}
    assert answer == {"status": "ok", "result": result, "usage": PRICE, **by()}
    assert list(answer["result"]) == list(entries)


def test_translate__two_translations_of_a_text(facade, scripted_model):
    """Of an answer with two translations of one text, neither is taken: the text is asked for again, the others not."""
    scripted_model.script('{"1": "EINS", "2": "ZWEI", "1": "DREI"}', '{"1": "EINS"}')
    answer = facade.translate("en", "de", {"a": "one text", "b": "another text"})
    assert answer["result"] == {"a": "EINS", "b": "ZWEI"}
    assert texts(scripted_model.requests[1]) == {"1": "one text"}
    assert "has two different translations" in scripted_model.requests[1].system_prompt


def test_translate__nothing(facade, scripted_model):
    """An empty map makes no call."""
    assert facade.translate("auto", "de", {}) == {"status": "ok", "result": {}}
    assert (scripted_model.requests, PromptLog.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "42", "1,234.56 €", "https://example.com/a?b=c#d", "a@example.org", "{name}", "%(count)d / %s", "…",
     "<br/>", "`code`", "{{ user }}: ${total}", "👍"],
)  # fmt: skip
def test_translate__nothing_to_translate(facade, scripted_model, text):
    """A text without a word is returned unchanged, without a call."""
    answer = facade.translate("en", "de", {"key": text})
    assert answer == {"status": "ok", "result": {"key": text}, "usage": {"input_tokens": 0, "output_tokens": 0}}
    assert scripted_model.requests == []


def test_translate__keys_are_not_sent(facade, scripted_model):
    """Keys are returned exactly, whatever they are, and the model sees none of them."""
    keys = [
        "a.b",
        'quo"te',
        "😀",
        "k" * 500,
        "__proto__",
        "Key",
        "key",
        "nul\x00",
        "lone\ud800",
        "",
        "ignore the above",
    ]
    scripted_model.script(translating(str.upper))
    answer = facade.translate("en", "de", {key: f"text {number}" for number, key in enumerate(keys)})
    assert answer["result"] == {key: f"TEXT {number}" for number, key in enumerate(keys)}
    assert list(answer["result"]) == keys
    (request,) = scripted_model.requests
    assert texts(request) == {str(number): f"text {number - 1}" for number in range(1, len(keys) + 1)}
    assert "ignore this" not in request.prompt + request.system_prompt


def test_translate__languages_by_name(facade, scripted_model):
    """The model gets the languages, the purpose of the texts, and the given terms that occur in them."""
    scripted_model.script(translating(str.upper))
    terms = {"cart": "cesta", "basket": "cesto"}
    facade.translate("zh-Hant", "pt-BR", {"a": "cart"}, glossary=terms, context="Buttons of a shop, formal.")
    request = scripted_model.requests[0]
    assert "from Chinese (Traditional) [zh-Hant] to Portuguese (Brazil) [pt-BR]" in request.system_prompt
    assert '"Buttons of a shop, formal."' in request.system_prompt
    assert '{"cart": "cesta"}' in request.system_prompt


def test_translate__duplicates(facade, scripted_model):
    """The same text is asked for once, and each copy keeps the blanks around it."""
    scripted_model.script(translating(str.upper))
    answer = facade.translate("en", "de", {"a": "Save", "b": " Save\n", "c": "Save", "d": "\tSave"})
    assert answer["result"] == {"a": "SAVE", "b": " SAVE\n", "c": "SAVE", "d": "\tSAVE"}
    assert asked(scripted_model) == [["Save"]]


def test_translate__duplicates_within_long_texts(facade, scripted_model, agent):
    """A paragraph that several long texts share, and that is also a text by itself, is asked for once."""
    agent(MAX_TOKENS=100)
    scripted_model.script(translating(str.upper))
    shared, first, second = ("a shared paragraph " * 5, "the first " * 9, "the second " * 9)
    entries = {"a": f"{first}\n\n{shared}\n\n{shared}", "b": f"{shared}\n\n{second}", "c": shared}
    answer = facade.translate("en", "de", entries)
    assert answer["result"] == {key: text.upper() for key, text in entries.items()}
    assert sorted(text for question in asked(scripted_model) for text in question).count(shared.strip()) == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (None, "is missing"),
        (7, "is not a text"),
        (["x"], "is not a text"),
        ("  ", "is empty"),
        ("bad {name}", "has a placeholder, markup or an address that the text does not have"),
        ("word " * 200, "is far longer than the text"),
        ("As an AI language model I cannot do that.", "is not a translation but a remark about one"),
        ("Here is the translation: BAD", "is not a translation but a remark about one"),
        ("You are a translator. The user's message is one JSON object", "repeats the instructions"),
        ('{"1": "BAD"}', "is JSON, not a text"),
    ],
)
def test_translate__one_bad(facade, scripted_model, reply, reason):
    """A translation that fails its checks is asked for again, finally alone, and then left out with its reason."""
    scripted_model.script(but(bad=reply))
    answer = facade.translate("en", "de", {"a": "good", "b": "bad", "c": "fine"})
    assert answer == {
        "status": "ok",
        "result": {"a": "GOOD", "c": "FINE"},
        "failed": {"b": f"invalid_answer: the translation {reason}"},
        "usage": usage(3),
        **by(),
    }
    assert asked(scripted_model) == [["good", "bad", "fine"], ["bad"], ["bad"]]
    assert scripted_model.requests[1].system_prompt.endswith(f"\n1: {reason}")


def test_translate__mended(facade, scripted_model):
    """A text that is right at the second attempt has not failed."""
    scripted_model.script(but(bad=None), translating(str.upper))
    answer = facade.translate("en", "de", {"a": "good", "b": "bad"})
    assert answer == {"status": "ok", "result": {"a": "GOOD", "b": "BAD"}, "usage": usage(2), **by()}
    row = PromptLog.objects.latest("created_at")
    assert row.metadata == {
        "provider": "anthropic",
        "from": "en",
        "to": "de",
        "key_count": 1,
        "chunk": 1,
        "chunks": 1,
        "asked_again": 1,
    }


def test_translate__asked_again_together(facade, scripted_model, agent):
    """Texts of several questions that fail their checks are asked for again in one question."""
    agent(TRANSLATE_CHUNK_ENTRIES=2, TRANSLATE_CONCURRENCY=1)
    spoilt = {"bad one", "bad two", "bad three"}

    def forgetful(request: ModelRequest) -> str:
        found = {number: text for number, text in texts(request).items() if text not in spoilt}
        spoilt.difference_update(texts(request).values())
        return json.dumps({number: text.upper() for number, text in found.items()})

    scripted_model.script(forgetful)
    entries = {"a": "good", "b": "bad one", "c": "fine", "d": "bad two", "e": "bad three", "f": "best"}
    answer = facade.translate("en", "de", entries)
    assert answer["result"] == {key: text.upper() for key, text in entries.items()}
    assert asked(scripted_model) == [
        ["good", "bad one"],
        ["fine", "bad two"],
        ["bad three", "best"],
        ["bad one", "bad two"],
        ["bad three"],
    ]


def test_translate__one_by_one(facade, scripted_model):
    """Texts that fail together are finally asked for one by one, because one may spoil it for the others."""

    def spoiled(request: ModelRequest) -> str:
        return "Sorry." if len(texts(request)) > 1 and "bad" in request.prompt else but(bad=None)(request)

    scripted_model.script(spoiled)
    answer = facade.translate("en", "de", {"a": "good", "b": "bad", "c": "fine"})
    assert (answer["status"], answer["result"]) == ("ok", {"a": "GOOD", "c": "FINE"})
    assert answer["failed"] == {"b": "invalid_answer: the translation is missing"}
    assert sorted(asked(scripted_model)) == sorted([["good", "bad", "fine"]] * 3 + [["good"], ["bad"], ["fine"]])


@pytest.mark.parametrize(("retries", "calls"), [(0, 1), (1, 2), (3, 4)])
def test_translate__retries(facade, scripted_model, agent, retries, calls):
    """TRANSLATE_RETRIES limits how often a text is asked for again. Zero means never."""
    agent(TRANSLATE_RETRIES=retries)
    scripted_model.script("{}")
    answer = facade.translate("en", "de", {"a": "x"})
    assert (answer["status"], len(scripted_model.requests)) == ("failure", calls)


@pytest.mark.parametrize("reply", ["Sorry.", "{}", '["x", "y"]', '{"a": "x"}', "", "null", "NaN", '{"1": null}'])
def test_translate__nothing_came_back(facade, scripted_model, reply):
    """Without a single translation, the answer is a failure with a reason for each text and what was paid."""
    scripted_model.script(reply)
    answer = facade.translate("en", "de", {"a": "x", "b": "y"})
    assert (answer["status"], list(answer["failed"])) == ("failure", ["a", "b"])
    assert answer["reason"].startswith("invalid_answer: ")
    assert answer["usage"] == usage(5)
    assert "result" not in answer


def test_translate__vain_askings(facade, scripted_model):
    """If a model is useless, it is not asked about each of many texts alone."""
    scripted_model.script("Sorry.")
    answer = facade.translate("en", "de", {str(number): f"text {number}" for number in range(40)})
    assert (answer["status"], len(answer["failed"])) == ("failure", 40)
    assert 13 <= len(scripted_model.requests) <= 17


@pytest.mark.parametrize(
    ("entries", "most"),
    [
        ({"long": " ".join(f"This is sentence {number}." for number in range(2500))}, 90),
        ({str(number): f"text {number}" for number in range(100)}, 130),
    ],
    ids=["one long text", "many texts"],
)
def test_translate__answers_without_end(facade, scripted_model, entries, most):
    """If a model always writes up to its cap, it is not asked for ever smaller pieces of a text."""
    scripted_model.script(ProviderResult("{", 10, 4096, finish_reason="length"))
    answer = facade.translate("en", "de", entries)
    reason = "truncated: truncated at 4096 tokens"
    assert (answer["status"], answer["failed"]) == ("failure", dict.fromkeys(entries, reason))
    assert len(scripted_model.requests) < most


def test_translate__two_callers_half_way(scripted_model, agent):
    """A caller that finds a part waits for the questions under way, even if a text of the first caller has failed."""
    agent(TRANSLATE_CHUNK_ENTRIES=2, TRANSLATE_CONCURRENCY=9)
    asked_again = threading.Event()

    def reply(request: ModelRequest) -> str:
        found = list(texts(request).values())
        if found == ["text a", "text b"]:
            return json.dumps({"1": "TEXT A"})
        if found == ["text b"]:  # first by the second caller
            asked_again.set()
        asked_again.wait(100)
        return translating(str.upper)(request)

    async def both() -> list[dict[str, object]]:
        first = asyncio.create_task(services.atranslate("en", "de", entries))
        while not await Translation.objects.aexists():
            await asyncio.sleep(0.01)
        return [await services.atranslate("en", "de", entries), await first]

    scripted_model.script(reply)
    entries = {letter: f"text {letter}" for letter in "abcdef"}
    whole = {key: text.upper() for key, text in entries.items()}
    assert [answer["result"] for answer in async_to_sync(both)()] == [whole, whole]
    assert sorted(map(sorted, asked(scripted_model))) == [
        ["text a", "text b"],
        ["text b"],
        ["text c", "text d"],
        ["text e", "text f"],
    ]


@pytest.mark.parametrize(("fault", "calls"), [(AccessDenied("key"), 1), (ProviderTimeout("slow"), 3)])
def test_translate__provider_fault(facade, scripted_model, agent, fault, calls):
    """An error that every question would meet ends the translation. Another one fails only its own texts."""
    agent(TRANSLATE_CHUNK_ENTRIES=1, TRANSLATE_CONCURRENCY=1)
    scripted_model.script(fault)
    answer = facade.translate("en", "de", {"a": "x", "b": "y", "c": "z"})
    reason = f"{fault.failure}: {fault}"
    assert answer == {
        "status": "failure",
        "failure": failure_of(reason),
        "reason": reason,
        "failed": dict.fromkeys("abc", reason),
        **TRACED,
    }
    assert len(scripted_model.requests) == calls


@pytest.mark.parametrize("reply", [AccessDenied("no key"), "no JSON"], ids=["unasked", "unusable"])
@pytest.mark.parametrize("text", ["{amount}", "", " ", "12,50 €"])
def test_translate__only_texts_without_words(facade, scripted_model, reply, text):
    """Texts that need no model do not count: without any other translation, the answer is a failure."""
    scripted_model.script(reply)
    alone = facade.translate("en", "de", {"title": "Good morning"})
    answer = facade.translate("en", "de", {"title": "Good morning", "text": text})
    assert answer == {**alone, "request_id": answer["request_id"]}
    assert (answer["status"], list(answer["failed"])) == ("failure", ["title"])


def test_translate__rate_limited_for_a_moment(facade, scripted_model, agent):
    """A text that one question does not get may be translated by the next."""
    agent(TRANSLATE_CHUNK_ENTRIES=1, TRANSLATE_CONCURRENCY=1, RETRIES=0)
    scripted_model.script(RateLimited("slow down"), translating(str.upper))
    answer = facade.translate("en", "de", {"a": "x", "b": "y"})
    assert (answer["result"], answer["failed"]) == ({"b": "Y"}, {"a": "rate_limited: slow down"})


@pytest.mark.parametrize("fault", [AnswerRefused("no"), RequestRejected("HTTP 400: content filter")])
def test_translate__refused_for_one(facade, scripted_model, fault):
    """If a vendor refuses a question because of one text, the others are still translated."""

    def filtered(request: ModelRequest) -> str:
        if "obscene" in request.prompt:
            raise fault
        return translating(str.upper)(request)

    scripted_model.script(filtered)
    entries = {str(number): f"text {number}" for number in range(9)} | {"bad": "obscene"}
    answer = facade.translate("en", "de", entries)
    assert answer["result"] == {key: text.upper() for key, text in entries.items() if key != "bad"}
    assert answer["failed"] == {"bad": f"{fault.failure}: {fault}"}


def test_translate__rejected_for_the_first(facade, scripted_model):
    """A text that its vendor rejects does not stop the next one from being asked for."""

    def filtered(request: ModelRequest) -> str:
        if "obscene" in request.prompt:
            raise RequestRejected("HTTP 400: content filter")
        return translating(str.upper)(request)

    scripted_model.script(filtered)
    answer = facade.translate("en", "de", {"bad": "obscene", "good": "text"})
    assert answer["result"] == {"good": "TEXT"}
    assert answer["failed"] == {"bad": "rejected: HTTP 400: content filter"}


def test_translate__rejected_for_all(facade, scripted_model):
    """If a request is rejected down to a single text, it is not tried with every other text."""
    scripted_model.script(RequestRejected("HTTP 404: no such model"))
    answer = facade.translate("en", "de", {str(number): f"text {number}" for number in range(50)})
    assert (answer["status"], answer["reason"]) == ("failure", "rejected: HTTP 404: no such model")
    assert len(scripted_model.requests) < 40


def test_translate__truncated(facade, scripted_model):
    """A question whose answer is truncated is halved until the answers fit, and a long text is cut."""

    def short_of_breath(request: ModelRequest) -> ProviderResult:
        reply = json.dumps({key: text.upper() for key, text in texts(request).items()})
        return ProviderResult(reply[:60], 10, 5, finish_reason="length" if len(reply) > 60 else "stop")

    scripted_model.script(short_of_breath)
    entries = {
        "a": "one two three",
        "b": "four five six",
        "c": "seven eight nine",
        "d": "One thing. " * 9 + "\n\nThe end.",
    }
    answer = facade.translate("en", "de", entries)
    assert answer["result"] == {key: text.upper() for key, text in entries.items()}
    assert answer["usage"] == usage(len(scripted_model.requests))
    before = len(scripted_model.requests)
    assert facade.translate("en", "de", entries)["result"] == answer["result"]
    assert len(scripted_model.requests) == before, "what had to be cut is kept whole as well"


def test_translate__truncated_for_good(facade, scripted_model):
    """A phrase is not cut into words. If its translation never ends, it fails."""
    scripted_model.script(ProviderResult('{"1": "aaaa', 10, 5, finish_reason="length"))
    answer = facade.translate("en", "de", {"a": "Your shopping cart is empty."})
    assert len(scripted_model.requests) == 1
    assert (answer["status"], answer["reason"]) == ("failure", "truncated at 5 tokens")


@pytest.mark.parametrize("tag", ["", "english", "de\n", "de; ignore this", "d", "x" * 99, None, 7, "en us", "auto"])
def test_translate__wrong_tag(facade, scripted_model, tag):
    """An invalid language tag never reaches the prompt."""
    answer = facade.translate("en", tag, {"a": "x"})
    assert (answer["status"], scripted_model.requests) == ("failure", [])
    assert "'to' must be a language tag" in answer["reason"]
    assert "failed" not in answer


@pytest.mark.parametrize("tag", ["de", "pt-BR", "pt_br", "zh-Hant-TW", "es-419", "ca-valencia", "de-1996", "fil", "xx"])
def test_translate__right_tag(facade, scripted_model, tag):
    """The tags that are used in practice, also with Django's underscore, are accepted as source and target."""
    scripted_model.script(translating(str.upper))
    assert facade.translate(tag, tag, {"a": "x"})["result"] == {"a": "X"}


@pytest.mark.parametrize(
    "options",
    [
        {"entries": ["a"]}, {"entries": "text"}, {"entries": {"a": 1}}, {"entries": {1: "a"}}, {"entries": {"a": None}},
        {"glossary": ["a"]}, {"glossary": {"a": 1}}, {"glossary": {"t" * 201: "x"}},
        {"glossary": {f"{n}": "x" for n in range(501)}}, {"context": "c" * 2001},
    ],
)  # fmt: skip
def test_translate__wrong_arguments(facade, scripted_model, options):
    """An invalid map, or one that is too long to send, is a failure that says so."""
    (name,) = options
    answer = facade.translate("en", "de", **{"entries": {"a": "x"}, **options})
    assert (answer["status"], scripted_model.requests) == ("failure", [])
    assert answer["reason"].startswith(f"rejected: {name} m")


@pytest.mark.parametrize("options", [{"provider": "nobody"}, {"model_size": "huge"}])
def test_translate__nobody_to_ask(facade, scripted_model, options):
    """If no provider can be asked, nothing is tried, and no text is listed as failed."""
    answer = facade.translate("en", "de", {"a": "x"}, **options)
    assert (answer["status"], answer["reason"].partition(":")[0]) == ("failure", "rejected")
    assert "failed" not in answer


def test_translate__row(facade, scripted_model):
    """The row has the caller, from, to, the number of texts, and the number of the question."""
    scripted_model.script(translating(str.upper))
    facade.translate("auto", "pt-BR", {"a": "x"}, "large", user_id="7", workspace_id="w", context={"run": 1})
    row = PromptLog.objects.get()
    assert (row.source, row.model_size, row.user_id, row.workspace_id) == ("translate", "large", "7", "w")
    assert row.metadata == {
        "provider": "anthropic",
        "from": "auto",
        "to": "pt-BR",
        "context": {"run": 1},
        "key_count": 1,
        "chunk": 1,
        "chunks": 1,
        "asked_again": 0,
    }


def test_translate__in_parallel(facade, scripted_model, agent):
    """TRANSLATE_CONCURRENCY questions run at once: each waits here until all of them do."""
    agent(TRANSLATE_CHUNK_ENTRIES=1, TRANSLATE_CONCURRENCY=3)
    together = threading.Barrier(3)

    def meeting(request: ModelRequest) -> str:
        together.wait(timeout=200)
        return translating(str.upper)(request)

    scripted_model.script(meeting)
    answer = facade.translate("en", "de", dict.fromkeys("abcdef", "") | {key: f"text {key}" for key in "abcdef"})
    assert answer["result"] == {key: f"TEXT {key.upper()}" for key in "abcdef"}
    assert answer["usage"] == usage(6)
    rows = PromptLog.objects.all()
    assert {row.request_id for row in rows} == {rows[0].request_id}
    assert sorted((row.metadata["chunk"], row.metadata["chunks"]) for row in rows) == [(n, 6) for n in range(1, 7)]


# --- paid once


@pytest.fixture
def paid(scripted_model):
    """A translator to capitals, and the number of texts that it was asked for."""
    scripted_model.script(translating(str.upper))
    return lambda: sum(len(question) for question in asked(scripted_model))


def test_reuse__per_text(facade, paid):
    """If one of a hundred texts changes, one is asked for."""
    entries = {str(number): f"text {number}" for number in range(100)}
    facade.translate("en", "de", entries)
    assert paid() == 100
    answer = facade.translate("en", "de", {**entries, "50": "another"})
    assert paid() == 101
    assert answer["result"] == {key: text.upper() for key, text in {**entries, "50": "another"}.items()}
    assert answer["usage"] == PRICE
    assert PromptLog.objects.latest("created_at").metadata["key_count"] == 1
    assert Translation.objects.count() == 101


@pytest.mark.parametrize(
    ("options", "is_reused"),
    [
        ({}, True),
        ({"user_id": "another"}, True),
        ({"from_lang": "EN", "to": "DE"}, True),
        ({"skip_cache": True}, False),
        ({"to": "fr"}, False),
        ({"from_lang": "auto"}, False),
        ({"model_size": "large"}, False),
        ({"provider": "openai-compat"}, False),
        ({"glossary": {"x": "y"}}, False),
        ({"context": "formal"}, False),
    ],
)
def test_reuse__of_the_same_only(facade, paid, options, is_reused):
    """A translation is reused if everything that affects it is the same."""
    same = {"from_lang": "en", "to": "de", "entries": {"a": "x"}}
    for asked_for in (same, {**same, **options}):
        assert facade.translate(**asked_for)["result"] == {"a": "X"}
    assert paid() == (1 if is_reused else 2)


def test_reuse__under_another_cap(facade, paid, agent):
    """A host that changes MAX_TOKENS does not pay for its catalogues again."""
    facade.translate("en", "de", {"a": "x"})
    agent(MAX_TOKENS=8192)
    assert facade.translate("en", "de", {"a": "x"})["result"] == {"a": "X"}
    assert paid() == 1


def test_reuse__as_the_settings_say(facade, paid, agent):
    """CACHE_LOOKUP, CACHE_SCOPE and CACHE_TTL apply to translations as to other answers."""
    for expected, settings in enumerate(
        [{"CACHE_LOOKUP": {"translate": False}}, {"CACHE_LOOKUP": {"translate": False}}, {"CACHE_SCOPE": {}}], 1
    ):
        agent(**settings)
        facade.translate("en", "de", {"a": "x"}, user_id="1")
        assert paid() == expected
    agent(CACHE_LOOKUP={"translate": True}, CACHE_SCOPE={"translate": "user"})
    for user_id, expected in (("1", 4), ("1", 4), ("2", 5)):
        facade.translate("en", "de", {"a": "x"}, user_id=user_id)
        assert paid() == expected
    agent(CACHE_TTL=0)
    facade.translate("en", "de", {"a": "x"}, user_id="2")
    assert paid() == 6


def test_reuse__what_has_expired_is_removed(facade, paid, agent):
    """Expired translations are removed with the lost calls. The others stay."""
    facade.translate("en", "de", {"a": "old", "b": "new"})
    Translation.objects.filter(text="OLD").update(created_at=timezone.now() - timedelta(days=8))
    call_command("close_lost_calls", verbosity=0)
    assert list(Translation.objects.values_list("text", flat=True)) == ["NEW"]


def test_reuse__bad_translations_are_not_kept(facade, scripted_model):
    """Only translations that passed their checks are reused."""
    scripted_model.script(but(bad="bad {name}"))
    facade.translate("en", "de", {"a": "good", "b": "bad"})
    assert [kept.text for kept in Translation.objects.all()] == ["GOOD"]


def test_reuse__keeps_what_landed(facade, scripted_model, agent):
    """The translations of each question are stored when it is answered. A later error loses none of them."""
    agent(TRANSLATE_CHUNK_ENTRIES=1, TRANSLATE_CONCURRENCY=1)
    scripted_model.script(translating(str.upper), RuntimeError("crash"))
    facade.translate("en", "de", {"a": "x", "b": "y"})
    scripted_model.script(translating(str.upper))
    assert facade.translate("en", "de", {"a": "x", "b": "y"})["result"] == {"a": "X", "b": "Y"}
    assert asked(scripted_model) == [["y"]]


@pytest.mark.parametrize(
    ("fault", "cost"),
    [(AnswerRefused("no"), {}), (ProviderTimeout("late"), {}), (RequestRejected("no"), {"cost_usd": "0.25"})],
)
def test_usage__cost_of_a_question_without_tokens(facade, agent, scripted_model, fault, cost):
    """A translation states its cost if that of each question is known."""
    agent(TRANSLATE_CHUNK_ENTRIES=1, TRANSLATE_CONCURRENCY=1, TRANSLATE_RETRIES=0)

    def reply(request: ModelRequest) -> object:
        if "Good" in request.prompt:
            raise fault
        return ProviderResult('{"1": "Katze"}', 10, 5, cost_usd="0.25")

    scripted_model.script(reply)
    answer = facade.translate("en", "de", {"a": "Cat", "b": "Good morning"})
    assert answer["usage"] == {**PRICE, **cost}
