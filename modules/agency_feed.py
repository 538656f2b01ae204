"""Brings sealed batches to an agency's desk, for an open session: over the line, or from a stick. Window and command line share it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from modules.contract import Command, Refused, SalaError
from sync import blobs, office, refreshing, sealedfeed, volume
from sync.errors import Known
from sync.limits import KIB, MAX_CHUNK

if TYPE_CHECKING:
    from modules.session import Session
    from sync.transport import Transport

Progress = Callable[[str, int, int], None]
_SMALL: Final = 32 * KIB  # bytes of a publication that is taken on the way
_COUNTED: Final = ("new", "batches", "sealed", "problems")


def declare(session: Session) -> None:
    """The commands that need a line or a stick, which modules do not reach by themselves."""
    text = {"type": "string", "minLength": 1, "maxLength": 4096}
    hashed = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    for name, khmer, english, run, params in (
        ("fetch", "អានពីមជ្ឈមណ្ឌល", "Read what is new at the centre", lambda: fetch(session), {}),
        ("take_stick", "អានពី USB", "Read from a stick", lambda path: take(session, Path(path)), {"path": text}),
        (
            "attachment", "បើកឯកសារភ្ជាប់", "Show an attachment",
            lambda op, blob: {"blob": blob, "base64": b64encode(attachment(session, op, blob)).decode()}, {"op": hashed, "blob": hashed},
        ),
    ):  # fmt: skip
        session.commands.add(
            "agency",
            Command(
                id=f"agency.{name}", title={"km": khmer, "en": english}, run=run, needs=frozenset({"agency.open"}),
                params={"type": "object", "additionalProperties": False, "required": list(params), "properties": params},
            ),
        )  # fmt: skip


def has_key(session: Session) -> bool:
    """Whether this laptop is a desk at all."""
    return (
        "agency" in session.modules
        and session.commands.allowed("agency.keys")
        and bool(session.commands.run("agency.keys")["keys"])
    )


def after_run(session: Session, cancel: Callable[[], bool]) -> list[dict[str, Any]]:
    """At a desk every sync run also reads what is new; what stood in the way, as a run's report says it."""
    try:
        if has_key(session):
            fetch(session, cancel=cancel)
    except SalaError as error:
        return [{"step": "agency", "code": error.code, "values": {}}]
    return []


def fetch(
    session: Session, *, progress: Progress | None = None, cancel: Callable[[], bool] = lambda: False
) -> dict[str, int]:
    """Read everything new at the hub. Refused: AG-002 no key, AG-003 the centre does not allow it. Known: no line."""
    if not has_key(session):
        raise Refused("AG-002")
    total = dict.fromkeys(_COUNTED, 0)
    more = True
    with _line(session, cancel) as line:
        refreshing.refresh(session.unlocked, line, cancel=cancel, largest=_SMALL)  # who certifies laptops by now
        while more and not cancel():
            after = session.commands.run("agency.place")["after"]
            answer = line.call("GET", f"/v1/sealed?after={after}", signed=True, limit=sealedfeed.MAX_PAGE)
            if answer.status == 403:
                raise Refused("AG-003")
            if answer.status != 200:
                raise Known("SY-351", status=answer.status)
            taken = session.commands.run("agency.take", page=b64encode(answer.body).decode(), line=True)
            more = bool(taken["more"]) and taken["next"] > after
            _add(total, taken)
            if progress is not None:
                progress("agency", total["batches"], total["batches"] + int(more))
    return total


def take(session: Session, path: Path) -> dict[str, int]:
    """Read the courier file at ``path``, or all in that folder. Refused: AG-002 no key, AG-007 nothing for a desk in it."""
    if not has_key(session):
        raise Refused("AG-002")
    total = dict.fromkeys(_COUNTED, 0)
    pages = 0
    for file in volume.find(path):
        with volume.Volume(file, [session.unlocked.device.seal]) as found:
            for _, data in found.of("sealed"):
                pages += 1
                _add(total, session.commands.run("agency.take", page=b64encode(data).decode()))
            total["problems"] += found.damaged + (not found.whole)
    if not pages:
        raise Refused("AG-007", file=path.name)
    return total


def attachment(session: Session, op: str, blob: str, *, cancel: Callable[[], bool] = lambda: False) -> bytes:
    """An attachment of a submission, piece by piece from the hub, opened with the key that came in its answers.

    Refused: AG-004 not of that submission, AG-006 a piece is not at the centre yet. Known: SY-141 it is damaged.
    """
    key = bytes.fromhex(session.commands.run("agency.file_key", op=op, blob=blob)["key"])
    with _line(session, cancel) as line:

        def piece(name: bytes) -> bytes:
            answer = line.call("GET", f"/v1/sealed/piece/{name.hex()}", signed=True, limit=MAX_CHUNK)
            if answer.status == 404:
                raise Refused("AG-006")
            if answer.status != 200:
                raise Refused("AG-003")
            return answer.body

        return blobs.assemble(bytes.fromhex(blob), key, piece)


def _line(session: Session, cancel: Callable[[], bool]) -> Transport:
    """A connection to the centre as this laptop's settings and pins have it."""
    from sync import line, pins
    from sync.transport import Transport

    store = session.store
    centre = store.read(office.centre)
    if centre is None:
        raise Refused("SY-303")
    believed, _ = store.read(lambda conn: pins.known(conn, store.clock.wall_ms()))
    settings = store.read(line.read)
    return Transport(
        centre.urls, session.unlocked.device, cancel=cancel, settings=settings, log=centre.log, pins=believed
    )


def _add(total: dict[str, int], taken: dict[str, Any]) -> None:
    for name in _COUNTED:
        total[name] += int(taken[name])
