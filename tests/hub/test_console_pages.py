"""The console: who gets in, which forms count, that every page stands in both languages and every action does what it says."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync import pack, volume
from sync.clock import SetClock
from sync.hub import decisions, dispatch
from sync.hub.centre import Centre
from sync.hub.console.entrance import inside
from tests.hub.console_hub import ADMIN, PASSPHRASE, Browser, fill, let_in, words
from tests.hub.laptop import Laptop
from tools import catalogues

Facts = dict[str, Any]


@pytest.fixture
def filled(centre: Centre) -> Facts:
    return fill(centre)


@pytest.fixture
def browser(filled: Facts, client: httpx.Client) -> Browser:
    """A logged-in admin."""
    made = Browser(client)
    assert made.log_in().status_code == 303
    return made


@pytest.fixture
def stranger(filled: Facts, client: httpx.Client) -> Iterator[Browser]:
    """Somebody who is not logged in."""
    return Browser(client)


def paths(filled: Facts) -> list[str]:
    """Every page that there is."""
    device = filled["second"].id.hex()
    plain = (
        "", "offices", "offices?q=kampong", "offices?q=zzz", "office/0306", "office/0401", "batches", "batches?office=0306", "batch/1",
        "batch/5?from=1", "tables", "table/links", "table/certificates", "table/forms", "table/messages", "quarantine", "devices",
        "devices?q=0306", "officers?q=zzz",
        "publications", "dispatch", "log", "devices/offices?office=03", "?as=list", "offices?only=missing", "records",
        "records?text=x&kind=none",
        "records?office=0306&label=q:fork&since=2026-01-01&until=2030-01-01", "conflicts", "conflicts?all=1",
        "leases", "leases?office=0306",
        "audit", "users", "me", "outlets", "sticks", "officers",
    )  # fmt: skip
    single = (f"record/{filled['record']}", f"record/{filled['forked']}", f"devices/{device}/revoke")
    return [f"/console/{page}" for page in (*plain, *single)]


# --- the doors


def test_without_a_log_in_every_page_leads_to_it_and_back(stranger: Browser, filled: Facts) -> None:
    for path in paths(filled):
        answer = stranger.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/console/login")
    assert (
        stranger.get("/console/offices", headers={"hx-request": "true"}, follow_redirects=False).headers["hx-redirect"]
        == "/console/login"
    )
    assert stranger.log_in(back="/console/devices").headers["location"] == "/console/devices"


def test_without_a_log_in_no_action_does_anything(stranger: Browser, filled: Facts, centre: Centre) -> None:
    device = filled["second"].id.hex()
    for path in (
        f"/console/devices/{device}/revoke",
        "/console/devices/enrol",
        "/console/publications",
        "/console/log/verify",
    ):
        assert stranger.post(path, token="x").status_code == 303
    rows = centre.storage.read(lambda tx: tx.query("SELECT revoked_ms FROM device WHERE office = '0401'"))
    assert rows == [{"revoked_ms": None}]


def test_a_form_without_the_visits_own_token_is_refused(browser: Browser, filled: Facts, centre: Centre) -> None:
    device = filled["second"].id.hex()
    for token in ("", "other", "ទទេ"):
        answer = browser.post(f"/console/devices/{device}/revoke", token=token)
        assert answer.status_code == 403 and "ហួសពេល" in words(answer)
    assert centre.storage.read(lambda tx: tx.query("SELECT revoked_ms FROM device WHERE office = '0401'")) == [
        {"revoked_ms": None}
    ]
    assert browser.post("/console/logout", token="other").status_code == 303
    assert browser.get("/console/", follow_redirects=False).status_code == 200  # another site cannot log anybody out


def test_the_cookie_is_strict_and_hidden_from_scripts(stranger: Browser) -> None:
    cookie = stranger.log_in().headers.get_list("set-cookie")
    session = next(line for line in cookie if line.startswith("sala-console="))
    assert "HttpOnly" in session and "SameSite=strict" in session and "Path=/console" in session


def test_a_wrong_passphrase_and_an_unknown_name_sound_alike(stranger: Browser) -> None:
    wrong, unknown = stranger.log_in(passphrase="something else"), stranger.log_in(name="nobody")
    assert (wrong.status_code, unknown.status_code) == (403, 403)
    assert "មិនត្រឹមត្រូវ" in words(wrong) and "មិនត្រឹមត្រូវ" in words(unknown)


def test_a_log_in_form_of_another_site_is_refused(stranger: Browser) -> None:
    answer = stranger.client.post(
        "/console/login", data={"gate": "made up", "name": ADMIN, "passphrase": PASSPHRASE}, follow_redirects=False
    )
    assert answer.status_code == 403 and "sala-console" not in answer.headers.get("set-cookie", "")
    assert stranger.client.post("/console/login", content=b"x" * 100_000).status_code == 403


def test_logging_out_ends_the_visit_at_the_hub(browser: Browser) -> None:
    cookie = browser.client.cookies["sala-console"]
    assert browser.post("/console/logout").headers["location"] == "/console/login"
    browser.client.cookies.set("sala-console", cookie, path="/console")
    assert browser.get("/console/", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/console/x?y",
        "/console/login",
        "",
        "/other",
        "/console/x\nSet-Cookie: a",
    ],
)
def test_nobody_is_sent_elsewhere(path: str) -> None:
    assert inside(path) == "/console/"
    assert inside("/console/office/0306") == "/console/office/0306"


# --- the pages


class Checker(HTMLParser):
    """Finds what a picky reader of the markup would."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.labels = 0
        self.headings = 0
        self._label = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._label += tag == "label"
        self.headings += tag == "h1"
        if "style" in given or any(name.startswith("on") for name in given):
            self.faults.append(f"inline code or style in <{tag}>")
        named = self._label or given.get("aria-label") or given.get("type") == "hidden"
        if tag in ("input", "select", "textarea") and not named:
            self.faults.append(f"<{tag} {given}> has no name for a screen reader")
        if tag == "svg" and not (given.get("aria-hidden") or given.get("aria-label")):
            self.faults.append("a picture without a name")
        if tag == "a" and "cell" in (given.get("class") or "") and not given.get("aria-label"):
            self.faults.append("a cell without a name")
        for value in given.values():
            if value and "\u200b" in value:
                self.faults.append(f"a break opportunity inside an attribute: {value!r}")

    def handle_endtag(self, tag: str) -> None:
        self._label -= tag == "label"


