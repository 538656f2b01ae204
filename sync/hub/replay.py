"""Doing again what the centre did, from its own ops: the part of a hub that no laptop's batch can tell (:mod:`sync.hub.acts`).

Rows that an act names are put back as they were after it. What follows from an act (labels, places in the order of
acceptance, notices) is done anew by the same functions as then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sync import ops
from sync.cbor import Malformed
from sync.hub import acts, announce, decisions, enrolment, evidence, origins, tree
from sync.hub.storage import Tx
from sync.inbox import MORE

if TYPE_CHECKING:
    from sync.hub.keys import HubKeys
    from sync.ops import Op

_WORD = re.compile(r"[a-z_]{1,40}")


@dataclass(slots=True)
class Replay:
    """The state of one replay. ``known``: kinds that the hub knew at that moment; ``roots``: of the publications, by version."""

    keys: HubKeys
    known: set[str] = field(default_factory=set)
    roots: dict[int, bytes] = field(default_factory=dict)
    hub: dict[str, Any] = field(default_factory=dict)
    _pieces: dict[tuple[str, Any], list[bytes]] = field(default_factory=dict)

    def apply(self, tx: Tx, op: Op) -> None:
        """Do the act of ``op`` again. Malformed: it is none of this hub's."""
        body, kind, now = op.fields.body, op.fields.kind, op.fields.wall_ms
        if not isinstance(body, dict):
            raise Malformed("act: body")
        for (table, column, value), rows in acts.images(self.keys, body):
            _put(tx, table, column, value, rows)
        step = STEPS.get(kind)
        if step is not None:
            step(self, tx, body, now)
        tx.execute("DELETE FROM act")  # what was done again was signed then

    def whole(self, name: tuple[str, Any], body: Mapping[str, Any]) -> bytes | None:
        """The data of an act that came in pieces, with its last one."""
        if body["part"] == 0:
            self._pieces[name] = []
        self._pieces[name].append(body["data"])
        return b"".join(self._pieces.pop(name)) if body["part"] == body["parts"] - 1 else None


def _put(tx: Tx, table: str, column: str, value: Any, rows: list[dict[str, Any]]) -> None:
    names = {table, column, *(name for row in rows for name in row)}
    if not all(_WORD.fullmatch(name) for name in names):
        raise Malformed("act: names")
    tx.execute(f"DELETE FROM {table} WHERE {column} = :value", {"value": value})
    for row in rows:
        values = ", ".join(f":{name}" for name in row)
        tx.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})", row)


def _enrolled(_: Replay, tx: Tx, body: dict[str, Any], __: int) -> None:
    device = tx.query("SELECT sign_public FROM device WHERE device = :d", {"d": body["device"]})[0]
    tree.settle(tx, [ops.genesis(device["sign_public"])])


def _kinds(replay: Replay, tx: Tx, body: dict[str, Any], _: int) -> None:
    replay.known.clear()
    replay.known.update(body["kinds"])
    origins.learn(tx, body["kinds"])


def _decision(_: Replay, tx: Tx, body: dict[str, Any], now: int) -> None:
    more = body.get(MORE, ())
    decisions.decide(tx, body["op"], body["decision"], body["reason"], body["admin"], now, more=more)


def _evidence(_: Replay, tx: Tx, body: dict[str, Any], __: int) -> None:
    evidence.relabel(tx, body["batch"])


def _published(replay: Replay, tx: Tx, body: dict[str, Any], now: int) -> None:
    data = replay.whole(("target", body["name"]), body)
    if data is not None:
        announce.put(tx, {body["name"]: data}, now)


def _withdrawn(_: Replay, tx: Tx, body: dict[str, Any], now: int) -> None:
    announce.withdraw(tx, [body["name"]], now)


def _root(replay: Replay, tx: Tx, body: dict[str, Any], _: int) -> None:
    data = replay.whole(("root", body["version"]), body)
    if data is not None:
        replay.roots[body["version"]] = data
        origins.rooted(tx, body["version"])


def _hub(replay: Replay, tx: Tx, body: dict[str, Any], _: int) -> None:
    replay.hub = {"name": body["name"], "log_name": body["log_name"]}
    origins.named(tx, body["name"], body["log_name"])


STEPS: Final[Mapping[str, Callable[[Replay, Tx, dict[str, Any], int], None]]] = {
    enrolment.ENROLLED: _enrolled,
    origins.KINDS: _kinds,
    origins.ROOT: _root,
    origins.HUB: _hub,
    decisions.ACT: _decision,
    evidence.ACT: _evidence,
    announce.PUBLISHED: _published,
    announce.WITHDRAWN: _withdrawn,
}
