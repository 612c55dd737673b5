"""The usage page of the admin: its figures, and the rows that they link to."""

import csv
import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import include, path, reverse, set_script_prefix
from django.utils import timezone

from stapel_agent import services, usage
from stapel_agent.accounting.top_spenders import NAMES, rankings
from stapel_agent.admin import PromptLogAdmin
from stapel_agent.budgets.balances import TOKENS
from stapel_agent.cache import hit_counts
from stapel_agent.models import BudgetAccount, PromptLog
from stapel_agent.pages.number_formatting import with_unit
from stapel_agent.types import CompletionRequest, Saving
from tests.prices.price_list import listed
from tests.prompt_logs import BEGIN, NOON, written, written_at_random
from tests.usage_links import PAGE, Figure, Figures, rows_behind

pytestmark = pytest.mark.django_db

FIVE_DAYS = {"since": "2026-01-30", "until": "2026-02-04"}
JANUARY_10 = {"since": "2026-01-10", "until": "2026-01-11"}
HOSTILE = "</bdi></a><script>alert(1)</script>\u202e{{ 1 }}"


@pytest.fixture
def on_one_page(monkeypatch):
    """The list shows all rows on one page."""
    monkeypatch.setattr(PromptLogAdmin, "list_per_page", 1000)


def behind(figure: Figure, rows: list[PromptLog]) -> str:
    """The figure as computed from the rows."""
    if figure.kind in ("calls", "errors", "unpriced_calls", "pending"):
        return str(len(rows))
    if figure.kind == "cost_usd":
        return str(sum((row.cost_usd or 0 for row in rows), Decimal(0)))
    if figure.kind == "duration_ms":
        return str(min(row.duration_ms for row in rows))
    names = TOKENS if figure.kind == "tokens" else [figure.kind]
    return str(sum(getattr(row, name) or 0 for row in rows for name in names))


@pytest.mark.any_database
def test_links__lead_to_the_rows_that_make_the_figure(admin_client, on_one_page):
    """Every linked figure equals the sum of the rows in the list at that link, to the last digit."""
    written_at_random(50)
    page = Figures(admin_client.get(PAGE, FIVE_DAYS))
    known: dict[str, list[PromptLog]] = {}
    for figure in page.found:
        if figure.address not in known:
            known[figure.address] = rows_behind(admin_client, figure.address)
        rows = known[figure.address]
        if figure.kind != "bar":
            assert Decimal(figure.value) == Decimal(behind(figure, rows)), figure
    kinds = {figure.kind for figure in page.found}
    assert kinds >= {
        "bar",
        "calls",
        "errors",
        "tokens",
        "unpriced_calls",
        "pending",
        "cost_usd",
        "duration_ms",
        *TOKENS,
    }
    assert len(known) > 60


def test_links__of_bars(admin_client, on_one_page):
    """Each day with a call has a bar in both charts, with the day's figure and a link to the day's rows."""
    written(created_at=NOON, cost_usd=Decimal("1.5"), cost_basis="provider", input_tokens=1234)
    written(created_at=NOON + timedelta(days=2), cost_usd=Decimal("0.25"), cost_basis="provider")
    page = Figures(admin_client.get(PAGE, {"since": "2026-01-10", "until": "2026-01-13"}))
    bars = [bar for bar in page.found if bar.kind == "bar"]
    assert [bar.value for bar in bars] == [
        *("2026-01-10: $1.50", "2026-01-12: $0.25"),
        *("2026-01-10: 1,234", "2026-01-12: 0"),
    ]
    behind_them = [[row.created_at.day for row in rows_behind(admin_client, bar.address)] for bar in bars]
    assert behind_them == [[10], [12], [10], [12]]


@pytest.mark.any_database
def test_links__every_address_answers(admin_client):
    """No link of the page is dead, including those of the period picker and the breadcrumbs."""
    written(created_at=timezone.now())
    for address in set(Figures(admin_client.get(PAGE)).addresses) - {"/", "#content-start"}:
        response = admin_client.get(PAGE + address if address.startswith("?") else address)
        assert response.status_code in (200, 302), address


