"""Takes the screenshots of the usage page for the documents: `python example/pictures.py` writes them to docs/."""

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from host import ADMIN_NAME, ADMIN_PASSWORD, LEDGER_PATH, listening, prepare_database, served
from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).parent.parent / "docs"
PICTURES: dict[str, dict[str, Any]] = {
    "usage-light": {"color_scheme": "light", "viewport": {"width": 1200, "height": 1000}},
    "usage-dark": {"color_scheme": "dark", "viewport": {"width": 1200, "height": 1000}},
    "usage-phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 1400}, "is_mobile": True},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DOCS, help="the folder for them")
    out = parser.parse_args().out
    with filled_host() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, screen in PICTURES.items():
            print(take(browser, url, screen, out / f"{name}.png"))
        browser.close()


@contextmanager
def filled_host() -> Iterator[str]:
    """The admin URL of the example, with a ledger of one month."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(EXAMPLE_DATABASE=f"{folder}/pictures.sqlite3", DJANGO_SETTINGS_MODULE="settings")
        django.setup()
        prepare_database(fresh=True)
        # Models can be imported only after the line above.
        from sample import fill

        fill(datetime.now(UTC))
        with listening(0) as server, served(server) as url:
            yield url


def take(browser: Browser, url: str, screen: dict[str, Any], path: Path) -> Path:
    # Without scripts, because the page needs none.
    with browser.new_context(java_script_enabled=False, **screen) as context:
        page = context.new_page()
        page.goto(f"{url}{LEDGER_PATH}usage/")
        page.fill("#id_username", ADMIN_NAME)
        page.fill("#id_password", ADMIN_PASSWORD)
        page.click("input[type=submit]")
        page.wait_for_selector(".agent-usage")
        page.screenshot(path=path)
    return path


if __name__ == "__main__":
    main()
