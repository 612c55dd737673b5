"""The ledger in the admin: who may look, what is shown, and what it asks of the database."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from stapel_agent.admin import LINKED_CALLS, PromptLogAdmin
from stapel_agent.listing import LedgerList
from stapel_agent.models import PromptLog

pytestmark = pytest.mark.django_db

LIST = "/admin/agent/promptlog/"
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\u202e"


def written(*, created_at=NOON, **columns) -> PromptLog:
    """A row as the ledger writes it, at a time of one's choice."""
    defaults = {
        "request_id": uuid.uuid4(),
        "source": "llm_facade",
        "model": "small-model",
        "model_size": "small",
        "prompt": "say",
        "status": "success",
        "metadata": {"provider": "anthropic"},
    }
    row = PromptLog.objects.create(**{**defaults, **columns})
    PromptLog.objects.filter(pk=row.pk).update(created_at=created_at)
    row.refresh_from_db()
    return row


def change_page(row) -> str:
    return f"{LIST}{row.pk}/change/"


@pytest.fixture
def account(django_user_model):
    """Make accounts: `account("name", is_staff=True)`."""

    def create(username="somebody", *, codenames=(), **fields):
        user = django_user_model.objects.create_user(username, f"{username}@example.com", "password", **fields)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return user

    return create


@pytest.fixture
def reader(client, account):
    """A client signed in as superuser."""
    client.force_login(account("reader", is_staff=True, is_superuser=True))
    return client


@pytest.fixture(autouse=True)
def utc(settings):
    """Times are shown in the host's time zone: here this one."""
    settings.TIME_ZONE = "UTC"


def shown(client, **query) -> list[PromptLog]:
    """The rows that the list shows."""
    response = client.get(LIST, query)
    assert response.status_code == 200, response.headers
    return list(response.context["cl"].result_list)


class Cells(HTMLParser):
    """The text of every cell of the list and of every read-only field, by its column's name."""

    def __init__(self, response):
        super().__init__()
        self.rows, self._name = [], None
        self.feed(response.content.decode())

    def handle_starttag(self, tag, attrs):
        names = re.findall(r"\bfield-(\w+)", dict(attrs).get("class") or "")
        if tag == "tr":
            self.rows.append({})
        if tag in {"td", "th"} and names:
            (self._name,) = names
            self.rows[-1][self._name] = ""

    def handle_endtag(self, tag):
        if tag in {"td", "th"}:
            self._name = None

    def handle_data(self, data):
        if self._name:
            self.rows[-1][self._name] += data


def cells(response) -> list[dict[str, str]]:
    return [row for row in Cells(response).rows if row]


# Who may look

MANDATE = {
    "AUTHENTICATION_BACKENDS": [
        "stapel_core.access.backend.MandateBackend",
        "stapel_core.access.backend.AuditedModelBackend",
    ]
}


@pytest.mark.parametrize(
    ("fields", "host", "status"),
    [
        (None, {}, 302),
        ({}, {}, 302),
        ({"is_staff": True}, {}, 403),
        ({"is_staff": True, "codenames": ["view_promptlog"]}, {}, 200),
        ({"is_staff": True, "codenames": ["change_promptlog"]}, {}, 200),
        ({"is_staff": True, "staff_roles": ["editor"]}, MANDATE, 403),
        ({"is_staff": True, "staff_roles": ["admin"]}, MANDATE, 200),
        ({"is_staff": True}, {"STAPEL_ADMIN": {"SHOW_OPS_MODELS": True}}, 200),
        ({"is_staff": True, "is_superuser": True}, {}, 200),
    ],
    ids=["anonymous", "user", "staff", "view", "change", "editor", "admin", "ops shown", "superuser"],
)
def test_view__permission(client, account, settings, fields, host, status):
    """The list and its rows are for those whom the access rules of stapel-core let see them."""
    for name, value in host.items():
        setattr(settings, name, value)
    row = written()
    if fields is not None:
        client.force_login(account(**fields), settings.AUTHENTICATION_BACKENDS[-1])
    assert [client.get(page).status_code for page in (LIST, change_page(row))] == [status, status]


