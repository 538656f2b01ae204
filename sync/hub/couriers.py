"""The key that sticks are sealed to, and the next hops that the centre tells laptops of: itself first, then relays by name."""

from __future__ import annotations

import json
from typing import Final

from nacl.public import PrivateKey

from sync import couriers
from sync.errors import Refused
from sync.hub.keys import HubKeys, kept
from sync.hub.storage import Tx
from sync.limits import MAX_NAME

CENTRE: Final = "centre"
_META: Final = "couriers"


def private(keys: HubKeys) -> PrivateKey:
    """What opens a stick that is sealed to this hub."""
    return PrivateKey(kept(keys.folder, "courier"))


def admitted(tx: Tx) -> dict[str, bytes]:
    """Relays by name, with their keys."""
    row = tx.one("SELECT value FROM meta WHERE name = :name", {"name": _META})
    return {name: bytes.fromhex(key) for name, key in json.loads(row["value"]).items()} if row else {}


def admit(tx: Tx, name: str, public: bytes) -> None:
    """Let laptops seal sticks to the relay ``name``. ValueError: no sound name or key, or the centre's own name."""
    if not 0 < len(name.strip()) <= MAX_NAME or len(public) != 32 or name == CENTRE:
        raise ValueError("no name or key of a relay")
    _keep(tx, {**admitted(tx), name: public})


def dismiss(tx: Tx, name: str) -> None:
    """No more sticks are sealed to the relay ``name``. Refused SY-450: there is none."""
    known = admitted(tx)
    if known.pop(name, None) is None:
        raise Refused("SY-450", name=name[:60])
    _keep(tx, known)


def publication(tx: Tx, keys: HubKeys) -> dict[str, bytes]:
    """The target that names every hop."""
    hops = [(CENTRE, bytes(private(keys).public_key)), *sorted(admitted(tx).items())]
    return {couriers.TARGET: couriers.encode(hops)}


def _keep(tx: Tx, known: dict[str, bytes]) -> None:
    value = json.dumps({name: key.hex() for name, key in sorted(known.items())}, ensure_ascii=False)
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value",
        {"name": _META, "value": value},
    )
