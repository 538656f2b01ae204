"""A profile: the office's encrypted store and who may open it. Begin with :func:`create_profile` or :func:`unlock`.

A profile folder holds ``office.db``, two copies of the slots file, the count of wrong passphrases, ballast, ``blobs/``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from nacl import utils
from nacl.public import PrivateKey

from sync import attempts, audit, drafts, identity, marks, migrate, slots
from sync.clock import Clock
from sync.errors import Known, Refused
from sync.failpoint import failpoint
from sync.identity import Identity
from sync.migrate import copies
from sync.officer import Officer
from sync.passphrase import Cost, check, measured_cost
from sync.slots import Slot, Slots
from sync.store import DATABASE, Connection, Store
from sync.unlocked import Secrets, Unlocked
from sync.wipe import wipe

__all__ = ["CHEAP", "Cost", "Identity", "Officer", "Unlocked", "add_officer", "change_passphrase", "create_profile",
           "names", "recover", "remove_officer", "unlock", "wait_s"]  # fmt: skip

RESTORED: Final = "restored"  # a file that a backup leaves for the first unlocking after it
CHEAP: Final = Cost(1, 8_192)  # for tests and demonstrations: protects nothing


class Person(Protocol):
    """Whoever becomes an officer."""

    @property
    def name(self) -> str: ...
    @property
    def latin(self) -> str: ...
    @property
    def role(self) -> str: ...


# --- making and opening a profile


def create_profile(
    home: Path,
    *,
    officer: Person,
    passphrase: str,
    clock: Clock,
    cost: Cost | None = None,
    recovery: bytes | None = None,
) -> Unlocked:
    """A new profile in ``home`` with its first officer. ``recovery``: the province's public X25519 key.

    ``cost`` None measures what half a second is on this machine. Known SY-101 if a profile is there. Refused: SY-113
    the passphrase is too short, SY-119 a name is missing.
    """
    check(passphrase)
    made = Officer(utils.random(16).hex(), *identity.checked_name(officer.name, officer.latin, officer.role))
    if slots.exist(home):
        raise Known("SY-101")
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    _set_aside(home, clock)
    key = utils.random(32)
    slot, seed = slots.new_slot(_raw(made.id), made.name, made.latin, passphrase, cost or measured_cost(), [key])
    store = Store.create(home, key, clock=clock)
    try:
        migrate.install(store)

        def fill(conn: Connection) -> None:
            identity.new_device(conn, clock.wall_ms())
            identity.insert_officer(conn, made, seed, recovery, clock.wall_ms())
            audit.append(conn, clock, {"what": "profile made", "officer": made.id})

        store.write(fill)
        opener = slots.Recovery(recovery, slots.seal(recovery, [key])) if recovery else None
        attempts.clear(home, slot.officer)
        failpoint("profile")
        slots.write(home, Slots(0, (slot,), opener))  # last: from now on there is a profile
        store.write(lambda conn: _show_drafts(conn, home))
        return _unlocked(home, store, made.id, seed, key)
    except BaseException:
        store.close()
        raise


def unlock(home: Path, name_or_id: str, passphrase: str, clock: Clock, *, read_only: bool = False) -> Unlocked:
    """Open the profile in ``home`` as one of its officers (Khmer name, Latin name, or id in hex).

    ``read_only`` also opens a profile that a newer Sala has written, for export. Refused: SY-112 nobody of that name,
    SY-114 wrong passphrase (``wait_s`` until the next try), SY-111 wait. Known: SY-109 no profile, SY-118 slots
    damaged, SY-525 an old copy of the slots was put back, SY-526 one from before the key was changed, or the database's first
    page is damaged, SY-102 another page is, SY-103 written by a newer Sala.
    """
    _refuse_withdrawn(home)
    slot = slots.read(home).of(name_or_id)
    seed, wrong = _try(home, slot, passphrase, clock)
    store, key = _open_store(home, slots.unseal(seed, slot.sealed), clock, read_only=read_only)
    try:
        _require_newest(store, home)
        if not read_only:
            migrate.install(store)
            event = {"what": "unlocked", "officer": slot.officer.hex(), "wrong_before": wrong}
            store.write(lambda conn: _settle(conn, home, store, event))
        _refuse_moved(store, slot.officer.hex())
        return _unlocked(home, store, slot.officer.hex(), seed, key)
    except BaseException:
        store.close()
        raise


def recover(
    home: Path, name_or_id: str, new_passphrase: str, *, recovery: PrivateKey, clock: Clock, cost: Cost | None = None
) -> Unlocked:
    """Open the profile with the province's key and give an officer a new passphrase; nothing unsynced is lost.

    The officer's drafts stay readable; their signing key is replaced. A laptop that the centre has withdrawn opens too,
    until it hears again that it is. Refused: SY-116 another recovery key, SY-117 this profile has none, SY-112, SY-113.
    """
    found = slots.read(home)
    if found.recovery is None:
        raise Refused("SY-117")
    if found.officers:
        found.of(name_or_id)
    return recover_with(
        home, name_or_id, new_passphrase, database_keys=slots.unseal(bytes(recovery), found.recovery.sealed),
        draft_key=lambda conn, officer: identity.recovered_draft_key(conn, officer, recovery), clock=clock, cost=cost,
    )  # fmt: skip


def recover_with(
    home: Path, name_or_id: str, new_passphrase: str, *, database_keys: list[bytes],
    draft_key: Callable[[Connection, str], bytes], clock: Clock, cost: Cost | None = None,
) -> Unlocked:  # fmt: skip
    """The same with what the province's key has opened, here or in the province (``sync/reset.py``)."""
    check(new_passphrase)
    found = slots.read(home)
    public = found.recovery.public if found.recovery else None
    store, key = _open_store(home, database_keys, clock)
    try:
        migrate.install(store)
        old = found.of(name_or_id) if found.officers else store.read(lambda conn: identity.found(conn, name_or_id))
        officer = old.officer.hex()
        slot, seed = slots.new_slot(old.officer, old.name, old.latin, new_passphrase, cost or measured_cost(), [key])

        def work(conn: Connection) -> None:
            _settle(conn, home, store, {"what": "passphrase recovered", "officer": officer})
            conn.execute("DELETE FROM withdrawn")
            identity.give_keys(conn, officer, seed, public, draft_key(conn, officer))
            conn.execute("UPDATE officer SET recovered_ms = ? WHERE id = ?", (clock.wall_ms(), officer))

        store.write(work)
        failpoint("recover")  # a second recovery finishes what this one began
        _put(store, slot)
        attempts.clear(home, slot.officer)
        return _unlocked(home, store, officer, seed, key)
    except BaseException:
        store.close()
        raise


