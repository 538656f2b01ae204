"""A hub in which something of everything has happened, for the console's pages; and a browser's part in it."""

from __future__ import annotations

import re
from typing import Any

import httpx

from modules.links import codes
from sync.hub import decisions, enrolment
from sync.hub.centre import Centre
from sync.hub.console.admins import set_passphrase, set_rule
from sync.hub.storage import Tx
from tests.hub.laptop import OFFICE, Laptop, join, slot

ADMIN, PASSPHRASE = "សុខា", "ទន្លេសាប ឆ្នាំនេះ"
SECOND = {
    "code": "0401",
    "name": {"km": "សាលាស្រុកបរិបូណ៌", "en": "Baribour <District> Hall"},  # a name that would be markup
    "province": {"km": "កំពង់ឆ្នាំង", "en": "Kampong Chhnang"},
}
CODE = codes.encode(5, bytes(32))


def fill(centre: Centre) -> dict[str, Any]:
    """Everything that a page can show: links, a fork, a gap, a revoked laptop, an unknown kind, a stranger, damage, an effect."""
    now = centre.clock.wall_ms()
    let_in(centre)
    first, second = join(centre, Laptop()), join(centre, Laptop(), SECOND)
    slot(centre)
    made = [
        first.op(
            {
                "code": CODE,
                "target": "https://www.moi.gov.kh/",
                "title": "<b>ផ្សារ</b>",
                "deep": {"list": [1, None, b"\x01"]},
            }
        )
    ]
    centre.ingest.take(first.batch(made=made))
    record = first.head
    centre.ingest.take(first.batch(1, kind="gardens.planted"), via="courier")
    clone = first.clone()
    centre.ingest.take(first.batch(1))
    centre.ingest.take(clone.batch(2))
    forked = clone.head
    second.batch(3)
    centre.ingest.take(second.batch(2))
    third = join(centre, Laptop())
    centre.storage.write(lambda tx: enrolment.revoke(tx, third.id, now))
    centre.ingest.take(third.batch(1))
    centre.ingest.take(Laptop().batch(2))
    for damaged in (b"x", b"y"):
        try:
            centre.ingest.take(damaged, via="courier")
        except Exception:
            continue
    centre.storage.write(lambda tx: decisions.decide(tx, record, "sent_back", "សូមពិនិត្យ", ADMIN, now))
    centre.storage.write(
        lambda tx: tx.execute(
            """INSERT INTO effect (id, kind, payload, state, tries, projection, changed_ms)
               VALUES ('e1', 'messages.dispatch', '{"title": "ប្រជុំ", "n": 3}', 'waiting', 0, 'messages', 5)"""
        )
    )
    centre.settle()
    return {
        "first": first,
        "second": second,
        "third": third,
        "record": record.hex(),
        "forked": forked.hex(),
        "office": OFFICE["code"],
    }


def let_in(centre: Centre, name: str = ADMIN, role: str = "owner") -> None:
    """A log-in that asks for no second factor."""
    now = centre.clock.wall_ms()

    def work(tx: Tx) -> None:
        set_passphrase(tx, name, PASSPHRASE, now, role=role)
        set_rule(tx, "nobody")

    centre.storage.write(work)


class Browser:
    """What a person's browser does: cookies, forms with their hidden fields."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.token = ""

    def log_in(self, name: str = ADMIN, passphrase: str = PASSPHRASE, back: str = "/console/") -> httpx.Response:
        gate = re.search(r'name="gate" value="([^"]+)"', self.client.get("/console/login").text)
        assert gate
        answer = self.client.post(
            "/console/login",
            data={"gate": gate[1], "name": name, "passphrase": passphrase, "back": back},
            follow_redirects=False,
        )
        if answer.status_code == 303 and answer.headers["location"] not in ("/console/begin", "/console/code"):
            found = re.search(r'name="token" value="([^"]+)"', self.get("/console/").text)
            assert found
            self.token = found[1]
        return answer

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(path, **more)

    def post(self, path: str, *, token: str | None = None, files: Any = None, **fields: str) -> httpx.Response:
        data = {"token": self.token if token is None else token, **fields}
        return self.client.post(path, data=data, files=files, follow_redirects=False)


def words(page: httpx.Response) -> str:
    """The text of a page without break opportunities."""
    return page.text.replace("&#8203;", "")
