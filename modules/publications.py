"""Publications become things: a form in the catalogue, a price, a place name. Verified bytes lie in the store first; here the
module that a manifest names for them takes them in, in one transaction with the note that it did.

What a module refuses is noted with its code and offered again when other bytes of that name come; nothing else is held up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from modules.contract import Json, SalaError
from sync import publications

if TYPE_CHECKING:
    from modules.session import Session
    from sync.store import Connection

log = logging.getLogger(__name__)

GAZETTEER: Final = "ref/geo.sqlite"  # provinces to villages: the platform's own
Take = Callable[[str, bytes], None]  # name, bytes
_MISREAD: Final = (
    TypeError,
    ValueError,
    LookupError,
    ArithmeticError,
    AttributeError,
)  # what bytes of a strange form bring about
_BUG: Final = "UI-001"


def apply_new(session: Session) -> list[dict[str, str]]:
    """Take in what came down since the last time: ``{"name", "code"}`` each, code "" when it is in use now."""
    taken = []
    for name, digest, prefix_of in session.store.read(partial(_waiting, routes=routes(session))):
        code = session.store.write(partial(_one, session=session, name=name, digest=digest, take=prefix_of))
        taken.append({"name": name, "code": code})
    return taken


def begin(session: Session) -> None:
    """When a profile is opened: the published gazetteer is read again, and what an earlier crash left is taken in."""
    from modules.gazetteer import use

    data = session.store.read(partial(publications.get, name=GAZETTEER))
    use(session.unlocked.home, data if data and states(session).get(GAZETTEER) == "" else None)
    if not session.store.read_only:
        apply_new(session)


def routes(session: Session) -> Sequence[tuple[str, Take]]:
    """Who takes what: beginning of a name → what it is given to."""
    from modules.gazetteer import take_gazetteer

    found: list[tuple[str, Take]] = [(GAZETTEER, partial(take_gazetteer, session.unlocked.home))]
    kinds = session.kinds()
    for manifest in session.manifests:
        for under, kind in manifest.publications:
            declared = kinds.get(kind)
            if declared is not None and declared.apply is not None:
                found.append((under, partial(_give, session, manifest.id, kind, declared.apply)))
    return found


def states(session: Session) -> dict[str, str]:
    """Of each publication that was taken in or refused: "" or the code of the refusal."""

    def read(conn: Connection) -> dict[str, str]:
        return {row["name"]: row["refused"] for row in conn.execute("SELECT name, refused FROM platform_applied")}

    return session.store.read(read)


def listing(session: Session) -> dict[str, Any]:
    """Everything that came down, for a person: how fresh the centre's word is, and each publication with its name, who signed
    it, when it came, and whether it is in use (``code``: why not)."""
    from sync import naming

    now, taken = session.clock.wall_ms(), states(session)
    fresh = session.store.read(lambda conn: publications.freshness(conn, now))

    def read(conn: Connection) -> list[dict[str, Any]]:
        rows = conn.execute(
            "SELECT name, version, role, received_ms, length(bytes) AS size, CASE WHEN length(bytes) < 1000000 THEN bytes END AS data "
            "FROM publication ORDER BY name"
        )
        return [dict(row) for row in rows.fetchall()]

    rows = [
        {
            "name": row["name"], "title": naming.title(row["name"], row["data"]), "signer": naming.signer(row["role"]),
            "role": row["role"], "version": row["version"], "size": row["size"], "received_ms": row["received_ms"],
            "code": taken.get(row["name"], ""),
        }
        for row in session.store.read(read)
    ]  # fmt: skip
    state = "never" if not fresh.checked_ms else "red" if fresh.long_expired else "amber" if fresh.expired else "fresh"
    return {"state": state, "checked_ms": fresh.checked_ms, "expires_ms": fresh.expires_ms, "publications": rows}


def _waiting(conn: Connection, routes: Sequence[tuple[str, Take]]) -> list[tuple[str, bytes, Take]]:
    rows = conn.execute(
        """SELECT p.name, p.sha256 FROM publication p LEFT JOIN platform_applied a ON a.name = p.name
           WHERE a.sha256 IS NULL OR a.sha256 <> p.sha256 ORDER BY p.name"""
    ).fetchall()
    return [
        (row["name"], row["sha256"], take)
        for row in rows
        if (take := next((take for under, take in routes if row["name"].startswith(under)), None)) is not None
    ]


def _one(conn: Connection, session: Session, name: str, digest: bytes, take: Take) -> str:
    data: bytes = conn.execute("SELECT bytes FROM publication WHERE name = ?", (name,)).fetchone()["bytes"]
    code = ""
    try:
        take(name, data)
    except SalaError as error:
        log.warning("publication %s refused: %s", name, error.code)
        code = error.code
    except _MISREAD:  # a module's bug must keep nobody from opening the profile
        log.exception("a publication could not be taken in")
        code = _BUG
    conn.execute(
        """INSERT INTO platform_applied (name, sha256, refused, applied_ms) VALUES (?, ?, ?, ?)
           ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, refused = excluded.refused,
               applied_ms = excluded.applied_ms""",
        (name, digest, code, session.clock.wall_ms()),
    )
    return code


def _give(session: Session, module: str, kind: str, apply: Callable[[Json], None], name: str, data: bytes) -> None:
    """Run a module's ``Kind.apply`` as a writing command of its own; what it raises takes its rows back."""
    body: dict[str, Any] = {"name": name, "data": data}
    session.commands.take_in(module, kind, lambda: apply(body))
