"""The console under hurried, hostile and forgetful hands: double clicks, stale pages, two deciding at once, odd letters, ended visits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from urllib.parse import quote

import httpx
import pyotp
import pytest

from sync.clock import SetClock
from sync.hub import decisions, labels
from sync.hub.centre import Centre
from sync.hub.console import admins, login, routes, secondfactor
from tests.hub.console_hub import ADMIN, PASSPHRASE, Browser, fill, let_in, words
from tests.hub.laptop import Laptop, join
from tests.hub.laptop import labels as labels_of

MINUTE = 60_000
Person = Callable[..., Browser]


@pytest.fixture
def person(centre: Centre, client: httpx.Client) -> Iterator[Person]:
    """``person(name, role)``: somebody of that role, logged in, in a browser of their own, in English."""
    begun: list[httpx.Client] = []

    def make(name: str = ADMIN, role: str = "owner") -> Browser:
        let_in(centre, name, role)
        begun.append(httpx.Client(base_url=client.base_url, timeout=60))
        browser = Browser(begun[-1])
        assert browser.log_in(name).status_code == 303
        browser.client.cookies.set("sala-language", "en")
        return browser

    yield make
    for one in begun:
        one.close()


@pytest.fixture
def record(centre: Centre) -> str:
    """The address of an accepted record."""
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(1))
    return f"/console/record/{laptop.head.hex()}"


@pytest.fixture
def fork(centre: Centre) -> tuple[str, Laptop]:
    """The address of a fork, and the laptop's copy whose branch waits."""
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(1))
    copy = laptop.clone()
    centre.ingest.take(laptop.batch(1))
    centre.ingest.take(copy.batch(1))
    return f"/console/fork/{copy.head.hex()}", copy


def field(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, name
    return unescape(found[1])


def decided(centre: Centre) -> list[tuple[str, str]]:
    rows = centre.storage.read(lambda tx: tx.query("SELECT decision, admin FROM decision ORDER BY idx"))
    return [(row["decision"], row["admin"]) for row in rows]


# --- clicks and stale pages


def test_a_double_click_and_the_page_before_decide_once(person: Person, centre: Centre, record: str) -> None:
    admin = person()
    seen = field(admin.get(record), "seen")
    for _ in range(3):
        assert admin.post(record, decision="sent_back", reason="សូមពិនិត្យ", seen=seen).status_code == 303
    assert decided(centre) == [("sent_back", ADMIN)]
    assert len(centre.storage.read(lambda tx: tx.query("SELECT op FROM notice"))) == 1
    seen = field(admin.get(record), "seen")  # and once more on purpose, from the page as it is now
    assert admin.post(record, decision="sent_back", reason="សូមពិនិត្យ", seen=seen).status_code == 303
    assert len(decided(centre)) == 2


def test_a_page_that_a_colleague_overtook_says_so_and_keeps_the_text(
    person: Person, centre: Centre, record: str
) -> None:
    first, second = person(), person("ដារា", "operator")
    old = field(first.get(record), "seen")
    seen = field(second.get(record), "seen")
    assert second.post(record, decision="accepted", seen=seen).status_code == 303
    late = first.post(record, decision="sent_back", reason="ខ្វះហត្ថលេខា", seen=old)
    assert late.status_code == 422 and "HB-265" in late.text and "ដារា" in words(late)
    assert "ខ្វះហត្ថលេខា" in re.findall(r'name="reason"[^>]*value="([^"]*)"', words(late))
    assert decided(centre) == [("accepted", "ដារា")]
    again = first.post(record, decision="sent_back", reason="ខ្វះហត្ថលេខា", seen=field(late, "seen"))
    assert again.status_code == 303 and decided(centre)[-1] == ("sent_back", ADMIN)


def test_two_admins_decide_about_one_branch_at_once_and_one_of_them_wins(
    person: Person, centre: Centre, fork: tuple[str, Laptop]
) -> None:
    page, copy = fork
    hands = [(person(), "released"), (person("ដារា", "operator"), "rejected")]
    seen = {decision: field(admin.get(page), "seen") for admin, decision in hands}

    def click(hand: tuple[Browser, str]) -> int:
        admin, decision = hand
        return admin.post(page, decision=decision, reason=f"ព្រោះ {decision}", seen=seen[decision]).status_code

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(click, hands))
    assert answers == [303, 422]
    ((won, _),) = decided(centre)
    assert (labels_of(centre)[copy.head] == labels.ACCEPTED) is (won == "released")


