"""Slots, codes, leases: one pack, one laptop; numbers never overlap; a wrong code costs a try."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.forms import numbering
from modules.links import codes
from sync import devices, pack
from sync.clock import SetClock
from sync.errors import Refused
from sync.hub import enrolment, leases
from sync.hub.centre import Centre
from sync.hub.offices import office_facts
from sync.limits import CODE_TRIES, DAY_MS
from tests.hub.conftest import everything
from tests.hub.laptop import OFFICE, Laptop, ask, join, slot


def test_a_pack_carries_what_the_first_days_need(centre: Centre) -> None:
    data = centre.enrol(OFFICE, ["http://127.0.0.1:8420"])
    found = pack.parse(data, [bytes(centre.keys.pack.verify_key)])
    assert (found.office["code"], found.number, found.hub_urls) == ("0306", 1, ("http://127.0.0.1:8420",))
    assert sorted(lease.resource for lease in found.leases) == sorted(leases.BLOCKS)
    assert found.tuf_root == centre.repository.root()
    assert "trust/issuers-0306.cbor" in found.publications
    assert not [name for name in found.publications if name.startswith(("leases/", "inbox/"))]
    assert found.log == centre.log.note_key
    again = pack.parse(centre.enrol(OFFICE, ["http://127.0.0.1:8420"]), [bytes(centre.keys.pack.verify_key)])
    assert (again.number, again.code != found.code, again.slot != found.slot) == (2, True, True)


def test_the_hub_keeps_no_code_and_no_private_seal(centre: Centre) -> None:
    found = pack.parse(centre.enrol(OFFICE, []), [bytes(centre.keys.pack.verify_key)])
    stored = everything(centre)
    assert found.code.encode() not in stored
    assert devices.code_key(found.code, found.slot) in stored
    kept = {path.name for path in (centre.folder / "keys").iterdir()}
    assert not kept & {"agency.key", "recovery.key", "root-1.key"}


@pytest.mark.parametrize("url", ["127.0.0.1:8420", "ftp://hub", "http://hub one"])
def test_an_address_that_is_none_makes_no_pack(centre: Centre, url: str) -> None:
    with pytest.raises(Refused) as refused:
        centre.enrol(OFFICE, [url])
    assert refused.value.code == "HB-122"
    assert centre.storage.read(lambda tx: tx.query("SELECT * FROM slot")) == []


def test_the_right_code_gets_a_certificate_and_the_same_one_again(centre: Centre) -> None:
    laptop, ticket = Laptop(), slot(centre)
    request = laptop.request(ticket)
    first, again = ask(centre, request), ask(centre, request)
    assert (first.status, again.status) == (201, 200)
    assert first.certificate == again.certificate is not None
    certificate = devices.read_certificate(first.certificate, bytes(centre.keys.pack.verify_key))
    assert (certificate.device_id, certificate.office, certificate.number) == (laptop.id, "0306", 1)


def test_a_wrong_code_is_refused_and_five_lock_the_slot(centre: Centre) -> None:
    laptop, ticket = Laptop(), slot(centre)
    for _ in range(CODE_TRIES):
        answer = ask(centre, laptop.request(ticket, key=bytes(32)))
        assert (answer.status, answer.code, answer.certificate) == (403, "HB-123", None)
    assert (ask(centre, laptop.request(ticket)).status, ask(centre, laptop.request(ticket)).code) == (410, "HB-126")


def test_a_code_lapses(centre: Centre, clock: SetClock) -> None:
    laptop, ticket = Laptop(), slot(centre)
    clock.advance((enrolment.PACK_DAYS + 1) * DAY_MS)
    assert ask(centre, laptop.request(ticket)).status == 410


def test_one_pack_one_laptop_one_laptop_one_pack(centre: Centre) -> None:
    laptop, ticket, other = Laptop(), slot(centre), slot(centre)
    assert ask(centre, laptop.request(ticket)).status == 201
    for request in (Laptop().request(ticket), laptop.request(other)):
        answer = ask(centre, request)
        assert (answer.status, answer.code) == (409, "HB-125")


def test_an_unknown_slot_or_another_office_is_not_found(centre: Centre) -> None:
    ticket = slot(centre)
    for request in (Laptop().request(enrolment.new_ticket()), Laptop().request(ticket, "0307")):
        assert (ask(centre, request).status, ask(centre, request).code) == (404, "HB-124")


# --- leases


def grant(centre: Centre, ticket: enrolment.Ticket, resource: str) -> leases.LeaseGrant | None:
    def work(tx: leases.Tx) -> leases.LeaseGrant | None:
        row = tx.query("SELECT * FROM slot WHERE slot = :s", {"s": ticket.slot})[0]
        return leases.grant(tx, centre.keys, resource=resource, slot=row, now_ms=centre.clock.wall_ms())

    return centre.storage.write(work)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(sorted(leases.BLOCKS))), min_size=1, max_size=12))
def test_no_two_blocks_overlap_whoever_asks_when(shared_centre: Centre, order: list[tuple[int, str]]) -> None:
    offices = [OFFICE, OFFICE, {**OFFICE, "code": "0401"}]
    tickets = [slot(shared_centre, office) for office in offices]
    for which, resource in order:
        grant(shared_centre, tickets[which], resource)
    given_out: dict[str, list[str]] = {}
    for row in shared_centre.storage.read(lambda tx: tx.query("SELECT DISTINCT slot FROM lease")):
        for lease in shared_centre.storage.read(lambda tx, s=row["slot"]: leases.of_slot(tx, s, 0)):  # type: ignore[misc]
            numbers: Callable[[int], str]
            if lease.resource == "link-codes":
                numbers = codes.read_lease(lease.content).code
            else:
                numbers = lambda n, content=lease.content: numbering.number(content, n)  # noqa: E731
            given_out.setdefault(lease.resource, []).extend(numbers(n) for n in (0, 1, lease.size - 1))
    for found in given_out.values():
        assert len(found) == len(set(found))


def test_every_code_of_a_lease_is_valid_and_its_own(centre: Centre) -> None:
    found = grant(centre, slot(centre), "link-codes")
    assert found is not None
    spoken = [codes.read_lease(found.content).code(n) for n in range(found.size)]
    assert len(set(spoken)) == found.size and all(codes.valid(code) for code in spoken)


def test_a_broken_client_cannot_eat_the_numbers(centre: Centre) -> None:
    ticket = slot(centre)
    granted = [grant(centre, ticket, "link-codes") for _ in range(leases.MOST_OPEN + 3)]
    assert sum(lease is not None for lease in granted) == leases.MOST_OPEN - 1  # the pack holds one
    assert grant(centre, ticket, "no-such-thing") is None


def test_numbers_of_lapsed_blocks_are_not_given_out_again(centre: Centre, clock: SetClock) -> None:
    ticket = slot(centre)
    before = grant(centre, ticket, "receipt-numbers")
    clock.advance(365 * DAY_MS)
    after = grant(centre, ticket, "receipt-numbers")
    assert before is not None and after is not None
    assert after.content["first"] >= before.content["first"] + before.size
    assert centre.storage.read(lambda tx: [lease.id for lease in leases.of_slot(tx, ticket.slot, clock.wall)]) == [
        after.id
    ]


def test_status_indices_of_an_office_do_not_overlap_between_its_laptops(centre: Centre) -> None:
    stretches = []
    for _ in range(3):
        found = grant(centre, slot(centre), "certificate-numbers")
        assert found is not None
        stretches.append((found.content["index"], found.content["index"] + found.size))
    ordered = sorted(stretches)
    assert all(end <= start for (_, end), (start, _) in pairwise(ordered))


# --- revocation


def test_revoking_names_the_last_good_op_and_cannot_be_moved(centre: Centre, clock: SetClock) -> None:
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(3))
    first = centre.storage.write(lambda tx: enrolment.revoke(tx, laptop.id, clock.wall))
    centre.ingest.take(laptop.batch(2))
    again = centre.storage.write(lambda tx: enrolment.revoke(tx, laptop.id, clock.wall + 5))
    assert first["cutoff_seq"] == again["cutoff_seq"] == 3
    assert first["revoked_ms"] == again["revoked_ms"]
    assert centre.storage.read(enrolment.revocations) == 1
    with pytest.raises(Refused) as refused:
        centre.storage.write(lambda tx: enrolment.revoke(tx, bytes(16), clock.wall))
    assert refused.value.code == "HB-120"


# --- names


def test_names_come_from_the_gazetteer_or_from_the_admin() -> None:
    assert office_facts("0306")["name"]["km"].startswith("សាលាស្រុក")
    assert office_facts("12")["name"]["en"].endswith("Capital Hall")
    assert office_facts(" 0306 ", "សាលាពិសេស", "Special Hall")["name"] == {"km": "សាលាពិសេស", "en": "Special Hall"}
    assert office_facts("0399", "សាលាថ្មី", "New Hall")["province"]["en"].endswith("Kampong Cham")


@pytest.mark.parametrize("code", ["", "9", "99", "0399", "abcd", "0306; drop", "٠٣٠٦"])
def test_an_unknown_code_is_refused(code: str) -> None:
    with pytest.raises(Refused) as refused:
        office_facts(code)
    assert refused.value.code == "HB-121"