def names(home: Path) -> list[tuple[str, str, str]]:
    """Who may unlock: id (hex), Khmer name, Latin name. Known SY-109, SY-118; SY-402 the centre has withdrawn the laptop."""
    _refuse_withdrawn(home)
    return [(slot.officer.hex(), slot.name, slot.latin) for slot in slots.read(home).officers]


def wait_s(home: Path, name_or_id: str, clock: Clock) -> int:
    """Seconds until this officer may try again."""
    return attempts.wait_s(home, slots.read(home).of(name_or_id).officer, clock)


# --- the officers of an unlocked profile


def add_officer(
    unlocked: Unlocked, person: Person, passphrase: str, *, cost: Cost | None = None, id: str | None = None
) -> Officer:
    """One more officer, who unlocks with their own passphrase. Refused: SY-113, SY-119, SY-121 the name is taken.

    ``id``: of somebody who comes from another office (``sync/transfers.py``).
    """
    check(passphrase)
    home, store, clock = unlocked.home, unlocked.store, unlocked.store.clock
    added = Officer(id or utils.random(16).hex(), *identity.checked_name(person.name, person.latin, person.role))
    found = slots.read(home)
    taken = {name.casefold() for slot in found.officers for name in (slot.name, slot.latin)}
    if {added.name.casefold(), added.latin.casefold()} & taken:
        raise Refused("SY-121", name=added.name)
    slot, seed = slots.new_slot(
        _raw(added.id), added.name, added.latin, passphrase, cost or measured_cost(), [unlocked.database_key]
    )
    recovery = found.recovery.public if found.recovery else None

    def work(conn: Connection) -> None:
        identity.insert_officer(conn, added, seed, recovery, clock.wall_ms())
        audit.append(conn, clock, {"what": "officer added", "officer": added.id, "by": unlocked.officer.id})

    store.write(work)
    failpoint("add")  # without a slot the next unlocking takes the officer off the list again
    _put(store, slot)
    return added


