"""`usage()` returns exact figures on every database, for every surface and every page size."""

import csv
import io
import itertools
import json
import shlex
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError
from django.test import Client

from stapel_agent import usage
from stapel_agent.accounting.usage_query import GROUPS, InvalidUsageQuery
from stapel_agent.accounting.usage_report import as_json
from stapel_agent.accounting.usage_sql import FIGURES
from stapel_agent.cache import CachePolicy, hit_counts
from stapel_agent.ledger.columns import TOKEN_FIELDS
from stapel_agent.models import HitCount, PromptLog
from stapel_agent.types import Completion, CompletionRequest, Saving
from tests.documents import block_after
from tests.prompt_logs import BEGIN, written, written_at_random

pytestmark = pytest.mark.django_db

URL = "/agent/api/v1/llm/usage"


@pytest.fixture
def ledger() -> list[dict]:
    """Three hundred different rows, as they were written."""
    return written_at_random(300)


def group_of(row: dict, groups: tuple[str, ...]) -> tuple:
    periods = {"day": f"{row['created_at']:%Y-%m-%d}", "month": f"{row['created_at']:%Y-%m}"}
    return tuple(({**row, **periods})[name] for name in groups)


def added_up(rows: list[dict]) -> dict:
    """Add up the figures of some rows by brute force."""
    spent = [sum(row[name] or 0 for name in TOKEN_FIELDS) for row in rows]
    unpriced = [
        row["cost_basis"] == "unpriced" or (row["cost_usd"] is None and tokens > 0)
        for row, tokens in zip(rows, spent, strict=True)
    ]
    return {
        "calls": len(rows),
        "errors": sum(row["status"] not in ("success", "pending") for row in rows),
        "cache_hits": 0,
        **{name: sum(row[name] or 0 for row in rows) for name in TOKEN_FIELDS},
        "cost_usd": sum((row["cost_usd"] or Decimal(0) for row in rows), Decimal(0)),
        "unpriced_calls": sum(unpriced),
        "saved_tokens": 0,
        "saved_cost_usd": Decimal(0),
        "estimated_cost_usd": Decimal(0),
    }


def in_order(group: tuple) -> list:
    return [(value is not None, (value or "").encode()) for value in group]


def by_brute_force(rows: list[dict], groups: tuple[str, ...]) -> list[dict]:
    found: dict[tuple, list[dict]] = {}
    for row in rows:
        found.setdefault(group_of(row, groups), []).append(row)
    ordered = sorted(found, key=in_order)
    return [{**dict(zip(groups, group, strict=True)), **added_up(found[group])} for group in ordered]


@pytest.mark.parametrize(
    "groups",
    [
        *((name,) for name in GROUPS),
        *itertools.permutations(("month", "user_id", "day")),
        ("workspace_id", "model", "provider", "day", "status"),
        ("source", "model"),
        GROUPS,
    ],
    ids=",".join,
)
def test_usage__exact(ledger, groups):
    """For every grouping, the sums equal the rows added up one by one, to the last digit."""
    found = usage(group_by=groups, limit=1000)
    assert found == {"rows": by_brute_force(ledger, groups), "totals": added_up(ledger), "next_cursor": None}


def test_usage__days_without_rows_are_skipped(django_assert_max_num_queries):
    """Rows that are decades apart, such as those of a machine with a wrong clock, do not make the figures slow."""
    moments = [datetime(year, 2, 3, tzinfo=UTC) for year in (1970, 2026, 2099)]
    for moment in moments:
        written(created_at=moment)
    with django_assert_max_num_queries(50):
        assert [row["day"] for row in usage()["rows"]] == [f"{moment:%Y-%m-%d}" for moment in moments]
        assert [row["day"] for row in usage(since="2000-01-01", until="2090-01-01")["rows"]] == ["2026-02-03"]


