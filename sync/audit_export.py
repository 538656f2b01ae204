"""The audit log as a file for an inspector, who checks it elsewhere with ``auditverify`` (docs/formats/audit.md).

Lines of JSON: a head, every row with its hash and the exact text of its event, every checkpoint with the centre's cosignature,
and at the end the hash of all that with this laptop's signature.
"""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sync import audit, audit_marks, durable, office
from sync.cipher import IntegrityError
from sync.errors import Known
from sync.marks import AUDIT_PURGED, floor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.keys import Unlocked
    from sync.notes import NoteKey
    from sync.store import Connection

log = logging.getLogger(__name__)

SUFFIX: Final = ".jsonl"
_EXPORT: Final = b"sala/audit-export/v1\0"
_COSIGNATURE: Final = b"\x04"


def write(unlocked: Unlocked, file: Path) -> dict[str, Any]:
    """Write the whole log into ``file``: ``{"file", "rows", "fingerprint", "cosigned"}``. Known SY-480: not writable.

    That it was handed out is itself a row of the log, behind those that are in the file.
    """
    data, rows, fingerprint, cosigned = unlocked.store.read(lambda conn: _whole(conn, unlocked))
    try:
        durable.replace(file, data)
        if sha256(file.read_bytes()).digest() != sha256(data).digest():
            raise OSError("not what was written")
    except OSError as error:
        raise Known("SY-480", file=file.name) from error
    clock, event = unlocked.store.clock, {"what": "audit exported", "rows": rows, "officer": unlocked.officer.id}
    try:
        unlocked.store.write(lambda conn: audit.append(conn, clock, event))
    except IntegrityError:  # a log whose end was cut off takes no more rows; what it says is in the inspector's hands
        log.warning("the audit log takes no row")
    return {"file": str(file), "rows": rows, "fingerprint": fingerprint, "cosigned": cosigned}


def verifier_key(key: NoteKey) -> str:
    """The centre's key as inspectors type it: a C2SP verifier key for cosignatures."""
    return f"{key.name}+{key.id(_COSIGNATURE).hex()}+{b64encode(_COSIGNATURE + key.public).decode()}"


def _whole(conn: Connection, unlocked: Unlocked) -> tuple[bytes, int, str, int]:
    lines = [json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in _lines(conn, unlocked)]
    body = "".join(lines).encode()
    digest = sha256(body).digest()
    signature = unlocked.device.sign.sign(_EXPORT + digest).signature
    rows = sum(line.startswith('{"event"') for line in lines)
    end = json.dumps({"end": rows, "sha256": digest.hex(), "signature": signature.hex()})
    cosigned = audit_marks.cosigned(conn)
    return body + end.encode() + b"\n", rows, audit.fingerprint(conn), cosigned.size if cosigned else 0


def _lines(conn: Connection, unlocked: Unlocked) -> Iterator[dict[str, Any]]:
    state, centre = audit.checkpoint(conn), office.centre(conn)
    purged = audit_marks.at(conn, floor(conn, AUDIT_PURGED))
    devices = [row["device_id"].hex() for row in conn.execute("SELECT device_id FROM identity ORDER BY created_ms")]
    yield {
        "sala": "audit/1", "device": unlocked.device.device_id.hex(), "device_key": bytes(unlocked.device.sign.verify_key).hex(),
        "devices": devices, "office": centre.office if centre else "", "made_ms": unlocked.store.clock.wall_ms(),
        "size": state.size, "root": state.root.hex(), "centre_key": verifier_key(centre.log) if centre else "",
        "from": purged.size if purged else 0, "head": (purged.head if purged else bytes(32)).hex(),
        "peaks": [peak.hex() for peak in purged.peaks] if purged else [],
    }  # fmt: skip
    for row in conn.execute("SELECT seq, hash, event FROM audit ORDER BY seq"):
        yield {"seq": row["seq"], "hash": row["hash"].hex(), "event": row["event"]}
    for mark in audit_marks.every(conn):
        yield {"mark": {"size": mark.size, "root": mark.root.hex(), "note": mark.note}}
