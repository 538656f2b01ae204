"""Who signs which target: found quickly, and never another one than the first role that covers it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.hub import parts, signers
from sync.hub.parts import Delegate

SUBJECTS = st.sampled_from(["03", "0306", "moi", "mo"])
NAMES = st.sampled_from(
    [
        "leases/aa.cbor", "inbox/aa.cbor", "devices/03.cbor", "trust/issuers-moi.cbor", "trust/issuers-moi-1.cbor", "trust/issuers-mo.cbor",
        "status/moi.cwt", "status/mo-i.cwt", "status/moi-2/x.cwt", "forms/moi/a.json", "forms/moi/a/b.json", "forms/mo/x", "forms/a",
        "odd", "x/odd.cbor", "trust/hub-tls.cbor",
    ]
)  # fmt: skip


@st.composite
def delegates(draw: st.DrawFn) -> list[Delegate]:
    found: list[Delegate] = []
    for kind, subject in draw(st.lists(st.tuples(st.sampled_from(sorted(signers.PATHS)), SUBJECTS), max_size=8)):
        paths = tuple(path.format(subject) for path in signers.PATHS[kind])
        found.append(Delegate(f"{kind}-{subject}-{len(found)}", paths, bytes(32)))
    if draw(st.booleans()):
        found.insert(
            draw(st.integers(0, len(found))), Delegate("wild", draw(st.sampled_from([("*",), ("*/odd.cbor",)])), b"")
        )
    return found


@given(delegates(), st.sets(NAMES))
def test_the_first_that_covers_a_target_signs_it(some: list[Delegate], names: set[str]) -> None:
    found = parts.split(dict.fromkeys(names, b""), some)
    for name in names:
        first = next((one.name for one in some if one.covers(name)), parts.TOP)
        assert [role for role, targets in found.items() if name in targets] == [first]
