"""Enrolment, device side: an office pack makes a bare machine a laptop of its office at once; the hub confirms it later.

Work never waits for the confirmation. The request to the hub is made at setup and travels by line or by stick; what comes
back is the device certificate. Ops that arrive before it wait at the hub, they are never refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sync import audit, devices, keys, leases, office, pack, publications, refreshing, slots
from sync.cbor import Malformed
from sync.delegations import PROVINCE
from sync.devices import Certificate, EnrolledOfficer, Request
from sync.errors import Known, Refused
from sync.failpoint import failpoint
from sync.marks import HUB_TIME, RESTORED, mark, raise_floor, set_mark

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.keys import Cost, Unlocked
    from sync.pack import OfficePack
    from sync.store import Connection


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    latin: str
    role: str


def setup(
    home: Path, pack_file: Path, *, officer_name: str, officer_latin: str = "", role: str = "receiving",
    passphrase: str, clock: Clock, words: str | None = None, cost: Cost | None = None, code: str | None = None,
) -> Unlocked:  # fmt: skip
    """Make the profile in ``home`` from an office pack and unlock it for its first officer. No network.

    ``words``: the six groups of digits of the pack's signer, when this machine does not pin it. ``code``: an enrolment code
    that the centre read out, for a pack that has none. Refused: SY-330 unknown signer, SY-331 pack damaged, SY-332 the
    profile there is of another office, SY-333 it is set up already, SY-475 no code.
    """
    taken = _read(pack_file, words)
    if code and not devices.is_code(code):
        raise Refused("SY-475")
    if slots.exist(home):
        unlocked = _resume(home, taken, officer_name, passphrase, clock)
    else:
        person = _Person(officer_name, officer_latin.strip() or officer_name, role)
        unlocked = keys.create_profile(
            home, officer=person, passphrase=passphrase, clock=clock, cost=cost, recovery=taken.recovery_seal
        )
    failpoint("setup:profile-made")
    try:
        _install(unlocked, taken, clock, code or taken.code)
    except BaseException:
        unlocked.lock()
        raise
    return unlocked


def take_code(unlocked: Unlocked, code: str) -> str:
    """Ask for enrolment with a code that the centre read out; the six groups of digits that name the new request.

    Refused: SY-475 no code, SY-303 no office pack yet, SY-333 this laptop is enrolled already.
    """
    if not devices.is_code(code):
        raise Refused("SY-475")
    here = unlocked.store.read(office.centre)
    if here is None:
        raise Refused("SY-303")
    if unlocked.store.read(certificate) is not None:
        raise Refused("SY-333", office=here.office)
    data = _request(unlocked, here.office, here.slot, code, unlocked.store.clock)

    def work(conn: Connection) -> None:
        conn.execute("UPDATE office SET enrol_request = ?, enrol_code = ''", (data,))
        audit.append(conn, unlocked.store.clock, {"what": "code typed", "officer": unlocked.officer.id})

    unlocked.store.write(work)
    return devices.words(data)


def _read(pack_file: Path, words: str | None) -> OfficePack:
    """The pack with everything that is in it read strictly, before anything is written. Refused: SY-330, SY-331."""
    taken = pack.read_file(pack_file, pack.roots(), words)
    try:
        for name, data in taken.publications.items():
            refreshing.check(name, data)
    except Malformed as error:
        raise Refused("SY-331", reason=error.reason) from None
    return taken


def _resume(home: Path, taken: OfficePack, name: str, passphrase: str, clock: Clock) -> Unlocked:
    """The profile of a setup that was cut short before the pack was in."""
    unlocked = keys.unlock(home, name, passphrase, clock)
    found = unlocked.store.read(office.centre)
    if found is None:
        return unlocked
    unlocked.lock()
    raise Refused("SY-333" if found.office == taken.office["code"] else "SY-332", office=found.office)


def renew(unlocked: Unlocked, pack_file: Path, *, words: str | None = None) -> None:
    """Take a newer pack of the same office: new leases, hub addresses, seals; before enrolment also another slot.

    On a laptop that a backup brought back another slot makes it a laptop of its own: the lost one may be revoked by now.

    Refused: SY-330, SY-331; SY-332 for a pack of another office; SY-333 for another slot once enrolled.
    """
    taken = _read(pack_file, words)
    found = unlocked.store.read(office.centre)
    if found is not None and found.office != taken.office["code"]:
        raise Refused("SY-332", office=found.office)
    if found is not None and found.slot != taken.slot and unlocked.store.read(certificate) is not None:
        if not unlocked.store.read(lambda conn: mark(conn, RESTORED)):
            raise Refused("SY-333", office=found.office)
        unlocked.replace_device()
        failpoint("setup:device-replaced")
    _install(unlocked, taken, unlocked.store.clock, taken.code)


def _install(unlocked: Unlocked, taken: OfficePack, clock: Clock, code: str) -> None:
    """``code`` "": the pack has none; somebody types one later (:func:`take_code`)."""
    request = _request(unlocked, taken.office["code"], taken.slot, code, clock) if code else None

    def work(conn: Connection) -> None:
        office.install(conn, taken)
        conn.execute("UPDATE office SET enrol_request = ?", (request,))
        for grant in taken.leases:
            leases.install(conn, grant)
        set_mark(conn, RESTORED, 0)
        for name, data in taken.publications.items():
            publications.keep(conn, name, data, 0, clock.wall_ms())
        raise_floor(conn, HUB_TIME, taken.made_ms)  # signed by the centre: earlier than this it is not
        event = {"what": "pack installed", "office": taken.office["code"], "number": taken.number}
        audit.append(conn, clock, event)
        failpoint("setup:before-commit")

    unlocked.store.write(work)


def _request(unlocked: Unlocked, code_of_office: str, slot: bytes, code: str, clock: Clock) -> bytes:
    people = tuple(
        EnrolledOfficer(bytes.fromhex(one.id), one.name, one.latin, one.role, unlocked.officer_public(one.id))
        for one in unlocked.officers()
    )
    device = unlocked.device
    request = Request(
        slot=slot, office=code_of_office, sign_public=bytes(device.sign.verify_key),
        seal_public=bytes(device.seal.public_key), office_public=bytes(unlocked.office_key.verify_key),
        officers=people, made_ms=clock.wall_ms(),
    )  # fmt: skip
    return devices.make_request(request, device.sign, devices.code_key(code, slot))


def request(conn: Connection) -> bytes | None:
    """The enrolment request that still wants an answer, None when the device is enrolled."""
    if certificate(conn) is not None:
        return None
    row = conn.execute("SELECT enrol_request FROM office").fetchone()
    return row["enrol_request"] if row else None


def request_words(conn: Connection) -> str | None:
    """Six groups of digits of the request, for the admin to compare: the console shows them too. None before setup."""
    row = conn.execute("SELECT enrol_request FROM office").fetchone()
    return devices.words(row["enrol_request"]) if row and row["enrol_request"] else None


def certificate(conn: Connection) -> Certificate | None:
    """What the centre says of this device, None until it has said it."""
    row = conn.execute("SELECT certificate, certifier FROM identity WHERE retired_ms IS NULL").fetchone()
    if row is None or row["certificate"] is None:
        return None
    here = office.centre(conn)
    return devices.read_certificate(row["certificate"], row["certifier"] or here.signer) if here else None


def signers(conn: Connection) -> tuple[bytes, ...]:
    """Whose signature makes a device certificate of this office: the pack key and, where there is one, its province's."""
    here = office.centre(conn)
    if here is None:
        return ()
    return (here.signer, *publications.keys_of(conn, f"{PROVINCE}{here.office[:2]}"))


def accept(conn: Connection, clock: Clock, data: bytes) -> bool:
    """Keep the device certificate ``data`` if it is about this device; True when it is new.

    Known SY-310 if forged, SY-472 signed by a province that the publications here do not name yet: they come next.
    """
    row = conn.execute("SELECT device_id, certificate FROM identity WHERE retired_ms IS NULL").fetchone()
    known = signers(conn)
    if not known:
        raise Refused("SY-303")
    signer = devices.certifier(data, known)
    if signer is None:
        raise Known("SY-472")
    found = devices.read_certificate(data, signer)
    if found.device_id != row["device_id"] or row["certificate"] == data:
        return False
    named = None if signer == known[0] else publications.naming(conn)
    conn.execute(
        "UPDATE identity SET certificate = ?, certifier = ?, delegated = ? WHERE retired_ms IS NULL",
        (data, signer, named),
    )
    audit.append(conn, clock, {"what": "enrolled", "device": found.device_id.hex(), "number": found.number})
    return True