def test_ticks_and_reason_stay_when_a_branch_was_decided_meanwhile(person: Person, fork: tuple[str, Laptop]) -> None:
    page, copy = fork
    first, second = person(), person("ដារា", "operator")
    seen = field(first.get(page), "seen")
    assert second.post(page, decision="rejected", reason="ចម្លង", seen=seen).status_code == 303
    tick = f"keep-{copy.head.hex()}"
    late = first.post(page, decision="merged", reason="រក្សាទុក", seen=seen, **{tick: "1"})
    assert late.status_code == 422 and "HB-265" in late.text
    assert re.search(rf'name="{tick}" value="1" checked', late.text) and 'value="រក្សាទុក"' in words(late)
    for _ in range(2):  # twice: a double click
        done = first.post(page, decision="merged", reason="រក្សាទុក", seen=field(late, "seen"), **{tick: "1"})
        assert done.status_code == 303


def test_a_reason_that_is_too_long_is_refused_whole(person: Person, centre: Centre, record: str) -> None:
    admin, long = person(), "ក" * (decisions.MOST_REASON + 1)
    answer = admin.post(record, decision="sent_back", reason=long)
    assert answer.status_code == 422 and "HB-266" in answer.text and long in words(answer) and decided(centre) == []
    assert admin.post(record, decision="sent_back", reason=long[1:]).status_code == 303
    assert admin.get(record).status_code == 200
    rows = centre.storage.read(lambda tx: tx.query("SELECT reason FROM decision"))
    assert [len(row["reason"]) for row in rows] == [decisions.MOST_REASON]


# --- every form


def acts(device: str, digest: str) -> list[str]:
    """The addresses of everything that can be done inside."""
    values = {"digest": digest, "device": device, "name": "links", "idx": "5"}
    quiet = ("/login", "/logout", "/code", "/begin")
    found = [route for route in routes.routes() if "POST" in (route.methods or ()) and route.path not in quiet]  # type: ignore[attr-defined]
    return ["/console" + re.sub(r"\{(\w+)[^}]*\}", lambda m: values[m[1]], route.path) for route in found]  # type: ignore[attr-defined]


def test_no_act_counts_without_the_token_or_the_power(person: Person, centre: Centre, record: str) -> None:
    device = centre.storage.read(lambda tx: tx.query("SELECT device FROM device"))[0]["device"].hex()
    every, free = acts(device, record.rpartition("/")[2]), {"/console/me", "/console/held"}
    assert len(every) > 25
    owner, viewer = person(), person("ដារា", "viewer")
    before = centre.storage.read(lambda tx: tx.query("SELECT count(*) AS n FROM batch"))
    for path in every:
        assert owner.post(path, token="").status_code == 403, path
        assert owner.post(path, token=viewer.token).status_code == 403, path
        assert path in free or viewer.post(path, decision="accepted", reason="x").status_code == 403, path
    assert centre.storage.read(lambda tx: tx.query("SELECT count(*) AS n FROM batch")) == before


