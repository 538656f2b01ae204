"""Numbers and codes for laptops: blocks that never overlap, given out again no earlier than long after their expiry.

The scope of a block says within what it is disjoint: link codes within the whole centre, receipt and certificate numbers
within one laptop slot (their prefix names the slot), entries of a status list within one office.
"""

from __future__ import annotations

import json
from typing import Any, Final

from nacl import utils

from sync import cbor
from sync.hub import acts
from sync.hub.keys import HubKeys
from sync.hub.storage import Row, Tx
from sync.limits import DAY_MS, LEASE_DAYS
from sync.wire import LeaseGrant, encode_grants

ACT: Final = "sync.lease"
# Numbers of one block: receipts for six offline days at the peak, links and certificates for as many ordinary ones.
BLOCKS: Final = {"link-codes": 200, "certificate-numbers": 200, "receipt-numbers": 2_000}
LOST_BLOCKS: Final = 20  # blocks that one laptop may have been given since a copy was made …
LOST_EVERYWHERE: Final = 20_000  # … and all of them together
# Two lives of the log that begin from copies which know nothing of each other leave out differently many: as many blocks more as
# minutes have passed of some days, so that what the one gives out the other does not.
_ASIDE_LINKS: Final = (20, 5 * 1_440)  # blocks a minute, minutes
_ASIDE_ENTRIES: Final = (1, 3 * 1_440)  # of an office's status list
MOST_OPEN: Final = 20  # blocks of one resource that one laptop may hold: a broken client cannot eat the numbers


def grant(tx: Tx, keys: HubKeys, *, resource: str, slot: Row, now_ms: int) -> LeaseGrant | None:
    """Give the laptop of ``slot`` one more block of ``resource``; None when it holds too many already."""
    held = tx.query(
        "SELECT lease FROM lease WHERE resource = :r AND slot = :s AND not_after_ms > :now",
        {"r": resource, "s": slot["slot"], "now": now_ms},
    )
    if resource not in BLOCKS or len(held) >= MOST_OPEN:
        return None
    scope = "" if resource == "link-codes" else f"{slot['office']}-{slot['number']}"
    first, size = _next(tx, resource, scope), BLOCKS[resource]
    content = _content(tx, keys, resource, slot, first, size)
    lease, not_after = utils.random(16), now_ms + LEASE_DAYS * DAY_MS
    tx.execute(
        """INSERT INTO lease (lease, resource, slot, first, size, scope, content, made_ms, not_after_ms)
           VALUES (:lease, :resource, :slot, :first, :size, :scope, :content, :now, :not_after)""",
        {
            "lease": lease, "resource": resource, "slot": slot["slot"], "first": first, "size": size, "scope": scope,
            "content": cbor.encode(content), "now": now_ms, "not_after": not_after,
        },
    )  # fmt: skip
    acts.record(
        tx,
        ACT,
        {"resource": resource, "slot": slot["slot"]},
        now_ms,
        [("lease", "lease", lease), *_indexed(slot, resource)],
    )
    return LeaseGrant(lease, resource, content, size, not_after)


def _indexed(slot: Row, resource: str) -> list[acts.Place]:
    """Where the next certificate of an office begins, beside the block itself."""
    return [("meta", "name", f"status-index/{slot['office']}")] if resource == "certificate-numbers" else []


def skip_lost(tx: Tx, now_ms: int) -> None:
    """After an older copy was put back: leave out the numbers that may have been given out since that copy was made.

    Numbers of one laptop need no more than that: it knows itself which it was given before (``sync.leases.install``).
    """
    for row in tx.query("SELECT DISTINCT resource, scope FROM lease ORDER BY resource, scope"):
        void = {
            "lease": utils.random(16), "resource": row["resource"], "scope": row["scope"], "first": _next(tx, **row),
            "size": BLOCKS[row["resource"]] * (LOST_BLOCKS if row["scope"] else LOST_EVERYWHERE + _aside(_ASIDE_LINKS, now_ms)),
            "now": now_ms,
            "nobody": bytes(16), "nothing": b"",
        }  # fmt: skip
        tx.execute(
            """INSERT INTO lease (lease, resource, slot, first, size, scope, content, made_ms, not_after_ms)
               VALUES (:lease, :resource, :nobody, :first, :size, :scope, :nothing, :now, 0)""",
            void,
        )
        acts.record(tx, ACT, {"resource": row["resource"], "lost": True}, now_ms, [("lease", "lease", void["lease"])])
    for row in tx.query("SELECT name, value FROM meta WHERE name LIKE 'status-index/%'"):
        beyond = int(row["value"]) + (LOST_BLOCKS + _aside(_ASIDE_ENTRIES, now_ms)) * BLOCKS["certificate-numbers"]
        tx.execute("UPDATE meta SET value = :v WHERE name = :n", {"v": str(beyond), "n": row["name"]})
        acts.record(tx, ACT, {"lost": True}, now_ms, [("meta", "name", row["name"])])


def _aside(most: tuple[int, int], now_ms: int) -> int:
    """Blocks that the life which begins now leaves out more than another."""
    blocks, minutes = most
    return blocks * (now_ms // 60_000 % minutes)


def of_slot(tx: Tx, slot: bytes, now_ms: int) -> list[LeaseGrant]:
    """Every lease of a laptop slot that has not expired, oldest first."""
    rows = tx.query(
        "SELECT * FROM lease WHERE slot = :slot AND not_after_ms > :now ORDER BY made_ms, lease",
        {"slot": slot, "now": now_ms},
    )
    return [
        LeaseGrant(row["lease"], row["resource"], cbor.decode(row["content"]), row["size"], row["not_after_ms"])
        for row in rows
    ]


def publication(tx: Tx, slot: bytes, now_ms: int) -> bytes:
    """The target ``leases/<device>.cbor``."""
    return encode_grants(of_slot(tx, slot, now_ms))


def _next(tx: Tx, resource: str, scope: str) -> int:
    """The first number after every block that was ever given in ``scope``: numbers of old blocks are not given out again."""
    found = tx.one(
        "SELECT max(first + size) AS after FROM lease WHERE resource = :r AND scope = :s", {"r": resource, "s": scope}
    )
    return int(found["after"]) if found and found["after"] is not None else (0 if resource == "link-codes" else 1)


def _content(tx: Tx, keys: HubKeys, resource: str, slot: Row, first: int, size: int) -> dict[str, Any]:
    if resource == "link-codes":
        return {"key": keys.link_codes, "from": first, "to": first + size - 1, "prefix": ""}
    if resource == "receipt-numbers":
        return {"prefix": f"{slot['office']}-{slot['number']:02d}-", "first": first, "width": 6}
    content: dict[str, Any] = {"prefix": f"{slot['office']}-{slot['number']}-", "first": first, "width": 6}
    content["index"] = _status_index(tx, slot["office"], size)
    return content


def _status_index(tx: Tx, office: str, size: int) -> int:
    """The next free stretch of the office's status list, over all its laptops."""
    name = f"status-index/{office}"
    found = tx.one("SELECT value FROM meta WHERE name = :n", {"n": name})
    index = int(json.loads(found["value"])) if found else 0
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (:n, :v) ON CONFLICT (name) DO UPDATE SET value = :v",
        {"n": name, "v": json.dumps(index + size)},
    )
    return index