@pytest.mark.parametrize("costs", [[], [None], [Decimal(0)], [Decimal(0), None]], ids=str)
def test_usage__zero_on_every_database(costs):
    """A cost of zero is the same zero on every database: without rows, for free rows, and for rows without a cost."""
    for cost in costs:
        written(cost_usd=cost)
    hit_counts.note(CompletionRequest("p", "small", "anthropic", "llm_facade", 5, "m"), 1, Saving(0, Decimal(0)))
    found = usage(group_by="model")
    for figures in (*found["rows"], found["totals"]):
        assert (repr(figures["cost_usd"]), repr(figures["saved_cost_usd"])) == ("Decimal('0')", "Decimal('0')")


def test_usage__a_cost_has_all_its_places():
    """A cost is formatted alike on every database."""
    written(cost_usd=Decimal("1.5"))
    assert repr(usage()["totals"]["cost_usd"]) == "Decimal('1.5000000000')"


@pytest.mark.parametrize(
    "filters",
    [
        {"source": "translate"},
        {"provider": "anthropic"},
        {"model": "Large-model"},
        {"user_id": "U", "workspace_id": "acme"},
        {"user_id": "u "},
        {"user_id": "nobody"},
        {"status": "timeout", "model": "small-model"},
    ],
)
def test_usage__filters(ledger, filters):
    """A filter selects the rows with exactly that text."""
    rows = [row for row in ledger if all(row[name] == value for name, value in filters.items())]
    found = usage(group_by=("day", "user_id"), limit=1000, **filters)
    assert (found["rows"], found["totals"]) == (by_brute_force(rows, ("day", "user_id")), added_up(rows))


MOMENTS = [
    (date(2026, 1, 31), date(2026, 2, 2)),
    ("2026-01-31", "2026-02-02"),
    (datetime(2026, 1, 31, 6, 30), datetime(2026, 2, 1, 18)),
    ("2026-01-31T12:00:00Z", None),
    (None, "2026-01-31T12:00:00+05:30"),
    (datetime(2026, 1, 31, tzinfo=timezone(timedelta(hours=-8))), "20260203"),
    ("1971-01-01", "9998-12-31"),
    ("2030-01-01", None),
    ("2026-02-02", "2026-02-01"),
]


def instant(value, otherwise: datetime) -> datetime:
    if value is None:
        return otherwise
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


@pytest.mark.parametrize(("since", "until"), MOMENTS)
def test_usage__period(ledger, since, until):
    """`since` is inclusive and `until` exclusive. Both take dates, times or strings, in UTC if without a time zone."""
    first, last = instant(since, BEGIN), instant(until, BEGIN + timedelta(days=9))
    rows = [row for row in ledger if first <= row["created_at"] < last]
    found = usage(group_by="day,source", since=since, until=until)
    assert (found["rows"], found["totals"]) == (by_brute_force(rows, ("day", "source")), added_up(rows))
    assert usage(group_by=(), since=since, until=until)["rows"] == [added_up(rows)]


