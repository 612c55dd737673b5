"""The ledger's list in the admin: what it finds, page by page, and its queries."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stapel_agent.admin import PromptLogAdmin
from stapel_agent.models import PromptLog
from stapel_agent.pages.changelist import LedgerList
from stapel_agent.pages.list_totals import Totals
from tests.prompt_logs import LIST, NOON, written

pytestmark = pytest.mark.django_db


def shown(client, **query) -> list[PromptLog]:
    """The rows that the list shows."""
    response = client.get(LIST, query)
    assert response.status_code == 200, response.headers
    return list(response.context["cl"].result_list)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"status": "success"},
        {"source": "llm_facade", "model": "small-model", "status": "success"},
        {"created_from": "2026-01-01", "created_to": "2026-01-31"},
        {"q": "user-1"},
        {"provider": "anthropic"},
        {"user_id": "user-1", "workspace_id__isnull": "1"},
        {"since": "2026-01-10", "until": "2026-01-11", "cost": "unpriced", "duration_from": "5"},
        {"o": "4.-5"},
        {"all": ""},
        {"_facets": "True"},
        {"p": f"{NOON.isoformat()}_{uuid.UUID(int=2**128 - 1)}"},
    ],
    ids=str,
)
def test_list__statements(admin_client, query):
    """Queries are limited, ordered by time, and without the large columns. Rows are counted only in a closed period."""
    written(user_id="user-1", provider="anthropic", cost_basis="unpriced", duration_ms=5)
    with CaptureQueriesContext(connection) as captured:
        assert len(shown(admin_client, **query)) == 1
    statements = [entry["sql"] for entry in captured if "agent_prompt_log" in entry["sql"]]
    assert statements
    added_up = [sql for sql in statements if "COUNT(" in sql]
    assert len(added_up) == ("created_to" in query or "until" in query)
    for sql in set(statements) - set(added_up):
        assert " LIMIT " in sql
        assert re.search(r"ORDER BY (1|\S+created_at.) DESC(, \S+id. DESC)? LIMIT", sql)
        assert not re.search(r"COUNT\(|DISTINCT|[`\"](prompt|system_prompt|response|error_message)[`\"]", sql)
        assert not re.search(r", [^( ]*[`\"]metadata[`\"]", sql)


def pages(client, **query) -> list[list[str]]:
    """The prompts on all pages, the newest first."""
    found, link = [], "?" + urlencode(query)
    while link:
        listing = client.get(LIST + link).context["cl"]
        found.append([PromptLog.objects.get(pk=row.pk).prompt for row in listing.result_list])
        link = listing.older_link
    return found


def test_pages__every_row_once(admin_client, monkeypatch):
    """The links lead to each row once, the newest first, even if rows have the same time."""
    monkeypatch.setattr(PromptLogAdmin, "list_per_page", 3)
    for number in range(8):
        written(prompt=str(number), created_at=NOON - timedelta(seconds=number // 4))
    found = pages(admin_client)
    assert [len(page) for page in found] == [3, 3, 2]
    everything = sum(found, [])
    assert (sorted(everything[:4]), sorted(everything[4:])) == (["0", "1", "2", "3"], ["4", "5", "6", "7"])


def test_pages__links(admin_client, monkeypatch):
    """The links keep the filters. Each page but the first has a link back to the newest rows."""
    monkeypatch.setattr(PromptLogAdmin, "list_per_page", 1)
    last, first = (written(created_at=NOON + timedelta(seconds=second)) for second in (0, 1))
    newest = admin_client.get(LIST, {"source": "llm_facade"})
    position = urlencode({"p": f"{first.created_at.isoformat()}_{first.pk}", "source": "llm_facade"})
    assert (newest.context["cl"].newest_link, newest.context["cl"].older_link) == (None, f"?{position}")
    assert f'href="?{position.replace("&", "&amp;")}"' in newest.content.decode()
    oldest = admin_client.get(f"{LIST}?{position}")
    assert [row.pk for row in oldest.context["cl"].result_list] == [last.pk]
    assert (oldest.context["cl"].newest_link, oldest.context["cl"].older_link) == ("?source=llm_facade", None)


@pytest.mark.parametrize("query", [{"status": "error"}, {"model": "rare"}, {"model": "rare", "source": "llm_facade"}])
def test_pages__sifted(admin_client, monkeypatch, query):
    """Without a suitable index, a page reads a limited number of rows, and the next page continues after them."""
    monkeypatch.setattr(LedgerList, "sifted_rows", 4)
    for number in range(10):
        rare = {"status": "error", "model": "rare"} if number in (1, 3, 9) else {}
        written(prompt=str(number), created_at=NOON - timedelta(seconds=number), **rare)
    assert pages(admin_client, **query) == [["1", "3"], [], ["9"]]


def test_pages__sifted_note(admin_client, monkeypatch, settings):
    """A page that stopped early says how far it came."""
    settings.TIME_ZONE = "UTC"
    monkeypatch.setattr(LedgerList, "sifted_rows", 2)
    for number in range(3):
        written(created_at=NOON - timedelta(seconds=number))
    content = " ".join(admin_client.get(LIST, {"status": "error"}).content.decode().split())
    assert "0 found among 2 rows, back to 2026-01-10 11:59:59." in content
    assert "Look further back" in content


def test_pages__sifted_within_source_and_period(admin_client, monkeypatch):
    """Rows that an index skips are not among those read."""
    monkeypatch.setattr(LedgerList, "sifted_rows", 2)
    written(prompt="sought", status="error")
    for _ in range(3):
        written(source="other", created_at=NOON + timedelta(seconds=1))
        written(created_at=NOON + timedelta(days=1))
    assert pages(admin_client, status="error", source="llm_facade", created_to="2026-01-10") == [["sought"]]


@pytest.mark.parametrize("owner", ["q", "user_id"])
def test_pages__sifted_within_the_rows_of_an_owner(admin_client, monkeypatch, owner):
    """Rows that an index finds, by a search or a filter, are filtered wherever they are."""
    monkeypatch.setattr(LedgerList, "sifted_rows", 2)
    old = written(user_id="user-1", status="error", created_at=NOON - timedelta(days=9))
    for _ in range(3):
        written()
    assert shown(admin_client, status="error", **{owner: "user-1"}) == [old]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "abc"),
        ({"status": "success"}, "ac"),
        ({"status": "error"}, "b"),
        ({"source": "translate"}, "bc"),
        ({"source": "other"}, ""),
        ({"model": "m2"}, "c"),
        ({"model": "unknown"}, ""),
        ({"source": "translate", "status": "success", "model": "m2"}, "c"),
        ({"created_from": "2026-01-10", "created_to": "2026-01-10"}, "a"),
        ({"created_from": "2026-01-10", "created_to": ""}, "ab"),
        ({"created_from": "", "created_to": "2026-01-10"}, "ac"),
        ({"created_from": "2026-01-12", "created_to": "2026-01-01"}, ""),
    ],
    ids=str,
)
def test_filter__rows(admin_client, settings, query, expected):
    """Filters by status, source, model and days work alone and together. Days are in the current time zone."""
    settings.TIME_ZONE = "America/New_York"
    written(prompt="a", model="m1", created_at=datetime(2026, 1, 11, 4, 59, 59, tzinfo=UTC))
    written(prompt="b", model="m1", created_at=datetime(2026, 1, 11, 5, tzinfo=UTC), status="error", source="translate")
    written(prompt="c", model="m2", created_at=datetime(2026, 1, 10, 4, 59, 59, tzinfo=UTC), source="translate")
    assert "".join(sorted(row.prompt for row in shown(admin_client, **query))) == expected


def models_offered(client, **query) -> list[tuple[str, bool]]:
    """The models to choose from, and whether each is chosen."""
    listing = client.get(LIST, query).context["cl"]
    (models,) = [spec for spec in listing.filter_specs if spec.title == "model"]
    return [(choice["display"], choice["selected"]) for choice in models.choices(listing)][1:]


def test_filter__models_offered(admin_client, agent):
    """The models to choose from are those of the newest rows, of the settings and of the URL."""
    profile = {"model": "in-profile", "effort": "low"}
    agent(MODELS={"small": "in-models", "large": profile}, OPENAI_COMPAT_MODELS={"small": "in-compat"})
    written(model="in-rows")
    offered = ["in-compat", "in-models", "in-profile", "in-rows"]
    assert models_offered(admin_client, model="in-url") == [*((name, False) for name in offered), ("in-url", True)]


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("models", "compatible", "offered"),
    [
        ({"small": "in-models", "large": {"modle": "m"}}, None, ["in-models", "in-rows"]),
        ({"small": None, "large": "in-models"}, {}, ["in-rows"]),
        (["small"], {}, ["in-rows"]),
        (None, {"small": "in-compat"}, ["in-rows"]),
        ({"small": "in-models"}, {"small": ["in-compat"]}, ["in-rows"]),
    ],
    ids=str,
)
def test_filter__models_of_invalid_settings(admin_client, agent, models, compatible, offered):
    """A setting with an invalid value does not break the list."""
    agent(MODELS=models, OPENAI_COMPAT_MODELS=compatible)
    written(model="in-rows")
    assert models_offered(admin_client) == [(name, False) for name in offered]


def test_filter__names_of_the_newest_rows(admin_client):
    """Sources, providers and models of recorded calls are offered, and the rows are read once for all three."""
    written(source="embed", provider="house", model="in-rows")
    with CaptureQueriesContext(connection) as captured:
        listing = admin_client.get(LIST).context["cl"]
    offered = {
        spec.title: [choice["display"] for choice in spec.choices(listing)][1:]
        for spec in listing.filter_specs
        if spec.title in ("source", "provider", "model")
    }
    assert offered["source"] == ["embed", "Completion", "Other", "Translation"]
    assert offered["provider"] == ["anthropic", "claude-code", "house", "openai-compat"]
    assert "in-rows" in offered["model"]
    assert sum("LIMIT 1000" in entry["sql"] for entry in captured) == 1


def test_filter__days_offered(admin_client):
    """One click selects a common period and marks it as selected. The form keeps the other filters."""
    listing = admin_client.get(LIST, {"status": "error"}).context["cl"]
    (days,) = [spec for spec in listing.filter_specs if spec.title == "period"]
    choices = list(days.choices(listing))
    assert [choice["display"] for choice in choices] == ["Any day", "Today", "Yesterday", "Past 7 days", "Past 30 days"]
    assert days.other_parameters() == [("status", "error")]
    for choice in choices:
        again = admin_client.get(LIST + choice["query_string"]).context["cl"]
        (days,) = [spec for spec in again.filter_specs if spec.title == "period"]
        assert [c["display"] for c in days.choices(again) if c["selected"]] == [choice["display"]]


OWNERS = ["u", "U", "u ", "", None]


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("column", ["user_id", "workspace_id"])
def test_filter__owner(admin_client, column, owner):
    """A link selects exactly that user or workspace, or rows without one. The list shows how to remove the filter."""
    rows = {name: written(**{column: name}) for name in OWNERS}
    query = {f"{column}__isnull": "1"} if owner is None else {column: owner}
    assert shown(admin_client, status="success", **query) == [rows[owner]]
    listing = admin_client.get(LIST, {"status": "success", **query}).context["cl"]
    (spec,) = [spec for spec in listing.filter_specs if spec.title == column.removesuffix("_id")]
    everybody, chosen = spec.choices(listing)
    assert (everybody["query_string"], chosen["selected"]) == ("?status=success", True)
    assert chosen["display"] == {None: "None", "": '""'}.get(owner, owner)


def test_filter__brought_along(admin_client):
    """The usage page's links select rows without success, without a price, or with a minimum duration."""
    fast, slow = written(duration_ms=9, cost_basis="unpriced"), written(duration_ms=10, status="timeout")
    written(status="pending", input_tokens=0)
    spent = written(output_tokens=1)
    assert shown(admin_client, duration_from="10") == [slow]
    assert shown(admin_client, status="unsuccessful") == [slow]
    assert set(shown(admin_client, cost="unpriced")) == {fast, spent}
    titles = {spec.title for spec in admin_client.get(LIST).context["cl"].filter_specs}
    assert titles == {"status", "source", "provider", "model", "period", "user", "workspace"}


