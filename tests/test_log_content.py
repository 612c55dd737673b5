"""LOG_CONTENT decides what the ledger stores of texts. This affects the cache and waiting callers."""

from __future__ import annotations

import json
import uuid

import pytest

import stapel_agent
from stapel_agent import log_content, services
from stapel_agent.checks import check_settings
from stapel_agent.images import read_images
from stapel_agent.models import IdempotencyRecord, PromptLog, Translation
from stapel_agent.providers.base import ProviderResult
from stapel_agent.testing import translating

pytestmark = pytest.mark.django_db

PROMPT, SYSTEM, ANSWER = "my secret question", "my secret instructions", "my secret answer"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def everything() -> str:
    """Everything that is stored in any row of the ledger and of its copies."""
    rows = [*PromptLog.objects.values(), *Translation.objects.values(), *IdempotencyRecord.objects.values()]
    return json.dumps(rows, default=str)


def texts(row: PromptLog) -> tuple[str | None, ...]:
    return row.prompt, row.system_prompt, row.response


def test_content__full(facade, scripted_model, agent):
    """A source that is left out, or "full", is stored unchanged."""
    agent(LOG_CONTENT={"other": "full", "translate": "none"})
    scripted_model.script(ANSWER)
    for source in ("llm_facade", "other"):
        facade.complete(PROMPT, "small", system_prompt=SYSTEM, source=source)
    assert [texts(row) for row in PromptLog.objects.all()] == [(PROMPT, SYSTEM, ANSWER)] * 2


def test_content__none(facade, scripted_model, agent):
    """No text is stored. Tokens, cost, the terms of its price and names are stored as usual."""
    agent(LOG_CONTENT={"llm_facade": "none"})
    scripted_model.script(
        ProviderResult(ANSWER, 7, 3, cost_usd="0.5", metadata={"echo": PROMPT, "service_tier": "flex", "speed": PROMPT})
    )
    answer = facade.complete(PROMPT, "small", system_prompt=SYSTEM, user_id="u", metadata={"ticket": 9})
    assert answer["result"] == ANSWER
    row = PromptLog.objects.get()
    assert texts(row) == ("", None, None)
    assert (row.cache_key, row.error_message) == (None, None)
    assert (row.input_tokens, row.output_tokens, str(row.cost_usd), row.user_id) == (7, 3, "0.5000000000", "u")
    assert row.metadata == {"provider": "anthropic", "ticket": 9, "service_tier": "flex"}
    assert "secret" not in everything()


def test_content__hash(facade, scripted_model, agent, settings):
    """Equal texts have equal digests, and nobody can guess a text without the key."""
    agent(LOG_CONTENT={"llm_facade": "hash"})
    scripted_model.script(ANSWER)
    for _ in range(2):
        facade.complete(PROMPT, "small", system_prompt=SYSTEM)
    first, second = PromptLog.objects.all()
    assert texts(first) == texts(second)
    digests = [text for text in texts(first) if text]
    assert len(set(digests)) == 3
    assert all(text.startswith("hmac-sha256:") and len(text) == 12 + 64 for text in digests)
    assert first.cache_key is None
    assert "secret" not in everything()
    settings.SECRET_KEY = "another"
    assert log_content.stored("llm_facade", PROMPT) != first.prompt
    assert log_content.stored("llm_facade", first.prompt) != first.prompt, (
        "a text that looks like a digest is one more text"
    )
    assert [log_content.stored("llm_facade", text) for text in ("", None)] == ["", None]


def test_content__failure(facade, scripted_model, agent):
    """Only the name of an error is stored, because its message may quote the answer. The caller gets the message."""
    agent(LOG_CONTENT={"llm_facade": "none"}, SCHEMA_RETRIES=0)
    scripted_model.script(json.dumps({"n": ANSWER}))
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    answer = facade.complete_json(PROMPT, "small", schema=schema)
    assert ANSWER in answer["reason"]
    row = PromptLog.objects.get()
    assert (row.status, row.error_message, row.metadata["failure"]) == ("failure", "invalid_answer", "invalid_answer")
    assert "secret" not in everything()


@pytest.mark.parametrize(("choice", "said"), [("full", 1), ("hash", 0), ("none", 0)])
def test_content__log_of_a_foreign_fault(facade, scripted_model, agent, caplog, choice, said):
    """An exception of a provider's own code is logged with its place, and its message only if texts may be stored."""
    agent(LOG_CONTENT={"llm_facade": choice})
    scripted_model.script(ValueError(f"cannot read {PROMPT!r}"))
    assert facade.complete(PROMPT, "small")["reason"].startswith("provider_bug")
    told = caplog.text
    assert told.count(PROMPT) == said
    assert "raise reply" in told
    assert "ValueError" in told


