"""What waits for a person at the centre, most urgent first. Plain facts; the console puts them into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sync.hub import forks, heartbeats, labels, reports
from sync.hub.storage import Row, Tx
from sync.limits import DAY_MS

ROOT_WARNING_MS: Final = 45 * DAY_MS
REFUSED_MS: Final = 7 * DAY_MS
_GAP: Final = ("office", "number", "first_missing", "last_missing")
_ORDER: Final = ("red", "amber", "grey")


@dataclass(frozen=True, slots=True)
class Need:
    """``what`` names the sentence, ``values`` fill it; ``page`` is where it can be seen to."""

    what: str  # stopped | fork | revoked | schema | gap | stranger | refused | disagrees | outstanding | old | dispatch | root | silent
    tone: str  # red | amber | grey
    page: str
    values: dict[str, Any] = field(default_factory=dict)


def needs(tx: Tx, offices: Sequence[Row], now_ms: int, root_expires_ms: int) -> list[Need]:
    """Everything that wants a person, ``offices`` being :func:`sync.hub.reports.board`."""
    found = [
        Need("stopped", "red", f"/console/table/{row['projection']}", {"name": row["projection"]})
        for row in tx.query("SELECT projection FROM cursor WHERE failure IS NOT NULL ORDER BY projection")
    ]
    found += _quarantined(tx)
    found += [
        Need("gap", "amber", f"/console/office/{gap['office']}", {key: gap[key] for key in _GAP})
        for gap in reports.gaps(tx)
    ]
    strangers = tx.query(
        """SELECT count(DISTINCT o.device) AS n FROM op o LEFT JOIN device d ON d.device = o.device
           WHERE o.label = 'pending' AND o.label <> 'accepted' AND d.device IS NULL"""
    )[0]["n"]
    refused = tx.query("SELECT count(*) AS n FROM refused WHERE received_ms >= :since", {"since": now_ms - REFUSED_MS})[
        0
    ]["n"]
    effects = tx.query("SELECT count(*) AS n FROM effect WHERE state = 'waiting'")[0]["n"]
    silent = sum(1 for office in offices if office["late"])
    found += [
        Need("disagrees", "red", f"/console/office/{row['office']}", {"office": row["office"], "number": row["number"]})
        for row in heartbeats.outstanding(tx)
        if row["agrees"] is False
    ]
    for what, tone, page, n in (
        (
            "outstanding",
            "amber",
            "/console/offices?only=outstanding",
            sum(1 for office in offices if office["outstanding"]),
        ),
        ("old", "amber", "/console/offices?only=old", sum(1 for office in offices if office["old"])),
        ("stranger", "amber", "/console/quarantine", strangers),
        ("refused", "amber", "/console/log", refused),
        ("dispatch", "grey", "/console/dispatch", effects),
        ("silent", "grey", "/console/offices?only=silent", silent),
    ):
        if n:
            found.append(Need(what, tone, page, {"n": n}))
    if root_expires_ms - now_ms < ROOT_WARNING_MS:
        days = max(0, (root_expires_ms - now_ms) // DAY_MS)
        found.append(Need("root", "red" if days < 7 else "amber", "/console/publications", {"n": days}))
    return sorted(found, key=lambda need: _ORDER.index(need.tone))


def _quarantined(tx: Tx) -> list[Need]:
    rows = tx.query(
        """SELECT o.label, d.office, d.number, d.device, count(*) AS n, min(o.seq) AS first_seq
           FROM op o JOIN device d ON d.device = o.device LEFT JOIN set_aside a ON a.op = o.hash AND a.device = o.device
           WHERE o.label LIKE 'q:%' AND o.label <> 'accepted' AND a.op IS NULL
           GROUP BY o.label, d.office, d.number, d.device ORDER BY o.label, d.office, d.number"""
    )
    return [
        Need(
            row["label"].removeprefix("q:"), "amber" if row["label"] == "q:schema" else "red", _where(tx, row),
            {"office": row["office"], "number": row["number"], "n": row["n"], "first": row["first_seq"]},
        )
        for row in rows
    ]  # fmt: skip


def _where(tx: Tx, row: Row) -> str:
    """The page that shows both branches of a fork; for the rest, the quarantine."""
    if row["label"] == labels.FORK:
        for fork in forks.of_device(tx, row["device"]):
            if fork["seq"] >= row["first_seq"]:
                return f"/console/fork/{bytes(fork['op']).hex()}"
    return "/console/quarantine"