def top_of_usage(name: str) -> list[tuple]:
    """The top spenders according to `usage()`."""
    rows = [row for row in usage(group_by=name, limit=1000, **FIVE_DAYS)["rows"] if row["calls"]]
    tokens = {row[name]: sum(row[kind] for kind in TOKENS) for row in rows}
    rows.sort(key=lambda row: (-row["cost_usd"], -tokens[row[name]], -row["calls"]))
    names = ("calls", "errors", "unpriced_calls", "cost_usd")
    return [(row[name], tokens[row[name]], *(row[figure] for figure in names)) for row in rows]


def test_rankings__are_those_of_usage():
    """Users, workspaces, sources and models are sorted by what they spent, with the figures of `usage()`."""
    written_at_random(300)
    found = rankings(BEGIN, BEGIN + timedelta(days=5), 4).spenders
    for name in NAMES:
        ranked = [
            (one.name, one.tokens, one.calls, one.errors, one.unpriced_calls, one.cost_usd) for one in found[name]
        ]
        assert ranked == top_of_usage(name)[:4]


def test_rankings__without_prices():
    """If no cost is known, they are sorted by tokens."""
    for user, tokens in (("a", 5), ("b", 50), (None, 500)):
        written(user_id=user, output_tokens=tokens)
    found = rankings(NOON, NOON + timedelta(days=1), 2).spenders["user_id"]
    assert [(one.name, one.tokens, one.cost_usd, one.unpriced_calls) for one in found] == [
        (None, 500, Decimal(0), 1),
        ("b", 50, Decimal(0), 1),
    ]