@pytest.mark.parametrize("groups", [("day", "user_id"), ("user_id", "month", "model"), ("status", "day"), ("model",)])
@pytest.mark.parametrize("limit", [1, 7])
def test_usage__pages(ledger, groups, limit):
    """The pages together equal one large page, and each page has the totals of all."""
    whole = usage(group_by=groups, limit=1000)
    rows, cursor = [], None
    while True:
        page = usage(group_by=groups, limit=limit, cursor=cursor)
        assert page["totals"] == whole["totals"]
        rows += page["rows"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert len(page["rows"]) == limit
    assert rows == whole["rows"]


def test_usage__days_before_the_page(django_assert_max_num_queries):
    """A page needs no query for the days before it."""
    for number in range(30):
        written(created_at=BEGIN + timedelta(days=number))
    page = usage(limit=27)
    with django_assert_max_num_queries(20):
        assert len(usage(limit=27, cursor=page["next_cursor"])["rows"]) == 3


def test_usage__pages_while_rows_come(ledger):
    """A new row before the cursor neither repeats nor hides a row after it."""
    whole = usage(group_by=["model"])["rows"]
    page = usage(group_by=["model"], limit=1)
    written(model="A-model", created_at=BEGIN)
    assert usage(group_by=["model"], cursor=page["next_cursor"])["rows"] == whole[1:]


def test_usage__empty():
    """A ledger without rows has no groups, and totals of zero."""
    assert usage() == {"rows": [], "totals": added_up([]), "next_cursor": None}


@pytest.mark.parametrize("group_by", ["day", "month", "day,source"])
def test_usage__days_without_calls(group_by):
    """Days and months without calls have no row, whether there are none at all or none for the filters."""
    written(created_at=BEGIN, user_id="7")
    written(created_at=BEGIN + timedelta(days=3), user_id="8")
    assert [row["calls"] for row in usage(group_by=group_by)["rows"]] == [1, 1]
    assert [row["calls"] for row in usage(group_by=group_by, user_id="7")["rows"]] == [1]
    assert usage(group_by=group_by, user_id="9")["rows"] == []


def test_usage__first_release():
    """A row of the first release, without provider, workspace and cost, counts as unpriced."""
    written(input_tokens=5, user_id="u")
    totals = usage(group_by=["provider", "workspace_id"])["rows"]
    assert [(row["provider"], row["workspace_id"], row["calls"], row["unpriced_calls"]) for row in totals] == [
        (None, None, 1, 1)
    ]


def test_usage__long_id(facade, scripted_model):
    """An id that is too long for the column is found by the whole id."""
    facade.complete("say", "small", user_id="x" * 100)
    facade.complete("say", "small", user_id="x" * 101)
    assert usage(user_id="x" * 100)["totals"]["calls"] == 1


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/Los_Angeles"])
def test_usage__days_are_utc(ledger, settings, zone):
    """Days are in UTC, whatever the host's time zone is."""
    settings.TIME_ZONE = zone
    assert usage()["rows"] == by_brute_force(ledger, ("day",))


WRONG = [
    ("group_by", "colour"),
    ("group_by", "day,day"),
    ("since", "yesterday"),
    ("since", "0001-01-01"),
    ("until", "9999-12-31T23:59:59-12:00"),
    ("until", "2026-02-30"),
    ("until", "9" * 10_000),
    ("status", "done"),
    ("user_id", "a\0b"),
    ("limit", "0"),
    ("limit", "1001"),
    ("limit", "-1"),
    ("limit", "²"),
    ("limit", "9" * 10_000),
    ("cursor", ""),
    ("cursor", "ä"),
    ("cursor", "W10="),
    ("cursor", "W1tbW1tb"),
    ("cursor", "WyJtb2RlbCIsIFsiYSJdXQ=="),
    ("cursor", "W1siZGF5Il0sIFtudWxsXV0="),
    ("cursor", "A" * 10_000),
    ("colour", "red"),
    ("cls", "red"),
]


@pytest.mark.any_database
@pytest.mark.parametrize(("field", "value"), WRONG, ids=lambda value: value[:20])
def test_usage__wrong(field, value):
    """An invalid query raises a ValueError that names the field, and returns an error of that field over HTTP."""
    with pytest.raises(ValueError, match=field) as raised:
        usage(**{field: value})
    assert raised.value.field == field
    answer = service().get(URL, {field: value})
    assert (answer.status_code, answer.json()["localizable_error"]) == (400, "error.400.field.invalid")
    assert answer.json()["params"]["field"] == field


@pytest.mark.parametrize("value", [5, object(), [1], True])
@pytest.mark.parametrize("field", ["group_by", "since", "user_id", "cursor", "limit"])
def test_usage__wrong_type(field, value):
    """A value of the wrong type is an invalid query too."""
    if (field, value) != ("limit", 5):
        with pytest.raises(InvalidUsageQuery, match=field):
            usage(**{field: value})


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"limit": "1001"}, "limit must be a whole number from 1 to 1000, not '1001'"),
        ({"limit": 0}, "limit must be a whole number from 1 to 1000, not 0"),
        ({"status": "done"}, "status must be one of pending, success, failure, timeout, error, not 'done'"),
        ({"since": "0001-01-01"}, "since must be in the years 1971 to 9998, not 1"),
        ({"user_id": 5}, "user_id must be a string without NUL or an unpaired surrogate, not 5"),
        ({"group_by": ["day", "model", "day"]}, "group_by has 'day' twice: name it once"),
        (
            {"since": object()},
            "since must be a date or a time, such as 2026-01-31 or 2026-01-31T12:00:00Z, "
            "not a value of the type object",
        ),
    ],
)
def test_usage__says_what_is_wrong(options, problem):
    """The message of an invalid query names the argument, a valid value, and the value that it got."""
    with pytest.raises(InvalidUsageQuery) as raised:
        usage(**options)
    assert str(raised.value) == problem


