"""Judges one credential against what this laptop knows: keys, revocations, time. Pure: no store, no network.

Nothing of a certificate is shown before its signature holds, and nothing is green that is not known to be right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from i18n.catalog import Text
from modules.certificates import verdict as v
from modules.certificates.claims import Claims, NotUnderstood, parse
from modules.certificates.clockwatch import TOLERANCE_S, Now
from modules.certificates.kh1 import Damaged, Envelope, header, key_id, read
from modules.certificates.statuslist import State, StatusList
from modules.certificates.trustlist import IssuerKey, TrustList
from modules.certificates.verdict import Fragment, Verdict, verdict

TRUST_DAYS: Final = 30  # a list of keys older than this is worth an amber reserve
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class LocalState:
    """What this laptop's own register says of a certificate."""

    state: State
    changed_s: int  # when it was last changed here


@dataclass(frozen=True, slots=True)
class Ground:
    """What the laptop knows when it judges. The functions look one thing up and give None for what is not there."""

    own_office: str
    own_name: Text
    own_key: bytes
    now: Callable[[str], Now]  # with what is known from that office's lists
    trust: Callable[[str], TrustList | None]
    statuses: Callable[[str], StatusList | None]
    local: Callable[[bytes], LocalState | None]  # by cti
    status_days: Callable[[str, int], int]  # of a template's version


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict and, only when the signature holds, the claims."""

    verdict: Verdict
    claims: Claims | None = None
    issuer_name: Mapping[str, str] = field(default_factory=dict)


def judge(text: str, ground: Ground) -> Judged:
    """Judge a text that begins with ``KH1:``."""
    try:
        envelope = read(text)
    except Damaged as damaged:
        return Judged(verdict(Fragment("INTEGRITY", v.BOMB if damaged.bomb else v.DAMAGED)))
    key, issuer = _issuer(envelope, ground)
    if key is None:
        return Judged(verdict(Fragment("INTEGRITY", v.NO_KEY), issuer))
    if not envelope.signed_by(key.public):
        return Judged(verdict(Fragment("INTEGRITY", v.CHANGED)))
    try:
        claims = parse(envelope.payload)
    except NotUnderstood:
        return Judged(verdict(Fragment("INTEGRITY", v.NEWER), issuer))
    now, issuer = ground.now(claims.issuer), _in_force(key, issuer, claims)
    given = verdict(
        Fragment("INTEGRITY", v.INTACT),
        issuer,
        _status(claims, ground, now),
        _period(claims, now),
        _freshness(claims.issuer, key, ground, now),
        Fragment("HOLDER", v.COMPARE),
    )
    return Judged(given, claims, issuer.values["name"])


# --- issuer


def _issuer(envelope: Envelope, ground: Ground) -> tuple[IssuerKey | None, Fragment]:
    """The key that may have signed, and what to say of the issuer."""
    office = envelope.issuer
    trusted = ground.trust(office)
    keys = list(trusted.keys) if trusted else []
    name = trusted.name if trusted else ground.own_name
    if office == ground.own_office and all(key.public != ground.own_key for key in keys):
        keys.append(IssuerKey(ground.own_key, 0))
    values = {"office": office, "name": name}
    for key in keys:
        if key.id() == envelope.key_id:
            return key, Fragment("ISSUER", v.KNOWN_ISSUER, values)
    if altered := _altered_header(envelope, keys):
        return altered, Fragment("ISSUER", v.KNOWN_ISSUER, values)
    if key_id(ground.own_key) == envelope.key_id:  # our own key under another office's name
        if not envelope.signed_by(ground.own_key):
            return IssuerKey(ground.own_key, 0), Fragment("ISSUER", v.FOREIGN_KEY, values)
        return None, Fragment("ISSUER", v.FOREIGN_KEY, values)
    if not keys:
        return None, Fragment("ISSUER", v.NO_LIST, {"office": office})
    made_s = trusted.made_s if trusted else None
    return None, Fragment("ISSUER", v.UNKNOWN_KEY, {**values, "made_s": made_s})


def _altered_header(envelope: Envelope, keys: list[IssuerKey]) -> IssuerKey | None:
    """A known key that signed this payload under its own key id: then the id was changed afterwards."""
    return next((key for key in keys if envelope.signed_by(key.public, header(key.public))), None)


def _in_force(key: IssuerKey, issuer: Fragment, claims: Claims) -> Fragment:
    if key.withdrawn_s is not None and claims.issued_s >= key.withdrawn_s:
        return Fragment("ISSUER", v.WITHDRAWN_KEY, {**issuer.values, "withdrawn_s": key.withdrawn_s})
    if claims.issued_s < key.from_s - DAY_S:
        return Fragment("ISSUER", v.EARLY_KEY, {**issuer.values, "from_s": key.from_s})
    return issuer


# --- status


def _status(claims: Claims, ground: Ground, now: Now) -> Fragment:
    """Revoked wins, wherever it is said; between other states the newer word counts."""
    published = ground.statuses(claims.issuer)
    listed = published.state(claims.status_index) if published else None
    here = ground.local(claims.cti)
    if published and published.made_s < claims.issued_s:
        listed = None  # made before the certificate: it says nothing about it
    if listed == "revoked" and published:
        return Fragment("STATUS", v.REVOKED, {"made_s": published.made_s})
    if here and here.state == "revoked":
        return Fragment("STATUS", v.REVOKED, {"made_s": here.changed_s})
    local_is_newer = here is not None and (published is None or listed is None or here.changed_s >= published.made_s)
    if here and local_is_newer and here.state == "suspended":
        return Fragment("STATUS", v.SUSPENDED, {"made_s": here.changed_s})
    if published and listed == "suspended" and not (here and local_is_newer):
        return Fragment("STATUS", v.SUSPENDED, {"made_s": published.made_s})
    if published and listed is not None:
        return _listed_age(published, ground.status_days(claims.template, claims.version), now)
    if here:
        return Fragment("STATUS", v.STATUS_HERE)
    return Fragment("STATUS", v.STATUS_SILENT if published else v.STATUS_MISSING, _made(published))


def _listed_age(published: StatusList, days: int, now: Now) -> Fragment:
    age = now.latest_s - published.made_s
    values = {"made_s": published.made_s, "days": max(0, age // DAY_S)}
    fresh = age <= max(1, days) * DAY_S and now.latest_s <= published.expires_s
    return Fragment("STATUS", v.NOT_REVOKED if fresh else v.STATUS_OLD, values)


def _made(published: StatusList | None) -> dict[str, int]:
    return {"made_s": published.made_s} if published else {}


# --- time


def _period(claims: Claims, now: Now) -> Fragment:
    start = max(claims.issued_s, claims.not_before_s or 0)
    values = {"start_s": start, "end_s": claims.expires_s}
    if claims.expires_s is not None and now.earliest_s > claims.expires_s:
        return Fragment("PERIOD", v.EXPIRED, values)
    if now.latest_s + TOLERANCE_S < start:
        return Fragment("PERIOD", v.NOT_YET, values)
    if now.earliest_s + TOLERANCE_S < start or (claims.expires_s is not None and now.latest_s > claims.expires_s):
        return Fragment("PERIOD", v.CLOCK_UNSURE, values)
    return Fragment("PERIOD", v.NO_END if claims.expires_s is None else v.IN_PERIOD, values)


def _freshness(office: str, key: IssuerKey, ground: Ground, now: Now) -> Fragment:
    if now.suspect:
        return Fragment("FRESHNESS", v.CLOCK_SUSPECT, {"floor_s": now.floor_s})
    trusted = ground.trust(office)
    if trusted is None or (office == ground.own_office and key.public == ground.own_key):
        return Fragment("FRESHNESS", v.OWN_KEY)
    age = now.latest_s - trusted.made_s
    values = {"made_s": trusted.made_s, "days": max(0, age // DAY_S)}
    return Fragment("FRESHNESS", v.FRESH if age <= TRUST_DAYS * DAY_S else v.LIST_OLD, values)
