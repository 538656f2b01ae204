"""What the centre has signed for modules and is not of its form: refused with its own code, and everything goes on as before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from i18n import gazetteer
from modules import publications as taking
from modules import reviews
from modules.forms.definition import digest
from modules.forms.library import ASSETS
from modules.session import Session
from sync import inbox, publications, wire
from sync.cbor import Malformed
from tests.fuzz.mutation import misshapen

FORM: Final = json.loads((ASSETS / "forms" / "barber-licence-1.json").read_text("utf-8"))
CATALOGUE: Final = json.loads((ASSETS / "services" / "catalogue.json").read_text("utf-8"))
SERVICE: Final = CATALOGUE["services"][0]
PRICES: Final = {
    "sala_prices": 1, "version": 1, "title": {"km": "តម្លៃ", "en": "Prices"}, "legal": dict([next(iter(CATALOGUE["legal"].items()))]),
    "sectors": CATALOGUE["sectors"][:1], "services": [SERVICE],
    "prices": [{"service": SERVICE["id"], "from": "2020-01-01", "riel": 4321}],
}  # fmt: skip
EXAMPLES: Final = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)


@pytest.fixture(autouse=True)
def own_gazetteer() -> Iterator[None]:
    yield
    gazetteer.use(None)


def publish(session: Session, name: str, data: bytes) -> str:
    """The code of its refusal, "" when it is in use."""
    session.store.write(lambda conn: publications.keep(conn, name, data, 1, session.clock.wall_ms()))
    return {one["name"]: one["code"] for one in taking.apply_new(session)}.get(name, "")


def bent(draw: Callable[[Any], Any], source: Any) -> bytes:
    """JSON with one of its values exchanged, removed or added."""
    value = cbor2.loads(draw(misshapen(cbor2.dumps(source, canonical=True))))
    return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace")


def services(session: Session) -> Any:
    return session.commands.run("forms.services")["services"]


def test_a_price_list_of_any_form_is_in_force_or_refused(session: Session) -> None:
    before = services(session)

    @EXAMPLES
    @given(st.data())
    def check(data: st.DataObject) -> None:
        code = publish(session, "prices/bent.json", bent(data.draw, PRICES))
        assert code in ("", "SY-463")
        session.store.write(lambda conn: conn.execute("DELETE FROM publication"))
        assert len(services(session)) == len(before)
        session.commands.run("forms.services", query="birth")
        session.store.write(lambda conn: conn.execute("DELETE FROM forms_prices"))

    check()
    assert services(session) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 1 << 63}, {"version": True}, {"version": "1"}, {"services": [{**SERVICE, "title": "x"}]}, {"prices": {"a": 1}},
        {"services": [{**SERVICE, "prices": []}]}, {"services": [{**SERVICE, "prices": [{"from": "2027-02-30", "riel": 1}]}]},
        {"services": [{**SERVICE, "days": "three"}]}, {"sectors": [{"id": 1, "title": {"km": "x", "en": "x"}}]}, {"legal": []},
    ],
)  # fmt: skip
def test_a_price_list_with_one_wrong_thing_is_refused_whole(session: Session, changed: dict[str, Any]) -> None:
    before = services(session)
    assert publish(session, "prices/bent.json", json.dumps({**PRICES, **changed}).encode()) == "SY-463"
    assert services(session) == before
    assert session.store.read(lambda conn: conn.execute("SELECT count(*) AS n FROM forms_prices").fetchone()["n"]) == 0


def test_a_form_of_any_form_is_in_the_catalogue_or_refused(session: Session) -> None:
    @EXAMPLES
    @given(st.data())
    def check(data: st.DataObject) -> None:
        raw = bent(data.draw, {**FORM, "id": "bent-form", "version": 3})
        try:
            named = f"forms/moi/bent-form/{digest(json.loads(raw))}.json"
        except ValueError:  # a number that has no canonical form has no hash either
            named = f"forms/moi/bent-form/{'0' * 64}.json"
        assert publish(session, named, raw) in ("", "SY-461", "SY-462")
        session.store.write(lambda conn: conn.execute("DELETE FROM publication"))
        services(session)

    check()


def country(place: Path, change: str) -> bytes:
    """The program's own gazetteer with one statement run on it."""
    place.write_bytes(gazetteer.DATABASE.read_bytes())
    base = sqlite3.connect(place)
    base.executescript(change)
    base.close()
    return place.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE x(a)", "DROP TABLE unit", "DROP TABLE find", "DELETE FROM unit WHERE level = 1",
        "UPDATE unit SET level = 9 WHERE id = 1", "UPDATE unit SET kind = 'palace' WHERE id = 1", "ALTER TABLE unit DROP COLUMN en",
        "UPDATE unit SET km = x'00' WHERE id = 1", "UPDATE unit SET code = 7.5 WHERE id = 1", "UPDATE unit SET parent = 'x' WHERE id = 1",
    ],
)  # fmt: skip
def test_a_gazetteer_with_one_wrong_thing_is_refused_and_the_one_before_stays(
    session: Session, tmp_path: Path, change: str
) -> None:
    before = gazetteer.children()
    wanted = "" if change.startswith("CREATE") else "SY-464"
    assert publish(session, taking.GAZETTEER, country(tmp_path / "geo.sqlite", change)) == wanted
    assert gazetteer.children() == before


def test_decisions_of_any_form_are_taken_in_or_put_aside(session: Session) -> None:
    seq = iter(range(1, 1_000))

    @EXAMPLES
    @given(st.data())
    def check(data: st.DataObject) -> None:
        sound = [[next(seq), bytes(32), "sync.review", {"decision": "send_again", "reason": "ក"}]]
        payload = data.draw(misshapen(cbor2.dumps(sound, canonical=True)))
        try:
            found = wire.read_notices(payload)
        except Malformed:
            return
        session.store.write(lambda conn: inbox.receive(conn, found, 0))
        reviews.deliver(session)
        rows = session.store.read(lambda conn: conn.execute("SELECT refused_code FROM inbox").fetchall())
        assert {row["refused_code"] for row in rows} <= {None}

    check()