def test_usage__cursor_of_another_question(ledger):
    """A cursor is only valid for the query that it came from."""
    cursor = usage(group_by=["model"], limit=1)["next_cursor"]
    with pytest.raises(InvalidUsageQuery, match="cursor"):
        usage(group_by=["user_id"], cursor=cursor)


def service() -> Client:
    return Client(headers={"X-API-KEY": "service-key-for-tests"})


QUESTION = {
    "group_by": "user_id,day",
    "since": "2026-01-31",
    "until": "2026-02-03",
    "workspace_id": "acme",
    "limit": "5",
}


def command(**options) -> str:
    out = io.StringIO()
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    call_command("llm_usage", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_surfaces__same_numbers(ledger):
    """HTTP, at both mounts, and the command show the same figures as Python, with exact costs as strings."""
    found = usage(**QUESTION)
    assert found["next_cursor"]
    expected = json.loads(json.dumps(as_json(found)))
    assert [Decimal(row["cost_usd"]) for row in expected["rows"]] == [row["cost_usd"] for row in found["rows"]]
    for url in (URL, "/agent/api/llm/usage"):
        assert service().get(url, QUESTION).json() == expected
    assert json.loads(command(**QUESTION, format="json")) == expected
    named = [{name: "" if value is None else str(value) for name, value in row.items()} for row in expected["rows"]]
    assert list(csv.DictReader(io.StringIO(command(**QUESTION, format="csv")))) == named
    following = {**QUESTION, "cursor": found["next_cursor"]}
    assert service().get(URL, following).json()["rows"] == as_json(usage(**following))["rows"]


def test_command__table():
    """The table has totals, omits columns that are all zero, and contains no control characters."""
    written(user_id="eve\x1b[2J", input_tokens=10, cost_usd=Decimal("0.5"), cost_basis="provider")
    written(input_tokens=7)
    assert command(group_by="user_id") == (
        "user_id  calls  input_tokens  cost_usd  unpriced_calls\n"
        "-            1             7         0               1\n"
        "eve\ufffd[2J      1            10       0.5               0\n"
        "total        2            17       0.5               1\n"
    )


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-5", "'-5"), ("+49", "'+49"), ("\t=1+1", "\ufffd=1+1"),
        ("\r=1+1", "\ufffd=1+1"), ("eve\x1b[2J", "eve\ufffd[2J"), ("\u202eeve", "\ufffdeve"), ("＝1", "'＝1"),
        ('a,"b"', 'a,"b"'), ("a=b", "a=b"), ("", ""),
    ],
)  # fmt: skip
def test_command__csv_cell(name, cell):
    """In CSV, no name is a formula to a spreadsheet or a command to a terminal. Everything else is unchanged."""
    written(user_id=name, cost_usd=Decimal("0.5"), cost_basis="provider")
    (row,) = csv.DictReader(io.StringIO(command(group_by="user_id", format="csv")))
    assert (row["user_id"], row["cost_usd"]) == (cell, "0.5")


@pytest.mark.any_database
def test_command__as_the_page_on_usage_shows():
    """The documented command prints the documented table, if the calls cost what they cost there."""
    shown, asked = block_after("docs/usage.md", "is the same command."), "--group-by day,model --since 2026-11-23"
    small = {"model": "claude-haiku-4-5-20251001", "input_tokens": 350, "output_tokens": 90, "cost_usd": "0.0008"}
    failed = {**small, "status": "failure", "input_tokens": None, "output_tokens": None, "cost_usd": "0"}
    large = {"model": "claude-sonnet-5", "input_tokens": 1200, "output_tokens": 400, "cost_usd": "0.0096"}
    for day, calls in ((23, [small] * 412 + [failed] * 3 + [large] * 20), (24, [small] * 388)):
        for columns in calls:
            moment = datetime(2026, 11, day, 12, tzinfo=UTC)
            written(created_at=moment, workspace_id="acme", cost_basis="price_list", **columns)
    saved = {"hits": 57, "saved_tokens": 57 * 440, "saved_cost_usd": "0.0456"}
    HitCount.objects.create(hour=moment, source="llm_facade", model=small["model"], workspace_id="acme", **saved)
    assert asked in shown
    out = io.StringIO()
    call_command(*shlex.split(shown)[2:], stdout=out)
    assert out.getvalue() == block_after("docs/usage.md", asked)


