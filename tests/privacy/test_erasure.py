"""What is stored about a person is exported, erased and merged, through stapel-core's registry."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core.checks import run_checks
from django.utils import timezone
from stapel_core.comm.registry import action_registry
from stapel_core.gdpr import gdpr_registry, pseudonymize, registered_gdpr_owners

from stapel_agent import services, usage
from stapel_agent.budgets import reservations
from stapel_agent.budgets.policies import Spender
from stapel_agent.cache import hit_counts
from stapel_agent.ledger.columns import opaque_id
from stapel_agent.models import BudgetAccount, Flight, HitCount, IdempotencyRecord, PromptLog, Reservation, Translation
from stapel_agent.privacy import erasure
from stapel_agent.providers.base import ProviderResult
from stapel_agent.testing import translating
from tests.prompt_logs import written

pytestmark = pytest.mark.django_db

BUDGETS = [
    {"scope": "user", "period": "day", "usd": "10"},
    {"scope": "user", "period": "month", "tokens": 100_000},
    {"scope": "workspace", "period": "month", "usd": "10"},
]
MODELS = (PromptLog, Translation, IdempotencyRecord, HitCount, BudgetAccount, Reservation, Flight)
KEPT = ("calls", "errors", "input_tokens", "output_tokens", "cost_usd", "cache_hits", "saved_tokens", "saved_cost_usd")


def stored() -> str:
    """Everything in the database."""
    return json.dumps([list(model.objects.order_by("pk").values()) for model in MODELS], default=str)


def spent(**whose: str) -> dict:
    totals = usage(group_by="day,model,source", **whose)["totals"]
    return {name: totals[name] for name in KEPT}


def left(user: str) -> list:
    return [
        (standing.scope, standing.left_usd, standing.left_tokens)
        for standing in reservations.standings(Spender("llm_facade", user, "acme"), "default")
    ]


def erase(kind: str, key: str):
    (handler,) = [
        handler
        for handler in action_registry.handlers("gdpr.erasure.requested")
        if getattr(handler, "stapel_gdpr_owner", None) == "agent"
    ]
    handler(SimpleNamespace(payload={"correlation_id": "c", "subject_type": kind, "subject_key": key}, event_id="e"))


def merge(gone: object, survivor: object) -> None:
    erasure.handle_user_merged(SimpleNamespace(payload={"from_user_id": gone, "into_user_id": survivor}))


@pytest.fixture
def busy(scripted_model, agent):
    """Users with every kind of record, among them `ann`, with the word "secret" in each of her texts."""
    agent(CACHE_LOOKUP={"llm_facade": True, "translate": True}, BUDGETS=BUDGETS)

    def ask(user: str, word: str, workspace: str = "acme") -> None:
        whose = {"user_id": user, "workspace_id": workspace}
        scripted_model.script(ProviderResult(word, 7, 3, cost_usd="0.5"))
        for key in (f"k-{word}", None, None):
            services.complete(word, "small", system_prompt=word, context={"page": word}, idempotency_key=key, **whose)
        scripted_model.script(ValueError(word))
        services.complete(f"{word} again", "small", **whose)
        scripted_model.script(translating(str.upper))
        services.translate("en", "de", {"a": f"a {word}"}, **whose)

    ask("ann", "secret")
    ask("bob", "harmless")
    return ask


def test_registered(settings):
    """The registry has one section for this app. Its owner erases accounts and workspaces, and all checks pass."""
    assert gdpr_registry.sections.count("agent") == 1
    assert registered_gdpr_owners()["agent"] == ("account", "workspace")
    erasure.register()
    assert gdpr_registry.sections.count("agent") == 1
    handlers = action_registry.handlers("user.merged")
    assert handlers.count(erasure.handle_user_merged) == 1
    ids = {message.id for message in run_checks()}
    assert not {name for name in ids if "lifecycle" in name or "gdpr" in name}


def test_erase__account(busy):
    """Texts and cached answers are removed, the id becomes a pseudonym, and all sums stay. Other users keep theirs."""
    before, others, standing = spent(user_id="ann"), spent(user_id="bob"), left("ann")
    everything = spent()
    assert before["cache_hits"] == 2
    assert before["errors"] == 1
    whole = list(PromptLog.objects.filter(user_id="bob").order_by("pk").values())
    erase("account", "ann")
    pseudonym = pseudonymize("ann")
    told = stored()
    assert "secret" not in told.lower()
    assert '"ann"' not in told
    assert spent(user_id=pseudonym) == before
    assert (spent(user_id="ann")["calls"], spent(user_id="bob"), spent()) == (0, others, everything)
    assert left(pseudonym) == standing
    assert left("ann")[0] == ("user", Decimal(10), None)
    assert list(PromptLog.objects.filter(user_id="bob").order_by("pk").values()) == whole
    assert [record.user_id for record in IdempotencyRecord.objects.all()] == ["bob"]
    assert Translation.objects.count() == 1
    assert set(PromptLog.objects.filter(user_id=pseudonym).values_list("workspace_id", flat=True)) == {"acme"}


def test_erase__counts(busy):
    """The receipt has the number of records, and zeros the second time."""
    assert erasure.erase("account", "ann") == {
        "calls": 3, "translations": 1, "idempotency_records": 1, "cache_hits": 1, "budgets": 2,
    }  # fmt: skip
    after = stored()
    assert set(erasure.erase("account", "ann").values()) == {0}
    assert stored() == after


def test_erase__workspace(busy):
    """A workspace's texts and name are removed. Its users keep theirs."""
    busy("ann", "elsewhere", workspace="other")
    before, elsewhere = spent(workspace_id="acme"), spent(workspace_id="other")
    erase("workspace", "acme")
    told = stored()
    assert not {word for word in ("secret", "harmless", "acme") if word in told.lower()}
    assert "elsewhere" in told
    assert spent(workspace_id=pseudonymize("acme")) == before
    assert spent(workspace_id="other") == elsewhere
    assert spent(user_id="ann")["calls"] == 6


