"""What the hub thinks of an op: a pure function of the tree of ops, of certificates and of revocations (SYNC §14.2).

A label never refuses data: every op is stored and receipted. Only ``accepted`` ops reach projections. An op of a kind that
this hub does not know keeps its place in the chain (its children are not held up) and waits for its module; so does an op of an
officer who has moved to another office, for an admin: the laptop's other officers go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ACCEPTED: Final = "accepted"
PENDING: Final = "pending"
FORK: Final = "q:fork"
REVOKED: Final = "q:revoked"
SCHEMA: Final = "q:schema"
OFFICER: Final = "q:officer"


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the label of one op depends on."""

    parent: str | None  # the parent's label; None: the parent is not here; genesis counts as accepted
    enrolled: bool  # the device has a certificate
    sibling_accepted: bool  # another child of the same parent is accepted
    after_cutoff: bool  # the device is revoked and the op lies after the cut-off
    known: bool  # a module of this hub knows the kind
    moved: bool = False  # its officer signs for another office by now


def label(s: Situation) -> str:
    """The label of an op in situation ``s``."""
    if not s.enrolled or s.parent is None or s.parent == PENDING:
        return PENDING
    if s.parent in (FORK, REVOKED):
        return s.parent
    if s.sibling_accepted:
        return FORK
    if s.after_cutoff:
        return REVOKED
    if s.moved:
        return OFFICER
    return ACCEPTED if s.known else SCHEMA
