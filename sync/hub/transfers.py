"""Officers who moved: what their key signs for the old office after that day is stored and receipted, and put aside.

When an op is "after the day" is judged by the larger of the laptop's clock and the last hub time that it had seen: setting the
clock back helps nobody who has been in contact since. An officer's office at a moment is what the last statement before it
says; who never moved is asked nothing. The other officers of the same laptop go on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sync import transfers as statements
from sync.errors import Refused
from sync.hub import acts, raws, stored
from sync.hub.storage import Row, Tx, listed
from sync.identity import ROLES
from sync.ops import OpFields

if TYPE_CHECKING:
    from sync.hub.centre import Centre

KIND: Final = statements.KIND
HUB: Final = bytes(16)  # who signs when the centre itself moves somebody


class Moves:
    """The statements about officers who ever left or came to one office, in the order of their days."""

    def __init__(self, tx: Tx, office: str, rows: Sequence[Row]) -> None:
        self._tx, self._office = tx, office
        self._known: dict[bytes, list[tuple[int, str]]] = {}
        left = {bytes(row["officer"]) for row in rows if row["from_office"] == office}
        for row in rows:
            if row["officer"] in left:
                self._known.setdefault(bytes(row["officer"]), []).append((row["at_ms"], row["to_office"]))

    @classmethod
    def of(cls, tx: Tx, offices: Sequence[str]) -> dict[str, Moves]:
        """What is known of each of ``offices``, at least one."""
        names, values = listed("office", sorted(set(offices)))
        rows = tx.query(
            f"""SELECT officer, at_ms, from_office, to_office FROM transfer WHERE officer IN
                (SELECT t.officer FROM transfer t WHERE t.from_office IN {names}) ORDER BY at_ms, idx""",
            values,
        )
        return {office: cls(tx, office, rows) for office in offices}

    @property
    def nothing(self) -> bool:
        """Nobody ever left this office."""
        return not self._known

    def about(self, officer: bytes) -> bool:
        """Whether anything was said of this officer."""
        return officer in self._known

    def away(self, op: OpFields) -> bool:
        """Whether the officer of ``op`` signed for another office by then. What the program itself notes is nobody's word."""
        if op.form == "sync" and op.kind != KIND:
            return False
        when = max(op.wall_ms, op.hub_floor_ms)
        said = [to for at_ms, to in self._known.get(op.officer, ()) if at_ms <= when]
        return bool(said) and said[-1] != self._office

    def take(self, op: OpFields) -> None:
        """Believe an accepted ``sync.transfer`` when a chief or the IT officer of this office has signed it."""
        if op.kind != KIND or not isinstance(op.body, dict):
            return
        try:
            said, _ = statements.read(op.body.get("statement", b""))
        except (Refused, TypeError):
            return
        if (
            said.from_office != self._office
            or said.by != op.officer
            or not _signed(self._tx, op.body["statement"], said)
        ):
            return
        keep(self._tx, said, op.body["statement"], said.by_name)
        self._known.setdefault(said.officer, []).append((said.at_ms, said.to_office))
        self._known[said.officer].sort(key=lambda entry: entry[0])


def keep(tx: Tx, said: statements.Transfer, statement: bytes, made_by: str) -> None:
    """Write down a statement; the same one again changes nothing."""
    if tx.one("SELECT 1 AS yes FROM transfer WHERE statement = :statement", {"statement": statement}):
        return
    tx.execute(
        """INSERT INTO transfer (officer, name, latin, from_office, to_office, role, at_ms, statement, made_by, made_ms)
           VALUES (:officer, :name, :latin, :before, :after, :role, :at, :statement, :made_by, :made)""",
        {
            "officer": said.officer, "name": said.name, "latin": said.latin, "before": said.from_office, "after": said.to_office,
            "role": said.role, "at": said.at_ms, "statement": statement, "made_by": made_by, "made": said.made_ms,
        },
    )  # fmt: skip


