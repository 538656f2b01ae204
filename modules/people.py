"""What only a chief or the IT officer may do with the people of an office. The commands' own permissions say who they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from modules.contract import Known, Permission, Refused
from modules.permissions import ROLES
from sync import durable, keys, transfers
from sync.officer import Officer

if TYPE_CHECKING:
    from modules.session import Session
    from sync.keys import Cost

MOST: Final = 64 * 1024  # bytes of a file that a person brings
PICTURES: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")  # files that may show QR codes


def require(session: Session, permission: Permission) -> None:
    """``Refused("MD-010")`` unless the present officer's role has ``permission``."""
    role = session.officer.role
    if permission not in ROLES.get(role, frozenset()):
        raise Refused("MD-010", command=permission, role=role, missing=permission)


def may_add(session: Session) -> bool:
    """Who may add people: a chief or the IT officer; on a laptop that has neither yet, whoever is there, else it never had one."""
    keepers = {role for role, may in ROLES.items() if "officers" in may}
    return session.officer.role in keepers or not any(one.role in keepers for one in session.unlocked.officers())


def add(session: Session, person: keys.Person, passphrase: str, *, cost: Cost | None = None) -> Officer:
    """One more officer of this laptop. ``Refused("MD-010")`` unless :func:`may_add`."""
    if not may_add(session):
        require(session, "officers")
    return keys.add_officer(session.unlocked, person, passphrase, cost=cost)


def remove(session: Session, officer: str) -> None:
    """An officer leaves this laptop."""
    require(session, "officers")
    keys.remove_officer(session.unlocked, officer)


def outstanding(session: Session, officer: str) -> transfers.Outstanding:
    """What of ``officer`` must be sent or finished before they can move."""
    return session.store.read(lambda conn: transfers.outstanding(conn, officer))


def move(session: Session, officer: str, to_office: str, role: str, at_ms: int, out: Path) -> dict[str, Any]:
    """Move ``officer`` to another office; the statement for it is written to ``out``."""
    require(session, "officers")
    statement = transfers.make(session.unlocked, officer, to_office.strip(), role, at_ms)
    write(out, statement)
    return {"officer": officer, "to": to_office, "at_ms": at_ms, "file": str(out)}


def arrive(session: Session, file: Path, passphrase: str, *, cost: Cost | None = None) -> Officer:
    """Take an officer who comes with a statement."""
    require(session, "officers")
    return transfers.arrive(session.unlocked, read(file), passphrase, cost=cost)


def note_answered(session: Session, request: bytes) -> None:
    """Write down that custodians opened a request here: which officer's, by its digits; no key and no name."""
    from sync import audit, reset

    event = {
        "what": "reset answered", "officer": reset.read(request).officer.hex(), "words": reset.spoken(request),
        "by": session.officer.id,
    }  # fmt: skip
    session.store.write(lambda conn: audit.append(conn, session.clock, event))


def read(file: Path) -> bytes:
    """A small file that a person brought. ``Known("SY-371")`` when it cannot be read."""
    try:
        with file.open("rb") as source:
            return source.read(MOST)
    except OSError as error:
        raise Known("SY-371", folder=str(file.parent)) from error


def read_shown(file: Path) -> bytes:
    """A small file, or what the QR codes of a picture of it carry. Known: SY-371 unreadable, SY-452 no code, SY-454 some are missing."""
    if file.suffix.lower() not in PICTURES:
        return read(file)
    from sync import qrframes, qrpicture

    return qrframes.collect(qrpicture.texts(file))


def write_shown(out: Path, data: bytes) -> list[str]:
    """A small file to carry, or as a picture of QR codes when ``out`` is called one: the texts of the codes.

    ``Known("SY-371")`` when it cannot be written.
    """
    from modules import carry
    from sync import qrframes

    texts = qrframes.encode_small(data)
    if out.suffix.lower() in PICTURES:
        carry.save_codes(texts, out)
    else:
        write(out, data)
    return texts


def write(out: Path, data: bytes) -> None:
    """A small file to carry. ``Known("SY-371")`` when it cannot be written."""
    try:
        durable.replace(out, data)
    except OSError as error:
        raise Known("SY-371", folder=str(out.parent)) from error
