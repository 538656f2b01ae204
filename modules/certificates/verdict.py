"""A verdict: six fragments with fixed numeric codes, and what follows from them.

The numbers are stable for ever: logs, reports and other programs may rely on them. Words live in ``words.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Type = Literal["INTEGRITY", "ISSUER", "STATUS", "PERIOD", "FRESHNESS", "HOLDER"]
State = Literal["VALID", "INVALID", "UNKNOWN", "STALE", "SKIPPED"]
Level = Literal["green", "amber", "red", "grey"]
Overall = Literal[
    "valid",
    "altered",
    "unknown_issuer",
    "expired",
    "revoked",
    "suspended",
    "not_yet_valid",
    "not_checked",
    "unreadable",
]

TYPES: Final[tuple[Type, ...]] = ("INTEGRITY", "ISSUER", "STATUS", "PERIOD", "FRESHNESS", "HOLDER")

# INTEGRITY: is it what was issued?
INTACT = 101
CHANGED = 111  # the signature does not fit the content
DAMAGED = 112  # not a well-formed KH1 text
BOMB = 113  # unpacks to far more than a certificate holds
NO_KEY = 121  # the key is unknown, so nothing can be said
NEWER = 122  # rightly signed, made by a newer format
ONLINE_ONLY = 131  # an official address: the content is on the internet
OTHER_KIND = 132  # a certificate of another system
NO_CODE = 133  # nothing was found
UNREADABLE = 134  # the file cannot be opened
ADDRESS_ONLY = 135  # an address that is not the official one
PLAIN_TEXT = 136  # words, no certificate

# ISSUER: who issued it, and may they?
KNOWN_ISSUER = 201
NO_LIST = 211  # no trust list of that office on this laptop
UNKNOWN_KEY = 212  # the office is known, the key is not in its list
WITHDRAWN_KEY = 213  # the key was withdrawn before the certificate was issued
FOREIGN_KEY = 214  # signed by the key of another office
EARLY_KEY = 215  # issued before the key was in force
OFFICIAL_ADDRESS = 221  # verify.gov.kh in its exact form
OTHER_ISSUER = 222  # issuers of that kind are not known here
IMITATION = 231  # an address that plays on the official one
OTHER_HOST = 232
BAD_CHARACTERS = 233
BAD_SCHEME = 234
BAD_USER = 235
BAD_PORT = 236
BAD_PATH = 237
BAD_QUERY = 238
BAD_FRAGMENT = 239
BAD_LENGTH = 240
NO_ISSUER = 291

# STATUS: revoked, suspended?
NOT_REVOKED = 301
REVOKED = 311
SUSPENDED = 312
STATUS_OLD = 321  # not revoked as of a date that lies too far back
STATUS_MISSING = 322  # no list of that office has arrived
STATUS_SILENT = 323  # the list does not reach this certificate
STATUS_HERE = 324  # issued on this laptop, not revoked here, no newer list
NO_STATUS = 391

# PERIOD
IN_PERIOD = 401
NO_END = 402
EXPIRED = 411
NOT_YET = 412
CLOCK_UNSURE = 421
NO_PERIOD = 491

# FRESHNESS of what this laptop knows
FRESH = 501
OWN_KEY = 502  # this office's own key: no list needed
LIST_OLD = 511
CLOCK_SUSPECT = 512
NO_FRESHNESS = 591

# HOLDER: only a person can compare
COMPARE = 601
SAME_PERSON = 602
OTHER_PERSON = 611
NO_HOLDER = 691

_STATES: Final[Mapping[State, frozenset[int]]] = {
    "VALID": frozenset({INTACT, KNOWN_ISSUER, NOT_REVOKED, IN_PERIOD, NO_END, FRESH, OWN_KEY, SAME_PERSON}),
    "INVALID": frozenset(
        {CHANGED, DAMAGED, BOMB, NO_LIST, UNKNOWN_KEY, WITHDRAWN_KEY, FOREIGN_KEY, EARLY_KEY, *range(231, 241)}
        | {REVOKED, SUSPENDED, EXPIRED, NOT_YET, OTHER_PERSON}
    ),
    "UNKNOWN": frozenset(
        {NO_KEY, NEWER, ONLINE_ONLY, OTHER_KIND, OFFICIAL_ADDRESS, OTHER_ISSUER, STATUS_MISSING, STATUS_SILENT}
        | {CLOCK_UNSURE, CLOCK_SUSPECT}
    ),
    "STALE": frozenset({STATUS_OLD, STATUS_HERE, LIST_OLD}),
}
_NOTHING: Final[Mapping[Type, int]] = {
    "ISSUER": NO_ISSUER, "STATUS": NO_STATUS, "PERIOD": NO_PERIOD, "FRESHNESS": NO_FRESHNESS, "HOLDER": NO_HOLDER,
}  # fmt: skip
_RED: Final[Mapping[int, Overall]] = {
    CHANGED: "altered", DAMAGED: "altered", BOMB: "altered",
    **dict.fromkeys((NO_LIST, UNKNOWN_KEY, WITHDRAWN_KEY, FOREIGN_KEY, EARLY_KEY, *range(231, 241)), "unknown_issuer"),
    REVOKED: "revoked", SUSPENDED: "suspended", EXPIRED: "expired", NOT_YET: "not_yet_valid",
}  # fmt: skip
_GREY: Final[Mapping[int, Overall]] = {
    NEWER: "not_checked", ONLINE_ONLY: "not_checked", OTHER_KIND: "not_checked", PLAIN_TEXT: "not_checked",
    NO_CODE: "unreadable", UNREADABLE: "unreadable",
}  # fmt: skip

SEVERITY: Final[tuple[Overall, ...]] = (
    "altered", "unknown_issuer", "revoked", "suspended", "expired", "not_yet_valid", "valid", "not_checked", "unreadable"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fragment:
    """One answer. ``values`` fill its words: names ending in ``_s`` are times, a mapping is a text in both languages."""

    type: Type
    code: int
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> State:
        return next((state for state, codes in _STATES.items() if self.code in codes), "SKIPPED")


@dataclass(frozen=True, slots=True)
class Verdict:
    """All six fragments, in their fixed order."""

    fragments: tuple[Fragment, ...]

    def overall(self) -> Overall:
        """The worst fragment decides, in the order of the types: altered before unknown before revoked before expired."""
        for outcomes in (_RED, _GREY):
            for fragment in self.fragments:
                if fragment.code in outcomes:
                    return outcomes[fragment.code]
        return "valid"

    def level(self) -> Level:
        """Green only when nothing that this program can judge is unknown or stale."""
        overall = self.overall()
        if overall in ("not_checked", "unreadable"):
            return "grey"
        if overall == "not_yet_valid":
            return "amber"
        if overall != "valid":
            return "red"
        judged = [fragment.state for fragment in self.fragments if fragment.type != "HOLDER"]
        return "green" if all(state == "VALID" for state in judged) else "amber"

    def fragment(self, type: Type) -> Fragment:
        return next(fragment for fragment in self.fragments if fragment.type == type)

    def deciding(self) -> Fragment:
        """The fragment that the headline speaks of."""
        overall = self.overall()
        for fragment in self.fragments:
            if _RED.get(fragment.code, _GREY.get(fragment.code)) == overall:
                return fragment
        order: Iterable[Type] = ("PERIOD", "STATUS", "FRESHNESS")
        unsure = [self.fragment(type) for type in order if self.fragment(type).state != "VALID"]
        return unsure[0] if unsure else self.fragments[0]


def verdict(*fragments: Fragment) -> Verdict:
    """A verdict of the given fragments; the types that are not given could not be judged."""
    given = {fragment.type: fragment for fragment in fragments}
    return Verdict(tuple(given.get(type) or Fragment(type, _NOTHING[type]) for type in TYPES))