def remove_officer(unlocked: Unlocked, officer: str) -> None:
    """Take away an officer's slot and change the database key; their name stays in the records.

    Refused: SY-115 oneself, SY-112 nobody of that id. Known SY-106 while another program has the database open.
    """
    if officer == unlocked.officer.id:
        raise Refused("SY-115")
    home, store, clock = unlocked.home, unlocked.store, unlocked.store.clock
    found = slots.read(home)
    gone = found.of(officer)
    rest = [slot for slot in found.officers if slot != gone]
    _change_key(unlocked, found, rest)

    def work(conn: Connection) -> None:
        identity.remove_officer(conn, gone.officer.hex(), clock.wall_ms())
        audit.append(conn, clock, {"what": "officer removed", "officer": gone.officer.hex(), "by": unlocked.officer.id})

        marks.raise_floor(conn, marks.KEYRING, slots.read(home).generation)

    store.write(work)


def change_passphrase(unlocked: Unlocked, old: str, new: str, *, cost: Cost | None = None) -> None:
    """The officer's own passphrase. Refused: SY-114 ``old`` is wrong, SY-111 wait, SY-113 ``new`` is too short."""
    check(new)
    home, clock = unlocked.home, unlocked.store.clock
    slot = slots.read(home).of(unlocked.officer.id)
    seed, _ = _try(home, slot, old, clock)
    _put(unlocked.store, slot.rewrapped(seed, new, cost or measured_cost()))
    event = {"what": "passphrase changed", "officer": unlocked.officer.id}
    unlocked.store.write(lambda conn: audit.append(conn, clock, event))


def close_to_officers(unlocked: Unlocked, recovery: bytes | None) -> None:
    """Change the database key and give the new one to nobody but the province's recovery (public key, when there is no slot
    for it yet): after this no passphrase opens the profile. Known SY-106 while another program has the database open."""
    found = slots.read(unlocked.home)
    if found.recovery is None:
        if recovery is None:
            raise Known("SY-117")
        found = replace(found, recovery=slots.Recovery(recovery, b""))
    _change_key(unlocked, found, [])


# --- inside


def _raw(officer: str) -> bytes:
    return bytes.fromhex(officer)


def _refuse_withdrawn(home: Path) -> None:
    from sync import withdrawal

    done = withdrawal.carried_out(home)
    if done is not None:
        raise withdrawal.as_known(done)


def _refuse_moved(store: Store, officer: str) -> None:
    office = store.read(lambda conn: identity.moved_to(conn, officer, store.clock.wall_ms()))
    if office is not None:
        raise Refused("SY-478", office=office)


def _nothing() -> None:
    """Both keys are in the slots already."""


def _set_aside(home: Path, clock: Clock) -> None:
    """A database without slots: a profile that was never finished, or whose slots were lost. Never delete it."""
    for path in home.glob(f"{DATABASE}*"):
        path.rename(home / f"set-aside-{clock.wall_ms()}-{path.name}")


def _try(home: Path, slot: Slot, words: str, clock: Clock) -> tuple[bytes, int]:
    """The slot's seed and how many tries were wrong before this one."""
    wrong = attempts.begin(home, slot.officer, clock)
    try:
        seed = slot.open(words)
    except Refused as error:
        raise Refused(error.code, wait_s=attempts.wait_s(home, slot.officer, clock)) from None
    attempts.clear(home, slot.officer)
    return seed, wrong


def _open_store(home: Path, keys: list[bytes], clock: Clock, *, read_only: bool = False) -> tuple[Store, bytes]:
    """The store and its key; a change of the key that a power cut interrupted is finished first."""
    newest = keys[-1]
    for key in reversed(keys):
        try:
            store = Store.open(home, key, clock=clock, read_only=read_only)
        except Known as error:
            if error.code != "SY-100":
                raise
            continue
        if len(keys) > 1 and not read_only:
            if key != newest:
                store.rekey(newest, _nothing)
            slots.write(home, slots.read(home).sealed_anew([newest]))
            key = newest
        return store, key
    raise Known("SY-526")  # the slot is authentic: it is from before a change of the key, or the first page is damaged