def test_filter__source_of_a_host(admin_client):
    """The URL may name a source of `record_call()`, which is then offered too."""
    row = written(source="recordings")
    assert shown(admin_client, source="recordings") == [row]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"since": "2026-01-10"}, "bc"),
        ({"until": "2026-01-10"}, "a"),
        ({"since": "2026-01-10", "until": "2026-01-11"}, "b"),
        ({"since": "2026-01-10T00:00:01Z", "until": "2026-01-11T00:00:00+00:00"}, ""),
        ({"since": "2026-01-10", "created_from": "2026-01-11"}, "c"),
    ],
    ids=str,
)
def test_filter__moments(admin_client, settings, query, expected):
    """`since` and `until` mean the same as for `usage()`: UTC, whatever the host's time zone, and without the end."""
    settings.TIME_ZONE = "America/New_York"
    written(prompt="a", created_at=datetime(2026, 1, 9, 23, 59, 59, tzinfo=UTC))
    written(prompt="b", created_at=datetime(2026, 1, 10, tzinfo=UTC))
    written(prompt="c", created_at=datetime(2026, 1, 11, 12, tzinfo=UTC))
    assert "".join(sorted(row.prompt for row in shown(admin_client, **query))) == expected


def test_filter__moments_are_dropped_for_days(admin_client):
    """Times from a link are the selected choice, until another one is chosen."""
    query = {"since": "2026-01-10", "until": "2026-01-11", "status": "error"}
    listing = admin_client.get(LIST, query).context["cl"]
    (days,) = [spec for spec in listing.filter_specs if spec.title == "period"]
    choices = list(days.choices(listing))
    assert [choice["display"] for choice in choices if choice["selected"]] == ["2026-01-10 until 2026-01-11, UTC"]
    assert choices[0]["query_string"] == "?status=error"
    assert days.other_parameters() == [("status", "error")]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "nonsense"},
        {"status": "\0"},
        {"model": "\0"},
        {"provider": "\0"},
        {"user_id": "\0"},
        {"user_id__isnull": "0"},
        {"cost": "high"},
        {"duration_from": "soon"},
        {"duration_from": "-1"},
        {"duration_from": "9" * 30},
        {"since": "yesterday"},
        {"until": "0001-01-01"},
        {"created_from": "yesterday"},
        {"created_from": "0001-01-01"},
        {"created_to": "9999-12-31"},
        {"p": "2"},
        {"p": "2026-01-10T12:00:00_" + "0" * 32},
        {"p": "0001-01-01T00:00:00+14:00_" + "0" * 32},
        {"p": "2026-01-10T12:00:00+00:00_x"},
    ],
    ids=str,
)
def test_filter__nonsense(admin_client, query):
    """An invalid parameter leads to the unfiltered list."""
    response = admin_client.get(LIST, query)
    assert (response.status_code, response.headers.get("Location")) == (302, f"{LIST}?e=1")
    assert admin_client.get(f"{LIST}?e=1").status_code == 200


