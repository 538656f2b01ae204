"""Laws of the RFC 6962 tree."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import merkle

# RFC 6962 test inputs of the Certificate Transparency project and their published roots
CT_INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}

LEAVES = [merkle.leaf_hash(b"%d" % number) for number in range(130)]
SIZES = st.integers(1, len(LEAVES))


def test_published_roots() -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(text)) for text in CT_INPUTS]
    for size, expected in CT_ROOTS.items():
        assert merkle.root(leaves[:size]).hex() == expected


@given(SIZES, st.data())
def test_every_leaf_is_proved_and_only_there(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    root, proof = merkle.root(leaves), merkle.inclusion(leaves, index)
    assert merkle.included(leaves[index], index, size, proof, root)
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index) if size > 1 else st.just(size))
    assert not merkle.included(leaves[index], other, size, proof, root)
    assert not merkle.included(merkle.leaf_hash(b"other"), index, size, proof, root)
    assert not merkle.included(leaves[index], index, size, [*proof, b"\0" * 32], root)
    if proof:
        assert not merkle.included(leaves[index], index, size, proof[:-1], root)
        broken = data.draw(st.integers(0, len(proof) - 1))
        changed = [sha256(step).digest() if place == broken else step for place, step in enumerate(proof)]
        assert not merkle.included(leaves[index], index, size, changed, root)


@given(st.integers(0, len(LEAVES)), st.integers(0, len(LEAVES)), st.data())
def test_a_log_that_grew_is_consistent_and_no_other(one: int, two: int, data: st.DataObject) -> None:
    old, new = sorted((one, two))
    proof = merkle.consistency(LEAVES[:new], old)
    old_root, new_root = merkle.root(LEAVES[:old]), merkle.root(LEAVES[:new])
    assert merkle.consistent(old, new, old_root, new_root, proof)
    if old:
        assert not merkle.consistent(old, new, sha256(old_root).digest(), new_root, proof)
    if 0 < old < new:
        assert not merkle.consistent(old, new, old_root, sha256(new_root).digest(), proof)
        assert not merkle.consistent(old, new, old_root, new_root, [*proof, b"\0" * 32])
        assert not merkle.consistent(old, new, old_root, new_root, proof[:-1])
        other = [*LEAVES[: old - 1], merkle.leaf_hash(b"rewritten"), *LEAVES[old:new]]
        assert not merkle.consistent(old, new, old_root, merkle.root(other), merkle.consistency(other, old))


def test_size_zero_is_explicit() -> None:
    root = merkle.root(LEAVES[:3])
    assert merkle.root([]) == merkle.EMPTY_ROOT
    assert merkle.consistent(0, 0, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, [])
    assert merkle.consistent(0, 3, merkle.EMPTY_ROOT, root, [])
    assert not merkle.consistent(0, 3, merkle.EMPTY_ROOT, root, [root])
    assert not merkle.consistent(0, 3, root, root, [])
    assert not merkle.consistent(0, 0, merkle.EMPTY_ROOT, root, [])
    assert not merkle.consistent(3, 2, root, root, [])
    assert not merkle.consistent(-1, 2, root, root, [])
    assert not merkle.included(LEAVES[0], 0, 0, [], merkle.EMPTY_ROOT)
    assert not merkle.included(LEAVES[0], -1, 3, [], root)


def test_proofs_are_bounded() -> None:
    assert not merkle.included(LEAVES[0], 0, 1 << 60, [b"\0" * 32] * 65, b"")
    assert not merkle.consistent(1, 1 << 60, b"", b"", [b"\0" * 32] * 65)


def test_there_is_no_proof_of_what_is_not_there() -> None:
    for call in (
        lambda: merkle.inclusion_ranges(3, 3),
        lambda: merkle.inclusion_ranges(-1, 3),
        lambda: merkle.consistency_ranges(4, 3),
    ):
        with pytest.raises(ValueError, match="tree of"):
            call()


def test_tall_trees_need_no_leaves() -> None:
    """Ranges are named without hashing anything: a log of 2^40 entries answers at once."""
    assert len(merkle.inclusion_ranges(123_456_789, 1 << 40)) == 40
    assert merkle.consistency_ranges(1 << 39, 1 << 40) == [(1 << 39, 1 << 40)]