def test_odd_letters_break_no_page_and_no_act(person: Person, centre: Centre, record: str) -> None:
    fill(centre)
    admin, odd = person(), "ក\0\u200b\u202e' OR 1=1 --\uffff"
    for path in (
        "offices?q=", "records?text=", "records?kind=", "records?office=", "records?officer=", "records?since=",
        "audit?admin=", "audit?subject=", "audit?before=", "user?name=", "leases?office=", "leases?from=",
        "batches?office=", "devices/offices?office=", "conflicts?before=", "table/links?from=", "office/", "record/", "batch/",
    ):  # fmt: skip
        for text in (odd, odd.replace("\0", "")):
            answer = admin.get(f"/console/{path}{quote(text, safe='')}")
            assert answer.status_code in (200, 404), (path, answer.status_code)
    fields = ("name", "reason", "note", "office", "officer", "role", "url", "kind", "subject", "holder", "public", "id", "act", "end",
              "name_km", "name_en", "rule", "table", "under", "text", "key", "day", "laptop", "seen", "decision")  # fmt: skip
    device = centre.storage.read(lambda tx: tx.query("SELECT device FROM device"))[0]["device"].hex()
    for path in acts(device, record.rpartition("/")[2]):
        if "revoke" not in path and path != "/console/me":
            answer = admin.post(path, **dict.fromkeys(fields, odd))
            assert answer.status_code in (200, 303, 404, 422), (path, answer.status_code, answer.text[-300:])


def test_khmer_goes_in_and_comes_out_unchanged(person: Person, centre: Centre, record: str) -> None:
    admin, khmer = person(), "ខ្ញុំបាទ ស្នើសុំ «ពិនិត្យ» ៛ ១២៣ – ក៏ដោយ"
    admin.client.cookies.set("sala-language", "km")
    admin.post(record, decision="sent_back", reason=khmer)
    admin.post("/console/users", name=khmer[:60], role="viewer")
    admin.post("/console/outlets/token", name=khmer)
    admin.post("/console/publications/signer", act="add", kind="forms", subject="moi", holder=khmer, public="ab" * 32)
    for path in (record, "/console/users", "/console/outlets", "/console/audit", "/console/publications"):
        assert khmer[:60].strip() in words(admin.get(path)), path


def test_210_offices_of_which_one_misses_everything(person: Person, centre: Centre) -> None:
    bare = {"code": "0999", "name": {"km": "", "en": ""}, "province": {"km": "", "en": ""}}
    join(centre, Laptop(), bare)  # a laptop that has never sent anything, of an office without a name
    rows = [{"code": f"{n // 9 + 1:02}{n % 9 + 10:02}"} for n in range(209)]
    centre.storage.write(
        lambda tx: tx.execute_many(
            """INSERT INTO office (code, name_km, name_en, province_km, province_en, added_ms)
               VALUES (:code, 'សាលាស្រុក', 'District Hall', 'ខេត្ត', 'Province', 5)""",
            rows,
        )
    )
    centre.storage.write(lambda tx: tx.execute("UPDATE device SET officers = '[]' WHERE office = '0999'"))
    admin = person()
    for path in ("", "?as=list", "offices", "offices?only=silent", "office/0999", "devices", "officers", "leases", "publications",
                 "records?office=0999", "batches?office=0999", "outlets"):  # fmt: skip
        page = admin.get(f"/console/{path}")
        assert page.status_code == 200, path
        for head, text in re.findall(r'<a ([^>]*href="/console/office/0999"[^>]*)>(.*?)</a>', page.text, re.S):
            label = re.search(r'aria-label="([^":]+)', head)
            assert re.sub(r"<[^>]+>|&#8203;|\s", "", text) or label, (path, head)
    assert len(re.findall('class="cell ', admin.get("/console/?as=list").text)) >= 210


# --- visits that end in the middle of a form


def late(admin: Browser, clock: SetClock, record: str, **more: str) -> httpx.Response:
    """The visit ends while somebody types; the form goes out all the same. The page that follows."""
    seen = field(admin.get(record), "seen")
    clock.advance(31 * MINUTE)
    answer = admin.post(record, decision="sent_back", reason="ហត្ថលេខាមិនច្បាស់", seen=seen, **more)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/console/login")
    return admin.get(answer.headers["location"])


def test_what_was_typed_comes_back_after_the_log_in(
    person: Person, centre: Centre, clock: SetClock, record: str
) -> None:
    admin = person()
    page = late(admin, clock, record)
    assert "what you typed is kept" in words(page) and decided(centre) == []
    assert admin.log_in().headers["location"] == "/console/held"
    held = admin.get("/console/held")
    assert field(held, "reason") == "ហត្ថលេខាមិនច្បាស់" and "sent back" in words(held)
    fields = {name: field(held, name) for name in ("held", "decision", "reason", "seen")}
    assert admin.post(record, **fields).status_code == 303
    assert decided(centre) == [("sent_back", ADMIN)]
    assert admin.get("/console/held", follow_redirects=False).headers["location"] == "/console/"  # once
    assert admin.post(record, **fields).status_code == 303 and len(decided(centre)) == 1


