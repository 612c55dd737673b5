"""Which answers are reused, which never are, and what a broken cache policy does."""

import json
import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from stapel_agent import cache
from stapel_agent.cache import CachePolicy, DjangoCachePolicy, NoCachePolicy, PromptLogCachePolicy, forgetting
from stapel_agent.cache.kept_answers import LATEST_ANSWER
from stapel_agent.models import PromptLog, Translation
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.testing import translating
from stapel_agent.types import CompletionRequest, Saving
from tests.answers import by
from tests.test_arguments import OBJECTS

pytestmark = pytest.mark.django_db

FRESH = {"input_tokens": 10, "output_tokens": 5}
REUSED = {"input_tokens": 0, "output_tokens": 0}
ALWAYS = {"llm_facade": True, "translate": True}
POLICIES = ["stapel_agent.cache.PromptLogCachePolicy", "stapel_agent.cache.DjangoCachePolicy"]


@pytest.fixture(params=POLICIES)
def cached(request, agent, scripted_model):
    """Every source may be reused, with each policy that stores answers."""
    caches["default"].clear()
    agent(CACHE_LOOKUP=ALWAYS, CACHE_POLICY=request.param)
    scripted_model.script('{"n": 1}', '{"n": 2}', '{"n": 3}')
    return scripted_model


def test_cache__hit(facade, cached):
    """The same question is asked once. A hit writes no row, reports no tokens and has its own request id."""
    first, second = (facade.complete_json("same", "small") for _ in range(2))
    assert first == {"status": "ok", "result": {"n": 1}, "usage": FRESH, **by()}
    assert second == {"status": "ok", "result": {"n": 1}, "usage": REUSED, **by()}
    assert first["request_id"] != second["request_id"]
    assert (len(cached.requests), PromptLog.objects.count()) == (1, 1)


