"""What was typed into a form whose visit had ended meanwhile: kept until the same person is inside again, then offered once.

Kept only when the form proves that it was made here for this very person: by the cookie of the ended visit and its token, or by the
token of another visit of theirs. So no other site can lay words into anybody's mouth. Passphrases, codes and files are never kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync.hub.console import content, login
from sync.hub.console.pages import centre_of, page
from sync.hub.storage import Tx

if TYPE_CHECKING:
    from sync.hub.console.doors import Form
    from sync.hub.console.login import Visit

PLACE: Final = "/console/held"
_NEVER: Final = ("/console/me", PLACE)  # passphrases and codes are typed there
_SECRET: Final = frozenset({"token", "held", "passphrase", "old", "new", "again", "code"})
_PLAIN: Final = frozenset({"seen", "act", "end", "id"})  # carried, but nothing that a person typed


@dataclass(frozen=True, slots=True)
class Held:
    """Where the form goes, and its fields without the visit's token."""

    path: str
    fields: dict[str, str]

    @property
    def typed(self) -> dict[str, str]:
        """What a person would miss."""
        return {
            n: v
            for n, v in self.fields.items()
            if v and n not in _PLAIN and n != "decision" and not n.startswith("keep-")
        }


def keep_ended(request: Request, form: Form) -> bool:
    """Keep a form that came when its visit had ended; False when it cannot be told whose it is."""
    key, ended = login.ended(request)
    if ended is None or not login.token_holds(ended, form.fields.get("token")):
        return False
    return _keep(request, key, form)


def keep_from_elsewhere(request: Request, visit: Visit, form: Form) -> bool:
    """Keep a form of another visit of the same person: they logged in anew beside it."""
    token = form.fields.get("token", "")
    found = centre_of(request).storage.read(
        lambda tx: tx.one("SELECT 1 AS yes FROM visit WHERE admin = :a AND token = :t", {"a": visit.admin, "t": token})
    )
    return found is not None and _keep(request, visit.key, form)


def waits(request: Request) -> bool:
    """Whether something is held in the visit of this request's cookie."""
    key = login.key_of(request)
    row = centre_of(request).storage.read(
        lambda tx: tx.one("SELECT held FROM visit WHERE key_hash = :key", {"key": key})
    )
    return row is not None and row["held"] is not None


def carry(tx: Tx, request_key: bytes, admin: str) -> str | None:
    """Take what is held in a visit of ``admin``, for the visit that follows it."""
    row = tx.one("SELECT held FROM visit WHERE key_hash = :key AND admin = :a", {"key": request_key, "a": admin})
    if row is None or row["held"] is None:
        return None
    forget(tx, request_key)
    return str(row["held"])


def forget(tx: Tx, key: bytes) -> None:
    """It was sent, or is not wanted any more."""
    tx.execute("UPDATE visit SET held = NULL WHERE key_hash = :key", {"key": key})


def show(request: Request, visit: Visit) -> Response:
    """What was typed, and the two ways on."""
    row = centre_of(request).storage.read(
        lambda tx: tx.one("SELECT held FROM visit WHERE key_hash = :key", {"key": visit.key})
    )
    if row is None or row["held"] is None:
        return RedirectResponse("/console/", 303)
    values = {"held": Held(**json.loads(row["held"])), "field_words": content.named}
    return page(request, "held.html", values, visit=visit)


def leave(request: Request, visit: Visit, _: Form) -> Response:
    """Throw it away."""
    centre_of(request).storage.write(lambda tx: forget(tx, visit.key))
    return RedirectResponse("/console/", 303)


def _keep(request: Request, key: bytes, form: Form) -> bool:
    if request.url.path in _NEVER or form.file is not None:
        return False
    fields = {name: value for name, value in form.fields.items() if name not in _SECRET}
    text = json.dumps({"path": request.url.path, "fields": fields}, ensure_ascii=False)
    write = "UPDATE visit SET held = :text WHERE key_hash = :key"
    return bool(centre_of(request).storage.write(lambda tx: tx.execute(write, {"text": text, "key": key})))