def test_content__images(scripted_model, agent):
    """Not even the digest of an image is stored, because it would identify a known file."""
    agent(LOG_CONTENT={"llm_facade": "hash"})
    images = read_images([{"data_b64": PIXEL}], 5000)
    services.complete(PROMPT, "small", images=[{"data_b64": PIXEL}])
    assert PromptLog.objects.get().metadata["images"] == {"count": 1}
    assert images[0].digest not in everything()


def test_content__recorded_calls(agent):
    """The same applies to recorded external calls. Their error messages are not stored."""
    agent(LOG_CONTENT={"embed": "hash"})
    named = {"source": "embed", "provider": "house", "model": "m"}
    stapel_agent.record_call(
        **named, prompt=PROMPT, response=ANSWER, status="error", error_message=f"cannot read {PROMPT}"
    )
    row = PromptLog.objects.get()
    assert row.prompt == log_content.stored("embed", PROMPT)
    assert row.error_message is None
    assert "secret" not in everything()


def test_content__not_answered_from_the_ledger(facade, scripted_model, agent):
    """The ledger has no answer to reuse, neither an earlier one nor the digest of a new one."""
    agent(CACHE_LOOKUP={"llm_facade": True})
    scripted_model.script("1", "2", "3", "4")
    ask = lambda: facade.complete(PROMPT, "small", user_id="u")["result"]  # noqa: E731
    assert [ask(), ask()] == ["1", "1"]
    agent(LOG_CONTENT={"llm_facade": "hash"})
    assert [ask(), ask()] == ["2", "3"]
    agent(LOG_CONTENT={})
    assert ask() == "1", "what was stored in full is still there"


def test_content__translations(facade, scripted_model, agent):
    """A source without texts neither writes nor reads the table of translations."""
    agent(LOG_CONTENT={"translate": "none"})
    scripted_model.script(translating(str.upper))
    for _ in range(2):
        answer = facade.translate("en", "de", {"a": "a secret"})
        assert answer["result"] == {"a": "A SECRET"}
    assert (len(scripted_model.requests), Translation.objects.count()) == (2, 0)
    facts = {"provider": "anthropic", "from": "en", "to": "de", "key_count": 1}
    assert all(row.metadata.items() >= facts.items() for row in PromptLog.objects.all())
    assert "secret" not in everything().lower()


def test_content__idempotency_keys(facade, scripted_model, agent):
    """The answer to an idempotency key is still kept for its time, because the caller asked for that."""
    agent(LOG_CONTENT={"llm_facade": "none"})
    scripted_model.script("1", "2")
    answers = [facade.complete(PROMPT, "small", user_id="u", idempotency_key="k")["result"] for _ in range(2)]
    assert answers == ["1", "1"]
    record = IdempotencyRecord.objects.get()
    assert (record.user_id, record.workspace_id, "1" in record.answer) == ("u", None, True)


@pytest.mark.parametrize("setting", [{"llm_facade": "full "}, {"llm_facade": None}, {"llm_facade": True}, "none", None])
def test_content__wrong_setting(scripted_model, agent, setting):
    """An invalid value is an error of the check, and nothing is stored until it is fixed."""
    agent(LOG_CONTENT=setting)
    assert "stapel_agent.E004" in [message.id for message in check_settings()]
    scripted_model.script(ANSWER)
    services.complete(PROMPT, "small")
    assert texts(PromptLog.objects.get()) == ("", None, None)


class TestCheckOfReuse:
    """W008: CACHE_LOOKUP is on, but LOG_CONTENT makes reuse impossible."""

    @pytest.mark.parametrize("choice", ["hash", "none"])
    def test_reuse__impossible(self, agent, choice):
        """The sources are named, with the fix."""
        agent(LOG_CONTENT={"translate": choice, "llm_facade": choice})
        (message,) = check_settings()
        assert message.id == "stapel_agent.W008"
        assert "['translate']" in message.msg
        assert "CACHE_LOOKUP" in message.hint

    @pytest.mark.parametrize(
        "keys",
        [
            {"LOG_CONTENT": {"translate": "full", "llm_facade": "none"}},
            {"LOG_CONTENT": {"translate": "none"}, "CACHE_LOOKUP": {"translate": False}},
            {"LOG_CONTENT": {"translate": "none"}, "CACHE_POLICY": "stapel_agent.cache.DjangoCachePolicy"},
        ],
    )
    def test_reuse__possible_or_not_wanted(self, agent, keys):
        """No finding."""
        agent(**keys)
        assert check_settings() == []


def test_content__another_cache(facade, scripted_model, agent, settings):
    """A cache other than the ledger works for such a source."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": uuid.uuid4().hex}
    }
    agent(
        LOG_CONTENT={"llm_facade": "none"},
        CACHE_LOOKUP={"llm_facade": True},
        CACHE_POLICY="stapel_agent.cache.DjangoCachePolicy",
    )
    scripted_model.script("1", "2")
    assert [facade.complete(PROMPT, "small", user_id="u")["result"] for _ in range(2)] == ["1", "1"]
