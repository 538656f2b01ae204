"""What a centre publishes becomes a real thing on the laptop: a form in the catalogue, a price from its day, a place name."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from i18n import gazetteer
from modules import manifest
from modules import publications as taking
from modules.contract import Refused
from modules.forms.definition import digest
from modules.forms.library import ASSETS
from modules.session import Session
from sync import keys, naming, publications
from sync.clock import SystemClock
from sync.marks import set_mark
from sync.publications import CHECKED
from tests.conftest import PASSPHRASE

FORM = json.loads((ASSETS / "forms" / "barber-licence-1.json").read_text("utf-8"))
SERVICE = next(
    row
    for row in json.loads((ASSETS / "services" / "catalogue.json").read_text("utf-8"))["services"]
    if row["form"] == "barber-licence"
)


@pytest.fixture(autouse=True)
def own_gazetteer() -> Iterator[None]:
    yield
    gazetteer.use(None)


def publish(session: Session, name: str, data: Any, version: int = 1) -> str:
    """The laptop has verified a publication; the code of its refusal, "" when it is in use."""
    raw = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
    session.store.write(lambda conn: publications.keep(conn, name, raw, version, session.clock.wall_ms()))
    found = {one["name"]: one["code"] for one in taking.apply_new(session)}
    return found[name]


def form(**changes: Any) -> tuple[str, bytes]:
    source = {**FORM, **changes}
    return f"forms/moi/{source['id']}/{digest(source)}.json", json.dumps(source, ensure_ascii=False).encode()


def run(session: Session, command: str, **params: Any) -> Any:
    return session.commands.run(f"forms.{command}", **params)


def test_a_published_form_is_in_the_catalogue_and_old_drafts_keep_theirs(session: Session) -> None:
    draft = run(session, "start", form="barber-licence")
    name, data = form(version=2, title={"km": "ទម្រង់ថ្មី", "en": "The new form"})
    assert publish(session, name, data) == ""
    assert run(session, "definition", form="barber-licence")["version"] == 2
    assert run(session, "draft", draft=draft["draft"])["form"]["version"] == 1
    assert run(session, "start", form="barber-licence")["def_hash"] == name.rsplit("/", 1)[1][:-5]
    assert [entry["code"] for entry in taking.apply_new(session)] == []
    session.store.write(lambda conn: conn.execute("DELETE FROM publication WHERE name = ?", (name,)))
    assert run(session, "definition", form="barber-licence")["version"] == 2, "kept for ever"


def test_a_form_that_is_not_what_its_name_says_is_refused(session: Session) -> None:
    name, data = form(version=2)
    assert publish(session, name.replace("barber-licence", "other-form"), data) == "SY-461"
    assert publish(session, name[:-6] + "0.json" if name[-6] != "0" else name[:-6] + "1.json", data) == "SY-461"
    assert publish(session, "forms/moi/x.json", data) == "SY-461"
    broken = {**FORM, "version": 2, "sections": []}
    assert publish(session, f"forms/moi/barber-licence/{digest(broken)}.json", broken) == "SY-461"
    assert run(session, "definition", form="barber-licence")["version"] == 1
    assert set(taking.states(session).values()) == {"SY-461"}


def test_a_version_is_one_definition_for_ever(session: Session) -> None:
    assert publish(session, *form(title={"km": "ផ្សេង", "en": "Different"})) == "SY-462"
    assert publish(session, *form(version=2)) == ""
    assert publish(session, *form(version=2, title={"km": "ផ្សេង", "en": "Different"})) == "SY-462"
    assert publish(session, *form()) == "", "the very definition that came with the program"


def test_a_refused_one_is_taken_when_better_bytes_come(session: Session) -> None:
    assert publish(session, "prices/2027.json", b"{") == "SY-463"
    assert publish(session, "prices/2027.json", {"sala_prices": 1, "version": 1, "prices": []}, 2) == ""


def test_a_price_is_in_force_from_its_day(session: Session) -> None:
    def fee() -> int:
        return int(next(row["fee"] for row in run(session, "services")["services"] if row["id"] == SERVICE["id"]))

    before = fee()
    opened = run(session, "start", form="barber-licence", service=SERVICE["id"])
    old = run(session, "draft", draft=opened["draft"])["fee"]
    prices = {"sala_prices": 1, "version": 1, "prices": [{"service": SERVICE["id"], "from": "2999-01-01", "riel": 777}]}
    assert publish(session, "prices/2999.json", prices) == ""
    assert fee() == before
    now = {"sala_prices": 1, "version": 2, "prices": [{"service": SERVICE["id"], "from": "2020-01-01", "riel": 4321}]}
    assert publish(session, "prices/now.json", now) == ""
    assert fee() == 4321
    assert run(session, "draft", draft=opened["draft"])["fee"] in (4321, old)
    dearer = {
        "sala_prices": 1,
        "version": 3,
        "prices": [{"service": SERVICE["id"], "from": "2020-01-01", "riel": 5000}],
    }
    assert publish(session, "prices/now.json", dearer, 3) == ""
    assert fee() == 5000


@pytest.mark.parametrize(
    "wrong",
    [
        {"sala_prices": 2, "version": 1},
        {"sala_prices": 1, "version": 0},
        {"sala_prices": 1, "version": 1, "prices": [{"service": "nothing", "from": "2027-01-01", "riel": 1}]},
        {"sala_prices": 1, "version": 1, "prices": [{"service": SERVICE["id"], "from": "2027-13-01", "riel": 1}]},
        {"sala_prices": 1, "version": 1, "prices": [{"service": SERVICE["id"], "from": "2027-01-01", "riel": -1}]},
        {"sala_prices": 1, "version": 1, "prices": [{"service": SERVICE["id"], "from": "2027-01-01", "riel": True}]},
        {"sala_prices": 1, "version": 1, "services": [{"id": "half"}]},
        [],
    ],
)
def test_a_price_list_that_is_none_is_refused(session: Session, wrong: Any) -> None:
    assert publish(session, "prices/bad.json", wrong) == "SY-463"


def test_a_new_service_with_its_own_form_appears(session: Session) -> None:
    name, data = form(id="garden-permit", version=1, service="garden", title={"km": "ច្បាប់សួន", "en": "Garden permit"})
    service = {
        **SERVICE,
        "id": "garden",
        "number": 999,
        "form": "garden-permit",
        "title": {"km": "សួនសាធារណៈ", "en": "Garden"},
    }
    assert publish(session, "prices/garden.json", {"sala_prices": 1, "version": 1, "services": [service]}) == ""
    assert publish(session, name, data) == ""
    assert run(session, "services", query="garden")["services"][0]["id"] == "garden"
    assert run(session, "start", form="garden-permit")["service"] == "garden"


def test_what_lay_there_is_taken_in_at_the_next_opening(session: Session, tmp_path: Path) -> None:
    name, data = form(version=2)
    session.store.write(lambda conn: publications.keep(conn, name, data, 1, 0))
    home = session.unlocked.home
    other = Session.open(keys.unlock(home, session.officer.id, PASSPHRASE, session.clock))
    try:
        assert run(other, "definition", form="barber-licence")["version"] == 2
        assert run(session, "definition", form="barber-licence")["version"] == 2, "an older window sees it too"
    finally:
        other.close()


def test_a_module_that_fails_leaves_nothing_of_it(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    forms: Any = session.modules["forms"]
    real = forms._published.take_definition

    def half(body: Any, known: Any) -> None:
        real(body, known)
        raise Refused("SY-461", name=body["name"])

    monkeypatch.setattr(forms._published, "take_definition", half)
    assert publish(session, *form(version=2)) == "SY-461"
    assert run(session, "definition", form="barber-licence")["version"] == 1


def test_a_published_gazetteer_is_used_and_survives_a_restart(session: Session, tmp_path: Path) -> None:
    copy = tmp_path / "geo.sqlite"
    shutil.copyfile(gazetteer.DATABASE, copy)
    base = sqlite3.connect(copy)
    base.execute("UPDATE unit SET en = 'Renamed Town' WHERE code = '0306'")
    base.commit()
    base.close()
    assert gazetteer.unit("0306").en != "Renamed Town"
    assert publish(session, taking.GAZETTEER, copy.read_bytes()) == ""
    assert gazetteer.unit("0306").en == "Renamed Town"
    gazetteer.use(None)
    place = next((session.unlocked.home / "ref").glob("geo-*.sqlite"))
    place.write_bytes(b"damaged")
    other = Session.open(keys.unlock(session.unlocked.home, session.officer.id, PASSPHRASE, session.clock))
    other.close()
    assert gazetteer.unit("0306").en == "Renamed Town"
    assert sha256(place.read_bytes()).digest() == sha256(copy.read_bytes()).digest()


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\x00" + bytes(5000), b"{}"])
def test_what_is_no_gazetteer_is_refused(session: Session, data: bytes) -> None:
    assert publish(session, taking.GAZETTEER, data) == "SY-464"
    assert gazetteer.unit("0306").code == "0306"
    assert not list((session.unlocked.home / "ref").glob("*")) if (session.unlocked.home / "ref").exists() else True


def test_a_gazetteer_of_a_few_places_is_refused(session: Session, tmp_path: Path) -> None:
    small = tmp_path / "small.sqlite"
    base = sqlite3.connect(small)
    base.executescript(gazetteer.SCHEMA)
    base.close()
    assert publish(session, taking.GAZETTEER, small.read_bytes()) == "SY-464"


def test_what_came_down_is_listed_with_its_name_its_signer_and_why_it_is_not_in_use(session: Session) -> None:
    assert taking.listing(session)["state"] == "never"
    name, data = form(version=2)
    publish(session, name, data)
    publish(session, "prices/2027.json", b"{")
    session.store.write(lambda conn: set_mark(conn, CHECKED, session.clock.wall_ms()))
    found = taking.listing(session)
    assert (found["state"], found["checked_ms"] > 0, found["expires_ms"]) == ("red", True, 0)
    rows = {row["name"]: row for row in found["publications"]}
    assert (rows[name]["code"], rows[name]["size"], rows[name]["title"]["en"]) == (
        "",
        len(data),
        f"{FORM['title']['en']} · 2",
    )
    assert rows["prices/2027.json"]["code"] == "SY-463"
    assert rows[name]["signer"] == naming.signer("targets")


def test_a_profile_that_may_only_be_read_takes_nothing_in(session: Session) -> None:
    name, data = form(version=2)
    session.store.write(lambda conn: publications.keep(conn, name, data, 1, 0))
    home, officer = session.unlocked.home, session.officer.id
    session.close()
    other = Session.open(keys.unlock(home, officer, PASSPHRASE, SystemClock(), read_only=True))
    try:
        assert taking.states(other) == {}
        assert run(other, "definition", form="barber-licence")["version"] == 1
    finally:
        other.close()


def test_what_a_module_would_take_waits_while_that_module_cannot_be_used(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, data = form(version=2)
    sound = manifest.installed()
    gone = [replace(one, entry="modules.forms.nowhere:activate") if one.id == "forms" else one for one in sound]
    session.store.write(lambda conn: publications.keep(conn, name, data, 1, 0))
    home, officer, clock = session.unlocked.home, session.officer.id, session.clock
    session.close()
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "installed", lambda: gone)
        broken = Session.open(keys.unlock(home, officer, PASSPHRASE, clock))
        assert (list(broken.broken), taking.states(broken)) == (["forms"], {})
        broken.close()
    again = Session.open(keys.unlock(home, officer, PASSPHRASE, clock))
    try:
        assert (again.broken, taking.states(again)) == ({}, {name: ""})
        assert run(again, "definition", form="barber-licence")["version"] == 2
    finally:
        again.close()
