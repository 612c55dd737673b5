"""The usage page in a real browser, without scripts, on screens of every kind."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Request, expect

from stapel_agent.budgets import periods
from stapel_agent.models import BudgetAccount
from tests.browser import CHROMIUM, look, sign_in
from tests.prompt_logs import written

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed"),
]

LONG = "<script>window.hostile = true</script>" + "W" * 90
WORDLESS = "\u202e" + "ﷺ" * 63
WIDE = {"width": 1200, "height": 900}
NARROW = {"width": 360, "height": 740}
SCREENS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": WIDE},
    "dark": {"color_scheme": "dark", "viewport": WIDE},
    "phone": {"color_scheme": "light", "viewport": NARROW, "has_touch": True, "is_mobile": True},
}


@pytest.fixture
def entrance(live_server: Any, django_user_model: Any) -> str:
    """The page's address on a running host, with a reader called "reader"."""
    django_user_model.objects.create_superuser("reader", "reader@example.com", "password")
    return f"{live_server.url}/admin/agent/promptlog/usage/"


@pytest.fixture
def calls() -> None:
    """Two calls of today, one of two days ago, and one of another month by a user with markup in the name."""
    now = timezone.now()
    usual = {"user_id": "anna", "workspace_id": "acme", "cost_usd": Decimal("1.25"), "cost_basis": "provider"}
    written(**usual, model="small-model", input_tokens=10**9, created_at=now, duration_ms=900)
    written(**usual, model="large-model", output_tokens=2 * 10**9, created_at=now, duration_ms=90_000)
    written(status="timeout", user_id="bert", created_at=now - timedelta(days=2))
    old = {"model": LONG[:128], "user_id": WORDLESS, "workspace_id": LONG[:64], "cost_basis": "unpriced"}
    written(**old, output_tokens=1, created_at=now - timedelta(days=20))
    BudgetAccount.objects.create(
        key="k",
        scope="workspace",
        identity=LONG[:64],
        period="month",
        starts_on=periods.beginning("month", now),
        limit_nanos=10**18,
        limit_tokens=10**15,
        spent_nanos=0,
        is_counted=True,
    )


def listed(page: Page, number: int) -> None:
    """The number of rows in the list."""
    expect(page.locator("#result_list tbody tr")).to_have_count(number)
    page.go_back()


@pytest.mark.parametrize("name", SCREENS)
def test_usage__clicked_through(chromium, entrance, calls, name):
    """Without scripts, a reader chooses periods and follows bars, users, models and figures to rows on this host."""
    origins: set[str] = set()

    def note(request: Request) -> None:
        origins.add(urlsplit(request.url).netloc)

    def visit(page: Page) -> None:
        page.on("request", note)
        sign_in(page, entrance)
        expect(page.locator("dt:text-is('Calls') + dd")).to_have_text("4")
        look(page, f"usage-{name}")
        page.click("text=The same in figures")
        look(page, f"usage-{name}-figures")
        page.click("text=7 days")
        expect(page.locator("dt:text-is('Calls') + dd")).to_have_text("3")
        expect(page.locator(".agent-periods [aria-current]")).to_have_text("7 days")
        page.locator("svg a").last.click()
        listed(page, 2)
        page.click("text=anna")
        listed(page, 2)
        page.click("bdi:text-is('large-model')")
        listed(page, 1)
        page.click("dt:text-is('Errors') + dd a")
        listed(page, 1)
        today = timezone.now().date()
        page.fill("input[name=since]", str(today - timedelta(days=30)))
        page.fill("input[name=until]", str(today))
        page.click("button:text-is('Show')")
        expect(page.locator("dt:text-is('Calls') + dd")).to_have_text("2")
        page.click("bdi:has-text('<script>') >> nth=0")
        listed(page, 1)

    assert chromium(visit, java_script_enabled=False, **SCREENS[name]) == []
    assert origins == {urlsplit(entrance).netloc}


LAYOUT = """() => {
    const boxes = selector => [...document.querySelectorAll(selector)].map(one => one.getBoundingClientRect());
    const name = [...document.querySelectorAll(".agent-rankings tbody th")].map(one => one.clientWidth);
    const room = document.querySelector(".agent-usage").getBoundingClientRect().right;
    const tiles = boxes(".agent-tiles > div");
    return {
        narrowest: Math.min(...name),
        wide: boxes(".agent-usage table:not(.agent-scroll *)").filter(box => box.right > room + 1).length,
        gaps: tiles.filter((box, place) => (tiles[place + 1]?.top ?? 1e9) > box.top && box.right < room - 1).length,
        bars: new Set(boxes("meter").map(box => Math.round(box.left))).size,
    };
}"""


@pytest.mark.parametrize("sidebar", [True, False])
def test_usage__room(chromium, entrance, calls, sidebar):
    """At any width, names have room, tables fit the page, tiles fill rows and bars line up."""
    written(user_id="6b1c2f0e-7d7f-4f39-9a55-0f1f5f1b8f10", cost_basis="unpriced", input_tokens=10**9)
    spent = BudgetAccount.objects.get()
    for key, percentage in (("over", 104_170), ("low", 3)):
        spent.pk, spent.key, spent.identity = None, key, key
        spent.limit_nanos, spent.spent_nanos, spent.limit_tokens = 10**11, percentage * 10**9, None
        spent.save(force_insert=True)

    def visit(page: Page) -> None:
        page.add_init_script(f"localStorage.setItem('django.admin.navSidebarIsOpen', '{str(sidebar).lower()}')")
        sign_in(page, entrance)
        for width in (1280, 1200, 1000, 900, 780, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.reload()
            look(page, f"usage-room-{width}-{sidebar}")
            found = page.evaluate(LAYOUT)
            assert found.pop("narrowest") >= 120, width
            assert found == {"wide": 0, "gaps": 0, "bars": 1}, width
        full = page.locator("meter").evaluate_all("all => all.map(one => one.value)")
        assert full == [1, 0.03, 0]

    assert chromium(visit) == []


def test_usage__from_the_list(chromium, entrance, calls):
    """The list links to the page, and markup in names is not executed, even with scripts."""

    def visit(page: Page) -> None:
        sign_in(page, entrance.replace("usage/", ""))
        page.click(".object-tools >> text=Usage")
        expect(page.locator("h1:text-is('Usage')")).to_be_visible()
        assert page.evaluate("window.hostile") is None

    assert chromium(visit, viewport=WIDE) == []


def test_usage__empty(chromium, entrance):
    """A ledger without calls has a page that says so."""

    def visit(page: Page) -> None:
        sign_in(page, entrance)
        expect(page.locator(".agent-nothing")).to_contain_text("no calls in the ledger yet")
        look(page, "usage-empty")

    assert chromium(visit, java_script_enabled=False, viewport=NARROW) == []