@pytest.mark.parametrize("number", [0, 1, 2, 19, 20, 21, 100])
def test_durations__percentiles(number):
    """p50 and p95 ignore calls without a duration and those outside the period."""
    taken = [(n * 37 % 100) ** 2 // 3 for n in range(number)]
    PromptLog.objects.bulk_create(PromptLog(source="other", model="m", prompt="say", duration_ms=ms) for ms in taken)
    PromptLog.objects.update(created_at=NOON)
    written(duration_ms=None)
    written(duration_ms=10**6, created_at=NOON + timedelta(days=1))
    found = rankings(NOON, NOON + timedelta(hours=1), 1).durations
    kept_to = [[ms for ms in sorted(taken) if sum(t <= ms for t in taken) * 100 >= part * number] for part in (50, 95)]
    assert [found.p50_ms, found.p95_ms] == [found[0] if found else None for found in kept_to]


def test_figures__of_the_page(admin_client):
    """The tiles show what was spent, how many calls failed, what the cache saved, and the durations."""
    for status, ms in (("success", 100), ("success", 900), ("timeout", 61_000)):
        written(status=status, cost_usd=Decimal("0.0123"), cost_basis="provider", input_tokens=1000, duration_ms=ms)
    written(status="success", cost_basis="unpriced", output_tokens=7)
    written(status="pending", created_at=timezone.now() - timedelta(days=90))
    text = Figures(admin_client.get(PAGE, JANUARY_10)).text.replace("\u00a0", " ")
    for words in (
        "Spend $0.0369 + 1 call without a price",
        "Calls 4",
        "Tokens 3,007 3,000 input 7 output",
        "Errors 1 25 % of the calls",
        "Duration, p50 900 ms p95 61 s",
        "In flight 1",
        "2026-01-10; days are in UTC",
    ):
        assert words in text


def test_figures__of_cache_hits(admin_client):
    """Hits have no rows, so their count and savings have no link."""
    written(created_at=timezone.now())
    request = CompletionRequest("p", "small", "anthropic", "llm_facade", 5, "m")
    hit_counts.note(request, 3, Saving(45, Decimal("0.5")))
    page = Figures(admin_client.get(PAGE))
    text = page.text.replace("\u00a0", " ")
    assert "Cache hits 3 75 % of calls and hits 45 tokens and $0.50 saved they have no rows" in text
    assert "hits" not in {figure.kind for figure in page.found}


def test_figures__of_cache_hits_alone(admin_client):
    """A day with hits but no calls is in the table and has no bar."""
    hit_counts.note(CompletionRequest("p", "small", "anthropic", "llm_facade", 5, "m"), 3)
    page = Figures(admin_client.get(PAGE))
    assert f"{timezone.now():%Y-%m-%d} 0 0 3" in page.text
    assert [figure.kind for figure in page.found] == ["cost_usd"]


def test_spend__unknown_is_not_zero(admin_client):
    """If no price is known, the page says so, with the number of calls. A free call costs zero."""
    written(model="local", cost_basis="unpriced", output_tokens=7)
    written(model="free", cost_usd=Decimal(0), cost_basis="provider", created_at=NOON + timedelta(days=1))
    of_free, of_local = (
        Figures(admin_client.get(PAGE, {"since": f"2026-01-{day}", "until": f"2026-01-{day + 1}"})).text
        for day in (11, 10)
    )
    assert "Spend unknown + 1 call without a price" in of_local
    assert "$0" not in of_local.split("Users")[1]
    assert "Spend $0 Calls 1" in of_free
    assert "without a price" not in of_free


def test_names__hostile(admin_client, on_one_page):
    """Names that callers and models chose are shown as isolated text, and link to their rows."""
    row = written(model=HOSTILE, user_id=HOSTILE, workspace_id="", source="<b>", output_tokens=1)
    response = admin_client.get(PAGE, JANUARY_10)
    content = response.content.decode()
    assert "<script>alert" not in content
    assert "\u202e" not in content
    assert "<bdi>&lt;/bdi&gt;&lt;/a&gt;&lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩{{ 1 }}</bdi>" in content
    for figure in Figures(response).found:
        if figure.kind == "calls":
            assert rows_behind(admin_client, figure.address) == [row]


def test_page__without_inline_script_or_style(admin_client):
    """The page satisfies the strictest content security policy."""
    written_at_random(50)
    content = admin_client.get(PAGE, FIVE_DAYS).content.decode()
    own = content[content.index('class="agent-usage"') : content.index("</main>")]
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:|https?://", own)


@pytest.mark.parametrize("period", ["today", "last-month", ""])
def test_period__chosen(admin_client, period):
    """Each period of the picker shows its calls, and is marked as selected."""
    written(created_at=timezone.now())
    response = admin_client.get(PAGE, {"period": period} if period else {})
    assert (response.context["page"].parts == []) is (period == "last-month")
    assert re.findall(r'href="\?period=([\w-]+)" aria-current', response.content.decode()) == [period or "30d"]


@pytest.mark.any_database
@pytest.mark.parametrize(
    "query",
    [
        {"period": "\0<script>"},
        {"since": "2026-01-10", "until": "2026-13-01"},
        {"since": "x" * 5000},
        {"since": "\ud800"},
    ],
    ids=lambda query: str(query)[:60],
)
def test_period__wrong(admin_client, query):
    """An invalid period is reported, and the default one is shown."""
    written(created_at=timezone.now())
    query = {name: value.encode("utf-8", "surrogatepass") for name, value in query.items()}
    response = admin_client.get(PAGE, query)
    assert response.status_code == 200
    assert 'class="errornote"' in response.content.decode()
    assert "<script>alert" not in response.content.decode()
    assert len(response.context["page"].parts) == 1
    assert (response.context["page"].period.until - response.context["page"].period.since).days == 30


def test_period__long(admin_client, on_one_page):
    """A period of more than two months has a bar for each month, cut at both ends."""
    inside, outside = written(created_at=datetime(2026, 1, 31, 23, tzinfo=UTC)), written(created_at=NOON)
    page = Figures(admin_client.get(PAGE, {"since": "2026-01-15", "until": "2026-06-01"}))
    (bar, _) = (figure for figure in page.found if figure.kind == "bar")
    assert bar.value.startswith("2026-01: ")
    assert rows_behind(admin_client, bar.address) == [inside] != [outside]


def test_page__empty_ledger(admin_client):
    """Without calls, the page shows a text and no figures. Without calls in the period, it shows those under way."""
    assert "There are no calls in the ledger yet." in Figures(admin_client.get(PAGE)).text
    written()
    text = Figures(admin_client.get(PAGE, {"period": "today"})).text
    assert "There were no calls in this period." in text
    assert "In flight 0" in text


def statements(client) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(PAGE, FIVE_DAYS).status_code == 200
    return len(captured)


@pytest.mark.any_database
def test_page__queries_do_not_grow(admin_client):
    """The number of queries does not depend on the number of rows, users and models."""
    written_at_random(60)
    few = statements(admin_client)
    written_at_random(300)
    PromptLog.objects.bulk_create(
        PromptLog(source="other", model=f"m{n}", user_id=f"u{n}", workspace_id=f"w{n}", prompt="say")
        for n in range(300)
    )
    PromptLog.objects.filter(source="other").update(created_at=BEGIN)
    assert statements(admin_client) == few <= 30 + (connection.vendor == "postgresql")


@pytest.mark.any_database
@pytest.mark.parametrize(
    "host",
    [
        {"USE_TZ": False, "TIME_ZONE": "America/New_York"},
        {"TIME_ZONE": "Asia/Kathmandu"},
        {"LANGUAGE_CODE": "de", "USE_THOUSAND_SEPARATOR": True},
        {"LANGUAGE_CODE": "ar", "USE_THOUSAND_SEPARATOR": True},
    ],
    ids=str,
)
def test_page__any_host(admin_client, settings, on_one_page, host):
    """Days are in UTC and figures are the same, whatever the host's time zone and language. The links still match."""
    for name, value in host.items():
        setattr(settings, name, value)
    for hour in range(0, 48, 3):
        moment = datetime(2026, 1, 9, 12, tzinfo=UTC) + timedelta(hours=hour)
        stored = moment if settings.USE_TZ else timezone.make_naive(moment, timezone.get_default_timezone())
        written(created_at=stored, input_tokens=1234, duration_ms=1500)
    page = Figures(admin_client.get(PAGE, JANUARY_10))
    assert "Calls 8 Tokens 9,872" in page.text
    known = {address: rows_behind(admin_client, address) for address in {figure.address for figure in page.found}}
    for figure in page.found:
        rows = known[figure.address]
        assert len(rows) == 8
        assert figure.kind == "bar" or Decimal(figure.value) == Decimal(behind(figure, rows))


def test_page__behind_a_prefix(admin_client):
    """If the host is mounted below a path, every link has that path."""
    written(created_at=timezone.now())
    set_script_prefix("/below/")  # as a server does, by FORCE_SCRIPT_NAME or SCRIPT_NAME
    try:
        page = Figures(admin_client.get(PAGE))
    finally:
        set_script_prefix("/")
    assert page.found
    assert all(figure.address.startswith("/below/admin/agent/promptlog/?") for figure in page.found)


other = AdminSite(name="operations")
other.register(PromptLog, PromptLogAdmin)
urlpatterns = [path("ops/", other.urls), path("admin/", admin.site.urls), path("agent/", include("stapel_agent.urls"))]


@pytest.mark.urls(__name__)
def test_page__of_another_site(admin_client):
    """An admin site with another name has its own links."""
    written(created_at=timezone.now())
    page = Figures(admin_client.get("/ops/agent/promptlog/usage/"))
    assert page.found
    assert all(figure.address.startswith("/ops/agent/promptlog/?") for figure in page.found)
    assert "/ops/agent/promptlog/" in page.addresses


@pytest.mark.any_database
def test_budgets__of_now(admin_client, agent, scripted_model, on_one_page):
    """Budgets nearest to their limits are shown with what is spent and reserved, and link to their period's rows."""
    everybody = {"scope": "all", "period": "day", "tokens": 500}
    agent(BUDGETS=[everybody, {"scope": "workspace", "id": HOSTILE[:64], "period": "month", "tokens": 400, "usd": "9"}])
    agent(PRICES={"claude-haiku-4-5-20251001": {"input": "1000", "output": "2000"}}, MAX_TOKENS=10)
    services.complete("hello", "small", workspace_id=HOSTILE[:64])
    services.complete("hello", "small")
    BudgetAccount.objects.filter(scope="workspace").update(reserved_tokens=100, reserved_nanos=10**9)
    page = Figures(admin_client.get(PAGE, {"period": "last-month"}))
    text = page.text.replace("\u00a0", " ")
    today, shown_name = timezone.now(), HOSTILE.replace("\u202e", "⟨U+202E⟩")
    assert f"workspace {shown_name} {today:%Y-%m} $0.02 of $9.00, $1.00 reserved 15 of 400 tokens, 100 reserved" in text
    assert "Budgets now 2 of 2" in text
    assert f"all together {today:%Y-%m-%d} 30 of 500 tokens 6 % 6 %" in text
    figures = [figure for figure in page.found if "since" in figure.address and figure.kind != "bar"]
    assert [figure.kind for figure in figures[-3:]] == ["cost_usd", "tokens", "tokens"]
    for figure in figures[-3:]:
        assert Decimal(figure.value) == Decimal(behind(figure, rows_behind(admin_client, figure.address)))


def test_page__is_found(admin_client):
    """The list and the app's index link to the page."""
    for place in ("/admin/agent/promptlog/", "/admin/agent/"):
        assert f'<a href="{PAGE}">Usage</a>' in admin_client.get(place).content.decode()
    assert reverse("admin:agent_promptlog_usage") == PAGE


@pytest.mark.parametrize("secret", NAMES)
def test_page__secret_column(rf, django_user_model, secret):
    """Columns that a host's subclass keeps secret have no ranking and no budget, and cannot be requested."""

    class Discreet(PromptLogAdmin):
        secret_fields = (secret,)

    written(created_at=timezone.now(), **dict.fromkeys(NAMES, "needle"))
    request = rf.get("/")
    request.user = django_user_model.objects.create_superuser("root", "root@example.com", "password")
    discreet = Discreet(PromptLog, admin.site)
    content = discreet.usage_view(request).render().content.decode()
    assert content.count("<bdi>needle</bdi>") == len(NAMES) - 1
    assert not discreet.lookup_allowed(secret, "needle", request)
    assert not discreet.lookup_allowed(f"{secret}__isnull", "1", request)


def test_page__is_not_a_row(admin_client):
    """The page's URL is not the URL of a row, and the other way round."""
    row = written(pk=uuid.uuid4())
    assert admin_client.get(f"/admin/agent/promptlog/{row.pk}/change/").status_code == 200
    assert admin_client.post(PAGE).status_code in (200, 403, 405)
    assert PromptLog.objects.count() == 1


def test_ranking__shown_of_all(admin_client):
    """A table that is cut says how many of how many it shows, and ends with the total of all."""
    for number in range(12):
        written(user_id=f"user-{number}", cost_usd=Decimal(number), output_tokens=1)
    page = admin_client.get(PAGE, JANUARY_10).context["page"]
    users = next(ranking for ranking in page.rankings if ranking.column == "user_id")
    assert (users.counted, len(users.lines)) == ("10 of 12", 10)
    assert [re.sub("<.*?>", "", str(cell)) for cell in users.total.figures] == ["$66.0000", "12", "12", "0"]


def test_csv__of_every_table(admin_client):
    """Each table can be downloaded as CSV, complete, with the figures of usage() and without formulas."""
    for user in ("user-1", "=cmd()", None):
        written(user_id=user, cost_usd=Decimal("0.5"), output_tokens=2)
    response = admin_client.get(PAGE, {**JANUARY_10, "csv": "user_id"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="usage-user_id-2026-01-10-2026-01-11.csv"'
    names, *rows = csv.reader(response.content.decode().splitlines())
    found = [dict(zip(names, row, strict=True)) for row in rows]
    assert [(row["user_id"], row["calls"], row["cost_usd"]) for row in found] == [
        ("", "1", "0.5"),
        ("'=cmd()", "1", "0.5"),
        ("user-1", "1", "0.5"),
    ]
    days = admin_client.get(PAGE, {**JANUARY_10, "csv": "period"}).content.decode().splitlines()
    assert [line.partition(",")[0] for line in days] == ["day", "2026-01-10"]
    assert admin_client.get(PAGE, {**JANUARY_10, "csv": "prompt"}).status_code == 404


def test_chart__unknown_cost(admin_client):
    """A day with an unknown cost has a bar that says so, not an empty one."""
    written(cost_basis="unpriced", output_tokens=5)
    content = admin_client.get(PAGE, JANUARY_10).content.decode()
    assert 'aria-label="2026-01-10: unknown + 1 call without a price"' in content
    assert 'class="agent-bar agent-unknown"' in content


def test_page__what_prompt_caches_saved(admin_client):
    """Below the tokens is the share of the input that was read from a vendor's cache."""
    figures = {"input_tokens": 900_000, "cache_read_tokens": 1_000_000, "cache_write_tokens": 100_000}
    written(created_at=BEGIN, model="m", **figures)
    text = admin_client.get(PAGE, FIVE_DAYS).content.decode()
    assert with_unit("50", "%") + " of the input read from vendors&#x27; caches" in text


def test_page__thinking(admin_client):
    """Below the tokens is the number of output tokens spent on thinking, if there are any."""
    written(created_at=BEGIN, model="m", output_tokens=4_096, thinking_tokens=3_900)
    assert "3,900 of the output spent on thinking" in Figures(admin_client.get(PAGE, FIVE_DAYS)).text
    assert "thinking" not in Figures(admin_client.get(PAGE, JANUARY_10)).text


ON_HAIKU = {"provider": "anthropic", "model": "claude-haiku-4-5-20251001"}


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{**ON_HAIKU, "cache_read_tokens": 1_000_000}], "vendors' caches saved $0.90, at today's prices"),
        (
            [{**ON_HAIKU, "cache_read_tokens": 1_000_000, "cache_write_tokens": 400_000}] * 2,
            "vendors' caches saved $1.60, at today's prices",
        ),
        (
            [{**ON_HAIKU, "cache_write_tokens": 1_000_000}],
            "vendors' caches cost $0.25 more than they saved, at today's prices",
        ),
        (
            [
                {**ON_HAIKU, "cache_read_tokens": 1_000_000},
                {"provider": "own", "model": "priced", "cache_read_tokens": 1_000_000},
                {"provider": "own", "model": HOSTILE, "cache_read_tokens": 5},
            ],
            "vendors' caches saved $2.90, at today's prices; 1 model without a price left out",
        ),
        (
            [{"provider": name, "model": "m", "cache_write_tokens": 5} for name in (None, HOSTILE, "https://x")],
            "what vendors' caches saved is unknown: 3 models without a price",
        ),
        ([{**ON_HAIKU, "provider": "broken", "cache_read_tokens": 5}], "unknown: 1 model without a price"),
        ([{**ON_HAIKU, "provider": "openai", "model": "gpt-5", "cache_read_tokens": 10**6}], "saved $1.12"),
    ],
)
def test_page__dollars_that_prompt_caches_saved(admin_client, agent, rows, told):
    """The page shows what cached reads saved, minus what writes cost extra, or the loss, and counts unpriced models."""
    agent(
        PRICES={"own/priced": {"input": 3, "output": 9, "cache_read": 1}},
        PROVIDERS={"broken": "no.such.Class"},
    )
    for row in rows:
        written(**row)
    written(**ON_HAIKU, created_at=BEGIN, cache_read_tokens=10**9)
    with listed():
        assert told in Figures(admin_client.get(PAGE, JANUARY_10)).text


def test_page__no_prompt_caches(admin_client):
    """Without cache reads and writes, the page does not mention the vendors' caches."""
    written(**ON_HAIKU, input_tokens=5)
    assert "caches" not in Figures(admin_client.get(PAGE, JANUARY_10)).text


@pytest.mark.any_database
def test_cached__by_provider_and_model():
    """Names that differ only in case or trailing characters are summed up separately on every database."""
    for provider, tokens in (("anthropic", 1), ("Anthropic", 2), ("anthropic", 4), (None, 8)):
        written(provider=provider, model="m", cache_read_tokens=tokens, cache_write_tokens=None)
    found = rankings(NOON, NOON + timedelta(days=1), 2).cached
    assert [(one.provider, one.model, one.read_tokens, one.write_tokens) for one in found] == [
        (None, "m", 8, 0),
        ("anthropic", "m", 5, 0),
        ("Anthropic", "m", 2, 0),
    ]