@pytest.mark.parametrize(
    "lookup", ["prompt__icontains", "response__regex", "metadata__provider", "status__in", "user_id__startswith"]
)
def test_filter__any_other_condition(admin_client, lookup):
    """Conditions that no filter offers, and no index serves, are refused."""
    assert admin_client.get(LIST, {lookup: "x"}).status_code == 400


def test_filter__provider(admin_client, agent):
    """The registered providers are offered. The URL may name one that is not registered any more."""
    agent(PROVIDERS={"house": "no.such.Provider"})
    written(provider="anthropic")
    gone = written(provider="gone")
    response = admin_client.get(LIST, {"provider": "gone"})
    assert list(response.context["cl"].result_list) == [gone]
    (offered,) = [spec for spec in response.context["cl"].filter_specs if spec.title == "provider"]
    names = [choice["display"] for choice in offered.choices(response.context["cl"])]
    assert names == ["All", "anthropic", "claude-code", "gone", "house", "openai-compat"]


def test_search__whole_identifiers(admin_client):
    """The search finds a row by its whole id, request id, user id or workspace id, and by nothing else."""
    mine = written(user_id="user-1", workspace_id="workspace-1", prompt="needle", model="needle")
    other = written(user_id=str(mine.request_id), request_id=None)
    found = {
        term: set(shown(admin_client, q=term))
        for term in (
            str(mine.pk),
            f" {mine.pk.hex} ",
            str(mine.request_id),
            "user-1",
            "workspace-1",
            "user",
            "needle",
            "\0",
        )
    }
    assert found == {
        str(mine.pk): {mine},
        f" {mine.pk.hex} ": {mine},
        str(mine.request_id): {mine, other},
        "user-1": {mine},
        "workspace-1": {mine},
        "user": set(),
        "needle": set(),
        "\0": {mine, other},
    }


