"""The SHA-256 tree of RFC 6962: root, inclusion and consistency proofs, built and verified.

Everything that is built is built from ranges of leaves, so that whoever keeps inner nodes (the hub's tiles) can answer
from those: :func:`inclusion_ranges` and :func:`consistency_ranges` name the subtrees whose hashes are the proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from sync.limits import MAX_PROOF

Range = tuple[int, int]  # leaves lo ≤ i < hi

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf's data."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two below ``size`` (which is at least 2): the size of the left subtree."""
    return 1 << (size - 1).bit_length() - 1


def root(leaves: Sequence[bytes]) -> bytes:
    """The tree hash over leaf hashes; the empty tree has one too."""
    if not leaves:
        return EMPTY_ROOT
    return subtree(leaves, 0, len(leaves))


def subtree(leaves: Sequence[bytes], lo: int, hi: int) -> bytes:
    """The hash over the leaf hashes ``[lo, hi)``, at least one."""
    if hi - lo == 1:
        return leaves[lo]
    middle = lo + split(hi - lo)
    return node_hash(subtree(leaves, lo, middle), subtree(leaves, middle, hi))


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The subtrees whose hashes prove leaf ``index`` in a tree of ``size`` leaves, lowest first."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    ranges: list[Range] = []
    lo, hi = 0, size
    while hi - lo > 1:
        middle = lo + split(hi - lo)
        if index < middle:
            ranges.append((middle, hi))
            hi = middle
        else:
            ranges.append((lo, middle))
            lo = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The subtrees that prove that the tree of ``old`` leaves is the start of the tree of ``new``, lowest first."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} cannot extend one of {old}")
    if old in (0, new):
        return []
    ranges: list[Range] = []
    lo, hi = 0, new
    while hi != old:
        middle = lo + split(hi - lo)
        if old <= middle:
            ranges.append((middle, hi))
            hi = middle
        else:
            ranges.append((lo, middle))
            lo = middle
    if lo:  # else the old root itself is that subtree, and the verifier has it
        ranges.append((lo, hi))
    return ranges[::-1]


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion proof of leaf ``index`` in the tree over all of ``leaves`` (leaf hashes)."""
    return [subtree(leaves, lo, hi) for lo, hi in inclusion_ranges(index, len(leaves))]


def consistency(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """The proof that the first ``old`` of ``leaves`` (leaf hashes) are the start of the whole."""
    return [subtree(leaves, lo, hi) for lo, hi in consistency_ranges(old, len(leaves))]


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether ``proof`` shows the leaf hash ``leaf`` at ``index`` in the tree of ``size`` leaves under ``expected``."""
    if not 0 <= index < size or len(proof) > MAX_PROOF:
        return False
    place, last, reached = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(step, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, step)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == expected


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that the tree (``old``, ``old_root``) is the start of (``new``, ``new_root``)."""
    if not 0 <= old <= new or len(proof) > MAX_PROOF:
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT and (new > 0 or new_root == EMPTY_ROOT)
    if old == new:
        return not proof and old_root == new_root
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    steps = list(proof)
    if place:
        if not steps:
            return False
        seed = steps.pop(0)
    else:
        seed = old_root  # the old tree is one complete subtree of the new one
    from_old = from_new = seed
    for step in steps:
        if last == 0:
            return False
        if place & 1 or place == last:
            from_old, from_new = node_hash(step, from_old), node_hash(step, from_new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            from_new = node_hash(from_new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and from_old == old_root and from_new == new_root
