"""Signed webhooks: every accepted op is told to the programs that asked for it, at least once, in the order of acceptance.

The format is Standard Webhooks 1.0 (standardwebhooks.com): headers ``webhook-id`` (the op's id: whoever gets it twice
knows), ``webhook-timestamp`` and ``webhook-signature`` (``v1,`` HMAC-SHA256 over id, time and body). Sealed answers are not
told: the body of a sealed op is null. A receiver that fails is asked again for ever, with growing pauses; 410 ends it.
"""

from __future__ import annotations

import base64
import hmac
import ipaddress
import json
import logging
import socket
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nacl import utils

from sync.errors import Refused
from sync.hub import projections
from sync.hub.feeds.tables import moment
from sync.hub.projections import AcceptedOp
from sync.hub.storage import Row, Tx
from sync.plain import plain
from sync.transport import backoff_ms

if TYPE_CHECKING:
    import httpx

    from sync.clock import Clock
    from sync.hub.storage import Storage

logger = logging.getLogger(__name__)

MAX_URL: Final = 500
_TIMEOUT_S: Final = 15
_CLAIM_MS: Final = 120_000  # how long one process of the hub has a receiver to itself
_PAUSE_S: Final = 2  # between two looks at what is new
_STRETCH: Final = 100  # ops of one claim


def add(tx: Tx, url: str, kinds: Sequence[str], now_ms: int, *, from_beginning: bool = False) -> Row:
    """A new receiver of ops of ``kinds`` (none: of all): its id and its secret, which is shown once. Refused HB-235.

    It hears what is accepted from now on, or everything.
    """
    if len(url) > MAX_URL or not _sound(url.strip()):
        raise Refused("HB-235", url=url[:100])
    secret = utils.random(32)
    last = 0 if from_beginning else int(tx.query("SELECT coalesce(max(idx), 0) AS last FROM accepted")[0]["last"])
    number = int(tx.query("SELECT coalesce(max(id), 0) + 1 AS next FROM webhook")[0]["next"])
    tx.execute(
        """INSERT INTO webhook (id, url, kinds, secret, accepted_idx, tries, next_ms, last_result, state, made_ms)
           VALUES (:id, :url, :kinds, :secret, :idx, 0, 0, '', 'on', :now)""",
        {
            "id": number, "url": url.strip(), "kinds": json.dumps(sorted(kinds)), "secret": secret, "idx": last, "now": now_ms,
        },
    )  # fmt: skip
    return {"id": number, "secret": shown_secret(secret)}


def shown_secret(secret: bytes) -> str:
    """A secret as receivers are given it."""
    return "whsec_" + base64.b64encode(secret).decode()


def listed(tx: Tx) -> list[Row]:
    """Every receiver without its secret, with how far behind it is: ``behind`` ops."""
    rows = tx.query(
        """SELECT w.id, w.url, w.kinds, w.state, w.tries, w.next_ms, w.last_result, w.made_ms,
               (SELECT coalesce(max(idx), 0) FROM accepted) - w.accepted_idx AS behind
           FROM webhook w ORDER BY w.id"""
    )
    return [{**row, "kinds": json.loads(row["kinds"])} for row in rows]


def set_state(tx: Tx, id: int, *, on: bool, now_ms: int) -> None:
    """Switch a receiver on or off; on again, it hears what it missed. Refused HB-236: none of that number."""
    values = {"id": id, "state": "on" if on else "off", "now": now_ms}
    if not tx.execute("UPDATE webhook SET state = :state, tries = 0, next_ms = :now WHERE id = :id", values):
        raise Refused("HB-236", id=id)


def remove(tx: Tx, id: int) -> None:
    """Forget a receiver. Refused HB-236: none of that number."""
    if not tx.execute("DELETE FROM webhook WHERE id = :id", {"id": id}):
        raise Refused("HB-236", id=id)


def message(op: AcceptedOp, received_ms: int) -> bytes:
    """The body that tells of one op."""
    data = {
        "op": op.hash, "office": op.office, "device": op.device, "number": op.seq, "form": op.form, "definition": op.def_hash,
        "officer": op.officer, "made": _iso(op.wall_ms), "refs": list(op.refs), "body": plain(op.body),
    }  # fmt: skip
    return json.dumps(
        {"type": op.kind, "timestamp": _iso(received_ms), "data": data}, ensure_ascii=False, separators=(",", ":")
    ).encode()