@pytest.mark.parametrize(("kind", "key"), [("recording", "ann"), ("account", "")])
def test_erase__not_ours(busy, kind, key):
    """A subject that is not stored here gets no receipt."""
    before = stored()
    assert erasure.erase(kind, key) is None
    assert stored() == before


def test_erase__a_pseudonym(busy):
    """A second erasure finds nothing."""
    erasure.erase("account", "ann")
    after = stored()
    assert erasure.erase("account", pseudonymize("ann")) == {}
    assert stored() == after


def test_erase__long_ids(busy):
    """An id that was cut to fit its column is found, and the whole id is removed from the metadata."""
    name = "ann@" + "x" * 80
    busy(name, "long")
    before = spent(user_id=name)
    erase("account", name)
    assert name not in stored()
    assert (opaque_id(name) or "") not in stored()
    assert spent(user_id=pseudonymize(name)) == before


def test_erase__numbers(busy):
    """A numeric user id matches the text that the ledger has of it."""
    busy(41, "fortyone")
    gdpr = next(provider for provider in gdpr_registry.providers if provider.section == "agent")
    gdpr.anonymize(41)
    gdpr.delete(41)
    assert "fortyone" not in stored()
    assert spent(user_id=pseudonymize(41))["calls"] == 3


def test_erase__many(monkeypatch):
    """All records are processed in batches."""
    for _ in range(5):
        written(user_id="ann", request_id=uuid.uuid4())
    monkeypatch.setattr("stapel_agent.privacy.scrubbing.BATCH", 2)
    assert erasure.erase("account", "ann")["calls"] == 5
    assert PromptLog.objects.filter(prompt="", scrubbed_at__isnull=False).count() == 5


def test_erase__already_scrubbed():
    """A scrubbed row still loses its name."""
    written(user_id="ann", prompt="", scrubbed_at=timezone.now())
    erase("account", "ann")
    assert PromptLog.objects.get().user_id == pseudonymize("ann")


