"""The console in a real Chromium: keyboard alone, both languages, both sizes, light and dark, and not one complaint of the browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

from sync.clock import SetClock
from sync.hub import forks
from sync.hub.centre import Centre
from sync.hub.console import admins
from tests.hub.conftest import serving
from tests.hub.console_hub import ADMIN, PASSPHRASE, fill

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PAGES = (
    "", "?as=list", "offices", "offices?only=quarantine", "office/0306", "records", "records?text=x", "batches", "batch/9", "tables",
    "table/links", "quarantine", "conflicts", "leases", "devices", "officers",
    "publications", "dispatch", "outlets", "sticks", "log", "audit", "users",
    "me",
)  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

# What a reader of the screen, a keyboard and weak eyes need: names, unique ids, one main heading, contrast, size of targets.
LOOK = r"""() => {
  const faults = [];
  const luminance = (c) => { const f = c.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
  const parse = (s) => { const m = s.match(/[\d.]+/g).map(Number); return { rgb: m.slice(0, 3), a: m.length > 3 ? m[3] : 1 }; };
  const over = (top, below) => top.rgb.map((v, i) => v * top.a + below[i] * (1 - top.a));
  const ground = (el) => { const stack = [];
    for (let e = el; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
      if (c.a > 0) { stack.push(c); if (c.a === 1) break; } }
    let base = [255, 255, 255]; for (const c of stack.reverse()) base = over(c, base); return base; };
  const seen = (el) => { if (!el.checkVisibility({ contentVisibilityAuto: true })) return false;
    const r = el.getBoundingClientRect(); const s = getComputedStyle(el);
    return r.width > 1 && r.height > 1 && s.visibility !== 'hidden' && !el.closest('.hidden, .skip'); };
  const name = (el) => (el.getAttribute('aria-label') || el.innerText || el.title || el.value || '').trim();
  for (const el of document.querySelectorAll('a, button, summary')) if (seen(el) && !name(el))
    faults.push('no name: ' + el.outerHTML.slice(0, 90));
  for (const el of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
    if (!el.closest('label') && !el.getAttribute('aria-label') && !(el.id && document.querySelector(`label[for="${el.id}"]`)))
      faults.push('no label: ' + el.outerHTML.slice(0, 90));
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  for (const id of new Set(ids.filter((v, i) => ids.indexOf(v) !== i))) faults.push('id twice: ' + id);
  for (const el of document.querySelectorAll('[aria-labelledby]')) if (!document.getElementById(el.getAttribute('aria-labelledby')))
    faults.push('labelled by nothing');
  if (document.querySelectorAll('h1').length !== 1) faults.push('main headings: ' + document.querySelectorAll('h1').length);
  if (!document.querySelector('main') || !document.documentElement.lang) faults.push('no main part or no language');
  for (const el of document.querySelectorAll('button, .button, .tabs a'))
    if (seen(el) && el.getBoundingClientRect().height < 24) faults.push('small: ' + name(el));
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), el = walker.currentNode.parentElement;
    if (!text || !seen(el) || el.closest('script, option, select, [disabled], datalist')) continue;
    let faded = 1; for (let e = el; e; e = e.parentElement) faded *= parseFloat(getComputedStyle(e).opacity);
    const below = ground(el), ink = parse(getComputedStyle(el).color);
    const a = luminance(over({ rgb: ink.rgb, a: ink.a * faded }, below)), b = luminance(below);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(getComputedStyle(el).fontSize);
    if (ratio < (size >= 18.66 ? 3 : 4.5))
      faults.push('contrast ' + ratio.toFixed(2) + ': ' + text.slice(0, 40) + ' <' + el.className + '>');
  }
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) faults.push('wider than the window by ' + wide);
  if (!document.fonts.check('14px Sala')) faults.push('not the program\'s own font');
  return [...new Set(faults)];
}"""


@pytest.fixture
def database() -> None:
    """Pages look the same over either database."""
    return


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def facts(centre: Centre) -> dict[str, Any]:
    """Something of everything has happened."""
    return fill(centre)


@pytest.fixture
def address(centre: Centre, facts: dict[str, Any]) -> Iterator[str]:
    """The served hub."""
    with serving(centre) as client:
        yield str(client.base_url)


def enter(page: Any, address: str) -> None:
    """Log in by keyboard: the name has the focus already."""
    page.goto(f"{address}/console/")
    page.keyboard.insert_text(ADMIN)
    page.keyboard.press("Tab")
    page.keyboard.insert_text(PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/console/")


def tab_to(page: Any, wanted: str, most: int = 120) -> None:
    """Press Tab until the focused element fits the selector, as somebody without a mouse does."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
            assert (
                page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            )  # one sees where one is
            return
    raise AssertionError(f"{wanted} is not reached by Tab")


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(1366, 768, "light"), (1366, 768, "dark"), (1024, 600, "light")]
)
def test_every_page_fits_is_named_and_legible_and_nothing_is_complained_about(
    chromium: Any,
    address: str,
    facts: dict[str, Any],
    centre: Centre,
    tmp_path: Path,
    width: int,
    height: int,
    scheme: str,
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on(
        "request",
        lambda request: (
            complaints.append(request.url) if address not in request.url and "data:" not in request.url else None
        ),
    )

    enter(page, address)
    page.wait_for_load_state("networkidle")
    (fork,) = centre.storage.read(forks.listing)
    row = centre.storage.read(
        lambda tx: tx.query("SELECT batch FROM op WHERE hash = :h", {"h": bytes.fromhex(facts["record"])})
    )[0]
    single = (
        f"record/{facts['record']}",
        f"batch/{row['batch']}/again",
        f"fork/{bytes(fork['op']).hex()}",
        f"devices/{facts['second'].id.hex()}/revoke",
        f"user?name={ADMIN}",
    )
    for language in ("km", "en"):
        page.goto(f"{address}/console/language/{language}")
        for path in (*PAGES, *single):
            page.goto(f"{address}/console/{path}")
            assert page.evaluate(LOOK) == [], (path, language)
            picture = tmp_path / f"{len(path)}-{language}.png"
            page.screenshot(path=picture)
            assert picture.stat().st_size > 10_000
    assert complaints == []
    context.close()


def test_by_keyboard_alone_from_the_board_to_an_office(chromium: Any, address: str) -> None:
    context = chromium.new_context(viewport={"width": 1024, "height": 600}, locale="km")
    page = context.new_page()
    enter(page, address)
    page.keyboard.press("Tab")  # the first stop skips the navigation
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    tab_to(page, "#o0306")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/office/0306")

    page.goto(f"{address}/console/offices")
    page.focus("input[name=q]")
    page.keyboard.type("baribour")
    page.locator("#rows tbody tr").nth(1).wait_for(state="detached")  # htmx brought the rows alone
    assert page.locator("#rows tbody tr").count() == 1
    assert "q=baribour" in page.url
    context.close()


def test_by_keyboard_alone_a_record_is_found_among_all(chromium: Any, address: str, facts: dict[str, Any]) -> None:
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/console/records")
    before = page.locator("#rows tr").count()
    page.keyboard.insert_text("ផ្សារ")  # the words have the focus already
    page.locator("#rows tr").nth(before - 1).wait_for(state="detached")
    assert "text=" in page.url
    tab_to(page, "#rows a[href^='/console/record/']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/record/{facts['record']}")
    context.close()


def test_by_keyboard_alone_a_branch_is_compared_and_part_of_it_kept(
    chromium: Any, address: str, centre: Centre
) -> None:
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    enter(page, address)
    tab_to(page, "a.need[href^='/console/fork/']", 400)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/fork/*")
    tab_to(page, "input[type=checkbox]")
    page.keyboard.press("Space")
    tab_to(page, "#merge input[name=reason]")
    page.keyboard.insert_text("បានទូរសព្ទសួរហើយ")
    page.keyboard.press("Enter")
    page.locator(".timeline").wait_for()
    rows = centre.storage.read(
        lambda tx: tx.query("SELECT decision FROM decision WHERE decision <> 'sent_back' ORDER BY idx")
    )
    assert [row["decision"] for row in rows][:1] == ["merged"]
    context.close()


def test_by_keyboard_alone_a_laptop_is_revoked(
    chromium: Any, address: str, facts: dict[str, Any], centre: Centre
) -> None:
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/console/devices")
    tab_to(page, f"a[href='/console/devices/{facts['second'].id.hex()}/revoke']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/revoke")
    tab_to(page, "button.danger")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/devices")
    row = centre.storage.read(
        lambda tx: tx.query("SELECT revoked_ms FROM device WHERE device = :d", {"d": facts["second"].id})
    )[0]
    assert row["revoked_ms"] is not None
    context.close()


def test_by_keyboard_alone_a_file_is_published(chromium: Any, address: str, centre: Centre, tmp_path: Path) -> None:
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/console/publications")
    file = tmp_path / "fees.json"
    file.write_text("{}")
    form = "form[enctype='multipart/form-data']:has(select[name=under])"
    page.select_option(f"{form} select[name=under]", "prices")
    page.set_input_files(f"{form} input[type=file]", file)  # the system's own window chooses the file
    page.focus(f"{form} select[name=under]")
    tab_to(page, f"{form} button")
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.keyboard.press("Enter")
    assert "prices/fees.json" in [target.name for target in centre.repository.listing().targets]
    context.close()


def test_an_owner_sets_up_an_authenticator_with_a_real_picture(
    chromium: Any, address: str, centre: Centre, clock: SetClock, tmp_path: Path
) -> None:
    import zxingcpp
    from PIL import Image

    centre.storage.write(lambda tx: admins.set_rule(tx, "owners"))
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.goto(f"{address}/console/")
    page.keyboard.insert_text(ADMIN)
    page.keyboard.press("Tab")
    page.keyboard.insert_text(PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/begin")
    assert page.evaluate(LOOK) == []
    picture = tmp_path / "code.png"
    page.locator("svg.qr").screenshot(path=picture)
    with Image.open(picture) as image:
        (found,) = zxingcpp.read_barcodes(image.convert("L"))  # what a telephone would read
    authenticator = pyotp.parse_uri(found.text)
    assert isinstance(authenticator, pyotp.TOTP) and authenticator.name == ADMIN
    tab_to(page, "input[name=code]")
    page.keyboard.insert_text(authenticator.at(clock.wall_ms() // 1000))
    page.keyboard.press("Enter")
    page.locator("ol.codes").wait_for()
    assert page.evaluate(LOOK) == []
    page.keyboard.press("Enter")  # "go on" has the focus
    page.wait_for_url(f"{address}/console/")
    context.close()


def test_by_keyboard_alone_a_form_outlives_its_visit_and_a_double_click_counts_once(
    chromium: Any, address: str, facts: dict[str, Any], centre: Centre, clock: SetClock
) -> None:
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    enter(page, address)
    place = f"{address}/console/record/{facts['record']}"
    page.goto(place)
    tab_to(page, "form:has(input[value=sent_back]) input[name=reason]")
    page.keyboard.insert_text("ហត្ថលេខាមិនច្បាស់")
    clock.advance(31 * 60_000)  # a telephone call
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/login**")
    assert page.locator(".banner.amber").count() == 1 and page.evaluate(LOOK) == []
    page.keyboard.insert_text(ADMIN)
    page.keyboard.press("Tab")
    page.keyboard.insert_text(PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/console/held")
    assert page.input_value("input[name=reason]") == "ហត្ថលេខាមិនច្បាស់" and page.evaluate(LOOK) == []
    tab_to(page, "form[action^='/console/record/'] button")
    page.keyboard.press("Enter")
    page.wait_for_url(place)

    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.locator("form:has(input[value=accepted]) button").dblclick()
    page.wait_for_load_state("networkidle")
    rows = centre.storage.read(lambda tx: tx.query("SELECT decision, reason FROM decision ORDER BY idx"))
    assert [row["decision"] for row in rows] == ["sent_back", "sent_back", "accepted"]
    assert rows[1]["reason"] == "ហត្ថលេខាមិនច្បាស់" and len(sent) == 1
    context.close()
