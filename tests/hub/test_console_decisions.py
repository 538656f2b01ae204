"""Deciding on the console: both branches of a copied key, what is set aside and taken up again, conflicts; and hostile input on the way."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from sync.hub import decisions, forks, labels, marks, parallels
from sync.hub.centre import Centre
from sync.hub.console.doors import MOST_FIELDS
from sync.ids import uuid7
from sync.ops import OpFields
from tests.hub.console_hub import Browser, let_in, words
from tests.hub.laptop import OFFICE, OFFICER, Laptop, join
from tests.hub.laptop import labels as labels_of

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture
def admin(centre: Centre, client: httpx.Client) -> Browser:
    let_in(centre)
    browser = Browser(client)
    assert browser.log_in().status_code == 303
    return browser


@pytest.fixture
def twins(centre: Centre) -> dict[str, Any]:
    """A laptop and its copy: two ops together, then two of the one and three of the other."""
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(2))
    copy = laptop.clone()
    centre.ingest.take(laptop.batch(2))
    heads = []
    for _ in range(3):
        centre.ingest.take(copy.batch(1))
        heads.append(copy.head)
    (fork,) = centre.storage.read(forks.listing)
    return {"laptop": laptop, "copy": copy, "heads": heads, "root": bytes(fork["op"]).hex()}


def decide(
    admin: Browser, twins: dict[str, Any], decision: str, *keep: bytes, reason: str = "សាលាសារភាព"
) -> httpx.Response:
    ticks = {f"keep-{one.hex()}": "1" for one in keep}
    return admin.post(f"/console/fork/{twins['root']}", decision=decision, reason=reason, **ticks)


def test_both_branches_stand_side_by_side(admin: Browser, twins: dict[str, Any]) -> None:
    admin.get("/console/language/en?back=/console/")
    page = words(admin.get(f"/console/fork/{twins['root']}"))
    left, _, right = page.partition('id="right"')
    assert left.count("/console/record/") == 2 and right.count("/console/record/") == 3
    assert [f"keep-{head.hex()}" in right for head in twins["heads"]] == [True] * 3
    assert twins["root"] == twins["heads"][0].hex()
    assert f"/console/fork/{twins['root']}" in admin.get("/console/quarantine").text
    assert f"/console/fork/{twins['root']}" in admin.get("/console/").text
    assert f"/console/fork/{twins['root']}" in admin.get(f"/console/record/{twins['heads'][1].hex()}").text


def test_a_branch_is_released_whole(admin: Browser, twins: dict[str, Any], centre: Centre) -> None:
    assert "HB-142" in decide(admin, twins, "released", reason="").text
    assert decide(admin, twins, "released").status_code == 303
    assert set(labels_of(centre, twins["laptop"]).values()) == {labels.ACCEPTED}
    assert "HB-141" in decide(admin, twins, "released").text  # once


def test_some_of_a_branch_is_kept_and_the_rest_set_aside(admin: Browser, twins: dict[str, Any], centre: Centre) -> None:
    first, second, third = twins["heads"]
    assert "HB-208" in decide(admin, twins, "merged").text
    assert "HB-142" in decide(admin, twins, "merged", second, reason=" ").text
    assert labels_of(centre)[second] == labels.FORK  # nothing was done by halves
    assert decide(admin, twins, "merged", second).status_code == 303
    found = labels_of(centre)
    assert (found[first], found[second], found[third]) == (labels.FORK, labels.ACCEPTED, labels.FORK)
    rows = centre.storage.read(lambda tx: tx.query("SELECT op FROM set_aside ORDER BY op"))
    assert {bytes(row["op"]) for row in rows} == {first, third}
    assert "/console/fork/" not in admin.get("/console/quarantine").text.partition("<details")[0]
    made = centre.storage.read(lambda tx: decisions.of_op(tx, second))
    assert [(row["decision"], row["reason"]) for row in made] == [("merged", "សាលាសារភាព")]


def test_what_was_set_aside_can_be_taken_up_again(admin: Browser, twins: dict[str, Any], centre: Centre) -> None:
    assert decide(admin, twins, "reopened").status_code == 422  # it is not aside
    assert decide(admin, twins, "rejected").status_code == 303
    board = centre.storage.read(lambda tx: tx.query("SELECT count(*) AS n FROM set_aside"))[0]["n"]
    assert board == 3 and 'class="cell quarantine" href' not in admin.get("/console/").text
    assert set(labels_of(centre, twins["laptop"]).values()) == {labels.ACCEPTED, labels.FORK}  # no label was changed
    assert decide(admin, twins, "reopened").status_code == 303
    assert 'class="cell quarantine" href' in admin.get("/console/").text
    assert decide(admin, twins, "released").status_code == 303


def test_a_record_that_is_no_fork_and_no_record_at_all(admin: Browser, twins: dict[str, Any]) -> None:
    for digest in ("zz", "00" * 32, twins["laptop"].head.hex()):
        assert admin.get(f"/console/fork/{digest}").status_code == 404
        assert admin.post(f"/console/fork/{digest}", decision="released", reason="x").status_code == 404
    assert decide(admin, twins, "burnt").status_code == 404


def test_a_viewer_sees_both_branches_and_can_decide_nothing(
    centre: Centre, client: httpx.Client, twins: dict[str, Any]
) -> None:
    let_in(centre, "ដារា", "viewer")
    viewer = Browser(client)
    assert viewer.log_in("ដារា").status_code == 303
    page = viewer.get(f"/console/fork/{twins['root']}")
    assert page.status_code == 200 and "keep-" not in page.text and 'name="decision"' not in page.text
    assert decide(viewer, twins, "released").status_code == 403
    assert labels_of(centre)[twins["heads"][0]] == labels.FORK


def test_a_form_with_too_many_fields_is_refused(admin: Browser, twins: dict[str, Any]) -> None:
    ticks = {f"keep-{number}": "1" for number in range(MOST_FIELDS + 1)}
    assert admin.post(f"/console/fork/{twins['root']}", decision="merged", reason="x", **ticks).status_code == 413


def test_hostile_words_stay_words_everywhere(admin: Browser, centre: Centre, twins: dict[str, Any]) -> None:
    office = {
        **OFFICE,
        "code": "0305",
        "name": {"km": HOSTILE, "en": HOSTILE},
        "province": {"km": HOSTILE, "en": HOSTILE},
    }
    laptop = join(centre, Laptop(), office)
    centre.ingest.take(laptop.batch(made=[laptop.op({"title": HOSTILE, HOSTILE: HOSTILE})]))
    decide(admin, twins, "rejected", reason=HOSTILE)
    admin.post("/console/users", name=HOSTILE, role="viewer")
    admin.post("/console/users", name=HOSTILE, role=HOSTILE)
    centre.settle()
    record = laptop.head.hex()
    pages = (
        "", "?as=list", "offices", "office/0305", "batches?office=0305", "records",
        f"records?text={HOSTILE}&office={HOSTILE}&officer={HOSTILE}",
        f"record/{record}", f"fork/{twins['root']}", "quarantine", "devices", "users", f"user?name={HOSTILE}",
        f"audit?subject={HOSTILE}&admin={HOSTILE}",
        "leases", "log", "conflicts", f"offices?q={HOSTILE}&only={HOSTILE}", f"leases?office={HOSTILE}&from={HOSTILE}",
        "table/links", "dispatch",
    )  # fmt: skip
    for path in pages:
        answer = admin.get(f"/console/{path}")
        assert answer.status_code in (200, 404), path
        assert (
            "<script>alert" not in answer.text
            and "<img src=x" not in answer.text
            and "onerror=alert(2)>" not in answer.text
        ), path


# --- records that two laptops changed


def change(laptop: Laptop, values: dict[str, Any], *refs: bytes) -> bytes:
    """The bytes of an op that amends ``refs``."""
    laptop.now += 1_000
    return OpFields(
        op_id=uuid7(laptop.now), kind="links.created", form="links", def_hash=b"", wall_ms=laptop.now, mono_ms=1, boot_id=bytes(8),
        hub_floor_ms=0, officer=OFFICER, body={"values": values}, refs=tuple(refs),
    ).encode()  # fmt: skip


def send(centre: Centre, laptop: Laptop, values: dict[str, Any], *refs: bytes) -> bytes:
    centre.ingest.take(laptop.batch(made=[change(laptop, values, *refs)]))
    return laptop.head


def test_two_levels_of_changes_that_did_not_see_each_other(admin: Browser, centre: Centre) -> None:
    admin.get("/console/language/en?back=/console/")
    one, other = join(centre, Laptop()), join(centre, Laptop())
    root = send(centre, one, {"name": "ផ្សារ"})
    left = send(centre, one, {"fee": 100}, root)
    assert "parallel update" not in admin.get("/console/conflicts").text  # one change after the other is none
    right = send(centre, other, {"phone": "012"}, root)
    page = words(admin.get("/console/conflicts"))
    assert "parallel update" in page and "both stand" in page and left.hex() in page and right.hex() in page
    later = send(centre, other, {"fee": 200, "phone": "013"}, root)
    page = words(admin.get("/console/conflicts"))
    assert re.search(r"</svg>\s*conflict<", page) and ">Fee<" in page
    deeper = send(centre, one, {"fee": 101}, left)
    send(centre, one, {"fee": 150}, deeper, right, later)  # an officer has seen all of it
    assert "No record was changed" in words(admin.get("/console/conflicts"))
    assert "put together" in words(admin.get("/console/conflicts?all=1"))
    assert admin.get("/console/conflicts?before=1").status_code == 200
    late = send(centre, other, {"fee": 7}, root)  # and somebody who had seen none of it comes in late
    assert late.hex() in admin.get("/console/conflicts").text


def test_conflicts_are_the_same_when_made_anew(centre: Centre) -> None:
    one, other = join(centre, Laptop()), join(centre, Laptop())
    root = send(centre, one, {"a": 1})
    send(centre, one, {"a": 2}, root)
    send(centre, other, {"a": 3}, root)
    marks.advance(centre.storage)
    before = centre.storage.read(lambda tx: parallels.listing(tx, open_only=True))
    centre.storage.write(marks.forget)
    assert centre.storage.read(parallels.count) == 0
    marks.advance(centre.storage)
    assert centre.storage.read(lambda tx: parallels.listing(tx, open_only=True)) == before and len(before) == 1


def test_sealed_changes_are_named_and_not_compared() -> None:
    from sync.ops import SealedRef

    assert parallels.level([SealedRef(bytes(8), bytes(32)), {"values": {"a": 1}}])["level"] == parallels.SEALED
    assert parallels.level([{"values": {"a": 1}}, {"values": {"a": 1, "b": 2}}]) == {
        "level": parallels.PARALLEL,
        "fields": {},
    }
    assert parallels.level([{"a": 1}, {"a": 2}]) == {"level": parallels.CONFLICT, "fields": {"a": [1, 2]}}
