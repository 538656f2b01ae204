"""Portals, proxies and certificates between a real laptop and a real hub: recognised before anything is sent, told in words."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from i18n.errors import explain
from sync import (
    client,
    enrol,
    exchange,
    keys,
    line,
    linetest,
    marks,
    ops,
    outbox,
    pins,
    portal,
    proxies,
    publications,
    runs,
    wire,
)
from sync.clock import SystemClock
from sync.errors import Known
from sync.keys import Unlocked
from sync.notes import NoteKey
from sync.store import Connection
from sync.transport import GONE, Transport
from tests.sync.bad_line import Line, Reply
from tests.sync.conftest import PASSPHRASE
from tests.sync.hub_process import Hub
from tests.sync.tls import Answer, Authority, Portal, Proxy, TlsFront, page

NOTE = NoteKey("hub", bytes(32))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    made = Hub(tmp_path_factory.mktemp("ways") / "data").start()
    yield made
    made.stop()


@pytest.fixture
def opened() -> Iterator[list[Any]]:
    """Servers that are closed after the test."""
    made: list[Any] = []
    yield made
    for one in made:
        one.close()


@pytest.fixture
def join(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Unlocked]]:
    """``join(url, at=hub)``: a new laptop of the hub with work that waits."""
    for name in (
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    made: list[Unlocked] = []

    def make(url: str, at: Hub = hub) -> Unlocked:
        monkeypatch.setenv("SALA_ROOTS", str(at.folder / "roots"))
        file = at.pack_for(tmp_path / f"{len(made)}.salapack", url)
        made.append(
            enrol.setup(
                tmp_path / f"home-{len(made)}", file, officer_name="សុខ ដារ៉ា", officer_latin="Sok Dara", passphrase=PASSPHRASE,
                clock=SystemClock(), cost=keys.CHEAP,
            )
        )  # fmt: skip
        write_ops(made[-1])
        return made[-1]

    yield make
    for unlocked in made:
        unlocked.lock()


def write_ops(laptop: Unlocked, n: int = 5) -> None:
    def work(conn: Connection) -> None:
        for _ in range(n):
            ops.append(
                conn, laptop, laptop.store.clock, kind="sync.review", record=os.urandom(4).hex(), form="forms", def_hash=None,
                body={"text": os.urandom(20).hex()}, sealed=True,
            )  # fmt: skip

    laptop.store.write(work)


def died_of(laptop: Unlocked, **options: Any) -> str:
    with pytest.raises(Known) as refused:
        exchange.run(laptop, **options)
    assert explain(refused.value).next
    return refused.value.code


def received(laptop: Unlocked) -> int:
    found = laptop.store.read(outbox.summary)
    return found.received + found.stable


def keep(laptop: Unlocked, **settings: Any) -> None:
    laptop.store.write(lambda conn: line.keep(conn, line.Settings(**settings)))


# --- portals


@pytest.mark.parametrize(
    "answer",
    [
        page(200), page(302, Location="http://login.example/"), page(307, Location="/login"), page(511), page(401), page(403),
        page(200, "hub/1\n0\nAAAA\n\n— hub AAAA\n", Content_Type="text/plain"), page(200, "", Sala_Nonce="00" * 15),
        page(200, "", Sala_Nonce="ZZ" * 16),
    ],
)  # fmt: skip
def test_a_portal_is_recognised_before_anything_is_sent(
    answer: Answer, join: Callable[..., Unlocked], opened: list[Any]
) -> None:
    opened.append(stands := Portal(answer))
    laptop = join(stands.url)
    tries = laptop.store.read(lambda conn: marks.mark(conn, marks.RUN_TRIES))
    assert died_of(laptop) == "SY-420"
    assert (stands.bodies, stands.seen) == (0, ["GET /v1/log/checkpoint"])
    assert laptop.store.read(lambda conn: conn.execute("SELECT count(*) AS n FROM batch").fetchone()["n"]) == 0
    outlook = laptop.store.read(lambda conn: runs.outlook(conn, laptop.store.clock.wall_ms()))
    assert (outlook.trouble, outlook.tries) == ("SY-420", tries), "no failure is counted"
    assert 0 < outlook.next_try_ms - laptop.store.clock.wall_ms() <= 60_000


def test_a_portal_that_comes_up_in_the_middle_is_held_against_no_batch(
    hub: Hub, join: Callable[..., Unlocked], opened: list[Any]
) -> None:
    opened.append(between := Line(hub.url))
    laptop = join(between.url)
    exchange.run(laptop)
    before = received(laptop)
    write_ops(laptop)
    between.before = lambda request: (
        Reply(302, {"Location": "http://10.0.0.1/"}, b"<html>") if request.method == "PUT" else None
    )
    assert died_of(laptop) == "SY-420"
    row = laptop.store.read(
        lambda conn: conn.execute("SELECT tries, last_error FROM batch WHERE state = 'sent'").fetchone()
    )
    assert (row["tries"], row["last_error"]) == (0, None)
    assert laptop.store.read(outbox.summary).stuck == []
    between.before = lambda request: None
    assert exchange.run(laptop).problems == []
    assert received(laptop) == before + 5


def test_a_portal_before_tls_is_found_by_a_plain_look(
    join: Callable[..., Unlocked], opened: list[Any], tmp_path: Path
) -> None:
    context, _ = Authority().server(tmp_path)
    opened.append(stranger := Portal(page(200), context))
    laptop = join(stranger.url)
    for answer, code in (
        (page(302, Location="http://login.example/"), "SY-420"), (page(511), "SY-420"), (page(200), "SY-420"),
        (page(301, Location="https://127.0.0.1/"), "SY-353"), (page(404), "SY-353"),
        (page(200, "x", Content_Type="text/plain"), "SY-353"), (page(302), "SY-353"),
    ):  # fmt: skip
        opened.append(plain := Portal(answer))
        with pytest.raises(Known) as refused, Transport((stranger.url,), laptop.device, portal_port=plain.port):
            pass
        assert refused.value.code == code
        assert plain.bodies == 0
    assert stranger.seen == [], "TLS was refused: nothing was said"


def test_a_silent_address_may_be_a_portal_too(join: Callable[..., Unlocked], opened: list[Any]) -> None:
    laptop = join("https://127.0.0.1:9")
    for answer, code in ((page(302, Location="http://login.example/"), "SY-420"), (page(200), "SY-350")):
        opened.append(plain := Portal(answer))
        with (
            pytest.raises(Known) as refused,
            Transport(("https://127.0.0.1:9",), laptop.device, portal_port=plain.port),
        ):
            pass
        assert refused.value.code == code
    for url in ("https://[::1]:9", "https://"):
        assert not portal.in_the_way(url, refused=True, proxy=None, port=9)
    assert not portal.in_the_way("https://127.0.0.1:9", refused=True, proxy=proxies.Proxy("http://x"), port=9)


def test_another_hub_is_told_nothing(
    hub: Hub, join: Callable[..., Unlocked], opened: list[Any], tmp_path: Path
) -> None:
    other = Hub(tmp_path / "other").start()
    try:
        opened.append(between := Line(other.url))
        laptop = join(between.url)
        assert died_of(laptop) == "SY-421"
        assert (between.bytes_up, between.seen) == (0, ["GET /v1/log/checkpoint"])
    finally:
        other.stop()
    assert not portal.genuine(b"\xff\xfe", NOTE) and not portal.genuine(b"note", NOTE)


def test_the_first_hub_that_is_believed_is_taken(hub: Hub, join: Callable[..., Unlocked], opened: list[Any]) -> None:
    opened.append(stands := Portal(page(200)))
    laptop = join(hub.url)
    with Transport((stands.url, "http://127.0.0.1:9", hub.url), laptop.device) as connection:
        assert connection.url == hub.url
    with pytest.raises(Known, match="SY-420"), Transport(("http://127.0.0.1:9", stands.url), laptop.device):
        pass


def test_servers_before_a_hub_are_no_portals() -> None:
    assert [portal.judge(status, {}) for status in (500, 502, 503, 413, 429, 400)] == [""] * 6
    assert [portal.judge(status, {}) for status in (200, 204, 302, 401, 403, 511)] == ["SY-420"] * 6
    assert portal.judge(407, {}) == "SY-422"
    assert portal.judge(200, {wire.NONCE: "0a" * 16}) == ""


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_server_before_the_hub_that_is_busy(
    status: int, hub: Hub, join: Callable[..., Unlocked], opened: list[Any]
) -> None:
    opened.append(between := Line(hub.url))
    laptop = join(between.url)
    between.before = lambda request: Reply(status, {}, b"<html>nginx</html>") if request.method == "PUT" else None
    report = exchange.run(laptop)
    assert [problem["code"] for problem in report.problems] == ["SY-354"]
    assert received(laptop) == 0


# --- proxies


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_everything_goes_through_the_proxy_set_by_hand(
    secure: bool, named: bool, hub: Hub, join: Callable[..., Unlocked], opened: list[Any], tmp_path: Path
) -> None:
    front = TlsFront(hub.port, (made := Authority()).server(tmp_path)[0])
    opened.append(front)
    opened.append(proxy := Proxy("office", "ពាក្យ: @/") if named else Proxy())
    laptop = join(front.url if secure else hub.url)
    if secure:
        pin(laptop, [made.der])
    way = {"proxy": "manual", "proxy_url": proxy.url}
    if named:
        keep(laptop, **way, proxy_user="office", proxy_password="wrong")
        assert died_of(laptop) == "SY-422"
        way |= {"proxy_user": "office", "proxy_password": "ពាក្យ: @/"}
    keep(laptop, **way)
    report = exchange.run(laptop)
    assert (report.problems, received(laptop)) == ([], 5)
    assert proxy.seen and all(
        seen.startswith("CONNECT" if secure else ("GET http", "PUT http", "POST http")) for seen in proxy.seen
    )
    found = linetest.look(laptop)
    assert (found["ok"], found["proxy"], found["tls"]) == (True, proxy.url, "pinned" if secure else "none")


def test_a_proxy_that_is_not_there_is_said(hub: Hub, join: Callable[..., Unlocked]) -> None:
    laptop = join(hub.url)
    keep(laptop, proxy="manual", proxy_url="http://127.0.0.1:9")
    assert died_of(laptop) == "SY-423"
    assert linetest.look(laptop)["code"] == "SY-423"


def test_a_proxy_that_cannot_reach_the_hub_is_no_line(join: Callable[..., Unlocked], opened: list[Any]) -> None:
    opened.append(proxy := Proxy())
    laptop = join("https://127.0.0.1:9")
    keep(laptop, proxy="manual", proxy_url=proxy.url)
    assert died_of(laptop) == "SY-350"


def test_a_blocking_proxy_is_no_hub(hub: Hub, join: Callable[..., Unlocked], opened: list[Any]) -> None:
    opened.append(proxy := Proxy(answer=(403, b"<html>blocked</html>")))
    laptop = join(hub.url)
    keep(laptop, proxy="manual", proxy_url=proxy.url)
    assert died_of(laptop) == "SY-420"


def test_the_systems_proxy_is_used_unless_the_office_says_no(
    hub: Hub, join: Callable[..., Unlocked], opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.append(proxy := Proxy("u s", "p@ss"))
    laptop = join(hub.url)
    monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "http://u%20s:p%40ss@"))
    assert linetest.look(laptop)["proxy"] == proxy.url
    assert exchange.run(laptop).problems == []
    seen = len(proxy.seen)
    assert seen > 0
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert linetest.look(laptop)["proxy"] == ""
    monkeypatch.delenv("no_proxy")
    keep(laptop, proxy="none")
    assert exchange.run(laptop).problems == []
    assert len(proxy.seen) == seen


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://p:3128", "http://p:3128"), ("p:3128", "http://p:3128"), ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://p", "https://p:80"), ("socks5://p:1080", None), ("http://", None), ("http://p:99999", None),
    ],
)  # fmt: skip
def test_the_systems_ways_to_write_a_proxy(text: str, url: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", text)
    found = proxies.on_the_way("http://hub.example:80/x", line.Settings())
    assert (found.url if found else None) == url


# --- certificates


def pin(laptop: Unlocked, certificates: list[bytes], days: int = 10) -> None:
    now = laptop.store.clock.wall_ms()
    data = pins.encode(max(0, now + days * 86_400_000), certificates)
    laptop.store.write(lambda conn: publications.keep(conn, pins.NAME, data, 1, now))


def test_a_self_made_authority_is_believed_once_the_centre_has_named_it(
    hub: Hub, join: Callable[..., Unlocked], opened: list[Any], tmp_path: Path
) -> None:
    root = Authority("root")
    below = Authority("below", above=root)
    context, own = below.server(tmp_path)
    opened.append(front := TlsFront(hub.port, context))
    laptop = join(front.url)
    assert died_of(laptop) == "SY-353", "no authority of this machine has signed it"
    for certificates in ([root.der], [below.der], [own], [Authority("other").der, root.der]):
        pin(laptop, certificates)
        assert exchange.run(laptop).problems == []
        assert linetest.look(laptop)["tls"] == "pinned"
    assert received(laptop) == 5
    write_ops(laptop)
    pin(laptop, [Authority("other").der])
    assert died_of(laptop) == "SY-424"
    assert received(laptop) == 5


def test_a_pinned_authority_vouches_for_no_other_host(
    hub: Hub, join: Callable[..., Unlocked], opened: list[Any], tmp_path: Path
) -> None:
    made = Authority()
    context, _ = made.server(tmp_path, host="hub.example")
    opened.append(front := TlsFront(hub.port, context))
    laptop = join(front.url)
    pin(laptop, [made.der])
    assert died_of(laptop) == "SY-424"


def test_a_list_past_its_day_gives_way_to_the_machines_own_store_and_is_told(
    hub: Hub, join: Callable[..., Unlocked], opened: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, context = Authority(), None
    context, _ = made.server(tmp_path)
    opened.append(front := TlsFront(hub.port, context))
    laptop = join(front.url)
    pin(laptop, [Authority("other").der], days=-1)
    (tmp_path / "store.pem").write_bytes(made.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "store.pem"))  # this machine trusts the authority
    report = exchange.run(laptop)
    assert [problem["code"] for problem in report.problems] == ["SY-425"]
    assert received(laptop) == 5
    assert linetest.look(laptop)["tls"] == "old"
    laptop.store.write(lambda conn: publications.keep(conn, pins.NAME, b"from the future", 2, 0))
    assert "SY-425" in [problem["code"] for problem in exchange.run(laptop).problems]


@pytest.fixture
def strict_hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub of its own: the list that it publishes would bind every later laptop of the shared one."""
    made = Hub(tmp_path / "strict").start()
    yield made
    made.stop()