def test_it_can_be_thrown_away(person: Person, centre: Centre, clock: SetClock, record: str) -> None:
    admin = person()
    late(admin, clock, record)
    admin.log_in()
    assert admin.post("/console/held").status_code == 303
    assert admin.get("/console/held", follow_redirects=False).status_code == 303 and decided(centre) == []


def test_it_waits_through_a_second_factor(person: Person, centre: Centre, clock: SetClock, record: str) -> None:
    admin, secret = person(), secondfactor.new_secret()
    sealed = secondfactor.seal(centre.keys, secret)
    centre.storage.write(lambda tx: admins.set_factor(tx, ADMIN, sealed, 0, "[]"))
    late(admin, clock, record)
    assert admin.log_in().headers["location"] == "/console/code"
    code = pyotp.TOTP(secret).at(clock.wall_ms() // 1000)
    token = field(admin.get("/console/code"), "token")
    answer = admin.client.post("/console/code", data={"token": token, "code": code}, follow_redirects=False)
    assert answer.headers["location"] == "/console/held"
    assert field(admin.get("/console/held"), "reason") == "ហត្ថលេខាមិនច្បាស់"


def test_nobody_else_gets_it_and_nobody_lays_words_into_a_mouth(
    person: Person, centre: Centre, clock: SetClock, record: str
) -> None:
    admin = person()
    let_in(centre, "ដារា", "operator")
    page = late(admin, clock, record, token="of-another-site")
    assert "please do it again" in words(page)
    assert admin.log_in().headers["location"] == "/console/"
    late(admin, clock, record)
    assert admin.log_in("ដារា").headers["location"] == "/console/"
    assert (
        centre.storage.read(lambda tx: tx.one("SELECT 1 AS yes FROM visit WHERE admin = 'ដារា' AND held IS NOT NULL"))
        is None
    )


def test_no_passphrase_and_no_file_is_kept(person: Person, centre: Centre, clock: SetClock) -> None:
    admin = person()
    clock.advance(31 * MINUTE)
    admin.post("/console/me", act="passphrase", old=PASSPHRASE, new="ភ្នំត្បែង ខែវស្សា", again="ភ្នំត្បែង ខែវស្សា")
    admin.post("/console/publications", files={"file": ("a.json", b"{}")}, under="forms")
    rows = centre.storage.read(lambda tx: tx.query("SELECT held FROM visit"))
    assert {row["held"] for row in rows} == {None}


def test_a_form_of_the_visit_before_is_kept_too(person: Person, centre: Centre, record: str) -> None:
    admin = person()
    old = admin.token
    admin.log_in()  # in another tab, say
    answer = admin.post(record, token=old, decision="sent_back", reason="ខុស", seen="0")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/held")
    assert field(admin.get("/console/held"), "reason") == "ខុស" and decided(centre) == []
    assert "too old" in words(admin.post(record, token="x" * 32, decision="accepted"))


def test_an_ended_visit_opens_nothing_and_is_swept_out_at_last(person: Person, centre: Centre, clock: SetClock) -> None:
    admin = person()
    clock.advance(31 * MINUTE)
    assert admin.get("/console/offices", follow_redirects=False).status_code == 303
    admin.log_in()
    assert len(centre.storage.read(lambda tx: tx.query("SELECT admin FROM visit"))) == 2
    assert centre.storage.read(lambda tx: admins.listing(tx, clock.wall_ms()))[0]["visits"] == 1
    clock.advance(login.LIFE_MS + login.KEPT_MS + MINUTE)
    admin.log_in()
    assert len(centre.storage.read(lambda tx: tx.query("SELECT admin FROM visit"))) == 1