def signature(secret: bytes, id: str, timestamp_s: int, body: bytes) -> str:
    """The ``webhook-signature`` of a body."""
    digest = hmac.digest(secret, f"{id}.{timestamp_s}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(digest).decode()


def deliver(storage: Storage, clock: Clock, kinds: frozenset[str]) -> int:
    """Tell every receiver that is due what is new; how many ops were told. ``kinds``: all that the hub knows."""
    import httpx

    now = clock.wall_ms()
    due = storage.read(
        lambda tx: tx.query(
            """SELECT id, url, kinds, secret, accepted_idx, tries FROM webhook WHERE state = 'on' AND next_ms <= :now
               AND accepted_idx < (SELECT coalesce(max(idx), 0) FROM accepted) ORDER BY id""",
            {"now": now},
        )
    )
    if not due:
        return 0
    with httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False) as client:
        return sum(_tell(storage, clock, client, row, kinds) for row in due if _claimed(storage, row, now))


class Posting:
    """Delivers in a thread of its own while the hub serves."""

    def __init__(self, storage: Storage, clock: Clock, kinds: frozenset[str]) -> None:
        self._storage, self._clock, self._kinds = storage, clock, kinds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub-webhooks", daemon=True)

    def start(self) -> Posting:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_PAUSE_S):
            try:
                while deliver(self._storage, self._clock, self._kinds) and not self._ended.is_set():
                    pass
            except Exception:
                logger.exception("webhooks failed")


# --- inside


def _claimed(storage: Storage, row: Row, now: int) -> bool:
    """Take a receiver for this process; another one of the same hub may have it."""
    values = {"id": row["id"], "now": now, "until": now + _CLAIM_MS, "idx": row["accepted_idx"]}
    sql = "UPDATE webhook SET next_ms = :until WHERE id = :id AND next_ms <= :now AND accepted_idx = :idx"
    return bool(storage.write(lambda tx: tx.execute(sql, values)))


def _tell(storage: Storage, clock: Clock, client: httpx.Client, row: Row, kinds: frozenset[str]) -> int:
    wanted = frozenset(json.loads(row["kinds"])) or kinds
    after = row["accepted_idx"]
    stretch = storage.read(lambda tx: projections.read(tx, after=after, kinds=wanted, limit=_STRETCH))
    told, reached, result = 0, after if stretch is None else stretch.last, "ok"
    until = time.monotonic() + _CLAIM_MS / 2_000  # half of it: the last answer may be slow
    for op, received_ms in stretch.ops if stretch else ():
        if told and time.monotonic() >= until:  # others must hear too, and nobody else may begin with this one
            reached = op.index - 1
            break
        result = _post(client, clock, row, op, message(op, received_ms))
        if result != "ok":
            reached = op.index - 1
            break
        told += 1
    failed = result != "ok"
    tries = row["tries"] + 1 if failed else 0
    values = {
        "id": row["id"], "after": after, "idx": reached, "tries": tries, "result": result,
        "next": clock.wall_ms() + (max(1_000, backoff_ms(tries)) if failed else 0), "state": "off" if result == "410" else "on",
    }  # fmt: skip
    storage.write(
        lambda tx: tx.execute(
            """UPDATE webhook SET accepted_idx = :idx, tries = :tries, last_result = :result, next_ms = :next,
                   state = CASE WHEN state = 'on' THEN :state ELSE state END WHERE id = :id AND accepted_idx = :after""",
            values,
        )
    )
    return told


def _post(client: httpx.Client, clock: Clock, row: Row, op: AcceptedOp, body: bytes) -> str:
    """``ok``, the status that is none, or the kind of failure."""
    import httpx

    if _leads_nowhere(row["url"]):
        return "address"
    seconds = clock.wall_ms() // 1000
    headers = {
        "content-type": "application/json", "webhook-id": op.op_id, "webhook-timestamp": str(seconds),
        "webhook-signature": signature(bytes(row["secret"]), op.op_id, seconds, body),
    }  # fmt: skip
    try:
        with client.stream("POST", row["url"], content=body, headers=headers) as answer:  # its body is not wanted
            return "ok" if 200 <= answer.status_code < 300 else str(answer.status_code)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return type(error).__name__


def _sound(url: str) -> bool:
    """Whether that is an address of a program: http or https, no name and password in it, no network card's own neighbours."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not parts.username
            and not _leads_nowhere(url, asked=False)
        )
    except ValueError:
        return False


def _leads_nowhere(url: str, *, asked: bool = True) -> bool:
    """Whether the address, or one that its name stands for, is link-local, multicast or nobody's. No receiver is there, but a cloud's
    door to the keys of the machine. Unless ``asked``, no name server is."""
    flags = 0 if asked else socket.AI_NUMERICHOST
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError):
        return False  # a name that nobody knows now: connecting will say so
    addresses = [ipaddress.ip_address(str(item[4][0]).partition("%")[0]) for item in found]
    plain = [getattr(address, "ipv4_mapped", None) or address for address in addresses]
    return any(one.is_link_local or one.is_multicast or one.is_unspecified or one in _DOORS for one in plain)


_DOORS: Final = frozenset(
    {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}
)  # of clouds, elsewhere


def _iso(ms: int) -> str:
    return moment(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
