"""What waits for a person: two branches of one key side by side, records of revoked laptops, unknown kinds, missing parents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync.errors import Refused, SalaError
from sync.hub import branches, decisions, forks, labels, reports
from sync.hub.centre import Centre
from sync.hub.console import records
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.missing import missing
from sync.hub.console.pages import centre_of, page
from sync.hub.console.records import kind_title
from sync.hub.storage import Row, Tx


def quarantine(request: Request, visit: Visit) -> Response:
    """All of it on one page: forks first, then single records, then what waits by itself."""
    centre = centre_of(request)
    rows, aside, twins, pending, gaps = centre.storage.read(
        lambda tx: (
            reports.quarantine(tx), reports.quarantine(tx, 100, aside=True), forks.listing(tx), reports.pending(tx), reports.gaps(tx),
        )
    )  # fmt: skip
    for row in (*rows, *aside):
        row["title"] = kind_title(centre, row["kind"])
    names = {row["office"]: row for row in (*rows, *pending) if row.get("office")}
    values = {
        "rows": [row for row in rows if row["label"] != labels.FORK], "aside": aside,
        "forks": _open_forks(twins, rows, names), "pending": pending, "gaps": gaps,
    }  # fmt: skip
    return page(request, "quarantine.html", values, visit=visit)


def _open_forks(twins: list[Row], rows: list[Row], names: dict[str, Row]) -> list[Row]:
    """Forks of which something still waits and is not set aside."""
    asked = {(bytes(row["device"]), row["seq"]) for row in rows if row["label"] == labels.FORK}
    found = []
    for fork in twins:
        waiting = sum(1 for device, seq in asked if device == bytes(fork["device"]) and seq >= fork["seq"])
        if waiting:
            office = names.get(fork["office"], {})
            found.append({**fork, "waiting": waiting, "name_km": office.get("name_km", fork["office"]),
                          "name_en": office.get("name_en", fork["office"])})  # fmt: skip
    return found


# --- two branches


def compare(request: Request, visit: Visit) -> Response:
    """Both branches side by side."""
    return _compare(request, visit, None)


def decide(request: Request, visit: Visit, form: Form) -> Response:
    """Release the branch, keep some of it, set it aside, or take it up again."""
    centre, root = centre_of(request), _digest(request)
    if root is None:
        return missing(request, visit)
    wanted, reason = form.get("decision", 20), form.get("reason", decisions.MOST_REASON + 1)
    keep = frozenset(name.removeprefix("keep-") for name in form.fields if name.startswith("keep-"))
    asked = _Asked(wanted, keep, reason, visit.admin, centre.clock.wall_ms(), form.number("seen"))
    try:
        known = centre.storage.write(lambda tx: _decide(centre, tx, root, asked))
    except SalaError as error:
        return _compare(request, visit, error, 422, typed={wanted: reason}, keep=keep)
    if not known:
        return missing(request, visit)
    centre.wake()
    return RedirectResponse(request.url.path, 303)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an admin wants done with a branch; ``seen``: what had been decided when the page was made."""

    decision: str
    keep: frozenset[str]
    reason: str
    admin: str
    now: int
    seen: int | None

    def wishes(self, branch: list[Row]) -> dict[bytes, str]:
        """What each op of the branch would become."""
        return {
            bytes(row["hash"]): "rejected" if self.decision == "merged" and bytes(row["hash"]).hex() not in self.keep else self.decision
            for row in branch
        }  # fmt: skip


def _decide(centre: Centre, tx: Tx, root: bytes, asked: _Asked) -> bool:
    """One transaction for the whole branch; False: there is no such thing to decide.

    Refused HB-171 shared numbers, HB-208 nothing ticked, HB-142 no reason, HB-265 decided by somebody since.
    """
    found, wanted = forks.view(centre, tx, root), asked.decision
    if found is None or wanted not in ("merged", "released", "rejected", "reopened"):
        return False
    right = found["right"]
    if asked.seen is not None and decisions.done(
        tx, asked.wishes(right), asked.reason.strip(), asked.admin, asked.seen
    ):
        return True
    if wanted == "merged":
        _merge(tx, right, asked.keep, asked.reason, asked.admin, asked.now)
        return True
    if wanted == "released" and any(row["clash"] for row in right):
        raise Refused("HB-171")
    first = next((bytes(row["hash"]) for row in right if row["label"] == labels.FORK), root)
    decisions.decide(tx, first, wanted, asked.reason, asked.admin, asked.now)
    return True


def _merge(tx: Tx, branch: list[Row], keep: frozenset[str], reason: str, admin: str, now: int) -> None:
    """Accept what is ticked, set the rest aside."""
    waiting = [row for row in branch if row["label"] == labels.FORK]
    chosen = [row for row in waiting if bytes(row["hash"]).hex() in keep]
    if not chosen:
        raise Refused("HB-208")
    if not reason.strip():
        raise Refused("HB-142")
    if any(row["clash"] for row in chosen):
        raise Refused("HB-171")
    for row in chosen:
        decisions.decide(tx, bytes(row["hash"]), "merged", reason, admin, now)
    device = tx.query("SELECT device FROM fork WHERE op = :op", {"op": bytes(branch[0]["hash"])})[0]["device"]
    for row in waiting:
        if row not in chosen and not branches.is_aside(tx, bytes(row["hash"]), device):
            decisions.decide(tx, bytes(row["hash"]), "rejected", reason, admin, now)


def _compare(
    request: Request, visit: Visit, error: SalaError | None, status: int = 200, *,
    typed: Mapping[str, str] | None = None, keep: frozenset[str] = frozenset(),
) -> Response:  # fmt: skip
    centre, root = centre_of(request), _digest(request)

    def read(tx: Tx) -> dict[str, Any] | None:
        fork = forks.one(tx, root) if root else None
        found = forks.view(centre, tx, fork["op"]) if fork else None
        if fork is None or found is None:
            return None
        device = tx.query(
            """SELECT d.device, d.office, d.number, d.officers, f.name_km, f.name_en FROM device d JOIN office f ON f.code = d.office
               WHERE d.device = :d""",
            {"d": fork["device"]},
        )[0]
        aside = [branches.is_aside(tx, bytes(row["hash"]), fork["device"]) for row in found["right"]]
        successor = tx.one(
            "SELECT device, office, number FROM device WHERE predecessor = :d ORDER BY enrolled_ms DESC, device LIMIT 1",
            {"d": fork["device"]},
        )
        return {"fork": fork, **found, "device": device, "aside": aside, "successor": successor,
                "made": decisions.of_op(tx, fork["op"]), "seen": decisions.clock(tx)}  # fmt: skip

    found = centre.storage.read(read)
    if found is None:
        return missing(request, visit)
    names = records.officers(found["device"]["officers"])
    for row in (*found["left"], *found["right"]):
        row["title"] = kind_title(centre, row["kind"])
        row["who"] = names.get(bytes(row["officer"]).hex(), "")
    for row, aside in zip(found["right"], found["aside"], strict=True):
        row["aside"] = aside
    waiting = [row for row in found["right"] if row["label"] == labels.FORK]
    values = {
        **found, "error": error, "typed": typed or {}, "keep": keep,
        "asked": [row for row in waiting if not row["aside"]], "waiting": waiting,
        "clashes": sum(1 for row in found["right"] if row["clash"]),
    }  # fmt: skip
    return page(request, "fork.html", values, visit=visit, status=status)


def _digest(request: Request) -> bytes | None:
    try:
        digest = bytes.fromhex(request.path_params["digest"])
    except ValueError:
        return None
    return digest if len(digest) == 32 else None
