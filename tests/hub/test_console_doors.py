"""Who gets into the console and how far: visits at the hub, waits, roles, second factors."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import httpx
import pyotp
import pytest
from starlette.routing import Route

from sync.clock import SetClock
from sync.hub import watch
from sync.hub.centre import Centre
from sync.hub.console import admins, login, roles, routes, secondfactor
from tests.hub.console_hub import ADMIN, PASSPHRASE, Browser, let_in, words
from tests.hub.laptop import NOW

MINUTE = 60_000
on_a_file = pytest.mark.parametrize("database", [None])  # what no database has a part in


def rows(centre: Centre, **wanted: object) -> list[dict[str, object]]:
    """The audit, oldest first."""
    return centre.storage.read(lambda tx: watch.listing(tx, **wanted))[::-1]  # type: ignore[arg-type]


def secret_of(page: httpx.Response) -> str:
    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)
    assert found
    return found[1].replace(" ", "")


# --- visits


def test_a_visit_ends_after_half_an_hour_without_a_look(person: Callable[..., Browser], clock: SetClock) -> None:
    browser = person()
    for _ in range(4):
        clock.advance(25 * MINUTE)
        assert browser.get("/console/offices", follow_redirects=False).status_code == 200
    clock.advance(31 * MINUTE)
    assert browser.get("/console/offices", follow_redirects=False).status_code == 303


def test_a_board_that_refreshes_itself_keeps_nobody_logged_in(person: Callable[..., Browser], clock: SetClock) -> None:
    browser = person()
    for _ in range(3):
        clock.advance(11 * MINUTE)
        browser.get("/console/fresh")
    assert browser.get("/console/", follow_redirects=False).status_code == 303


def test_a_visit_ends_after_a_working_day_in_any_case(person: Callable[..., Browser], clock: SetClock) -> None:
    browser = person()
    for _ in range(login.LIFE_MS // (20 * MINUTE) - 1):
        clock.advance(20 * MINUTE)
        assert browser.get("/console/offices", follow_redirects=False).status_code == 200
    clock.advance(20 * MINUTE)
    assert browser.get("/console/offices", follow_redirects=False).status_code == 303


def test_a_clock_that_is_set_back_makes_no_visit_last_longer(person: Callable[..., Browser], clock: SetClock) -> None:
    browser = person()
    clock.advance(-24 * 60 * MINUTE)
    assert browser.get("/console/", follow_redirects=False).status_code == 303


def test_a_visit_outlives_a_restart_and_its_cookie_is_not_in_the_database(
    person: Callable[..., Browser], centre: Centre
) -> None:
    browser = person()
    key = browser.client.cookies["sala-console"]
    stored = centre.storage.read(lambda tx: tx.query("SELECT * FROM visit"))
    assert key not in str(stored) and len(stored) == 1
    assert routes.routes()  # another process of the hub: nothing of a visit lives in this one
    assert browser.get("/console/", follow_redirects=False).status_code == 200


def test_a_key_that_was_planted_before_the_log_in_is_worth_nothing(
    person: Callable[..., Browser], centre: Centre
) -> None:
    browser = person(inside=False)
    browser.client.cookies.set("sala-console", "planted", path="/console")
    browser.client.cookies.delete("sala-console")
    planted = {"Cookie": "sala-console=planted"}
    assert browser.log_in().status_code == 303
    assert browser.client.cookies["sala-console"] != "planted"
    assert httpx.get(f"{browser.client.base_url}/console/", headers=planted, follow_redirects=False).status_code == 303


def test_signing_out_everywhere_ends_the_other_visits_only(person: Callable[..., Browser]) -> None:
    first, second = person(), person()
    assert second.post("/console/me", act="out").status_code == 200
    assert first.get("/console/", follow_redirects=False).status_code == 303
    assert second.get("/console/", follow_redirects=False).status_code == 200


# --- wrong tries


def test_waits_grow_survive_a_restart_and_a_success_forgets_them(centre: Centre) -> None:
    def wait(at: int) -> int:
        return centre.storage.read(lambda tx: login.wait_s(tx, "passphrase", ADMIN, at))

    def fail(at: int, name: str = ADMIN) -> None:
        centre.storage.write(lambda tx: login.failed(tx, "passphrase", name, at))

    for _ in range(login.FREE_TRIES):
        assert wait(NOW) == 0
        fail(NOW)
    first = wait(NOW)
    fail(NOW, f" {ADMIN} ")
    assert 0 < first < wait(NOW)
    for _ in range(30):
        fail(NOW)
    assert wait(NOW) == login.LONGEST_WAIT_S
    assert wait(NOW - 5 * MINUTE) == login.LONGEST_WAIT_S  # a clock that was set back
    assert wait(NOW + login.LONGEST_WAIT_S * 1000) == 0
    assert centre.storage.read(lambda tx: login.wait_s(tx, "code", ADMIN, NOW)) == 0
    centre.storage.write(lambda tx: login.succeeded(tx, "passphrase", ADMIN))
    assert wait(NOW) == 0


def test_names_that_are_tried_do_not_fill_the_disk(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "MOST_NAMES", 3)
    for number in range(10):
        centre.storage.write(lambda tx, n=number: login.failed(tx, "passphrase", str(n), NOW))  # type: ignore[misc]
    assert centre.storage.read(lambda tx: tx.query("SELECT count(*) AS n FROM door_try"))[0]["n"] <= 4


def test_too_many_tries_are_told_to_wait_even_with_the_right_one(
    person: Callable[..., Browser], clock: SetClock, centre: Centre
) -> None:
    browser = person(inside=False)
    for _ in range(login.FREE_TRIES):
        assert browser.log_in(passphrase="wrong passphrase").status_code == 403
    answer = browser.log_in()
    assert answer.status_code == 429 and "វិនាទី" in words(answer)
    clock.advance(login.FIRST_WAIT_S * 1000 + 1000)
    assert browser.log_in().status_code == 303
    assert [row["subject"] for row in rows(centre, what=watch.DOOR)] == ["wrong passphrase"] * 5 + ["in"]


@on_a_file
def test_many_tries_at_once_are_no_way_around_the_waits(
    person: Callable[..., Browser], centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    monkeypatch.setattr(admins, "passphrase_holds", lambda _stored, passphrase: bool(checked.append(passphrase)))
    monkeypatch.setattr(login, "_room", threading.Semaphore(50))
    browsers = [person(inside=False, made=False) for _ in range(12)]
    let_in(centre)
    threads = [
        threading.Thread(target=browser.log_in, args=(ADMIN, f"guess {n}")) for n, browser in enumerate(browsers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert login.FREE_TRIES <= len(checked) <= login.FREE_TRIES + 1  # two are looked at together


@on_a_file
def test_a_crowd_at_the_log_in_takes_no_thread_from_laptops(
    person: Callable[..., Browser], centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "_room", threading.Semaphore(0))
    answer = person(inside=False).log_in()
    assert answer.status_code == 429 and "វិនាទី" in words(answer)
    assert rows(centre) == []
    monkeypatch.setattr(login, "_room", threading.Semaphore(1))
    assert person(inside=False).log_in().status_code == 303


def test_tries_of_unknown_names_write_nothing_into_the_audit(person: Callable[..., Browser], centre: Centre) -> None:
    browser = person(inside=False)
    for number in range(3):
        assert browser.log_in(name=f"nobody {number}").status_code == 403
    assert rows(centre) == []


# --- roles


LOOK, DECIDE, LAPTOPS, CARRY, CHECK = roles.LOOK, roles.DECIDE, roles.LAPTOPS, roles.CARRY, roles.CHECK
PUBLISH, EXPORT, AUDIT, USERS, HAND_OVER = roles.PUBLISH, roles.EXPORT, roles.AUDIT, roles.USERS, roles.HAND_OVER
PAGES = {
    "/": LOOK, "/fresh": LOOK, "/me": LOOK, "/held": LOOK, "/offices": LOOK, "/office/{code}": LOOK, "/batches": LOOK, "/sticks": LOOK,
    "/batches/courier/{name}": CARRY, "/batch/{idx}": LOOK, "/batch/{idx}/receipt": LOOK, "/batch/{idx}/raw": CHECK,
    "/batch/{idx}/again": DECIDE, "/conflicts": LOOK, "/leases": LOOK, "/log": LOOK, "/log/refused/{digest}": CHECK, "/records": LOOK,
    "/record/{digest}": LOOK, "/tables": LOOK, "/table/{name}": LOOK, "/outlets": EXPORT, "/outlets/{name}.{format}": EXPORT,
    "/quarantine": LOOK, "/fork/{digest}": LOOK, "/devices": LOOK, "/devices/offices": LOOK, "/devices/{device}/revoke": LAPTOPS,
    "/officers": LOOK, "/officers/{idx}/statement": LAPTOPS, "/publications": LOOK, "/publications/prepare/{role}": PUBLISH,
    "/dispatch": LOOK, "/users": USERS, "/user": USERS, "/audit": AUDIT, "/audit/export": AUDIT,
}  # fmt: skip
ACTS = {
    "/me": LOOK, "/held": LOOK, "/users": USERS, "/users/rule": USERS, "/user": USERS, "/audit/verify": AUDIT, "/batches/courier": CARRY,
    "/sticks/file": CARRY, "/sticks/picture": CARRY, "/sticks/text": CARRY, "/sticks/seal": PUBLISH, "/batch/{idx}/again": DECIDE,
    "/record/{digest}": DECIDE, "/table/{name}/rebuild": CHECK, "/outlets/token": EXPORT, "/outlets/token/end": EXPORT,
    "/outlets/webhook": EXPORT, "/outlets/webhook/change": EXPORT, "/outlets/desk": LAPTOPS, "/fork/{digest}": DECIDE,
    "/devices/enrol": LAPTOPS, "/devices/{device}/revoke": LAPTOPS, "/devices/code": LAPTOPS, "/officers/move": LAPTOPS,
    "/publications/accept": PUBLISH, "/publications/signer": PUBLISH, "/publications": PUBLISH, "/publications/withdraw": PUBLISH,
    "/dispatch": HAND_OVER, "/log/verify": CHECK,
}  # fmt: skip
OUTSIDE = {  # before the log-in, and files without anything of the centre in them
    ("GET", "/login"), ("POST", "/login"), ("POST", "/logout"), ("GET", "/code"), ("POST", "/code"), ("GET", "/begin"), ("POST", "/begin"),
    ("GET", "/language/{language}"), ("GET", "/static/{name}"), ("GET", "/font/{name}"),
}  # fmt: skip


def address(path: str) -> str:
    """An address of that route, at which nothing is."""
    filled = path.replace("{idx}", "99999").replace("{code}", "9999").replace("{name}.{format}", "none.csv")
    return "/console" + re.sub(r"{\w+}", "00" * 32, filled)


def test_every_route_stands_in_the_table_of_powers() -> None:
    found = {
        (method, re.sub(r":\w+}", "}", route.path))
        for route in routes.routes() if isinstance(route, Route)
        for method in (route.methods or ()) if method != "HEAD"
    }  # fmt: skip
    inside = {("GET", path) for path in PAGES} | {("POST", path) for path in ACTS}
    assert found == inside | OUTSIDE


@on_a_file
@pytest.mark.parametrize("role", roles.ALL)
def test_each_role_may_what_the_table_says_and_no_more(
    role: str, person: Callable[..., Browser], centre: Centre
) -> None:
    browser, may = person("ដារា", role), roles.POWERS[role]
    for path, power in PAGES.items():
        answer = browser.get(address(path), follow_redirects=False)
        assert (answer.status_code == 403) == (power not in may), path
        assert answer.headers["cache-control"] == "no-store" and "x-content-type-options" in answer.headers, path
    for path, power in ACTS.items():
        if power not in may:
            answer = browser.post(address(path))
            assert answer.status_code == 403 and "notyours" not in answer.text, path
        answer = browser.post(address(path), token="another site's")
        assert answer.status_code == 403 and "ហួសពេល" in words(answer), path  # whoever it is: not from our page
    assert centre.storage.read(lambda tx: tx.query("SELECT count(*) AS n FROM act"))[0]["n"] == 0
    assert ("/console/users" in browser.get("/console/log").text) == (role == "owner")
    assert ("/console/log/verify" in browser.get("/console/log").text) == (CHECK in may)


@on_a_file
def test_without_a_log_in_no_route_answers(person: Callable[..., Browser]) -> None:
    stranger = person(inside=False, made=False)
    for path in PAGES:
        assert stranger.get(address(path), follow_redirects=False).headers["location"].startswith("/console/login?")
    for path in ACTS:
        assert stranger.post(address(path), token="x").headers["location"].startswith("/console/login?")


def test_a_role_that_is_taken_away_ends_the_visit(person: Callable[..., Browser], centre: Centre) -> None:
    owner, other = person(), person("ដារា", "operator")
    assert owner.post("/console/user", name="ដារា", act="role", role="viewer").status_code == 200
    assert other.get("/console/", follow_redirects=False).status_code == 303
    assert other.log_in("ដារា").status_code == 303
    assert other.post("/console/log/verify").status_code == 403


def test_the_last_owner_stays_one(person: Callable[..., Browser], centre: Centre) -> None:
    owner = person()
    for act in ("disable", "remove"):
        answer = owner.post("/console/user", name=ADMIN, act=act)
        assert answer.status_code == 422 and "HB-202" in answer.text
    assert "HB-202" in owner.post("/console/user", name=ADMIN, act="role", role="viewer").text
    person("ដារា", "owner")
    assert owner.post("/console/user", name=ADMIN, act="role", role="viewer").status_code == 200


def test_somebody_who_is_shut_out_is_out_at_once_and_may_come_back(person: Callable[..., Browser]) -> None:
    owner, other = person(), person("ដារា", "viewer")
    assert owner.post("/console/user", name="ដារា", act="disable").status_code == 200
    assert other.get("/console/", follow_redirects=False).status_code == 303
    assert other.log_in("ដារា").status_code == 403
    assert owner.post("/console/user", name="ដារា", act="enable").status_code == 200
    assert other.log_in("ដារា").status_code == 303
    assert owner.post("/console/user", name="ដារា", act="remove").headers["location"] == "/console/users"
    assert owner.get("/console/user?name=ដារា").status_code == 404
    assert owner.post("/console/user", name="ដារា", act="passphrase").status_code == 404


def test_a_new_person_gets_a_passphrase_once_and_chooses_their_own(person: Callable[..., Browser]) -> None:
    owner = person()
    page = owner.post("/console/users", name="<b>វិសាល", role="operator")
    start = re.search(r'<code class="secret">([a-z0-9-]+)</code>', page.text)
    assert start and "<b>វិ" not in words(page)
    assert start[1] not in owner.get("/console/users").text
    assert owner.post("/console/users", name="<b>វិសាល", role="viewer").status_code == 422
    other = person(made=False)
    assert other.log_in("<b>វិសាល", start[1]).headers["location"] == "/console/begin"
    assert other.get("/console/offices", follow_redirects=False).headers["location"].startswith("/console/begin")
    token = re.search(r'name="token" value="([^"]+)"', other.get("/console/begin").text)
    assert token
    other.token = token[1]
    for new, again in (("short", "short"), ("one passphrase here", "another one here"), (start[1], start[1])):
        assert other.post("/console/begin", act="passphrase", new=new, again=again).status_code == 422
    assert (
        other.post("/console/begin", act="passphrase", new="ទន្លេមេគង្គ ស្អាត", again="ទន្លេមេគង្គ ស្អាត").headers["location"]
        == "/console/"
    )
    assert other.get("/console/offices", follow_redirects=False).status_code == 200
    assert other.log_in("<b>វិសាល", start[1]).status_code == 403


# --- the second factor


def test_an_owner_sets_up_an_authenticator_before_the_first_visit(
    person: Callable[..., Browser], centre: Centre, clock: SetClock
) -> None:
    browser = person(inside=False)
    centre.storage.write(lambda tx: admins.set_rule(tx, "owners"))
    assert browser.log_in().headers["location"] == "/console/begin"
    assert browser.get("/console/", follow_redirects=False).headers["location"].startswith("/console/begin")
    page = browser.get("/console/begin")
    secret = secret_of(page)
    browser.token = re.findall(r'name="token" value="([^"]+)"', page.text)[0]
    assert secret_of(browser.get("/console/begin")) == secret  # the same one when the page is loaded again
    assert browser.post("/console/begin", act="factor", code="000000").status_code == 422
    before = browser.client.cookies["sala-console"]
    code = pyotp.TOTP(secret).at(clock.wall_ms() // 1000)
    page = browser.post("/console/begin", act="factor", code=code)
    recovery = re.findall(r"<li><code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", page.text)
    assert len(set(recovery)) == secondfactor.RECOVERY_CODES
    assert browser.client.cookies["sala-console"] != before  # more rights, another key
    assert browser.get("/console/offices", follow_redirects=False).status_code == 200

    kept = repr(centre.storage.read(lambda tx: tx.query("SELECT * FROM admin") + tx.query("SELECT * FROM visit")))
    assert secret not in kept and recovery[0] not in kept and recovery[0].replace("-", "") not in kept

    def next_log_in(given: str) -> httpx.Response:
        assert browser.log_in().headers["location"] == "/console/code"
        assert browser.get("/console/offices", follow_redirects=False).headers["location"].startswith("/console/code")
        browser.token = re.findall(r'name="token" value="([^"]+)"', browser.get("/console/code").text)[0]
        return browser.post("/console/code", code=given)

    assert next_log_in(code).status_code == 403  # spent already
    clock.advance(30_000)
    fresh = pyotp.TOTP(secret).at(clock.wall_ms() // 1000)
    khmer = "".join(chr(0x17E0 + int(digit)) for digit in fresh)
    assert next_log_in(khmer).headers["location"] == "/console/"
    assert next_log_in(recovery[3].lower().replace("-", " ")).headers["location"] == "/console/"
    assert next_log_in(recovery[3]).status_code == 403  # each counts once
    subjects = [row["subject"] for row in rows(centre, what=watch.DOOR)]
    assert "new authenticator" in subjects and "recovery code" in subjects and "wrong code" in subjects


def test_codes_cannot_be_tried_without_end(person: Callable[..., Browser], centre: Centre) -> None:
    browser = person(inside=False)
    secret = secondfactor.new_secret()
    sealed = secondfactor.seal(centre.keys, secret)
    centre.storage.write(lambda tx: admins.set_factor(tx, ADMIN, sealed, 0, "[]"))
    assert browser.log_in().headers["location"] == "/console/code"
    browser.token = re.findall(r'name="token" value="([^"]+)"', browser.get("/console/code").text)[0]
    answers = [browser.post("/console/code", code="123456").status_code for _ in range(login.FREE_TRIES + 1)]
    assert answers[0] == 403 and answers[-1] == 429
    right = pyotp.TOTP(secret).at(NOW // 1000)
    assert browser.post("/console/code", code=right).status_code == 429
    assert browser.post("/console/code", token="other", code=right).headers["location"] == "/console/login"


def test_a_code_counts_within_one_step_of_the_clock_and_once() -> None:
    secret = secondfactor.new_secret()
    step = NOW // 1000 // secondfactor.STEP_S
    for offset, counts in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        code = pyotp.TOTP(secret).at((step + offset) * secondfactor.STEP_S)
        assert (secondfactor.step_of(secret, code, 0, NOW) is not None) == counts
        assert secondfactor.step_of(secret, code, step + offset, NOW) is None
    assert secondfactor.step_of(secret, "", 0, NOW) is None and secondfactor.step_of(secret, "²³²³²³", 0, NOW) is None


def test_ones_own_log_in_is_changed_with_the_passphrase_only(person: Callable[..., Browser], clock: SetClock) -> None:
    browser = person()
    assert "HB-205" in browser.post("/console/me", act="factor", passphrase="wrong wrong wrong").text
    secret = secret_of(browser.post("/console/me", act="factor", passphrase=PASSPHRASE))
    assert "HB-206" in browser.post("/console/me", act="confirm", code="1").text
    page = browser.post("/console/me", act="confirm", code=pyotp.TOTP(secret).at(clock.wall_ms() // 1000))
    first = re.findall(r"<li><code>([0-9A-Z-]+)</code>", page.text)
    second = re.findall(
        r"<li><code>([0-9A-Z-]+)</code>", browser.post("/console/me", act="codes", passphrase=PASSPHRASE).text
    )
    assert len(first) == len(second) == secondfactor.RECOVERY_CODES and not set(first) & set(second)
    new = {"act": "passphrase", "new": "ភ្នំត្បែង ខែវស្សា", "again": "ភ្នំត្បែង ខែវស្សា"}
    assert "HB-205" in browser.post("/console/me", **new, old="wrong wrong wrong").text
    assert browser.post("/console/me", **new, old=PASSPHRASE).status_code == 200
    assert browser.log_in().status_code == 403
