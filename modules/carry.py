"""Everything without a line, for the window and the command line: QR codes, status text, sticks, the other laptops of the office."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modules import replicate
from modules.contract import Refused

if TYPE_CHECKING:
    from modules.session import Session
    from sync.store import Connection


def enrolment_codes(session: Session) -> list[str]:
    """The request to enrol this laptop as QR texts; none when the centre has answered it."""
    from sync import courier, qrframes

    data = courier.enrolment(session.unlocked)
    return qrframes.encode_small(data) if data is not None else []


def outbox_codes(session: Session) -> list[str]:
    """What waits to be sent as QR texts, to be shown one after the other. Refused SY-451: too large."""
    from sync import courier, qrframes

    frames = qrframes.encode(courier.outbox_bytes(session.unlocked))
    replicate.tell(session)
    return frames


def picture_texts(files: Sequence[Path]) -> list[str]:
    """What the QR codes of pictures say. Known: SY-453 no picture, SY-452 no code."""
    from sync import qrpicture

    return list(dict.fromkeys(text for file in files for text in qrpicture.texts(file)))


def take(session: Session, files: Sequence[Path]) -> dict[str, Any]:
    """Take what pictures of QR codes carry, from one picture or many."""
    return replicate.import_codes(session, picture_texts(files))


def save_codes(texts: Sequence[str], out: Path) -> Path:
    """Write codes as one picture, a GIF when there are several. Refused SY-453: another ending. Known SY-371: not writable."""
    from sync import durable, qrpicture
    from sync.errors import Known

    if out.suffix.lower() not in (".png", ".gif"):
        raise Refused("SY-453", reason=out.suffix or out.name)
    several = out.suffix.lower() == ".gif" or len(texts) > 1
    place = out.with_suffix(".gif") if several else out
    try:
        durable.replace(place, qrpicture.moving(texts) if several else qrpicture.png(texts[0]))
    except OSError as error:
        raise Known("SY-371", reason=error.strerror or type(error).__name__) from error
    return place


def status_text(session: Session) -> str:
    """The signed text message of this laptop."""
    from sync import heartbeat

    return heartbeat.make(session.unlocked)


def enrolment(session: Session) -> dict[str, Any]:
    """``{"enrolled", "number", "office", "words", "device"}``: what this laptop is to the centre. ``words``: six groups of digits."""
    from sync import enrol, office

    def read(conn: Connection) -> dict[str, Any]:
        found, here = enrol.certificate(conn), office.centre(conn)
        return {
            "enrolled": found is not None,
            "number": found.number if found else here.number if here else 0,
            "office": here.office if here else "",
            "words": enrol.request_words(conn) or "",
            "device": session.unlocked.device.device_id.hex(),
        }

    return session.store.read(read)


def sticks(session: Session) -> list[dict[str, Any]]:
    """What was written onto which stick, the newest first, with what has arrived of it since."""
    from sync import sticks as written

    return [{**asdict(one), "done": one.done} for one in session.store.read(written.listing)]


def hops(session: Session) -> list[str]:
    """Names of those to whom a stick can be sealed, the centre first."""
    from sync import couriers

    return [name for name, _ in session.store.read(couriers.hops)]


def colleagues(session: Session) -> list[dict[str, Any]]:
    """The paired laptops: ``{"device", "number", "paired_ms", "met_ms", "ops", "waiting"}``; waiting: no receipt is known of."""
    from sync import colleagues as others

    def read(conn: Connection) -> list[dict[str, Any]]:
        found = []
        for one in others.present(conn):
            row = conn.execute(
                """SELECT count(*) AS ops, coalesce(sum(NOT EXISTS (SELECT 1 FROM foreign_batch AS b WHERE b.device = o.device
                       AND b.first_seq <= o.seq AND b.last_seq >= o.seq AND b.receipt IS NOT NULL)), 0) AS waiting
                   FROM foreign_op AS o WHERE o.device = ? AND o.kind NOT LIKE 'sync.%'""",
                (one.device,),
            ).fetchone()
            found.append(
                {
                    "device": one.device.hex(), "number": one.number, "paired_ms": one.paired_ms, "met_ms": one.met_ms,
                    "ops": row["ops"], "waiting": row["waiting"],
                }
            )  # fmt: skip
        return found

    return session.store.read(read)


def part(session: Session, device: str) -> None:
    """Take a pairing back. Refused SY-447: no such laptop."""
    from sync import colleagues as others

    clock = session.clock
    session.store.write(lambda conn: others.part(conn, clock, bytes.fromhex(device)))
    replicate.tell(session)
