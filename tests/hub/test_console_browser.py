"""The console in a real Chromium: keyboard alone, both languages, both sizes, light and dark, and not one complaint of the browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.hub.centre import Centre
from tests.hub.conftest import serving
from tests.hub.console_hub import ADMIN, PASSPHRASE, fill

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PAGES = (
    "",
    "offices",
    "office/0306",
    "batches",
    "batch/1",
    "tables",
    "table/links",
    "quarantine",
    "devices",
    "publications",
    "dispatch",
    "log",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def address(centre: Centre) -> Iterator[str]:
    """A served hub in which something of everything has happened."""
    fill(centre)
    with serving(centre) as client:
        yield str(client.base_url)


@pytest.mark.parametrize(("width", "height", "scheme"), [(1366, 768, "light"), (1024, 600, "dark")])
def test_every_page_fits_and_nothing_is_complained_about(
    chromium: Any, address: str, tmp_path: Path, width: int, height: int, scheme: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))

    page.goto(f"{address}/console/")
    page.keyboard.insert_text(ADMIN)  # the name has the focus already
    page.keyboard.press("Tab")
    page.keyboard.insert_text(PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/console/")
    for language in ("km", "en"):
        page.goto(f"{address}/console/language/{language}")
        for path in PAGES:
            page.goto(f"{address}/console/{path}")
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, (path, language)
            assert page.evaluate("document.fonts.check('14px Sala')"), "the program's own font"
            picture = tmp_path / f"{path.replace('/', '-') or 'board'}-{language}.png"
            page.screenshot(path=picture)
            assert picture.stat().st_size > 10_000
    assert complaints == []
    context.close()


def test_by_keyboard_alone_from_the_board_to_a_record(chromium: Any, address: str) -> None:
    context = chromium.new_context(viewport={"width": 1024, "height": 600}, locale="km")
    page = context.new_page()
    page.goto(f"{address}/console/")
    page.keyboard.insert_text(ADMIN)
    page.keyboard.press("Tab")
    page.keyboard.insert_text(PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/console/")

    page.keyboard.press("Tab")  # the first stop skips the navigation
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "o0306":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"  # one sees where one is
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/office/0306")

    page.goto(f"{address}/console/offices")
    page.focus("input[name=q]")
    page.keyboard.type("baribour")
    page.locator("#rows tbody tr").nth(1).wait_for(state="detached")  # htmx brought the rows alone
    assert page.locator("#rows tbody tr").count() == 1
    assert "q=baribour" in page.url
    context.close()