def move(centre: Centre, officer: str, to_office: str, role: str, at_ms: int, admin: str) -> statements.Transfer:
    """The centre itself moves an officer (``id`` in hex), for an office that cannot; signed with the key of its log.

    Refused: HB-187 nobody of that id, the office is theirs already or none, or the role is none.
    """
    now = centre.clock.wall_ms()

    def work(tx: Tx) -> statements.Transfer:
        found = [one for one in people(tx) if one["id"] == officer]
        here = _office_of(tx, officer, found[-1]["office"], at_ms) if found else ""
        if not found or to_office == here or not (to_office.isascii() and to_office.isdecimal()) or role not in ROLES:
            raise Refused("HB-187", officer=officer[:40], office=to_office[:20])
        said = statements.Transfer(
            officer=bytes.fromhex(officer), name=found[-1]["name"], latin=found[-1]["latin"], from_office=here, to_office=to_office,
            role=role, at_ms=at_ms, by=HUB, by_name=admin[:80], made_ms=now,
        )  # fmt: skip
        keep(tx, said, statements.sign(said, bytes(centre.keys.log.sign(statements.message(said)).signature)), admin)
        row = tx.query("SELECT max(idx) AS idx FROM transfer")[0]["idx"]
        acts.record(
            tx,
            "sync.moved",
            {"officer": officer, "to": to_office, "admin": admin},
            now,
            rows=[("transfer", "idx", row)],
        )
        return said

    return centre.storage.write(work)


def statement(tx: Tx, idx: int) -> bytes:
    """The file to carry to the new office. Refused HB-187 when there is none of that number."""
    row = tx.one("SELECT statement FROM transfer WHERE idx = :idx", {"idx": idx})
    if row is None:
        raise Refused("HB-187", officer=str(idx), office="")
    return bytes(row["statement"])


def _office_of(tx: Tx, officer: str, first: str, at_ms: int) -> str:
    row = tx.one(
        "SELECT to_office FROM transfer WHERE officer = :o AND at_ms <= :at ORDER BY at_ms DESC, idx DESC LIMIT 1",
        {"o": bytes.fromhex(officer), "at": at_ms},
    )
    return row["to_office"] if row else first


def fields_of(tx: Tx, child: Row) -> OpFields:
    """The op of a row, out of its batch."""
    return stored.read(raws.of(tx, child["batch"]), {child["place"]})[child["place"]]


def people(tx: Tx, office: str | None = None) -> list[dict[str, Any]]:
    """Officers as laptops declared them at enrolment and since: id, names, role, key, office; the newest word of each key."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in tx.query("SELECT office, officers FROM device ORDER BY enrolled_ms, office, number, device"):
        for one in json.loads(row["officers"]):
            found[(row["office"], one["id"], one["public"])] = {**one, "office": row["office"]}
    for row in tx.query(
        """SELECT d.office, o.batch, o.place FROM op o JOIN device d ON d.device = o.device
           WHERE o.kind = 'sync.officer' AND o.label = 'accepted' ORDER BY o.id"""
    ):
        body = fields_of(tx, row).body
        if isinstance(body, dict):
            one = {name: body.get(name, "") for name in ("name", "latin", "role")}
            one |= {
                "id": str(body.get("officer")),
                "public": bytes(body.get("public", b"")).hex(),
                "office": row["office"],
            }
            found[(row["office"], one["id"], one["public"])] = one
    return [one for one in found.values() if office in (None, one["office"])]


def listing(tx: Tx) -> list[Row]:
    """Every statement, the newest first, with how many ops were put aside because of it."""
    return tx.query(
        """SELECT t.idx, t.officer, t.name, t.latin, t.from_office, t.to_office, t.role, t.at_ms, t.made_by, t.made_ms,
                  (SELECT count(*) FROM op o JOIN device d ON d.device = o.device WHERE o.label = 'q:officer' AND o.label <> 'accepted'
                   AND o.officer = t.officer AND d.office = t.from_office) AS aside
           FROM transfer t ORDER BY t.at_ms DESC, t.idx DESC"""
    )


def _signed(tx: Tx, statement: bytes, said: statements.Transfer) -> bool:
    """By the newest or an older key of an officer of that office who may move people."""
    keys = [
        bytes.fromhex(one["public"])
        for one in people(tx, said.from_office)
        if one["id"] == said.by.hex() and one["role"] in ("chief", "it")
    ]
    return any(statements.holds(statement, key) for key in keys)
