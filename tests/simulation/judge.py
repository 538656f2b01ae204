"""What must hold once everything is healed: nothing lost, nothing doubled, nothing forged, no chain broken, all of it through."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from sync import ops, receipts
from sync.hub import acts, labels, log
from tests.simulation.laptop import MADE, Laptop
from tests.simulation.world import ROUNDS, World

QUARANTINED: Final = (labels.FORK, labels.REVOKED, labels.SCHEMA)


@dataclass(slots=True)
class Verdict:
    """The figures of one seed. Every fault is one phrase."""

    ops: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)
    chain: list[str] = field(default_factory=list)
    mislabelled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)  # not through after the last round of healing
    unsound: list[str] = field(default_factory=list)  # the log, a receipt, a database
    labels: Counter[str] = field(default_factory=Counter)
    rounds: int = 0

    @property
    def ok(self) -> bool:
        return not self.faults()

    def faults(self) -> list[str]:
        return [
            f"{name}: {fault}"
            for name in ("lost", "doubled", "forged", "chain", "mislabelled", "stuck", "unsound")
            for fault in getattr(self, name)
        ]


def judge(world: World) -> Verdict:
    """The verdict over a healed world."""
    found = Verdict(rounds=world.rounds)
    here: dict[bytes, dict[str, Any]] = {}  # every op of every laptop, told to somebody or not, pruned or not
    for laptop in world.laptops:
        here |= {op: {"kind": kind, "device": b""} for op, kind in laptop.acknowledged.items()}
        here |= {row["hash"]: row for row in laptop.last_seen}
        if not laptop.gone:
            here |= {row["hash"]: row for row in laptop.rows("SELECT hash, kind, device FROM op_line")}
    there = world.site.rows("SELECT hash, parent, device, seq, op_id, kind, label FROM op ORDER BY id")
    _compare(found, world, here, there)
    _labels(found, world, {row["hash"]: row for row in there if row["hash"] in here})
    _chains(found, world, there)
    _log(found, world)
    _rest(found, world)
    _relay(found, world)
    return found


def _compare(found: Verdict, world: World, here: dict[bytes, dict[str, Any]], there: list[dict[str, Any]]) -> None:
    """Every op of a laptop stands at the hub, once; and nothing stands there for an enrolled device that no laptop made."""
    enrolled = {row["device"] for row in world.site.rows("SELECT device FROM device")}
    copies = Counter(row["hash"] for row in there)
    found.ops = len(here)
    found.lost += [f"{_who(world, row)} {op.hex()[:8]} {row['kind']}" for op, row in here.items() if not copies[op]]
    found.doubled += [f"op {op.hex()[:8]} stands {n} times" for op, n in copies.items() if n > 1]
    ids = Counter(row["op_id"] for row in there if row["label"] == labels.ACCEPTED)
    found.doubled += [f"op id {name.hex()} is accepted {n} times" for name, n in ids.items() if n > 1]
    own = acts.device_id(world.site.centre.keys)
    away = {device for laptop in world.laptops if laptop.gone for device in laptop.devices}  # nobody sees their own ops
    strangers = [
        row
        for row in there
        if row["hash"] not in here
        and row["device"] != own
        and not (row["device"] in away and row["kind"].startswith("sync."))
    ]
    found.forged += [
        f"{row['hash'].hex()[:8]} {row['kind']} {row['label']}" for row in strangers if row["device"] in enrolled
    ]
    found.forged += [f"a stranger's op is {row['label']}" for row in strangers if row["label"] != labels.PENDING]


def _labels(found: Verdict, world: World, there: dict[bytes, dict[str, Any]]) -> None:
    """Quarantined is only what there is a reason for: a copy of the laptop, its revocation, a kind nobody knows."""
    cloned = {device for laptop in world.laptops if laptop.cloned for device in laptop.devices}
    lost = [laptop for laptop in world.laptops if laptop.devices & world.revoked]
    refused = {
        device for laptop in lost for device in laptop.devices
    } - world.revoked  # the keys that a copy made itself in vain
    for row in there.values():
        found.labels[row["label"]] += 1
        allowed = {labels.SCHEMA if row["kind"] == MADE[-1] else labels.ACCEPTED}
        allowed |= {labels.FORK} if row["device"] in cloned else set()
        allowed |= {labels.REVOKED} if row["device"] in world.revoked else set()
        allowed |= {labels.PENDING} if row["device"] in refused else set()
        if row["label"] not in allowed:
            found.mislabelled.append(f"{_who(world, row)} {row['hash'].hex()[:8]} {row['kind']} is {row['label']}")


def _chains(found: Verdict, world: World, there: list[dict[str, Any]]) -> None:
    """What counts is one unbroken chain a device, each op once in its place."""
    own = acts.device_id(world.site.centre.keys)  # the centre's own acts are proved by the rebuild of a whole hub
    there = [row for row in there if row["device"] != own]
    counted = [row for row in there if row["label"] in (labels.ACCEPTED, labels.SCHEMA)]
    by_hash = {row["hash"]: row for row in counted}
    first = {
        ops.genesis(row["sign_public"]): row["device"]
        for row in world.site.rows("SELECT device, sign_public FROM device")
    }
    for row in counted:
        parent = by_hash.get(row["parent"])
        begins = first.get(row["parent"]) == row["device"] and row["seq"] == 1
        follows = parent is not None and (parent["device"], parent["seq"]) == (row["device"], row["seq"] - 1)
        if not begins and not follows:
            found.chain.append(f"{row['hash'].hex()[:8]} {row['label']} hangs on nothing")
    for place, n in Counter((row["device"], row["seq"]) for row in counted).items():
        if n > 1:
            found.chain.append(f"place {place[1]} of {place[0].hex()[:8]} is taken {n} times")
    order = world.site.rows(
        "SELECT count(*) AS n FROM accepted a JOIN op o ON o.id = a.op WHERE o.device <> :own", own=own
    )[0]["n"]
    if order != sum(row["label"] == labels.ACCEPTED for row in there):
        found.chain.append(f"{order} ops in the order of acceptance")


def _log(found: Verdict, world: World) -> None:
    """The hub's log is whole, and every receipt of this life of the log that a laptop keeps stands in it."""
    centre = world.site.centre
    found.unsound += [f"log: {fault}" for fault in centre.storage.read(centre.log.verify)]
    leaves = {row["idx"]: row["data"] for row in world.site.rows("SELECT idx, data FROM leaf")}
    if world.silent:
        return  # a log that was put back in silence has broken its promises; laptops have said so
    for laptop in world.alive:
        for row in laptop.rows(f"SELECT proof FROM receipt WHERE epoch = {centre.log.epoch}"):
            receipt = receipts.verify(row["proof"], centre.log.note_key)
            if leaves.get(receipt.index) != receipt.leaf.data():
                found.unsound.append(f"{laptop.name} has a receipt for a leaf {receipt.index} that is another")


