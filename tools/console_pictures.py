"""Pictures of every page of the centre's console for the manual: a hub of 210 offices in which something of everything has happened.

``python -m tools.console_pictures [FOLDER]`` takes them alone; ``./dev shots`` takes them after the day's.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, Literal

from nacl.signing import SigningKey

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from modules.links import codes  # noqa: E402
from sync import notes  # noqa: E402
from sync.clock import SystemClock  # noqa: E402
from sync.hub import announce, cosignatures, decisions, forks  # noqa: E402
from sync.hub import centre as centres  # noqa: E402
from sync.hub.centre import Centre  # noqa: E402
from sync.hub.formnames import target_name  # noqa: E402
from tests.bench import million  # noqa: E402
from tests.hub.conftest import serving  # noqa: E402
from tests.hub.console_hub import ADMIN, PASSPHRASE, fill  # noqa: E402
from tests.hub.laptop import Laptop, join  # noqa: E402

RECORDS: Final = 60_000
PAGES: Final = {
    "board": "", "board-list": "?as=list", "offices": "offices", "office": "office/0306", "devices": "devices", "officers": "officers",
    "leases": "leases", "records": "records?text=ផ្សារ", "batches": "batches", "tables": "tables", "sticks": "sticks",
    "waiting": "quarantine", "conflicts": "conflicts", "publications": "publications", "dispatch": "dispatch", "outlets": "outlets",
    "log": "log", "audit": "audit", "users": "users", "me": "me",
}  # fmt: skip
SCHEMES: Final[tuple[tuple[Literal["light", "dark"], tuple[str, ...]], ...]] = (
    ("light", ("km", "en")),
    ("dark", ("km",)),
)
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


def take(out: Path) -> list[Path]:
    """Every page in both languages (and the board in the dark) as a PNG below ``out``; none when no Chromium is here."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        return []
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sala-console-") as folder:
        hub = centres.create(Path(folder) / "hub", SystemClock(), name="ក្រសួងមហាផ្ទៃ", log_name="hub")
        try:
            million.fill(hub, RECORDS)
            facts = {**fill(hub), "record": _ordinary(hub)}
            with serving(hub) as client:
                return _pictures(str(client.base_url), browser, _pages(hub, facts), out)
        finally:
            hub.close()


def _ordinary(hub: Centre) -> str:
    """Forms that somebody has published, and a record such as comes every day, sent back; the record."""
    now = hub.clock.wall_ms()
    forms = [place.read_bytes() for place in sorted((ROOT / "assets" / "forms").glob("*-1.json"))]
    named = {target_name("forms", "form.json", data): data for data in forms}
    hub.storage.write(lambda tx: announce.put(tx, named, now))
    hub.publish()
    laptop = join(hub, Laptop())
    body = {
        "code": codes.encode(6, bytes(32)), "target": "https://kampongcham.gov.kh/ads/barber-licence",
        "title": "សេចក្តីជូនដំណឹង អាជ្ញាប័ណ្ណហាងកាត់សក់",
    }  # fmt: skip
    hub.ingest.take(laptop.batch(made=[laptop.op(body)]))
    hub.settle()
    _witness(hub, now)
    reason = "សូមបន្ថែមអាសយដ្ឋានពេញលេញក្នុងចំណងជើង"
    hub.storage.write(lambda tx: decisions.decide(tx, laptop.head, "sent_back", reason, ADMIN, now))
    return laptop.head.hex()


def _witness(hub: Centre, now: int) -> None:
    """A province's relay that has cosigned the newest checkpoint."""
    key, name = SigningKey.generate(), "kampong-cham"
    hub.storage.write(lambda tx: cosignatures.add(tx, name, "03", bytes(key.verify_key), ADMIN, now))
    note = hub.storage.read(hub.log.latest)
    line = notes.cosignature_line(notes.split(note)[0], name, key, now // 1000)
    hub.storage.write(lambda tx: cosignatures.take(tx, hub.log, name, note + line))


def _pages(hub: Centre, facts: dict[str, Any]) -> dict[str, str]:
    """The pages that stand still, and those of one thing each."""
    fork = hub.storage.read(forks.listing)[0]
    batch = hub.storage.read(lambda tx: tx.query("SELECT min(idx) AS idx FROM batch WHERE via = 'line'"))[0]["idx"]
    return {
        **PAGES, "quarantine": f"fork/{bytes(fork['op']).hex()}", "batch": f"batch/{batch}", "record": f"record/{facts['record']}",
        "revoke": f"devices/{facts['second'].id.hex()}/revoke", "user": f"user?name={ADMIN}",
    }  # fmt: skip


def _pictures(url: str, browser: str, pages: dict[str, str], out: Path) -> list[Path]:
    from playwright.sync_api import sync_playwright

    saved: list[Path] = []
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        for scheme, languages in SCHEMES:
            context = running.new_context(viewport={"width": 1366, "height": 768}, color_scheme=scheme)
            page = context.new_page()
            page.goto(f"{url}/console/login")
            page.fill("input[name=name]", ADMIN)
            page.fill("input[name=passphrase]", PASSPHRASE)
            page.keyboard.press("Enter")
            page.wait_for_url("**/console/")
            page.wait_for_load_state("networkidle")
            for language in languages:
                page.goto(f"{url}/console/language/{language}")
                for name, path in pages.items() if scheme == "light" else [("board-dark", "")]:
                    page.goto(f"{url}/console/{path}")
                    saved.append(out / f"console-{name}-{language}.png")
                    page.screenshot(path=saved[-1])
            context.close()
        running.close()
    return saved


def main() -> int:
    """Take them and put the small ones where the manual shows them."""
    from tools.shots import SHOWN, small

    taken = take(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "out" / "console")
    for source in taken:  # the English chapter's have plain names
        plain = source.stem.removesuffix("-en").replace("board-dark-km", "board-dark")
        small(source, SHOWN / f"{plain}.png")
    sys.stdout.write(f"{len(taken)} pictures\n")
    return 0 if taken else 1


if __name__ == "__main__":
    sys.exit(main())