def test_totals__of_the_period(admin_client, monkeypatch):
    """With a period, the list shows the number and sums of the rows on all pages."""
    monkeypatch.setattr(PromptLogAdmin, "list_per_page", 1)
    for cost in ("0.0000000001", "12.3000000000", None):
        written(cost_usd=cost and Decimal(cost), input_tokens=1000, output_tokens=5, duration_ms=700, user_id="user-1")
    written(created_at=NOON + timedelta(days=1), cost_usd=Decimal(1))
    response = admin_client.get(LIST, {"since": "2026-01-10", "until": "2026-01-11", "user_id": "user-1"})
    listing = response.context["cl"]
    assert listing.totals == Totals(
        rows=3,
        estimated_cost_usd=Decimal(0),
        cost_usd=Decimal("12.3000000001"),
        unpriced=1,
        tokens=3015,
        duration_ms=2100,
    )
    assert list(listing.totals) == [
        ("Calls", "3"),
        ("Cost", "$12.30 + 1 unknown"),
        ("Tokens", "3,015"),
        ("Duration", "2.1\u00a0s"),
    ]
    assert "<dt>Calls</dt><dd>3</dd>" in response.content.decode()


def test_totals__without_a_period(admin_client):
    """A list without a beginning shows no sums, and says how to get them."""
    written()
    response = admin_client.get(LIST, {"created_to": "2030-01-01"})
    assert response.context["cl"].totals is None
    assert "Choose a period" in response.content.decode()


