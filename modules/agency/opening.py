"""Taking pages of sealed batches: every one verified, opened with the desk's keys, and kept once however often it comes."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

from nacl.public import PrivateKey

from i18n.errors import SalaError
from modules.contract import Api, Refused, Row
from sync import certifiers, sealedfeed
from sync.cbor import Malformed
from sync.ids import key_id
from sync.ops import ATTACHMENT_KEYS, attachment_keys
from sync.plain import plain
from sync.sealedfeed import Opened, OpenedOp

SUBMISSION: Final = "forms.submission"
CHANGES: Final = {"forms.correction": "correction", "forms.withdrawal": "withdrawal"}
LINE: Final = "line"


class Opening:
    """The commands that bring submissions onto the desk."""

    def __init__(self, api: Api) -> None:
        self._api = api

    # --- keys

    def add_key(self, *, text: str) -> dict[str, Any]:
        """Keep the agency's private key of ``text`` (64 hexadecimal digits). ``Refused("AG-001")`` when it is none."""
        try:
            private = PrivateKey(bytes.fromhex(text.strip()))
        except (ValueError, TypeError):
            raise Refused("AG-001", file="") from None
        id = key_id(bytes(private.public_key)).hex()
        self._api.store.execute(
            "INSERT INTO agency_key (id, private, added_ms, officer) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            id, bytes(private), self._api.clock.wall_ms(), self._api.officer().id,
        )  # fmt: skip
        self._api.store.execute("DELETE FROM agency_place")  # what was sealed to this key before is read now
        self._api.audit("key added", id)
        self._api.store.touch("agency.review", "")
        return {"key": id}

    def keys(self) -> dict[str, Any]:
        """The keys that this desk opens with: ids only."""
        return {"keys": self._api.store.query("SELECT id, added_ms FROM agency_key ORDER BY added_ms, id")}

    def remove_key(self, *, id: str) -> dict[str, Any]:
        """Forget a key; what was opened with it stays readable."""
        self._api.store.execute("DELETE FROM agency_key WHERE id = ?", id)
        self._api.audit("key removed", id)
        self._api.store.touch("agency.review", "")
        return {"removed": id}

    # --- pages

    def place(self) -> dict[str, Any]:
        """From where the hub's feed is to be read."""
        rows = self._api.store.query("SELECT after FROM agency_place WHERE name = ?", LINE)
        return {"after": rows[0]["after"] if rows else 0}

    def take(self, *, page: str, line: bool = False) -> dict[str, Any]:
        """Take one page (base64): ``{"new", "batches", "sealed", "problems"}``. ``line``: it came from the hub's feed itself.

        A batch that does not hold, or an op that is no record of a form, is passed over and counted; the others stay.
        ``Refused``: AG-002 no key, AG-007 no page.
        """
        keys = self._private()
        centre = self._api.centre()
        if centre is None:
            raise Refused("SY-303")
        try:
            found = sealedfeed.read_page(b64decode(page))
        except (Malformed, ValueError):
            raise Refused("AG-007", file="") from None
        named = self._api.publication(certifiers.TARGET)
        report = {"new": 0, "batches": 0, "sealed": 0, "problems": 0, "next": found.next, "more": found.more}
        for item in found.items:
            try:
                opened = sealedfeed.open_item(
                    item, keys, lambda office: [centre.signer, *certifiers.of_province(named, office)], centre.log
                )
            except SalaError:
                report["problems"] += 1
                continue
            report["batches"] += 1
            report["sealed"] += opened.sealed
            for op in opened.ops:
                sound = _is_record(op)
                report["problems"] += not sound
                report["new"] += sound and self._keep(opened, op)
        if line:
            self._api.store.execute(
                "INSERT INTO agency_place (name, after) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET after = excluded.after",
                LINE, found.next,
            )  # fmt: skip
        return report

    def _private(self) -> list[PrivateKey]:
        rows = self._api.store.query("SELECT private FROM agency_key ORDER BY added_ms DESC")
        if not rows:
            raise Refused("AG-002")
        return [PrivateKey(row["private"]) for row in rows]

    # --- what is inside

    def _keep(self, opened: Opened, op: OpenedOp) -> bool:
        body = {name: value for name, value in op.body.items() if name != ATTACHMENT_KEYS}
        for blob, key in attachment_keys(op.body).items():
            self._api.store.execute(
                "INSERT INTO agency_file (blob, key) VALUES (?, ?) ON CONFLICT DO NOTHING", blob.hex(), key
            )
        if op.fields.kind == SUBMISSION:
            return self._submission(opened, op, body)
        if op.fields.kind in CHANGES and op.fields.refs:
            return self._change(opened, op, body)
        return False

    def _submission(self, opened: Opened, op: OpenedOp, body: Mapping[str, Any]) -> bool:
        id, def_hash = op.hash.hex(), op.fields.def_hash.hex()
        withdrawn = self._api.store.query(
            "SELECT 1 FROM agency_change WHERE submission = ? AND kind = 'withdrawal'", id
        )
        head = self._api.call("forms.read_back", def_hash=def_hash, answers=plain(body.get("answers", {})))["person"]
        new = self._api.store.execute(
            "INSERT INTO agency_submission (op, device, office, laptop, form, def_hash, receipt, person, latin, officer, made_ms, "
            "received_ms, body, state, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '') ON CONFLICT (op) DO NOTHING",
            id, opened.device.hex(), opened.office, opened.number, op.fields.form, def_hash, str(body.get("receipt", "")),
            head["km"], head["latin"], op.fields.officer.hex(), op.fields.wall_ms, opened.received_ms,
            json.dumps(plain(body), ensure_ascii=False), "withdrawn" if withdrawn else "new",
        )  # fmt: skip
        if new:
            text = " ".join((str(body.get("receipt", "")), head["km"], head["latin"], opened.office))
            self._api.store.index(id, SUBMISSION, head["km"] or str(body.get("receipt", "")), text)
            self._api.store.touch(SUBMISSION, id)
        return new > 0

    def _change(self, opened: Opened, op: OpenedOp, body: Mapping[str, Any]) -> bool:
        submission, kind = op.fields.refs[0].hex(), CHANGES[op.fields.kind]
        new = self._api.store.execute(
            "INSERT INTO agency_change (op, submission, kind, body, made_ms, received_ms) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (op) DO NOTHING",
            op.hash.hex(), submission, kind, json.dumps(plain(body), ensure_ascii=False), op.fields.wall_ms, opened.received_ms,
        )  # fmt: skip
        if new:
            state = "withdrawn" if kind == "withdrawal" else "new"  # what was corrected wants a new look
            self._api.store.execute(
                "UPDATE agency_submission SET state = ? WHERE op = ? AND state <> 'withdrawn'", state, submission
            )
            self._api.store.touch(SUBMISSION, submission)
        return new > 0


def _is_record(op: OpenedOp) -> bool:
    """Whether what stands inside has the shape of its kind: any laptop may have sealed anything to the agency."""
    named = "answers" if op.fields.kind == SUBMISSION else "changes"
    return isinstance(op.body.get(named, {}), dict)


def answers(row: Row, changes: list[Row]) -> dict[str, Any]:
    """The answers as they are now: what was submitted, with every correction in the order in which it was made."""
    found = dict(json.loads(row["body"]).get("answers", {}))
    for change in changes:
        if change["kind"] == "correction":
            for name, value in json.loads(change["body"]).get("changes", {}).items():
                found.pop(name, None)
                if value is not None:
                    found[name] = value
    return found
