"""Chromium for tests, driven by Playwright."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.engine_fixtures import until

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A folder for screenshots of every page, for people to look at.
SCREENSHOTS = os.environ.get("SCREENSHOTS")

Visit = Callable[[Page], None]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Callable[..., list[str]]]:
    """Run a visit: `chromium(visit, **context_options)` returns the errors that scripts raised.

    The browser runs in its own thread, because Playwright keeps an event loop in the thread it starts in, where
    Django would refuse database queries.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        playwright = thread.submit(lambda: sync_playwright().start()).result()
        browser = thread.submit(playwright.chromium.launch, executable_path=CHROMIUM, args=ARGUMENTS).result()

        def run(visit: Visit, **options: Any) -> list[str]:
            errors: list[str] = []
            with browser.new_context(**options) as context:
                page = context.new_page()
                page.on("pageerror", lambda error: errors.append(str(error)))
                visit(page)
            # Django's test server has a thread for each connection, and must not be stopped before them.
            until(lambda: not any("process_request_thread" in thread.name for thread in threading.enumerate()))
            return errors

        yield lambda visit, **options: thread.submit(run, visit, **options).result()
        thread.submit(browser.close).result()
        thread.submit(playwright.stop).result()


def sign_in(page: Page, entrance: str) -> None:
    """Sign in as the account "reader", and go to the entrance."""
    page.goto(entrance)
    page.fill("#id_username", "reader")
    page.fill("#id_password", "password")
    page.click("input[type=submit]")


def look(page: Page, name: str) -> None:
    """The page fits the screen's width. Wider parts scroll within it."""
    page.wait_for_load_state()
    width = page.locator("html").evaluate("page => page.scrollWidth - page.clientWidth")
    assert width == 0
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)