def test_command__nothing():
    """Without rows, every format still has the names."""
    assert command(format="csv") == f"day,{','.join(FIGURES)}\n"
    assert command() == "day    calls  cost_usd\ntotal      0         0\n"


def test_command__wrong():
    """An invalid query is a command error that names the field."""
    with pytest.raises(CommandError, match="since must be a date"):
        command(since="yesterday")


def test_http__who_may_ask(django_user_model):
    """Only staff and services may read the usage."""
    person, staff = (
        django_user_model.objects.create(username=name, is_staff=name == "staff") for name in ("person", "staff")
    )
    statuses = []
    for user in (None, person, staff):
        client = Client()
        if user:
            client.force_login(user)
        statuses.append(client.get(URL).status_code)
    assert [*statuses, service().get(URL).status_code] == [401, 403, 403, 200]


@pytest.mark.any_database
def test_http__format(ledger):
    """HTTP returns only JSON. The error for another format says where to get CSV."""
    expected = service().get(URL, QUESTION).json()
    assert service().get(URL, {**QUESTION, "format": "json"}).json() == expected
    refused = service().get(URL, {**QUESTION, "format": "csv"})
    told = "format must be json: leave it out; for CSV, run `manage.py llm_usage --format csv`"
    assert (refused.status_code, refused.json()["params"]["detail"]) == (400, {"format": [told]})


@pytest.fixture
def reusing(agent, scripted_model):
    """A host that reuses completions for everybody, with a model whose answers cost 15 tokens."""
    agent(CACHE_LOOKUP={"llm_facade": True, "translate": True}, CACHE_SCOPE={"llm_facade": "shared"})
    scripted_model.script("an answer")
    return scripted_model


def test_hits__completion(facade, reusing):
    """A hit counts for its caller, with what the reused call had spent. It is not a call and writes no row."""
    facade.complete("say", "small", user_id="first")
    PromptLog.objects.update(cost_usd=Decimal("0.0000000123"), cost_basis="price_list")
    for _ in range(3):
        facade.complete("say", "small", user_id="second", workspace_id="acme")
    found = usage(group_by=["user_id", "workspace_id", "status", "provider"])["rows"]
    assert [(*list(row.values())[:4], row["calls"], row["cache_hits"]) for row in found] == [
        ("first", None, "success", "anthropic", 1, 0),
        ("second", "acme", "success", "anthropic", 0, 3),
    ]
    assert (found[1]["saved_tokens"], found[1]["saved_cost_usd"]) == (45, Decimal("0.0000000369"))
    assert usage(user_id="second", status="failure")["totals"]["cache_hits"] == 0
    assert PromptLog.objects.count() == 1


def test_hits__translation(facade, reusing):
    """Each reused text is a hit. What it cost originally is unknown."""
    reusing.script('{"1": "eins", "2": "zwei"}')
    facade.translate("en", "de", {"a": "one", "b": "two"})
    facade.translate("en", "de", {"a": "one", "b": "two"})
    totals = usage(source="translate")["totals"]
    assert (totals["calls"], totals["cache_hits"], totals["saved_tokens"]) == (1, 2, 0)


def test_hits__misses_are_none(facade, reusing):
    """A question that is asked for the first time, or whose answer may not be reused, is not a hit."""
    facade.complete("say", "small")
    facade.complete("say", "small", skip_cache=True)
    assert usage()["totals"]["cache_hits"] == 0