def untranslated(page: httpx.Response, lang: str) -> list[str]:
    """Words of the catalogue that stand on a page in the other language."""
    found, _ = catalogues.read([path for path in catalogues.sources() if path.stem in ("hub", "console")])
    other = {
        english if lang == "km" else khmer for _, english, khmer in found if english != khmer and "{" not in english
    }
    texts = re.split(r"<[^>]*>", words(page).partition("<body>")[2])
    return [text.strip() for text in texts if text.strip() in other]


@pytest.mark.parametrize("lang", ["km", "en"])
def test_every_page_stands_in_both_languages(browser: Browser, filled: Facts, lang: str) -> None:
    browser.get(f"/console/language/{lang}?back=/console/")
    for path in paths(filled):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy and "unsafe" not in policy
        assert "<b>ផ្សារ" not in words(answer) and "<District>" not in answer.text  # what offices write is never markup
        if path.startswith("/console/devices/offices"):
            continue
        assert f'<html lang="{lang}">' in answer.text
        checker = Checker()
        checker.feed(answer.text)
        assert (checker.faults, checker.headings) == ([], 1), path
        assert not untranslated(answer, lang), path


def test_what_is_not_there_says_so(browser: Browser) -> None:
    for path in (
        "/console/office/9999", "/console/batch/999", "/console/batch/999/receipt", "/console/record/zz", f"/console/record/{'0' * 64}",
        "/console/table/nothing", f"/console/devices/{'0' * 32}/revoke", "/console/batches/courier/none.salabatch",
        "/console/batches/courier/.hidden.salabatch",
    ):  # fmt: skip
        answer = browser.get(path)
        assert answer.status_code == 404 and "គ្មានទំព័រនេះទេ" in words(answer), path
    assert browser.post("/console/table/nothing/rebuild").status_code == 404
    assert browser.post(f"/console/devices/{'0' * 32}/revoke").status_code == 404
    assert browser.post("/console/record/zz", decision="accepted").status_code == 404
    assert browser.get("/console/static/secret.css").status_code == 404
    assert browser.get("/console/font/other.ttf").status_code == 404