@pytest.mark.parametrize("category", ["ops", "business", "secret"])
@pytest.mark.parametrize("superuser", [True, False])
def test_mutation__denied(client, account, settings, category, superuser):
    """Nobody adds, changes or deletes, with every permission there is and whatever the host calls the model."""
    settings.STAPEL_ADMIN = {"MODELS": {"agent.PromptLog": {"category": category}}}
    codenames = [f"{action}_promptlog" for action in ("view", "add", "change", "delete")]
    client.force_login(account(is_staff=True, is_superuser=superuser, codenames=codenames))
    row = written()
    change, deletion = change_page(row), f"{LIST}{row.pk}/delete/"
    answers = [
        client.get(f"{LIST}add/"),
        client.post(f"{LIST}add/", {"prompt": "new"}),
        client.post(change, {"prompt": "changed", "_save": "Save"}),
        client.post(change, {"prompt": "copied", "_saveasnew": "1"}),
        client.get(deletion),
        client.post(deletion, {"post": "yes"}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 6
    assert list(PromptLog.objects.values_list("pk", "prompt")) == [(row.pk, "say")]


def test_mutation__no_action(reader):
    """The list offers no action, and obeys none."""
    row = written()
    answer = reader.post(LIST, {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"})
    assert PromptLog.objects.filter(pk=row.pk).exists()
    assert b'name="action"' not in answer.content


# The list


def test_list__row(reader):
    """What a row of the list tells."""
    written(
        status="timeout",
        source="translate",
        input_tokens=1234,
        output_tokens=56,
        cache_read_tokens=0,
        duration_ms=7890,
        user_id="user-1",
        metadata={"provider": "openai-compat", "from": "en"},
    )
    assert cells(reader.get(LIST)) == [
        {
            "time": "2026-01-10 12:00:00",
            "marked_status": "◷ Timeout",
            "source": "Translation",
            "provider": "openai-compat",
            "model": "small-model",
            "model_size": "small",
            "input_tokens": "1234",
            "output_tokens": "56",
            "cache_read_tokens": "0",
            "duration_ms": "7890",
            "user_id": "user-1",
        }
    ]


@pytest.mark.parametrize("metadata", [None, [], "text"])
def test_list__row_of_the_first_release(reader, metadata):
    """A row without request, without usable metadata and without figures is shown as well, in list and page."""
    row = written(request_id=None, metadata=metadata)
    (listed,) = cells(reader.get(LIST))
    assert (listed["provider"], listed["input_tokens"], listed["user_id"]) == ("-", "-", "-")
    assert reader.get(change_page(row)).status_code == 200


def test_list__hostile_columns(reader):
    """What callers wrote into a column is text."""
    written(model=HOSTILE, user_id=HOSTILE, metadata={"provider": HOSTILE}, error_message=HOSTILE)
    content = reader.get(LIST).content.decode()
    assert "<script>alert" not in content
    assert content.count("&lt;script&gt;alert") >= 3


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"status": "success"},
        {"source": "llm_facade", "model": "small-model", "status": "success"},
        {"created_from": "2026-01-01", "created_to": "2026-01-31"},
        {"q": "user-1"},
        {"o": "4.-5"},
        {"all": ""},
        {"_facets": "True"},
        {"p": f"{NOON.isoformat()}_{uuid.UUID(int=2**128 - 1)}"},
    ],
    ids=str,
)
def test_list__statements(reader, query):
    """Every statement is bounded, in order of time, without a count, and leaves the large columns where they are."""
    written(user_id="user-1")
    with CaptureQueriesContext(connection) as captured:
        assert len(shown(reader, **query)) == 1
    statements = [entry["sql"] for entry in captured if "agent_prompt_log" in entry["sql"]]
    assert statements
    for sql in statements:
        assert " LIMIT " in sql
        assert re.search(r"ORDER BY (1|\S+created_at.) DESC(, \S+id. DESC)? LIMIT", sql)
        assert not re.search(r"COUNT\(|DISTINCT|[`\"](prompt|system_prompt|response|error_message)[`\"]", sql)
        assert not re.search(r", [^( ]*[`\"]metadata[`\"]", sql)


# Its pages


def pages(client, **query) -> list[list[str]]:
    """The prompts on every page, from the newest on."""
    found, link = [], "?" + urlencode(query)
    while link:
        listing = client.get(LIST + link).context["cl"]
        found.append([PromptLog.objects.get(pk=row.pk).prompt for row in listing.result_list])
        link = listing.older_link
    return found


def test_pages__every_row_once(reader, monkeypatch):
    """From link to link come all rows, once, the newest first, also among rows of the same moment."""
    monkeypatch.setattr(PromptLogAdmin, "list_per_page", 3)
    for number in range(8):
        written(prompt=str(number), created_at=NOON - timedelta(seconds=number // 4))
    found = pages(reader)
    assert [len(page) for page in found] == [3, 3, 2]
    everything = sum(found, [])
    assert (sorted(everything[:4]), sorted(everything[4:])) == (["0", "1", "2", "3"], ["4", "5", "6", "7"])


def test_pages__links(reader, monkeypatch):
    """The links keep the filters; a page that is not the first leads back to the newest rows."""
    monkeypatch.setattr(PromptLogAdmin, "list_per_page", 1)
    last, first = (written(created_at=NOON + timedelta(seconds=second)) for second in (0, 1))
    newest = reader.get(LIST, {"source": "llm_facade"})
    position = urlencode({"p": f"{first.created_at.isoformat()}_{first.pk}", "source": "llm_facade"})
    assert (newest.context["cl"].newest_link, newest.context["cl"].older_link) == (None, f"?{position}")
    assert f'href="?{position.replace("&", "&amp;")}"' in newest.content.decode()
    oldest = reader.get(f"{LIST}?{position}")
    assert [row.pk for row in oldest.context["cl"].result_list] == [last.pk]
    assert (oldest.context["cl"].newest_link, oldest.context["cl"].older_link) == ("?source=llm_facade", None)


@pytest.mark.parametrize("query", [{"status": "error"}, {"model": "rare"}, {"model": "rare", "source": "llm_facade"}])
def test_pages__sifted(reader, monkeypatch, query):
    """Where no index helps, a page looks through so many rows, and the next goes on behind them."""
    monkeypatch.setattr(LedgerList, "sifted_rows", 4)
    for number in range(10):
        rare = {"status": "error", "model": "rare"} if number in (1, 3, 9) else {}
        written(prompt=str(number), created_at=NOON - timedelta(seconds=number), **rare)
    assert pages(reader, **query) == [["1", "3"], [], ["9"]]


def test_pages__sifted_note(reader, monkeypatch):
    """A page that stopped looking says where."""
    monkeypatch.setattr(LedgerList, "sifted_rows", 2)
    for number in range(3):
        written(created_at=NOON - timedelta(seconds=number))
    content = " ".join(reader.get(LIST, {"status": "error"}).content.decode().split())
    assert "0 found among 2 rows, back to 2026-01-10 11:59:59." in content
    assert "Look further back" in content


def test_pages__sifted_within_a_search(reader, monkeypatch):
    """Rows that an index finds are filtered wherever they are."""
    monkeypatch.setattr(LedgerList, "sifted_rows", 2)
    old = written(user_id="user-1", status="error", created_at=NOON - timedelta(days=9))
    for _ in range(3):
        written()
    assert shown(reader, q="user-1", status="error") == [old]


# Its filters and its search


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
def test_filter__rows(reader, settings, query, expected):
    """Filters by status, source, model and days, alone and together; days are those of the current time zone."""
    settings.TIME_ZONE = "America/New_York"
    written(prompt="a", model="m1", created_at=datetime(2026, 1, 11, 4, 59, 59, tzinfo=UTC))
    written(prompt="b", model="m1", created_at=datetime(2026, 1, 11, 5, tzinfo=UTC), status="error", source="translate")
    written(prompt="c", model="m2", created_at=datetime(2026, 1, 10, 4, 59, 59, tzinfo=UTC), source="translate")
    assert "".join(sorted(row.prompt for row in shown(reader, **query))) == expected


def test_filter__models_offered(reader, agent):
    """The models to choose from are those of the newest rows, of the settings and of the URL."""
    agent(MODELS={"small": "in-models"}, OPENAI_COMPAT_MODELS={"small": "in-compat"})
    written(model="in-rows")
    listing = reader.get(LIST, {"model": "in-url"}).context["cl"]
    (models,) = [spec for spec in listing.filter_specs if spec.title == "model"]
    offered = [(choice["display"], choice["selected"]) for choice in models.choices(listing)][1:]
    assert offered == [("in-compat", False), ("in-models", False), ("in-rows", False), ("in-url", True)]


def test_filter__days_offered(reader):
    """One click selects a usual period, and is marked as selected; the form repeats the other filters."""
    listing = reader.get(LIST, {"status": "error"}).context["cl"]
    (days,) = [spec for spec in listing.filter_specs if spec.title == "day"]
    choices = list(days.choices(listing))
    assert [choice["display"] for choice in choices] == ["Any day", "Today", "Yesterday", "Past 7 days", "Past 30 days"]
    assert days.other_parameters() == [("status", "error")]
    for choice in choices:
        again = reader.get(LIST + choice["query_string"]).context["cl"]
        (days,) = [spec for spec in again.filter_specs if spec.title == "day"]
        assert [c["display"] for c in days.choices(again) if c["selected"]] == [choice["display"]]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "nonsense"},
        {"status": "\0"},
        {"model": "\0"},
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
def test_filter__nonsense(reader, query):
    """A parameter that means nothing leads to the whole list."""
    response = reader.get(LIST, query)
    assert (response.status_code, response.headers.get("Location")) == (302, f"{LIST}?e=1")
    assert reader.get(f"{LIST}?e=1").status_code == 200


@pytest.mark.parametrize("lookup", ["prompt__icontains", "response__regex", "metadata__provider", "status__in"])
def test_filter__any_other_condition(reader, lookup):
    """Conditions that no filter offers, and no index serves, are refused."""
    assert reader.get(LIST, {lookup: "x"}).status_code == 400


def test_search__whole_identifiers(reader):
    """A row is found by its id, its request's and its user's, whole; by nothing else."""
    mine = written(user_id="user-1", prompt="needle", model="needle")
    other = written(user_id=str(mine.request_id), request_id=None)
    found = {
        term: shown(reader, q=term)
        for term in (str(mine.pk), f" {mine.pk.hex} ", str(mine.request_id), "user-1", "user", "needle", "\0")
    }
    assert found == {
        str(mine.pk): [mine],
        f" {mine.pk.hex} ": [mine],
        str(mine.request_id): sorted([mine, other], key=lambda row: row.pk, reverse=True),
        "user-1": [mine],
        "user": [],
        "needle": [],
        "\0": sorted([mine, other], key=lambda row: row.pk, reverse=True),
    }


# A row's page


def test_page__texts(reader):
    """Texts are escaped and unmasked, JSON is laid out, what is missing is a dash."""
    row = written(prompt=HOSTILE, response='{"answer":"</pre><script>"}', metadata={"provider": "p", "note": HOSTILE})
    content = reader.get(change_page(row)).content.decode()
    assert "<script>alert" not in content
    assert "</pre><script>" not in content
    for text in (
        "&lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩</pre>",
        "{\n  &quot;answer&quot;: &quot;&lt;/pre&gt;&lt;script&gt;&quot;\n}</pre>",
        "{&quot;answer&quot;:&quot;&lt;/pre&gt;&lt;script&gt;&quot;}</pre>",
        "&quot;note&quot;: &quot;&lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩&quot;",
    ):
        assert text in content


def test_page__characters_without_utf8(reader):
    """Escapes in a JSON answer that make no character do not break the page."""
    row = written(response=r'["\ud800", "\u0000", "\u202e"]')
    assert "⟨U+D800⟩" in reader.get(change_page(row)).content.decode()


def test_page__long_text(reader):
    """Of a long text a page shows the beginning."""
    row = written(prompt="x" * 5_000_000, response="[" + "1," * 2_500_000 + "1]")
    content = reader.get(change_page(row)).content.decode()
    assert len(content) < 500_000
    assert "The first 100,000 of 5,000,000 characters are shown; 4,900,000 are cut." in content


def test_page__calls_of_the_request(reader):
    """A row leads to the other calls of its request, in order, and to no more of them than fit."""
    request_id = uuid.uuid4()
    first, present, last = (
        written(request_id=request_id, created_at=NOON + timedelta(seconds=second)) for second in range(3)
    )
    stranger = written()
    content = reader.get(change_page(present)).content.decode()
    links = re.findall(rf'href="{LIST}([0-9a-f-]+)/change/"', content)
    assert links == [str(first.pk), str(last.pk)]
    assert f'href="{LIST}?q={request_id}"' in content
    assert str(stranger.pk) not in content
    for second in range(LINKED_CALLS):
        written(request_id=request_id, created_at=NOON - timedelta(seconds=second))
    assert reader.get(change_page(present)).content.decode().count("/change/") <= LINKED_CALLS + 1


def test_page__no_such_row(reader):
    """An id without a row leads to the admin's index, as everywhere in the admin."""
    response = reader.get(f"{LIST}{uuid.uuid4()}/change/")
    assert (response.status_code, response.headers["Location"]) == (302, reverse("admin:index"))