def test_erase__call_under_way(busy, scripted_model):
    """A running call is charged to the pseudonym. Later texts are not stored, or are removed by the next erasure."""

    def translate_meanwhile(request):
        erase("account", "ann")
        return translating(str.upper)(request)

    scripted_model.script(translate_meanwhile)
    whose = {"user_id": "ann", "workspace_id": "acme", "idempotency_key": "late"}
    answer = services.translate("en", "fr", {"a": "a secret of the last minute"}, **whose)
    assert answer["result"] == {"a": "A SECRET OF THE LAST MINUTE"}
    assert not IdempotencyRecord.objects.filter(user_id="ann").exists()
    assert PromptLog.objects.filter(user_id="ann").count() == 0
    assert {row.response for row in PromptLog.objects.filter(user_id=pseudonymize("ann"))} == {None}
    assert not Reservation.objects.exists()
    used = spent(user_id=pseudonymize("ann"))
    unknown = PromptLog.objects.filter(user_id=pseudonymize("ann"), cost_basis="estimated")
    charged = used["input_tokens"] + used["output_tokens"] + sum(row.estimated_tokens or 0 for row in unknown)
    assert left(pseudonymize("ann"))[1] == ("user", None, 100_000 - charged)
    account = BudgetAccount.objects.get(scope="user", identity=pseudonymize("ann"), period="month")
    assert (account.reserved_nanos, account.reserved_tokens) == (0, 0)
    assert "secret" in stored().lower(), "the translation has arrived behind the erasure"
    assert erasure.erase("account", "ann")["translations"] == 1
    assert "secret" not in stored().lower()


def test_merge(busy):
    """All records and sums of the merged account move to the surviving one. Nothing is lost."""
    busy("ann", "shared question")
    both, standing = [spent(user_id=name) for name in ("ann", "bob")], left("bob")
    texts = sorted(PromptLog.objects.values_list("prompt", flat=True))
    merge("ann", "bob")
    assert spent(user_id="bob") == {name: both[0][name] + both[1][name] for name in KEPT}
    assert spent(user_id="ann")["calls"] == 0
    assert '"ann"' not in stored()
    assert sorted(PromptLog.objects.values_list("prompt", flat=True)) == texts
    assert left("bob")[0] == ("user", standing[0][1] - both[0]["cost_usd"], None)
    assert set(IdempotencyRecord.objects.values_list("user_id", flat=True)) == {"bob"}
    after = stored()
    merge("ann", "bob")
    assert stored() == after
    erase("account", "bob")
    assert "secret" not in stored().lower()


def test_merge__into_an_empty_account(busy):
    """Budgets move too: the new account has spent what the old one had."""
    standing, before = left("ann"), spent(user_id="ann")
    merge("ann", "new")
    assert left("new") == standing
    assert spent(user_id="new") == before


def test_merge__during_a_call(busy, scripted_model):
    """An account that did not exist takes over the limits, the warning, and what a running call has reserved."""
    columns = ("period", "limit_nanos", "limit_tokens", "is_warned", "reserved_nanos", "reserved_tokens")
    seen = []

    def look(name):
        accounts = BudgetAccount.objects.filter(scope="user", identity=name)
        seen.append(list(accounts.order_by("period").values(*columns)))

    def merge_meanwhile(request):
        BudgetAccount.objects.filter(scope="user", identity="ann").update(is_warned=True)
        look("ann")
        merge("ann", "zoe")
        look("zoe")
        return "this"

    scripted_model.script(merge_meanwhile)
    services.complete("hello", "small", user_id="ann", workspace_id="acme")
    assert seen[0][0]["reserved_tokens"] > 0
    assert seen[0] == seen[1]


@pytest.mark.parametrize(("gone", "survivor"), [("ann", None), (None, "bob"), ("ann", "ann")])
def test_merge__without_ids(busy, caplog, gone, survivor):
    """A merge without ids, or of one account with itself, changes nothing."""
    before = stored()
    merge(gone, survivor)
    assert stored() == before