@pytest.mark.django_db(transaction=True)
def test_hits__added_up_exactly():
    """Counts from several times and processes are added up exactly in one row."""
    cost, request = Decimal("0.1000000001"), CompletionRequest("p", "small", "anthropic", "llm_facade", 5, "m")
    for _ in range(20):
        hit_counts.note(request, 1, Saving(3, cost))
        hit_counts.flush()
    totals = usage()["totals"]
    assert (totals["cache_hits"], totals["saved_tokens"], totals["saved_cost_usd"]) == (20, 60, 20 * cost)
    assert HitCount.objects.count() <= 2  # the hour may change meanwhile


def test_hits__names_longer_than_their_columns():
    """Hits whose names are equal in their columns are added up, although the names differ beyond."""
    for end in ("a", "b", "\0b"):
        hit_counts.note(CompletionRequest("p", "small", "x" * 64 + end, "llm_facade", 5, "m" * 128 + end), 2)
    hit_counts.flush()
    (row,) = usage(group_by=["provider", "model"])["rows"]
    assert (row["provider"], row["model"], row["cache_hits"]) == ("x" * 64, "m" * 128, 6)


def test_hits__database_gone(monkeypatch):
    """Counts that cannot be written are kept and written later."""
    request = CompletionRequest("p", "small", "anthropic", "llm_facade", 5, "m")
    hit_counts.note(request, 2)
    with monkeypatch.context() as broken:
        broken.setattr(hit_counts, "_write", lambda counts, alias: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            hit_counts.flush()
    assert usage()["totals"]["cache_hits"] == 2


def test_hits__read_only_database(monkeypatch):
    """The figures can be read even if this process's counts cannot be written, as during a fail-over."""

    def refused(counts, alias):
        raise InternalError("cannot execute INSERT in a read-only transaction")

    hit_counts.note(CompletionRequest("p", "small", "anthropic", "llm_facade", 5, "m"), 2)
    with monkeypatch.context() as broken:
        broken.setattr(hit_counts, "_write", refused)
        assert usage()["totals"]["cache_hits"] == 0
    assert usage()["totals"]["cache_hits"] == 2


def test_hits__of_a_huge_call(facade, reusing):
    """What reused calls have spent may exceed what the columns can hold."""
    facade.complete("say", "small")
    PromptLog.objects.update(**dict.fromkeys(TOKEN_FIELDS, 2**31 - 1))
    facade.complete("say", "small")
    assert usage()["totals"]["saved_tokens"] == 4 * (2**31 - 1)


class Boasting(CachePolicy):
    """A host's policy that states figures of its own."""

    saving: Saving

    def should_cache(self, source):
        return True

    def lookup(self, request):
        return Completion("kept", request.provider, request.model, cached=True, saving=self.saving)


@pytest.mark.parametrize(
    "saving",
    [
        Saving(5, 0.5),
        Saving(5, Decimal("NaN")),
        Saving(5, Decimal(-1)),
        Saving(5, Decimal("1e9999999")),
        Saving(5, "0.5"),
        Saving(10**30),
        Saving(-5),
        Saving("5"),
        (5, Decimal(1)),
    ],
    ids=str,
)
@pytest.mark.usefixtures("scripted_model")
def test_hits__savings_of_a_policy_that_cannot_be_added(facade, agent, monkeypatch, saving):
    """Such savings count as unknown. The answer is reused anyway, and the counts can be written."""
    monkeypatch.setattr(Boasting, "saving", saving, raising=False)
    agent(CACHE_POLICY=Boasting)
    assert facade.complete("say", "small")["result"] == "kept"
    totals = usage()["totals"]
    assert (totals["cache_hits"], totals["saved_tokens"], totals["saved_cost_usd"]) == (1, 0, 0)


def test_hits__savings_capped_at_the_column(reusing):
    """The savings of one hour are capped at a million, so that other counts and the answer of usage() are not lost."""
    request = CompletionRequest("say", "small", "anthropic", "llm_facade", 9, model="m")
    for number in (1, 2):
        hit_counts.note(request, 1, Saving(5, Decimal(6 * 10**9)))
        hit_counts.note(replace(request, user_id="ann"), 1, Saving(5, Decimal("0.5")))
        totals = usage()["totals"]
        assert (totals["cache_hits"], totals["saved_cost_usd"]) == (2 * number, 10**6 + number * Decimal("0.5"))
