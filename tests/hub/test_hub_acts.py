"""What the centre decides is signed by its own device, in its own log, in the same transaction; nobody can deny or forge it."""

from __future__ import annotations

import json

import pytest

from sync import batch as batches
from sync import receipts
from sync.clock import SetClock
from sync.failpoint import VARIABLE
from sync.hub import acts, announce, decisions, dispatch, enrolment, leases, log, stored
from sync.hub.centre import Centre
from sync.hub.storage import Tx
from tests.hub.laptop import NOW, Laptop, ask, join, labels, slot


def told(centre: Centre, kind: str = "") -> list[dict[str, object]]:
    """The bodies of the centre's own ops, in order, out of the signed batches."""

    def look(tx: Tx) -> list[dict[str, object]]:
        found = []
        for row in tx.query("SELECT raw FROM batch WHERE via = 'hub' ORDER BY idx"):
            for op in batches.parse(bytes(row["raw"])).ops:
                assert isinstance(op.fields.body, dict)
                if kind in ("", op.fields.kind):
                    found.append({"kind": op.fields.kind, **op.fields.body})
        return found

    return centre.storage.read(look)


def test_a_new_hub_says_who_it_is_what_it_knows_and_its_root(centre: Centre) -> None:
    first, kinds, root, *rest = told(centre)
    assert (first["kind"], first["log_name"]) == ("sync.hub", "hub")
    assert kinds["kind"] == "sync.kinds" and set(kinds["kinds"]) == set(centre.kinds)  # type: ignore[call-overload]
    assert (root["kind"], root["version"]) == ("sync.root", 1)
    assert {act["kind"] for act in rest} <= {"sync.role"}


def test_every_decision_is_signed_with_its_admin_and_reason(centre: Centre, laptop: Laptop) -> None:
    centre.ingest.take(laptop.batch(2))
    op = next(iter(labels(centre, laptop)))
    centre.storage.write(lambda tx: decisions.decide(tx, op, "sent_back", "សូមកែ", "សុខា", NOW))
    assert told(centre, "sync.decision") == [
        {"kind": "sync.decision", "op": op, "decision": "sent_back", "reason": "សូមកែ", "admin": "សុខា"}
    ]
    key = bytes(centre.keys.device.verify_key)
    row = centre.storage.read(
        lambda tx: tx.query(
            "SELECT b.raw, l.receipt FROM batch b JOIN leaf l ON l.batch = b.idx ORDER BY l.idx DESC LIMIT 1"
        )
    )[0]
    signed = batches.parse(bytes(row["raw"]))
    assert (signed.device_public, signed.device_id) == (key, acts.device_id(centre.keys))
    assert receipts.belongs(receipts.verify(row["receipt"], centre.log.note_key), signed)


def test_what_is_refused_leaves_no_act(centre: Centre, laptop: Laptop) -> None:
    centre.ingest.take(laptop.batch(1))
    before, op = len(told(centre)), next(iter(labels(centre, laptop)))
    with pytest.raises(Exception, match="HB-142"):
        centre.storage.write(lambda tx: decisions.decide(tx, op, "sent_back", "", "សុខា", NOW))

    def then_fails(tx: Tx) -> None:
        decisions.decide(tx, op, "accepted", "", "សុខា", NOW)
        raise RuntimeError("cut off")

    with pytest.raises(RuntimeError, match="cut off"):
        centre.storage.write(then_fails)
    assert len(told(centre)) == before
    assert centre.storage.read(lambda tx: tx.query("SELECT * FROM act")) == []
    assert centre.storage.read(lambda tx: decisions.of_op(tx, op)) == []


