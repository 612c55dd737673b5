"""The ledger's admin in a real browser: what a reader does, and what a hostile row cannot do."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from stapel_agent.models import PromptLog
from tests.browser import CHROMIUM, look, sign_in

HOSTILE = "<script>window.hostile = true</script><img src=x onerror='window.hostile = true'>"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed"),
]


@pytest.fixture
def entrance(live_server: Any, django_user_model: Any) -> str:
    """The list's address on a running host, with a reader called "reader"."""
    django_user_model.objects.create_superuser("reader", "reader@example.com", "password")
    return f"{live_server.url}/admin/agent/promptlog/"


@pytest.fixture
def rows() -> dict[str, PromptLog]:
    """One successful row and two failed ones, the first of them from a hostile caller."""
    columns = {"source": "llm_facade", "model": "claude-haiku-4-5-20251001", "model_size": "small"}
    good = PromptLog.objects.create(
        **columns,
        status="success",
        request_id="6b1c2f0e-7d7f-4f39-9a55-0f1f5f1b8f10",
        prompt="Name three rivers of France, as JSON.",
        system_prompt="Answer with JSON only.",
        response='{"rivers":["Loire","Rhône","Seine"],"count":3}',
        input_tokens=1200,
        output_tokens=35,
        cache_read_tokens=10400,
        duration_ms=830,
        user_id="1f6d1f5c-2f57-4b0a-b76f-c4bb8ad1d3a1",
        metadata={"provider": "anthropic"},
    )
    hostile = PromptLog.objects.create(
        **columns,
        status="error",
        request_id=good.request_id,
        prompt=HOSTILE,
        response=f'["{HOSTILE}"]',
        error_message=HOSTILE,
        user_id=HOSTILE[:64],
        metadata={"provider": HOSTILE},
    )
    late = PromptLog.objects.create(**columns, status="timeout", prompt="word " * 40_000, metadata=None)
    return {"good": good, "hostile": hostile, "late": late}


def enter(page: Page, entrance: str) -> None:
    sign_in(page, entrance)
    expect(page.locator("#result_list tbody tr")).to_have_count(3)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("light", {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}}),
        ("dark", {"color_scheme": "dark", "viewport": {"width": 1360, "height": 900}}),
        ("phone", {"viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True}),
        ("no-script", {"java_script_enabled": False, "viewport": {"width": 1360, "height": 900}}),
    ],
    ids=["light", "dark", "phone", "no script"],
)
def test_reading__from_list_to_row(chromium, entrance, rows, name, options):
    """A reader signs in, filters by status, opens a row and reads its answer on any screen, with or without scripts."""

    def visit(page: Page) -> None:
        enter(page, entrance)
        look(page, f"{name}-list")
        page.click("#changelist-filter >> text=Success")
        expect(page.locator("#result_list tbody tr")).to_have_count(1)
        look(page, f"{name}-filtered")
        page.click("#result_list tbody th a")
        answer = page.locator(".field-response_block pre").first
        expect(answer).to_have_text('{ "rivers": [ "Loire", "Rhône", "Seine" ], "count": 3 }')
        assert answer.inner_text().splitlines()[:3] == ["{", '  "rivers": [', '    "Loire",']
        look(page, f"{name}-row")
        page.click(".agent-calls a")
        expect(page.locator(".field-prompt_block pre")).to_have_text(HOSTILE)

    assert chromium(visit, **options) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_reading__room(chromium, entrance, rows, scheme):
    """On a screen of 1280 pixels, beside the sidebar and the filters, every column is visible."""
    ids = {"user_id": "daf0105b-a06c-05a1-c76a-bf436fa84dca", "workspace_id": "6b1c2f0e-7d7f-4f39-9a55-0f1f5f1b8f10"}
    PromptLog.objects.update(**ids, input_tokens=75_062_749, cost_usd="1234.5", provider="openai-compat")

    def visit(page: Page) -> None:
        enter(page, entrance)
        look(page, f"{scheme}-room")
        expect(page.locator("#nav-sidebar")).to_be_visible()
        expect(page.locator(".field-cost").first).to_have_text("$1,234.500000")
        assert page.locator(".results").evaluate("box => box.scrollWidth - box.clientWidth") == 0

    assert chromium(visit, color_scheme=scheme, viewport={"width": 1280, "height": 900}) == []


def test_reading__hostile_row(chromium, entrance, rows):
    """Markup in the texts of a row is shown as text, in the list and on the page."""

    def visit(page: Page) -> None:
        enter(page, entrance)
        assert page.evaluate("window.hostile") is None
        page.goto(f"{entrance}{rows['hostile'].pk}/change/")
        expect(page.locator(".field-prompt_block pre")).to_have_text(HOSTILE)
        expect(page.locator(".field-metadata_block pre")).to_contain_text("<script>")
        look(page, "hostile-row")
        assert page.evaluate("window.hostile") is None
        assert page.locator("pre script, pre img").count() == 0

    assert chromium(visit, viewport={"width": 1360, "height": 900}) == []


def test_reading__long_text(chromium, entrance, rows):
    """A long text scrolls within its box, and says what is cut."""

    def visit(page: Page) -> None:
        enter(page, entrance)
        page.goto(f"{entrance}{rows['late'].pk}/change/")
        box = page.locator(".field-prompt_block pre")
        expect(page.locator(".agent-note")).to_contain_text("100,000 are cut")
        assert box.evaluate("box => box.scrollHeight > box.clientHeight && box.scrollWidth <= box.clientWidth")
        look(page, "long-row")

    assert chromium(visit, viewport={"width": 1360, "height": 900}) == []


def test_filtering__by_day(chromium, entrance, rows):
    """The form for days keeps the current filter, and finds today's rows."""
    PromptLog.objects.filter(pk=rows["late"].pk).update(created_at="2026-01-10T12:00:00Z", status="success")

    def visit(page: Page) -> None:
        enter(page, entrance)
        page.click("#changelist-filter >> text=Success")
        page.fill("input[name=created_from]", "2026-01-10")
        page.fill("input[name=created_to]", "2026-01-10")
        page.click(".agent-form button")
        expect(page.locator("#result_list tbody tr")).to_have_count(1)
        assert "status=success" in page.url
        look(page, "period")

    assert chromium(visit, timezone_id="UTC", viewport={"width": 1360, "height": 900}) == []