def _rest(found: Verdict, world: World) -> None:
    """Nothing waits any more anywhere, and every piece of every attachment is there."""
    found.stuck += world.asleep
    if not world.drained():
        found.stuck += [f"{fault} after {ROUNDS} rounds" for laptop in world.alive for fault in world.waiting(laptop)]
    pieces = {row["hash"] for row in world.site.rows("SELECT hash FROM chunk")}
    for laptop in world.alive:
        mine = laptop.rows(
            "SELECT c.hash FROM chunk AS c JOIN attached AS a USING (blob) UNION SELECT blob FROM attached"
        )
        found.lost += [f"{laptop.name}: a piece of an attachment" for row in mine if row["hash"] not in pieces]


def _relay(found: Verdict, world: World) -> None:
    """The relay has brought everything, knows the centre's log as it is, and accuses nobody without a reason."""
    if world.roads is None:
        return
    relay, centre = world.roads.province, world.site.centre
    found.stuck += relay.left()
    rows = relay.relay.storage.read(lambda tx: tx.query("SELECT receipt FROM handed WHERE receipt <> ''"))
    for row in rows:
        receipts.verify(row["receipt"], centre.log.note_key)
    if world.silent:
        return
    if alarm := relay.alarm():
        found.unsound.append(f"relay raises an alarm: {alarm}")
    seen = relay.relay.storage.read(relay.relay.mirror.seen)
    if seen.epoch == centre.log.epoch and seen.size:
        mine = relay.relay.storage.read(lambda tx: relay.relay.mirror.root(tx, seen.size))
        if mine != centre.storage.read(lambda tx: log.range_hash(tx, 0, seen.size)):
            found.unsound.append("relay holds another log")
    elif relay.online:
        found.unsound.append("relay has not followed the log")


def _who(world: World, row: dict[str, Any]) -> str:
    owners: list[Laptop] = [laptop for laptop in world.laptops if row["device"] in laptop.devices]
    return "/".join(laptop.name for laptop in owners) or row["device"].hex()[:8]
