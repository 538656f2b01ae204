"""What a hub writes into its own log when it opens: the kinds that it knows from then on, and the roots of its publications.

Both change what raw batches mean (an op of an unknown kind waits), and neither can be made anew: so they stand in the log.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

from sync.hub import acts, tree
from sync.hub.storage import Tx

if TYPE_CHECKING:
    from sync.hub.publish import Repository

HUB: Final = "sync.hub"
KINDS: Final = "sync.kinds"
ROOT: Final = "sync.root"
_KNOWN: Final = "kinds"  # in ``meta``: what the log last said
_ROOT: Final = "root-version"
_NAMES: Final = "names"


def begin(tx: Tx, names: tuple[str, str], kinds: Collection[str], repository: Repository, now_ms: int) -> None:
    """Say what is new since the hub was last open. ``names``: the centre's, and its log's."""
    if _meta(tx, _NAMES) != json.dumps(names):
        acts.record(tx, HUB, {"name": names[0], "log_name": names[1]}, now_ms)
        named(tx, *names)
    if known(tx) != set(kinds):
        acts.record(tx, KINDS, {"kinds": sorted(kinds)}, now_ms)
        learn(tx, kinds)
    for version, data in repository.roots(after=int(_meta(tx, _ROOT) or 0)):
        acts.record_data(tx, ROOT, {"version": version}, data, now_ms)
        _keep(tx, _ROOT, version)


def known(tx: Tx) -> set[str]:
    """The kinds that the log last named."""
    return set(json.loads(_meta(tx, _KNOWN) or "[]"))


def learn(tx: Tx, kinds: Collection[str]) -> None:
    """From now on ops of ``kinds`` are understood; those that waited for it take their places."""
    _keep(tx, _KNOWN, sorted(kinds))
    tree.learn(tx, kinds)


def named(tx: Tx, name: str, log_name: str) -> None:
    """The log says what the centre and the log are called."""
    _keep(tx, _NAMES, (name, log_name))


def rooted(tx: Tx, version: int) -> None:
    """The log names the root ``version`` of the publications."""
    _keep(tx, _ROOT, version)


def _meta(tx: Tx, name: str) -> str | None:
    found = tx.one("SELECT value FROM meta WHERE name = :name", {"name": name})
    return str(found["value"]) if found else None


def _keep(tx: Tx, name: str, value: Any) -> None:
    tx.execute(
        "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value",
        {"name": name, "value": json.dumps(value)},
    )
