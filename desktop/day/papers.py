"""Pictures of the day's papers and of the console, for whoever judges them; the console needs a Chromium on the machine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from desktop.day.centre import ADMIN, ADMIN_PASSPHRASE

if TYPE_CHECKING:
    from desktop.day.centre import HubProcess

CONSOLE: Final = (
    "",
    "devices",
    "publications",
    "quarantine",
    "dispatch",
    "office/0306",
    "batch/1",
    "table/forms",
    "table/certificates",
    "table/links",
    "table/messages",
)
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


def pages_of(folder: Path, out: Path) -> list[Path]:
    """Every page of every PDF in ``folder`` as a PNG."""
    import pypdfium2

    saved: list[Path] = []
    for pdf in sorted(folder.glob("*.pdf")):
        document = pypdfium2.PdfDocument(pdf)
        try:
            for number in range(len(document)):
                place = out / f"paper-{pdf.stem}-{number + 1}.png"
                document[number].render(scale=100 / 72).to_pil().save(place)
                saved.append(place)
        finally:
            document.close()
    return saved


def console(hub: HubProcess, out: Path) -> list[Path]:
    """The console's pages in Khmer and English, in a real browser; nothing when there is none."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        return []
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:  # the packaged program carries no browser driver
        return []
    saved: list[Path] = []
    with sync_playwright() as driver:
        running = driver.chromium.launch(
            executable_path=browser,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-sync",
            ],
        )
        try:
            for scheme in ("light", "dark"):
                context = running.new_context(viewport={"width": 1366, "height": 768}, color_scheme=scheme)
                page = context.new_page()
                saved += _login(page, hub, out, scheme)
                for language in ("km", "en"):
                    page.goto(f"{hub.url}/console/language/{language}")
                    for name in CONSOLE if scheme == "light" else CONSOLE[:2]:
                        page.goto(f"{hub.url}/console/{name}")
                        place = out / f"console-{name.replace('/', '-') or 'board'}-{language}-{scheme}.png"
                        page.screenshot(path=str(place))
                        saved.append(place)
                context.close()
        finally:
            running.close()
    return saved


def _login(page: Any, hub: HubProcess, out: Path, scheme: str) -> list[Path]:
    page.goto(f"{hub.url}/console/login")
    place = out / f"console-login-km-{scheme}.png"
    page.screenshot(path=str(place))
    page.fill("input[name=name]", ADMIN)
    page.fill("input[name=passphrase]", ADMIN_PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/")
    return [place]