def test_hits__of_the_same_hour_are_added():
    """Counts that have the same key after a change of names are merged into one row."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for name in ("ann", "bob"):
        key = hit_counts.Key(int(hour.timestamp()) // 3600, "other", "p", "m", name, None)
        hit_counts._write({key: hit_counts.Count(2, 30, Decimal("0.25"))}, "default")
    assert hit_counts.hand_over("user_id", "ann", "bob", "default") == 1
    kept = HitCount.objects.get()
    assert (kept.user_id, kept.hits, kept.saved_tokens, kept.saved_cost_usd) == ("bob", 4, 60, Decimal("0.5"))
    assert hit_counts.hand_over("user_id", "ann", "bob", "default") == 0


def test_export(busy, tmp_path, monkeypatch):
    """An export has everything that is stored about a person and nothing of others, in a file page by page."""
    gdpr = next(provider for provider in gdpr_registry.providers if provider.section == "agent")
    told = gdpr.export("ann")
    assert {name: len(entries) for name, entries in told.items()} == {
        "calls": 3, "cache_hits": 1, "budgets": 2, "idempotency_records": 1,
    }  # fmt: skip
    first = told["calls"][0]
    assert (first["prompt"], first["response"], first["cost_usd"]) == ("secret", "secret", Decimal("0.5"))
    assert not {"cache_key", "user_id"} & first.keys()
    assert "harmless" not in str(told)
    monkeypatch.setattr(erasure, "PAGE", 2)
    (path,) = gdpr.export_to_staging("ann", tmp_path)
    assert path == tmp_path / "agent.json"
    in_file = json.loads(path.read_text(encoding="utf-8"))
    assert {name: len(entries) for name, entries in in_file.items()} == {
        "calls": 3, "cache_hits": 1, "budgets": 2, "idempotency_records": 1,
    }  # fmt: skip
    assert [call["id"] for call in in_file["calls"]] == [str(call["id"]) for call in told["calls"]]
    nobody = gdpr.export("nobody")
    assert nobody == {"calls": [], "cache_hits": [], "budgets": [], "idempotency_records": []}


def test_export__pages(monkeypatch):
    """Rows with the same time are exported once each, wherever pages begin."""
    moment = timezone.now() - timedelta(days=1)
    made = {written(created_at=moment, user_id="ann").pk for _ in range(5)}
    monkeypatch.setattr(erasure, "PAGE", 2)
    told = [call["id"] for call in erasure.AgentData().export("ann")["calls"]]
    assert (len(told), set(told)) == (5, made)


@pytest.mark.parametrize("other", ["Ann", "ann ", "änn"])
def test_names__equal_to_a_collation(busy, other):
    """One user's data is never exported, erased or moved as that of a user with a similar id."""
    busy(other, "private")
    hit_counts.flush()
    before = spent(user_id=other), left(other)
    assert "private" not in json.dumps(erasure.AgentData().export("ann"), default=str)
    erase("account", "ann")
    assert (spent(user_id=other), left(other)) == before
    assert "private" in stored()
    before = spent(user_id="bob")
    merge("bob", "BOB")
    assert spent(user_id="BOB") == before
    assert '"bob"' not in stored()


def test_names__are_counted_apart(agent):
    """A new budget does not count the spending of a user with a similar id."""
    for user, cost in (("ann", "1"), ("Ann", "3")):
        written(user_id=user, cost_usd=cost, input_tokens=1, created_at=timezone.now())
    agent(BUDGETS=[{"scope": "user", "period": "month", "usd": "10"}])
    assert left("ann") == [("user", Decimal(9), None)]


def test_merge__beside_a_call_that_begins(scripted_model, agent):
    """The surviving account does not hold a reservation forever if its call's row arrives too late for the merge."""
    agent(BUDGETS=BUDGETS)

    def reply(request) -> ProviderResult:
        assert BudgetAccount.objects.filter(reserved_tokens__gt=0).exists()
        reservations.hand_over("user", "ann", "bob", "default")
        return ProviderResult("ok", 7, 3, cost_usd="0.5")

    scripted_model.script(reply)
    assert services.complete("say", "small", user_id="ann")["status"] == "ok"
    assert Reservation.objects.count() == 0
    accounts = BudgetAccount.objects.exclude(identity="")  # those of calls without a workspace
    assert set(accounts.values_list("identity", "reserved_tokens", "reserved_nanos")) == {("bob", 0, 0)}
    assert (left("ann")[0][1], left("bob")[0][1]) == (Decimal("9.5"), Decimal(10))


def test_merge__of_one_without_a_budget(busy, agent):
    """Spending without a budget counts for the surviving account, including what arrives after an earlier merge."""
    BudgetAccount.objects.all().delete()
    agent(BUDGETS=[{"scope": "user", "id": "bob", "period": "month", "usd": "10"}])
    busy("bob", "opens the account")
    merge("ann", "bob")
    assert left("bob") == [("user", Decimal(10) - spent(user_id="bob")["cost_usd"], None)]
    busy("ann", "late")
    merge("ann", "bob")
    assert spent(user_id="ann")["calls"] == 0
    assert left("bob") == [("user", Decimal(10) - spent(user_id="bob")["cost_usd"], None)]