def test_files_that_need_no_log_in(stranger: Browser) -> None:
    assert "--blue:#014F99" in stranger.get("/console/static/tokens.css").text
    assert "prefers-color-scheme:dark" in stranger.get("/console/static/tokens.css").text
    for name in ("console.css", "console.js", "htmx.min.js"):
        assert stranger.get(f"/console/static/{name}").status_code == 200
    assert stranger.get("/console/font/SalaKhmer-Bold.ttf").headers["content-type"] == "font/ttf"


def test_the_board_says_what_needs_a_person(browser: Browser) -> None:
    browser.get("/console/language/en?back=/console/")
    page = words(browser.get("/console/"))
    for need in (
        "Two laptops, one key", "A revoked laptop goes on sending", "Records of an unknown kind", "Missing 1–3", "Unknown laptops send",
        "Damaged uploads", "Waiting for dispatch",
    ):  # fmt: skip
        assert need in page
    assert 'class="cell quarantine"' in page and 'class="cell gap"' in page


def test_an_empty_centre_is_friendly(centre: Centre, client: httpx.Client) -> None:
    let_in(centre)
    browser = Browser(client)
    browser.log_in()
    for path in (
        "/console/",
        "/console/offices",
        "/console/devices",
        "/console/quarantine",
        "/console/dispatch",
        "/console/log",
    ):
        assert 'class="nothing"' in browser.get(path).text, path
    assert "Nothing needs you" not in browser.get("/console/").text and "គ្មានអ្វីត្រូវការអ្នក" in words(
        browser.get("/console/")
    )


def test_a_root_that_nears_its_end_is_announced(browser: Browser, clock: SetClock) -> None:
    clock.advance(340 * 86_400_000)
    assert browser.log_in().status_code == 303
    assert "ឫស" in words(browser.get("/console/")) and "renew-root" in browser.get("/console/publications").text


def test_offices_are_found_by_code_and_by_name(browser: Browser) -> None:
    for q, found in (("0401", True), ("បរិបូណ៌", True), ("baribour", True), ("០៤០១", True), ("battambang", False)):
        assert ("/console/office/0401" in browser.get("/console/offices", params={"q": q}).text) == found, q
    assert "0306" in browser.get("/console/devices/offices?office=kampong siem").text
    assert browser.get("/console/devices/offices?office=").text.strip() == ""


def test_a_batch_opens_to_its_records_with_a_proof_that_holds(browser: Browser, centre: Centre) -> None:
    from sync import receipts

    page = browser.get("/console/batch/1")
    text = browser.get("/console/batch/1/receipt").text
    receipt = receipts.verify(text, centre.log.note_key)
    assert receipt.checkpoint.root.hex() in page.text and receipt.leaf.batch_hash.hex() in page.text
    for line in text.split("\n"):
        assert not line.startswith("index") or line == "index 0"