def _require_newest(store: Store, home: Path) -> None:
    """Known SY-525: the slots are older than those that this database has seen last, so an old copy of them was put back.

    Passphrases that were changed since would open it, and officers who came since would be taken off the list.
    """
    seen = store.read(lambda conn: marks.floor(conn, marks.KEYRING))
    found = slots.read(home).generation  # behind the other: whoever writes slots raises the floor afterwards
    if found >= seen:
        return
    if not store.read_only:
        event = {"what": "old key slots", "found": found, "seen": seen}
        store.write(lambda conn: audit.append(conn, store.clock, event))
    raise Known("SY-525", found=found, seen=seen)


def _change_key(unlocked: Unlocked, found: Slots, officers: list[Slot]) -> None:
    """Encrypt the database anew for ``officers`` only. Interrupted anywhere, the next unlocking finishes it."""
    old, new = unlocked.database_key, utils.random(32)

    def name_both() -> None:
        slots.write(unlocked.home, found.sealed_anew([old, new], officers))
        failpoint("rekey")

    unlocked.store.rekey(new, name_both)
    failpoint("rekey")
    unlocked.took_key(new)
    slots.write(unlocked.home, slots.read(unlocked.home).sealed_anew([new]))
    for copy in copies(unlocked.home):
        copy.unlink()  # they open with the key that the officer who left may have kept


def _put(store: Store, slot: Slot) -> None:
    """Add ``slot`` or put it in place of the officer's older one; one program at a time, under the database's lock."""

    def work(conn: Connection) -> None:
        found = slots.read(store.folder)
        others = [other for other in found.officers if other.officer != slot.officer]
        newest = max(found.generation, marks.floor(conn, marks.KEYRING))
        slots.write(store.folder, replace(found, generation=newest, officers=(*others, slot)))
        _show_drafts(conn, store.folder)

    store.write(work)


def _settle(conn: Connection, home: Path, store: Store, event: dict[str, object]) -> None:
    """What every opening does: finish an interrupted removal, empty the drafts' bin, write it down."""
    clock = store.clock
    _show_drafts(conn, home)
    with_slot = {slot.officer.hex() for slot in slots.read(home).officers}
    for officer in identity.officers(conn):
        if with_slot and officer.id not in with_slot:
            identity.remove_officer(conn, officer.id, clock.wall_ms())
            audit.append(conn, clock, {"what": "officer removed", "officer": officer.id})
    if (home / RESTORED).exists():
        # The laptop whose backup this was may have used its numbers afterwards: nobody uses them again.
        conn.execute("UPDATE lease SET used = size")
        marks.set_mark(conn, marks.RESTORED, max(1, clock.wall_ms()))
        audit.append(conn, clock, {"what": "restored from a backup"})
        store.after_commit((home / RESTORED).unlink)
    drafts.empty_bin(conn, clock.wall_ms())
    audit.append(conn, clock, event)


def _show_drafts(conn: Connection, home: Path) -> None:
    """Lay the officers' sealed draft keys beside the slots, for the province; older slots are believed no more."""
    rows = conn.execute(
        "SELECT id, draft_recovery FROM officer WHERE removed_ms IS NULL AND draft_recovery IS NOT NULL"
    )
    drafts = {_raw(row["id"]): bytes(row["draft_recovery"]) for row in rows.fetchall()}
    found = slots.read(home)
    if found.drafts != drafts:
        found = slots.write(home, replace(found, drafts=drafts))
    marks.raise_floor(conn, marks.KEYRING, found.generation)


def _unlocked(home: Path, store: Store, officer: str, seed: bytes, key: bytes) -> Unlocked:
    def work(conn: Connection) -> Unlocked:
        person, officer_key, draft_key = identity.open_officer(conn, officer, seed)
        wipe(seed)
        device, office_key = identity.device_of(conn)
        return Unlocked(home, store, person, Secrets(device, office_key, officer_key, draft_key, key))

    return store.read(work)