def test_the_hub_publishes_the_list_that_its_laptops_then_go_by(
    join: Callable[..., Unlocked], strict_hub: Hub, tmp_path: Path
) -> None:
    made, hub = Authority(), strict_hub
    laptop = join(hub.url, at=hub)
    (tmp_path / "ca.pem").write_bytes(made.pem)
    (tmp_path / "no.pem").write_bytes(b"no certificate")
    told = hub.cli("hub-tls", str(tmp_path / "ca.pem"), "--days", "30")
    assert (told["name"], told["certificates"]) == (pins.NAME, 1)
    with pytest.raises(AssertionError, match="SY-430"):
        hub.cli("hub-tls", str(tmp_path / "no.pem"))
    exchange.run(laptop)
    listed, old = laptop.store.read(lambda conn: pins.known(conn, laptop.store.clock.wall_ms()))
    assert listed is not None and not old
    assert list(listed.certificates) == [made.der]


@pytest.mark.parametrize(
    "value", [{}, {1: 2, 2: 5, 3: [b"x"]}, {1: 1, 2: -1, 3: [b"x"]}, {1: 1, 2: 5, 3: []}, {1: 1, 2: 5, 3: ["x"]},
              {1: 1, 2: 5, 3: [b"x" * 9_000]}, {1: 1, 2: 5, 3: [b"no certificate"]}, {1: 1, 2: 5, 3: [b"x"] * 33},
              {1: 1, 2: 5, 3: [b"x"], 4: 1}, [1]],
)  # fmt: skip
def test_other_lists_are_refused(value: Any) -> None:
    from sync import cbor

    with pytest.raises(cbor.Malformed):
        pins.read(cbor.encode(value))


def test_every_code_of_a_line_that_is_gone_has_words() -> None:
    for code in GONE | {"SY-425", "SY-426", "SY-427", "SY-428", "SY-429", "SY-430"}:
        for language in ("km", "en"):
            words = explain(Known(code), language)
            assert words.what and words.kept and words.next
    assert client.NO_LINE in GONE
