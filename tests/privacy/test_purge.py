"""`manage.py purge_prompt_logs` removes texts in batches and keeps figures. A check reports an overdue purge."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from stapel_agent import ledger, record_call, services, usage
from stapel_agent.ledger import columns as rows
from stapel_agent.ledger import lost_calls
from stapel_agent.models import IdempotencyRecord, PromptLog, Translation
from stapel_agent.privacy import erase, retention, scrubbing
from tests.prompt_logs import written

pytestmark = pytest.mark.django_db

DAYS = timedelta(days=1)
FULL = {
    "prompt": "a secret",
    "system_prompt": "a secret",
    "response": "a secret",
    "error_message": "a secret",
    "cache_key": "k" * 64,
    "provider": "anthropic",
    "user_id": "u",
    "workspace_id": "w",
    "input_tokens": 7,
    "output_tokens": 3,
    "cost_usd": "0.5",
    "cost_basis": "provider",
    "duration_ms": 12,
}
ECONOMIC = {
    "provider": "anthropic",
    "from": "en",
    "to": "de",
    "key_count": 3,
    "failure": "truncated",
    "prices": {"input": "3", "output": "15"},
    "cache_write_1h_tokens": 4,
}
WORDY = {"context": {"page": "a secret"}, "ticket": "a secret", "images": {"count": 1}, "user_id": "a secret" * 9}


def aged(days: float, **columns) -> PromptLog:
    """A row that is so many days old, with a text in every column that may have one."""
    defaults = {**FULL, "metadata": {**ECONOMIC, **WORDY}}
    return written(created_at=timezone.now() - days * DAYS, **{**defaults, **columns})


def purge(*arguments: str) -> str:
    out = io.StringIO()
    call_command("purge_prompt_logs", "--pause", "0", *arguments, stdout=out)
    return out.getvalue()


def values(row: PromptLog) -> dict:
    return PromptLog.objects.filter(pk=row.pk).values().get()


def figures() -> list:
    return [usage(group_by=names) for names in ("user_id", "day", "workspace_id,status,model")]


def answered(days: float) -> IdempotencyRecord:
    moment = timezone.now() - days * DAYS
    return IdempotencyRecord.objects.create(
        digest=uuid.uuid4().hex, payload_digest="p", request_id=uuid.uuid4(), lease=uuid.uuid4(), answer='"a secret"',
        seen_at=moment, created_at=moment,
    )  # fmt: skip


def translated(days: float) -> Translation:
    return Translation.objects.create(
        key=uuid.uuid4().hex, text="a secret", provider="p", model="m", request_id=uuid.uuid4(),
        created_at=timezone.now() - days * DAYS,
    )  # fmt: skip


def test_purge__texts_go_and_figures_stay(agent):
    """An old row loses all texts and keeps all counts and costs. A newer one is unchanged."""
    agent(RETENTION_DAYS=30)
    old, young = aged(31), aged(29)
    before, whole, counted = values(old), values(young), figures()
    out = purge()
    after = values(old)
    assert after.pop("scrubbed_at") is not None
    changed = {"prompt": "", "system_prompt": None, "response": None, "error_message": None, "cache_key": None}
    before.pop("scrubbed_at")
    assert after == {**before, **changed, "metadata": ECONOMIC}
    assert values(young) == whole
    assert figures() == counted
    assert out.startswith("scrubbed: 1 call from before ")


def test_purge__metadata_without_anything_to_keep():
    """Metadata that has only texts, or is null, does not stop the purge."""
    made = [
        aged(9, metadata=metadata) for metadata in ({"note": "a secret"}, None, {"provider": "p" * 65}, ["a secret"])
    ]
    purge("--days", "1")
    assert [values(row)["metadata"] for row in made] == [{}, None, {}, {}]


def test_purge__pending_rows_are_left_alone():
    """A running call keeps its row, however old it is."""
    row = aged(400, status="pending")
    before = values(row)
    assert purge("--days", "1").startswith("scrubbed: 0 calls")
    assert purge("--days", "1", "--delete").startswith("deleted: 0 calls")
    assert values(row) == before


@pytest.mark.parametrize("size", [1, 3, 4, 100])
@pytest.mark.parametrize("option", [(), ("--delete",)])
def test_purge__batches(size, option):
    """All rows are purged, even those with the same time, and no batch exceeds its size."""
    moment = timezone.now() - 9 * DAYS
    for number in range(7):
        written(created_at=moment - number // 3 * DAYS, **FULL)
    aged(9, status="pending")
    with CaptureQueriesContext(connection) as queries:
        assert purge("--days", "1", "--batch-size", str(size), *option).split(" calls")[0].endswith(" 7")
    writes = [
        query["sql"] for query in queries if query["sql"].startswith(("UPDATE", "DELETE")) and " IN (" in query["sql"]
    ]
    named = [sql.partition(" IN (")[2].partition(")")[0].count(",") + 1 for sql in writes if "agent_prompt_log" in sql]
    assert named
    assert max(named) <= size
    assert PromptLog.objects.filter(scrubbed_at=None).exclude(status="pending").count() == 0
    assert PromptLog.objects.count() == (1 if option else 8)


def test_purge__again():
    """A second run finds nothing, by an index and without reading purged rows."""
    for _ in range(3):
        aged(9)
    purge("--days", "1")
    done = list(PromptLog.objects.values_list("pk", "scrubbed_at"))
    assert purge("--days", "1").startswith("scrubbed: 0 calls")
    assert list(PromptLog.objects.values_list("pk", "scrubbed_at")) == done


def test_purge__stopped_between_batches():
    """An interrupted run keeps what is done and prints the number. The same command continues."""
    for _ in range(5):
        aged(9)
    stopped = retention.Purge(retention.moment(1), size=2, seconds=0).run()
    assert next(stopped) == 2
    stopped.close()
    assert PromptLog.objects.filter(scrubbed_at=None).count() == 3
    assert purge("--days", "1").startswith("scrubbed: 3 calls")


def test_purge__interrupted(monkeypatch):
    """After Ctrl-C, the command prints a line and exits with the code that a shell expects."""
    for _ in range(3):
        aged(9)
    batches = scrubbing.scrub_batch

    def interrupted(alias, **options):
        if PromptLog.objects.filter(scrubbed_at=None).count() == 1:
            raise KeyboardInterrupt
        return batches(alias, **options)

    monkeypatch.setattr(scrubbing, "scrub_batch", interrupted)
    errors = io.StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("purge_prompt_logs", "--days", "1", "--batch-size", "1", "--pause", "0", stderr=errors)
    assert end.value.code == 130
    assert errors.getvalue() == "interrupted after 2 calls; the same command continues from here\n"


@pytest.mark.parametrize(("option", "word"), [((), "to scrub"), (("--delete",), "to delete")])
def test_purge__dry_run(option, word):
    """--dry-run prints what would be done and changes nothing."""
    rows = [aged(9), aged(9), aged(9, status="pending")]
    answered(9), translated(9)
    before = [values(row) for row in rows]
    lines = purge("--days", "1", "--dry-run", *option).splitlines()
    assert lines[0].startswith(f"{word}: 2 calls from before ")
    assert lines[1] == "to remove: 1 idempotency key and 1 translation"
    assert [values(row) for row in rows] == before
    assert (IdempotencyRecord.objects.count(), Translation.objects.count()) == (1, 1)


def test_purge__delete():
    """--delete removes rows, scrubbed or not, with their figures."""
    aged(9), aged(1), aged(9)
    purge("--days", "8")
    aged(9)
    assert purge("--days", "8", "--delete").startswith("deleted: 3 calls")
    assert usage(group_by="")["totals"]["calls"] == 1


def test_purge__delete_and_budgets(agent):
    """With budgets, the rows of their month are not deleted, because budgets are computed from them."""
    agent(BUDGETS=[{"scope": "all", "period": "month", "usd": "1"}])
    aged(40)
    with pytest.raises(CommandError, match="--days 31 or more"):
        purge("--days", "30", "--delete")
    assert purge("--days", "31", "--delete").startswith("deleted: 1 call ")


def test_purge__copies(agent):
    """Answers for idempotency keys, and translations, are removed at their own age or at the given one."""
    agent(IDEMPOTENCY_TTL=20 * 86400, CACHE_TTL=10 * 86400)
    kept = [answered(4), translated(4)]
    for days in (6, 11, 21):
        answered(days), translated(days)
    assert purge("--days", "15").splitlines()[1] == "removed: 1 idempotency key and 2 translations"
    assert purge("--days", "5").splitlines()[1] == "removed: 2 idempotency keys and 1 translation"
    assert [type(row).objects.get() for row in kept] == kept


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "RETENTION_DAYS is not set"),
        (("--days", "0"), "must be from 0.001"),
        (("--days", "nan"), "must be from 0.001"),
        (("--days", "x"), "argument --days: must be a number, not 'x'"),
        (("--days", "5", "--batch-size", "1.5"), "argument --batch-size: must be a whole number, not '1.5'"),
        (("--days", "5", "--batch-size", "0"), "must be from 1 to 10000, not 0"),
        (("--days", "5", "--pause", "-1"), "must be from 0 to 60"),
    ],
)
def test_purge__wrong_arguments(arguments, message):
    """Invalid options are refused before anything is done."""
    with pytest.raises(CommandError, match=message):
        call_command("purge_prompt_logs", *arguments)


def test_purge__wrong_setting(agent):
    """If RETENTION_DAYS is not a number of days, the command fails with the message of the check."""
    agent(RETENTION_DAYS=-1)
    with pytest.raises(CommandError, match="RETENTION_DAYS"):
        call_command("purge_prompt_logs", skip_checks=False)


@pytest.mark.any_database
@pytest.mark.parametrize("days", [0, -1, True, "30", float("nan"), float("inf"), []])
@pytest.mark.parametrize("given", ["as the setting", "as the option"])
def test_purge__unchecked(agent, days, given):
    """Called without checks and parser, the command does not take an invalid number for all rows."""
    written(prompt="a text")
    agent(RETENTION_DAYS=days)
    with pytest.raises(CommandError, match="must be a number from 0.001"):
        call_command("purge_prompt_logs", **({"days": days} if given == "as the option" else {}))
    assert PromptLog.objects.get().prompt == "a text"


def test_purge__of_a_time_before_the_calendar(agent):
    """The longest allowed time works in the command and in the check."""
    written(prompt="a text")
    agent(RETENTION_DAYS=10**9)
    call_command("purge_prompt_logs", verbosity=0)
    assert retention.overdue("default") is None
    assert PromptLog.objects.get().prompt == "a text"


def test_purge__answers_are_gone_from_the_cache(scripted_model, agent):
    """A scrubbed row is not reused: it has no answer."""
    agent(CACHE_LOOKUP={"llm_facade": True})
    scripted_model.script("1", "2")
    assert services.complete("what?", "small")["result"] == "1"
    PromptLog.objects.update(created_at=timezone.now() - 2 * DAYS)
    purge("--days", "1")
    assert services.complete("what?", "small")["result"] == "2"


def test_purge__row_scrubbed_while_its_call_is_under_way(scripted_model):
    """If a running call is scrubbed, its outcome is counted, and no text of it is written."""

    def reply(asked):
        assert PromptLog.objects.get().prompt == "a secret"
        scrubbing.erase_batch("user_id", "u", "erased", "default")
        return "a secret"

    scripted_model.script(reply)
    assert services.complete("a secret", "small", user_id="u", context={"page": "a secret"})["result"] == "a secret"
    row = PromptLog.objects.get()
    assert (row.prompt, row.response, row.status, row.user_id) == ("", None, "success", "erased")
    assert (row.input_tokens, row.metadata) == (10, {"provider": "anthropic"})


def test_purge__closed_as_lost(monkeypatch):
    """Closing a lost call does not restore texts that were scrubbed since it was read. The next run closes it."""
    row = aged(9, status="pending")
    close = lost_calls._close_as_lost

    def later(row, alias):
        scrubbing.erase_batch("user_id", "u", "erased", alias)
        return close(row, alias)

    monkeypatch.setattr(lost_calls, "_close_as_lost", later)
    assert ledger.close_lost(older_than=0) == 0
    monkeypatch.undo()
    assert ledger.close_lost(older_than=0) == 1
    row.refresh_from_db()
    assert (row.status, row.error_message, row.metadata) == (
        "error",
        lost_calls.LOST_MESSAGE,
        {**ECONOMIC, "failure": "lost"},
    )


class TestCheckOfRetention:
    """W009: somebody has to run the purge that RETENTION_DAYS promises."""

    @staticmethod
    def found(databases=("default",)) -> list[str]:
        messages = run_checks(tags=["stapel_agent"], databases=databases)
        return [message.id for message in messages if message.id != "stapel_agent.W003"]  # no key

    def test_overdue(self, agent):
        """Texts that are days overdue are reported until they are purged."""
        agent(RETENTION_DAYS=30)
        aged(33), aged(50, status="pending"), aged(50, scrubbed_at=timezone.now())
        assert self.found() == ["stapel_agent.W009"]
        purge()
        assert self.found() == []

    @pytest.mark.parametrize(("days", "age"), [(None, 5000), (30, 31.5), (30, 1), ("many", 5000)])
    def test_not_overdue(self, agent, days, age):
        """Nothing is reported without RETENTION_DAYS, or if the next nightly run is enough."""
        agent(RETENTION_DAYS=days)
        aged(age)
        assert "stapel_agent.W009" not in self.found()

    def test_without_the_database(self, agent):
        """Without the database option, the check makes no query."""
        agent(RETENTION_DAYS=30)
        aged(33)
        with CaptureQueriesContext(connection) as queries:
            assert self.found(databases=[]) == []
        assert len(queries) == 0

    def test_before_the_migration(self, agent, monkeypatch):
        """`migrate` runs these checks before the column exists."""
        agent(RETENTION_DAYS=30)

        def missing(alias):
            raise DatabaseError("no such column")

        monkeypatch.setattr(retention, "overdue", missing)
        assert self.found() == []

    def test_in_one_look(self, agent):
        """The check reads one row, by the index."""
        agent(RETENTION_DAYS=30)
        for _ in range(3):
            aged(33)
        with CaptureQueriesContext(connection) as queries:
            self.found()
        sqls = [query["sql"] for query in queries if "information_schema" not in query["sql"]]
        (query,) = [sql for sql in sqls if "agent_prompt_log" in sql]
        assert "LIMIT 1" in query


def test_economic_facts__hold_no_text():
    """A host's own metadata may use the same keys for something else."""
    told = {"from": "a secret" * 9, "prices": {"input": "a secret" * 9}, "failure": ["a secret"], "key_count": 3}
    assert rows.economic_facts(told) == {"key_count": 3}
    assert rows.economic_facts("a secret") == {}
    assert rows.economic_facts({"from": "ann@example.org", "to": "a secret", "failure": "a secret"}) == {}
    for prices in ({"a secret": "1"}, {"input": "a secret"}, "a secret", [["a secret"]]):
        assert rows.economic_facts({"prices": prices}) == {}
    kept = {"provider": "a host's own", "from": "zh-Hant", "failure": "out_of_credit", "prices": {"input": "0.5"}}
    assert rows.economic_facts(kept) == kept
    kept = {"from": "zh-Hant-HK", "to": "ca-valencia"}
    assert rows.economic_facts(kept) == kept
    kept = {"key": "0a1b2c3d", "from": "auto", "to": "sr@latin", "chunk": 0, "web_searches": 2, "service_tier": "flex"}
    assert rows.economic_facts(kept) == kept


def test_economic_facts__hold_no_name(facade):
    """A word or a number that a caller has put there is a text too: it may name or call a person."""
    words = {**dict.fromkeys(("key", "from", "failure", "chunk"), "alice-smith"), "to": "ann-smith"}
    numbers = {"asked_again": 4915112345678, "key_count": 19870203.5, "chunks": True, "response_length": -5}
    facade.complete("say", "small", user_id="alice-smith", metadata={**words, **numbers})
    record_call(source="other", provider="p", model="m", user_id="alice-smith", metadata={**words, **numbers})
    erase("account", "alice-smith")
    for row in PromptLog.objects.values():
        assert "smith" not in str(row)
        assert row["metadata"].keys() == {"provider"}


def test_purge__plan_on_sqlite():
    """On SQLite too, the next rows are read by the index. test_retention_hosts tests the servers."""
    if connection.vendor != "sqlite":
        pytest.skip("of SQLite")
    plan = scrubbing.old_rows("default", before=retention.moment(1), with_texts=True).explain()
    assert "USING INDEX agent_scrubbed_idx" in plan
    assert "TEMP B-TREE" not in plan
