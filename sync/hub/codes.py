"""Enrolment codes that a person reads and another types: 50 bits, 72 hours, five tries, kept as Argon2id only.

A code belongs to a place that the office's laptop has by its pack: it stands in for the pack's own code when that has
expired, and for a pack that was made without one, so that a pack alone that got lost enrols nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nacl import utils

from sync import devices, pack
from sync.errors import Refused
from sync.hub import acts, enrolment
from sync.hub.centre import Centre
from sync.hub.storage import Row, Tx
from sync.limits import CODE_HOURS

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Spoken:
    """A code as it is read out. It is shown once and kept nowhere."""

    office: str
    laptop: int
    code: str  # two groups of five
    not_after_ms: int


def issue(centre: Centre, office: str, laptop: int | None = None) -> Spoken:
    """A new code for a laptop of ``office`` that is not enrolled; its older code ends. Refused HB-185: there is none, or
    there are several and ``laptop`` does not say which."""
    slot = centre.storage.read(lambda tx: _open(tx, office, laptop))
    plain = devices.new_code(utils.random(devices.CODE_LENGTH))
    key = devices.code_key(plain, slot["slot"])  # slow on purpose: outside the transaction
    until = centre.clock.wall_ms() + CODE_HOURS * _HOUR_MS

    def work(tx: Tx) -> None:
        _open(tx, office, slot["number"])
        tx.execute(
            "UPDATE slot SET code_key = :key, not_after_ms = :until, tries = 0 WHERE slot = :slot",
            {"key": key, "until": until, "slot": slot["slot"]},
        )
        acts.record(tx, enrolment.SLOT, {"new_code": True}, rows=[("slot", "slot", slot["slot"])])

    centre.storage.write(work)
    return Spoken(office, slot["number"], f"{plain[:5]}-{plain[5:]}", until)


def issue_for(centre: Centre, pack_data: bytes) -> Spoken:
    """The code of a laptop whose pack was just made without one."""
    made = pack.parse(pack_data, [bytes(centre.keys.pack.verify_key)])
    return issue(centre, made.office["code"], made.number)


def _open(tx: Tx, office: str, laptop: int | None) -> Row:
    rows = tx.query(
        """SELECT slot, number FROM slot WHERE office = :office AND device IS NULL
           AND slot NOT IN (SELECT slot FROM pending_device) ORDER BY number""",
        {"office": office.strip()},
    )
    found = [row for row in rows if laptop in (None, row["number"])]
    if len(found) != 1:
        raise Refused("HB-185", office=office[:20], n=len(found))
    return found[0]