def test_an_act_stands_in_the_log_before_what_comes_after_it(centre: Centre) -> None:
    """Enrolment and the first batch in one commit: the log says which came first, as labels do."""
    laptop, ticket = Laptop(), slot(centre)
    data = batches.parse(laptop.batch(1))

    def together(tx: Tx) -> None:
        from sync import devices

        asked, signed, mac = devices.read_request(laptop.request(ticket))
        assert enrolment.enrol(tx, centre.keys, asked, signed, mac, NOW).status == 201
        centre.ingest._store(tx, [(data, "line")])

    centre.storage.write(together)
    rows = centre.storage.read(
        lambda tx: tx.query(
            "SELECT b.via, l.data FROM leaf l JOIN batch b ON b.idx = l.batch ORDER BY l.idx DESC LIMIT 2"
        )
    )
    assert [row["via"] for row in rows] == ["line", "hub"]
    assert receipts.read_leaf(rows[0]["data"]).state is receipts.State.ACCEPTED


def test_secrets_are_hidden_in_the_acts(centre: Centre) -> None:
    ticket = slot(centre)
    raw = centre.storage.read(
        lambda tx: b"".join(bytes(row["raw"]) for row in tx.query("SELECT raw FROM batch WHERE via = 'hub'"))
    )
    bodies = [act for act in told(centre) if acts.ROWS in act]
    assert ticket.key not in json.dumps(told(centre), default=repr).encode() and ticket.key not in raw
    shown = [row for body in bodies for _, rows in acts.images(centre.keys, body) for row in rows]
    assert ticket.key in [row.get("code_key") for row in shown]
    assert any(row.get("resource") == "link-codes" and centre.keys.link_codes in row["content"] for row in shown)


def test_everything_that_no_laptop_can_tell_is_recorded(centre: Centre, laptop: Laptop) -> None:
    ticket = slot(centre)
    ask(centre, Laptop().request(ticket, key=bytes(32)))
    centre.storage.write(lambda tx: enrolment.revoke(tx, laptop.id, NOW))
    centre.storage.write(lambda tx: announce.put(tx, {"forms/a.json": b"a" * (acts.PIECE + 1)}, NOW))
    centre.storage.write(lambda tx: announce.withdraw(tx, ["forms/a.json"], NOW))
    centre.storage.write(lambda tx: leases.skip_lost(tx, NOW))
    centre.storage.write(
        lambda tx: tx.execute(
            """INSERT INTO effect (id, kind, payload, state, tries, projection, changed_ms)
               VALUES ('e', 'messages.dispatch', '{}', 'waiting', 0, 'messages', 5)"""
        )
    )
    centre.storage.write(lambda tx: dispatch.finish(tx, "e", admin="សុខា", note="", now_ms=NOW))
    kinds = [str(act["kind"]) for act in told(centre)]
    for kind in ("sync.slot", "sync.enrolled", "sync.revoked", "sync.lease", "sync.withdrawn", "sync.effect"):
        assert kind in kinds, kind
    assert kinds.count("sync.published") == 2, "in pieces"
    assert centre.storage.read(centre.log.verify) == []


def test_many_acts_become_batches_within_the_bounds(centre: Centre, clock: SetClock) -> None:
    before = centre.storage.read(log.size)

    def many(tx: Tx) -> None:
        for number in range(5):
            acts.record(tx, "sync.published", {"name": "x", "data": bytes(400_000), "n": number}, clock.wall_ms())

    centre.storage.write(many)
    assert centre.storage.read(log.size) - before >= 3
    numbers = [act["n"] for act in told(centre, "sync.published")]
    assert numbers == list(range(5))
    with pytest.raises(ValueError, match="fits into no op"):
        centre.storage.write(lambda tx: acts.record(tx, "sync.published", {"data": bytes(800_000)}))


def test_an_act_without_a_time_has_that_of_its_signing(centre: Centre, clock: SetClock) -> None:
    clock.advance(5_000)
    centre.storage.write(lambda tx: acts.record(tx, "sync.role", {"role": "x"}))
    raw = centre.storage.read(lambda tx: tx.query("SELECT raw FROM batch WHERE via = 'hub' ORDER BY idx DESC LIMIT 1"))[
        0
    ]["raw"]
    assert stored.read(bytes(raw), {0})[0].wall_ms == clock.wall_ms()


def test_projections_do_not_read_the_hubs_own_ops(centre: Centre) -> None:
    join(centre, Laptop())
    assert centre.storage.read(lambda tx: tx.query("SELECT * FROM accepted")) == []
    assert VARIABLE