def test_long_batches_and_lists_have_pages(
    browser: Browser, filled: Facts, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop: Laptop = filled["second"]
    monkeypatch.setattr("sync.hub.console.batches.RECORDS", 2)
    monkeypatch.setattr("sync.hub.console.batches.ROWS", 2)
    monkeypatch.setattr("sync.hub.console.tables.ROWS", 1)
    centre.ingest.take(laptop.batch(5))
    idx = centre.storage.read(lambda tx: tx.query("SELECT max(idx) AS n FROM batch"))[0]["n"]
    assert (
        "?from=4" in browser.get(f"/console/batch/{idx}?from=2").text
        and "?from=0" in browser.get(f"/console/batch/{idx}?from=2").text
    )
    assert "?before=" in browser.get("/console/batches").text
    assert browser.get("/console/batches?before=2").status_code == 200
    assert browser.get("/console/table/links?from=1").status_code == 200


# --- the actions


def test_laptops_and_officers_are_found_by_office_and_by_name(browser: Browser) -> None:
    for page, wanted in (("devices", "baribour"), ("devices", "០៤០១"), ("officers", "BARIBOUR"), ("officers", "0401")):
        found = words(browser.get(f"/console/{page}", params={"q": wanted}))
        assert "office/0401" in found and "office/0306" not in found.partition('id="rows"')[2].partition("</table>")[0]
    for page in ("devices", "officers"):
        assert "office/0306" in words(browser.get(f"/console/{page}", params={"q": "sok dara"}))
        nothing = words(browser.get(f"/console/{page}", params={"q": "nobody at all"}))
        assert "<table" not in nothing.partition('id="rows"')[2].partition("</section>")[0]


def test_a_place_to_publish_into_is_said_in_words(browser: Browser) -> None:
    page = words(browser.get("/console/publications"))
    assert '<option value="forms" selected>ទម្រង់</option>' in page and ">forms</option>" not in page


def test_an_office_pack_is_downloaded(browser: Browser, centre: Centre) -> None:
    answer = browser.post(
        "/console/devices/enrol", office="0306 ស្រុកកំពង់សៀម", url="http://10.0.0.1:8420", name_km="", name_en=""
    )
    assert 'filename="office-0306.pack"' in answer.headers["content-disposition"]
    found = pack.parse(answer.content, [bytes(centre.keys.pack.verify_key)])
    assert (found.office["code"], found.hub_urls) == ("0306", ("http://10.0.0.1:8420",))
    for fields in ({"office": "9999", "url": "http://x"}, {"office": "0306", "url": "nonsense"}):
        refused = browser.post("/console/devices/enrol", **fields)
        assert refused.status_code == 422 and re.search("HB-12[12]", refused.text)


def test_a_laptop_is_revoked_after_a_question(browser: Browser, filled: Facts, centre: Centre) -> None:
    device = filled["second"].id
    assert browser.post(f"/console/devices/{device.hex()}/revoke").headers["location"] == "/console/devices"
    row = centre.storage.read(lambda tx: tx.query("SELECT revoked_ms FROM device WHERE device = :d", {"d": device}))[0]
    assert row["revoked_ms"] is not None
    assert centre.ingest.take(filled["second"].batch(1)).label in ("pending", "q:revoked")


def test_a_file_is_published_and_taken_back(browser: Browser, centre: Centre) -> None:
    def names() -> list[str]:
        return [target.name for target in centre.repository.listing().targets]

    file = {"file": ("fees.json", b"{}", "application/json")}
    assert browser.post("/console/publications", files=file, under="prices").status_code == 303
    assert "prices/fees.json" in names()
    assert browser.post("/console/publications/withdraw", name="prices/fees.json").status_code == 303
    assert "prices/fees.json" not in names()
    assert browser.post("/console/publications/withdraw", name="prices/fees.json").status_code == 422
    assert browser.post("/console/publications", files=file, under="keys").status_code == 422
    assert browser.post("/console/publications", files={"file": ("", b"", "")}, under="prices").status_code == 422


def test_a_courier_file_is_taken_and_its_answer_downloaded(
    browser: Browser, tmp_path: Path, filled: Facts, centre: Centre
) -> None:
    left, now = centre.folder / "incoming-left", centre.folder / "incoming-now"
    for folder in (left, now):
        folder.mkdir()
    os.utime(left, (0, 0))  # of a hub that was cut off long ago; the other is being written
    data = filled["second"].batch(2)
    (path,) = volume.write(tmp_path, "office", [volume.Object("batch", sha256(data).hexdigest(), data)])
    answer = browser.post("/console/batches/courier", files={"file": ("office.salabatch", path.read_bytes())})
    link = re.search(r'href="(/console/batches/courier/[^"]+)"', answer.text)
    assert answer.status_code == 200 and link
    reply = tmp_path / "reply.salabatch"
    reply.write_bytes(browser.get(link[1]).content)
    with volume.Volume(reply) as found:
        assert [entry.name for entry, _ in found.of("receipt")] == [sha256(data).hexdigest()]
    assert [path for path in centre.folder.iterdir() if path.name.startswith("incoming-")] == [now]
    bad = browser.post("/console/batches/courier", files={"file": ("x.salabatch", b"nothing")})
    assert bad.status_code == 422 and "SY-372" in bad.text
    assert browser.post("/console/batches/courier", files={"file": ("", b"")}).status_code == 422


def test_an_upload_over_its_bound_is_refused_while_it_comes(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    big = {"file": ("x.json", bytes(70 * 1024 * 1024))}
    assert browser.post("/console/publications", files=big, under="forms").status_code == 413
    broken = browser.client.post(
        "/console/publications", content=b"--x\r\nnonsense", headers={"content-type": "multipart/form-data; boundary=x"}
    )
    assert broken.status_code in (403, 413)


def test_decisions_are_written_down_and_shown(browser: Browser, filled: Facts, centre: Centre) -> None:
    path = f"/console/record/{filled['record']}"
    assert browser.post(path, decision="accepted").status_code == 303
    assert browser.post(path, decision="sent_back", reason="").status_code == 422
    assert browser.post(path, decision="burnt").status_code == 404
    found = centre.storage.read(lambda tx: decisions.of_op(tx, bytes.fromhex(filled["record"])))
    assert [(row["decision"], row["admin"]) for row in found] == [("sent_back", ADMIN), ("accepted", ADMIN)]
    fork = centre.storage.read(lambda tx: tx.query("SELECT hash FROM op WHERE label = 'q:fork' ORDER BY seq"))[0][
        "hash"
    ].hex()
    assert browser.post(f"/console/record/{fork}", decision="released", reason="ម៉ាស៊ីនថ្មី").status_code == 303
    assert "ម៉ាស៊ីនថ្មី" in words(browser.get(f"/console/record/{fork}"))


def test_an_effect_is_ended_once(browser: Browser, centre: Centre) -> None:
    assert browser.post("/console/dispatch", id="e1", end="done", note="Smart, 14:02").status_code == 303
    assert browser.post("/console/dispatch", id="e1", end="failed").status_code == 422
    (ended,) = centre.storage.read(dispatch.ended)
    assert (ended["state"], ended["result"]["note"]) == ("done", "Smart, 14:02")
    assert "Smart, 14:02" in browser.get("/console/dispatch").text


def test_a_table_is_made_anew_and_the_log_checked(browser: Browser, centre: Centre) -> None:
    assert "គ្រប់បៃ" in words(browser.post("/console/table/links/rebuild"))
    centre.storage.write(lambda tx: tx.execute("UPDATE p_links_link SET title = 'forged'"))
    assert "ត្រូវបានជំនួស" in words(browser.post("/console/table/links/rebuild"))
    assert 'class="banner green"' in browser.post("/console/log/verify").text
    centre.storage.write(lambda tx: tx.execute("UPDATE leaf SET hash = :zeros WHERE idx = 1", {"zeros": bytes(32)}))
    assert "leaf 1" in browser.post("/console/log/verify").text


def test_a_stopped_table_says_so(browser: Browser, centre: Centre) -> None:
    centre.storage.write(
        lambda tx: tx.execute(
            "UPDATE cursor SET failure = 'ValueError: x', failed_op = :zeros WHERE projection = 'links'",
            {"zeros": bytes(32)},
        )
    )
    assert "ValueError" in browser.get("/console/table/links").text
    assert 'href="/console/table/links"' in browser.get("/console/").text
    assert 'class="chip red"' in browser.get("/console/tables").text