@pytest.mark.parametrize("since", [{"created_from": "2026-01-01"}, {"since": "2026-01-01"}])
def test_totals__without_an_end(admin_client, since):
    """A period with a beginning only ends now, and its rows are summed up."""
    written()
    response = admin_client.get(LIST, since)
    assert response.context["cl"].totals.rows == 1
    assert "Choose a period" not in response.content.decode()


def test_filters_on__are_shown(admin_client):
    """Each active filter is shown above the list, with a link that removes it."""
    written(user_id="user-1", status="error")
    response = admin_client.get(LIST, {"user_id": "user-1", "created_from": "2026-01-01", "status": "error"})
    listing = response.context["cl"]
    assert [(title, choice) for title, choice, _ in listing.filters_on] == [
        ("period", "2026-01-01 to …"),
        ("user", "user-1"),
        ("status", "Error"),
    ]
    for title, _, link in listing.filters_on:
        left = admin_client.get(LIST + link).context["cl"]
        assert title not in [other for other, *_ in left.filters_on] and len(list(left.filters_on)) == 2


def test_filter__owner_typed(admin_client):
    """The form for a user or workspace keeps the other filters, and leads to the first page."""
    written()
    page = admin_client.get(LIST, {"status": "success", "p": f"{NOON.isoformat()}_{uuid.UUID(int=2**128 - 1)}"})
    (spec,) = (spec for spec in page.context["cl"].filter_specs if spec.title == "user")
    assert spec.other_parameters() == [("status", "success")]
    assert '<input type="text" name="user_id" value="" required>' in page.content.decode()


def test_list__empty(admin_client):
    """An empty list says what to do next: without any calls, and with a filter or search that finds none."""
    assert "There are no calls yet." in admin_client.get(LIST).content.decode()
    assert "No calls match." in admin_client.get(LIST, {"status": "error"}).content.decode()
    assert "No calls match. The search finds whole ids." in admin_client.get(LIST, {"q": "nobody"}).content.decode()


def test_list__time_zone(admin_client, settings):
    """The list says which time zone its times are in."""
    settings.TIME_ZONE = "Europe/Berlin"
    assert "Times are in Europe/Berlin." in admin_client.get(LIST).content.decode()