@pytest.mark.any_database
@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "other"},
        {"model_size": "large"},
        {"system_prompt": "other"},
        {"provider": "openai-compat"},
        {"source": "other"},
        {"user_id": "42"},
        {"schema": {"type": "object"}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_cache__another_question(facade, cached, agent, other):
    """A request with another text, size, provider, source, user or schema gets no hit."""
    agent(CACHE_LOOKUP={**ALWAYS, "other": True})
    facade.complete_json("same", "small")
    facade.complete_json(**{"prompt": "same", "model_size": "small", **other})
    assert len(cached.requests) == 2


@pytest.mark.any_database
@pytest.mark.parametrize("change", [{"MAX_TOKENS": 9}, {"MODELS": {"small": "another-model"}}])
def test_cache__another_setting(facade, cached, agent, change):
    """An answer is not reused with another token cap, or if the size has another model."""
    facade.complete_json("same", "small")
    agent(**change)
    facade.complete_json("same", "small")
    assert len(cached.requests) == 2


def test_cache__scope_user(facade, cached):
    """With the default scope, no user and a user called "None" are different users."""
    for user_id in (None, "None", "", "1"):
        facade.complete_json("same", "small", user_id=user_id)
    assert len(cached.requests) == 4


def test_cache__skip(facade, cached):
    """`skip_cache` asks the provider again, and the new answer may be reused."""
    facade.complete_json("same", "small")
    assert facade.complete_json("same", "small", skip_cache=True)["result"] == {"n": 2}
    assert facade.complete_json("same", "small") == {"status": "ok", "result": {"n": 2}, "usage": REUSED, **by()}


def test_cache__failures_are_not_reused(facade, cached):
    """An answer that failed is not reused."""
    cached.script("prose", '{"n": 2}')
    assert facade.complete_json("same", "small")["status"] == "failure"
    assert facade.complete_json("same", "small")["result"] == {"n": 2}


def test_cache__unreadable_stored_text(facade, cached):
    """An answer that the raw verb stored is skipped if the JSON verb cannot read it."""
    cached.script("prose", '{"n": 2}')
    assert facade.complete("same", "small", system_prompt="s")["result"] == "prose"
    assert facade.complete_json("same", "small", system_prompt="s")["result"] == {"n": 2}
    assert facade.complete_json("same", "small", system_prompt="s")["usage"] == REUSED


def test_cache__corrected_answer_answers_the_question(facade, cached):
    """An answer to a corrected question is reused for the original question."""
    schema = {"type": "object", "required": ["n"]}
    cached.script("{}", '{"n": 2}')
    first, second = (facade.complete_json("same", "small", schema=schema) for _ in range(2))
    assert (first["result"], second) == ({"n": 2}, {"status": "ok", "result": {"n": 2}, "usage": REUSED, **by()})


def test_cache__off_by_default_for_completions(facade, scripted_model):
    """By default, completions are asked for each time, without a lookup."""
    with CaptureQueriesContext(connection) as queries:
        facade.complete_json("same", "small")
        facade.complete_json("same", "small")
    assert len(scripted_model.requests) == 2
    assert [query["sql"] for query in queries if query["sql"].startswith("SELECT")] == []


def test_cache__unseen_by_others(facade, agent, scripted_model):
    """A call whose rows nobody else can see yet offers its answer to no other process."""
    agent(CACHE_LOOKUP={"llm_facade": True})
    with CaptureQueriesContext(connection) as queries:
        facade.complete_json("same", "small")
    assert [query["sql"] for query in queries if "agent_flight" in query["sql"]] == []


def test_prompt_log_policy__older_rows(facade, agent, scripted_model):
    """Rows older than CACHE_TTL and rows without success are ignored."""
    agent(CACHE_LOOKUP=ALWAYS, CACHE_TTL=60)
    facade.complete_json("same", "small")
    PromptLog.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    facade.complete_json("same", "small")
    PromptLog.objects.update(created_at=timezone.now(), status="failure")
    facade.complete_json("same", "small")
    assert len(scripted_model.requests) == 3


def test_prompt_log_policy__one_indexed_query(agent):
    """A lookup is one query, and uses the index on the digest."""
    request = CompletionRequest("p", "small", "anthropic", "llm_facade", max_tokens=1)
    with CaptureQueriesContext(connection) as queries:
        assert PromptLogCachePolicy().lookup(request) is None
    assert sum("agent_prompt_log" in query["sql"] for query in queries) == 1
    if connection.vendor == "sqlite":  # the others look at the table's size before they choose an index
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {LATEST_ANSWER}", ["key", "success", timezone.now()])
            assert "agent_cache_key_idx" in str(cursor.fetchall())


def test_django_policy__keeps_for_the_ttl(agent, scripted_model, facade):
    """Django's cache gets CACHE_TTL as the timeout. With a timeout of zero, nothing is stored."""
    caches["default"].clear()
    agent(CACHE_LOOKUP=ALWAYS, CACHE_POLICY=DjangoCachePolicy, CACHE_TTL=0)
    facade.complete_json("same", "small")
    facade.complete_json("same", "small")
    assert len(scripted_model.requests) == 2


def test_django_policy__translations_for_the_ttl(agent, scripted_model, facade):
    """With a timeout of zero, no translations are stored either, although several are stored at a time."""
    caches["default"].clear()
    agent(CACHE_LOOKUP=ALWAYS, CACHE_POLICY=DjangoCachePolicy, CACHE_TTL=0)
    scripted_model.script(translating(str.upper))
    for _ in range(2):
        assert facade.translate("en", "de", {"a": "b"})["result"] == {"a": "B"}
    assert len(scripted_model.requests) == 2


def test_django_policy__lost_generation(agent, scripted_model, facade):
    """A forgotten answer stays forgotten, even if the cache drops the key of the generation."""
    caches["default"].clear()
    agent(CACHE_LOOKUP=ALWAYS, CACHE_POLICY=DjangoCachePolicy)
    scripted_model.script("[1]", "[2]", "[3]")
    assert [facade.complete_json("same", "small")["result"] for _ in range(2)] == [[1], [1]]
    cache.forget(forgetting.Selection())
    caches["default"].delete(DjangoCachePolicy.generation_key)
    assert [facade.complete_json("same", "small")["result"] for _ in range(2)] == [[2], [2]]
    caches["default"].delete(DjangoCachePolicy.generation_key)
    assert facade.complete_json("same", "small")["result"] == [3]


@pytest.mark.redis
def test_django_policy__redis(agent, scripted_model, facade, settings):
    """On a real Redis: a hit, another alias, and an answer that expires."""

    class OnRedis(DjangoCachePolicy):
        alias = "redis"

    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {
        **settings.CACHES,
        "redis": {"BACKEND": backend, "LOCATION": settings.REDIS_URL, "KEY_PREFIX": uuid.uuid4().hex},
    }
    agent(CACHE_LOOKUP=ALWAYS, CACHE_POLICY=OnRedis, CACHE_TTL=60)
    answers = [facade.complete_json("same", "small") for _ in range(2)]
    assert [answer["usage"] for answer in answers] == [FRESH, REUSED]
    key = OnRedis._key(CompletionRequest("p", "small", "anthropic", "llm_facade", max_tokens=1))
    assert caches["redis"].get(key) is None
    with caches["redis"]._cache.get_client() as client:
        lifetimes = {kept: client.ttl(kept) for kept in client.keys(f"{settings.CACHES['redis']['KEY_PREFIX']}*")}
        forever, until_expired = sorted(lifetimes.values())
        assert forever == -1  # the generation
        assert 0 < until_expired <= 60
        client.delete(*lifetimes)
    caches["redis"].close()


def test_no_policy__asks_each_time(agent, scripted_model, facade):
    """NoCachePolicy never reuses an answer, whatever CACHE_LOOKUP says."""
    agent(CACHE_LOOKUP=ALWAYS, CACHE_POLICY=NoCachePolicy)
    facade.complete_json("same", "small")
    facade.complete_json("same", "small")
    assert len(scripted_model.requests) == 2
    assert NoCachePolicy().should_cache("llm_facade") is False  # otherwise concurrent callers would share an answer


def test_own_policy__knows_too_few(agent, scripted_model, facade, caplog):
    """If a policy returns fewer answers than it was asked for, they are those of the first requests."""

    class Short(PromptLogCachePolicy):
        def lookup_many(self, requests):
            return super().lookup_many(requests[:1])

    agent(CACHE_LOOKUP=ALWAYS, CACHE_POLICY=Short)
    scripted_model.script(translating(str.upper))
    entries = {"a": "first", "b": "second"}
    for _ in range(2):
        assert facade.translate("en", "de", entries)["result"] == {"a": "FIRST", "b": "SECOND"}
    assert (len(scripted_model.requests), caplog.messages) == (1, [])


def test_translations__long_names(agent, facade):
    """A provider or model name that is longer than the column does not prevent reuse."""

    class Babel(LlmProvider):
        def complete(self, *, prompt, **arguments):
            texts = {number: text.upper() for number, text in json.loads(prompt).items()}
            return ProviderResult(json.dumps(texts))

    agent(CACHE_LOOKUP=ALWAYS, PROVIDERS={"p" * 64: Babel}, DEFAULT_PROVIDER="p" * 64, MODELS={"small": "m" * 300})
    for _ in range(2):
        assert facade.translate("en", "de", {"a": "b"})["result"] == {"a": "B"}
    kept = Translation.objects.get()
    assert (kept.text, kept.provider, kept.model) == ("B", "p" * 64, "m" * 128)


def test_sweep__counts_all(monkeypatch):
    """Expired translations are removed in batches, and all of them are counted."""
    batches = iter([3, 2, 0])
    monkeypatch.setattr(forgetting, "_remove_batch", lambda conditions, alias: next(batches))
    assert cache.sweep() == 5


def test_sweep__keeps_reusable_entries(agent):
    """A time before the oldest usable translation removes no more."""
    agent(CACHE_TTL=60)
    Translation.objects.create(key="k", text="t", provider="p", model="m", request_id=uuid.uuid4())
    now = timezone.now()
    assert [cache.sweep(before=now - timedelta(hours=1)), cache.sweep(), cache.sweep(before=now)] == [0, 0, 1]


def test_own_policy__one_instance(agent, scripted_model, facade):
    """A host's policy is created once per process, and gets whole requests and completions."""

    class InMemory(CachePolicy):
        def __init__(self):
            self.kept = {}

        def lookup(self, request):
            return self.kept.get(request.cache_key)

        def store(self, request, completion):
            self.kept[request.cache_key] = completion

    agent(CACHE_LOOKUP=ALWAYS, CACHE_POLICY=InMemory)
    answers = [facade.complete_json("same", "small") for _ in range(2)]
    assert [answer["usage"] for answer in answers] == [FRESH, REUSED]


class Broken(CachePolicy):
    """Raises at the step that a test names."""

    failing = ""

    def should_cache(self, source):
        return self._fail("should_cache") or True

    def lookup(self, request):
        return self._fail("lookup")

    def store(self, request, completion):
        return self._fail("store")

    def _fail(self, step):
        if step == self.failing:
            raise ConnectionError("password=hunter22")


@pytest.mark.any_database
@pytest.mark.parametrize("step", ["should_cache", "lookup", "store"])
def test_broken_policy__costs_the_reuse_only(agent, scripted_model, facade, caplog, step, monkeypatch):
    """If a policy raises, the log has the error without secrets, and the call continues."""
    monkeypatch.setattr(Broken, "failing", step)
    agent(CACHE_LOOKUP=ALWAYS, CACHE_POLICY=Broken)
    assert facade.complete_json("same", "small") == {"status": "ok", "result": {}, "usage": FRESH, **by()}
    (line,) = caplog.messages
    step = "policy" if step == "should_cache" else step
    assert line == f"cache {step} failed, the call continues without it: ConnectionError: [redacted]"


@pytest.mark.any_database
@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize("field", ["text", "saving", None])
def test_hostile_policy__costs_the_reuse_only(agent, scripted_model, facade, field, kind):
    """If a policy returns anything else, such as an answer stored by another version, the call still works."""
    value = OBJECTS[kind]()
    found = value if field is None else SimpleNamespace(**{"text": "kept", "saving": Saving(), field: value})
    kind_of_policy = type("Hostile", (CachePolicy,), {"lookup": lambda self, request: found})
    agent(CACHE_POLICY=kind_of_policy, CACHE_LOOKUP={"llm_facade": True, "translate": True})
    scripted_model.script("fresh", '{"1": "Hallo"}')
    assert facade.complete("say", "small")["result"] in ("fresh", "kept", "small")
    assert facade.translate("en", "de", {"a": "Hello"}).get("failure") != "internal_error"


@pytest.mark.any_database
def test_unreachable_policy__is_asked_once(agent, scripted_model, facade, caplog):
    """A cache that cannot be reached is tried once per request, and each error is one line in the log."""
    agent(CACHE_LOOKUP=ALWAYS, CACHE_POLICY=Unreachable, TRANSLATE_CHUNK_ENTRIES=1)
    Unreachable.steps.clear()
    scripted_model.script(translating(str.upper))
    assert facade.translate("en", "de", {"a": "one", "b": "two"})["result"] == {"a": "ONE", "b": "TWO"}
    assert Unreachable.steps == ["lookup", "store", "store"]
    Unreachable.steps.clear()
    scripted_model.script("answer")
    assert facade.complete("same", "small")["status"] == "ok"
    assert Unreachable.steps == ["lookup", "store"]
    assert {record.levelname: len(record.getMessage().splitlines()) for record in caplog.records} == {"ERROR": 1}


class Unreachable(CachePolicy):
    """A cache whose server is down. `steps` records the calls."""

    steps = []

    def lookup(self, request):
        self._fail("lookup")

    def store(self, request, completion):
        self._fail("store")

    def _fail(self, step):
        self.steps.append(step)
        raise ConnectionError("connection refused")


@pytest.mark.parametrize(
    ("key", "value"), [("CACHE_LOOKUP", {"llm_facade": "no"}), ("CACHE_LOOKUP", True), ("CACHE_TTL", "1h")]
)
def test_wrong_setting__costs_the_reuse_only(agent, scripted_model, facade, caplog, key, value):
    """If CACHE_LOOKUP is invalid, nothing is reused, and one line in the log says why."""
    agent(**{"CACHE_LOOKUP": ALWAYS, key: value})
    scripted_model.script("first", "second")
    assert [facade.complete("same", "small")["result"] for _ in range(2)] == ["first", "second"]
    told = "cache policy failed, the call continues without it: WrongSetting: STAPEL_AGENT['"
    assert [line.startswith(f"{told}{key}'] must be ") for line in caplog.messages] == [True, True]


def test_should_cache__yes_alone():
    """A CACHE_LOOKUP value that is not a bool allows no reuse, whichever policy reads it."""
    with override_settings(STAPEL_AGENT={"CACHE_LOOKUP": {"llm_facade": "False", "translate": 1, "embed": True}}):
        policy = CachePolicy()
        assert [policy.should_cache(source) for source in ("llm_facade", "translate", "embed")] == [False, False, True]


@pytest.mark.any_database
@pytest.mark.parametrize("policy", ["no.such.Policy", "stapel_agent.cache.no_such", dict])
def test_unusable_policy__costs_the_reuse_only(agent, scripted_model, facade, caplog, policy):
    """If a policy cannot be imported or is not a policy, the log says so, and the call continues."""
    agent(CACHE_LOOKUP=ALWAYS, CACHE_POLICY=policy)
    assert facade.complete_json("same", "small") == {"status": "ok", "result": {}, "usage": FRESH, **by()}
    told = "cache policy failed, the call continues without it: WrongSetting: CACHE_POLICY is not a cache policy: "
    assert [line.startswith(told) for line in caplog.messages] == [True]
    scripted_model.script(translating(str.upper))
    assert facade.translate("en", "de", {"a": "one"})["result"] == {"a": "ONE"}


def test_cached_provider_is_not_called(agent, facade):
    """A hit makes no provider call, even if the provider is broken by now."""
    calls = []

    class Once(LlmProvider):
        def complete(self, **arguments):
            calls.append(1)
            return ProviderResult("{}")

    agent(CACHE_LOOKUP=ALWAYS, PROVIDERS={"once": Once})
    for _ in range(2):
        assert facade.complete_json("same", "small", provider="once")["status"] == "ok"
    assert calls == [1]


def test_cache_key__every_part_counts():
    """Two requests have the same key if and only if everything that affects a right answer is equal."""
    base = {"prompt": "p", "model_size": "s", "provider": "a", "source": "x", "max_tokens": 5, "model": "m"}
    variants = [
        {},
        {"prompt": "q"},
        {"model_size": "t"},
        {"provider": "b"},
        {"source": "y"},
        {"max_tokens": 6},
        {"model": "n"},
        {"system_prompt": ""},
        {"schema": {}},
        {"cache_scope": "user"},
        {"effort": "low"},
        {"effort": "high"},
        {"options": {"t": 0}},
    ]
    keys = [CompletionRequest(**{**base, **variant}).cache_key for variant in variants]
    assert len(set(keys)) == len(variants)
    indifferent = CompletionRequest(**base, correction="again", user_id="1", metadata={"a": 1}, skip_cache=True)
    assert indifferent.cache_key == keys[0]


def test_cache_key__parts_do_not_run_together():
    """Moving text from one field to another changes the key. The order of keys in a schema does not."""
    first = CompletionRequest("ab", "s", "p", "x", 1, system_prompt="c")
    second = CompletionRequest("a", "s", "p", "x", 1, system_prompt="bc")
    assert first.cache_key != second.cache_key
    one = CompletionRequest("a", "s", "p", "x", 1, schema={"a": 1, "b": 2})
    two = CompletionRequest("a", "s", "p", "x", 1, schema={"b": 2, "a": 1})
    assert one.cache_key == two.cache_key
