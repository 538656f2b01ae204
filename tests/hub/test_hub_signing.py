"""Parts of the publications that somebody else signs: on another machine, with a key that the hub never sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from sync import devices
from sync.clock import SetClock
from sync.errors import Refused
from sync.hub import announce, enrolment, signers, signing
from sync.hub.centre import Centre, open_
from sync.hub.parts import Delegate
from sync.limits import DAY_MS
from tests.hub.laptop import NOW, Laptop, ask, join, slot
from tests.hub.test_hub_publish import client, fetch

MOI = SigningKey(b"m" * 32)
FORM = "forms/moi/birth/1.json"


def put(centre: Centre, name: str, data: bytes) -> None:
    centre.storage.write(lambda tx: announce.put(tx, {name: data}, NOW))


def delegate(
    centre: Centre, kind: str, subject: str, key: SigningKey | None = None, holder: str = "ក្រសួងមហាផ្ទៃ"
) -> None:
    public = bytes(key.verify_key) if key else None
    centre.storage.write(lambda tx: signers.add(tx, centre.folder, kind, subject, holder, public, NOW))


def signed(centre: Centre, name: str, key: SigningKey) -> dict[str, object]:
    return signing.accept(centre, signing.sign(signing.prepare(centre, name), key))


def roles_of(centre: Centre) -> dict[str, str]:
    return {target.name: target.role for target in centre.repository.listing().targets}


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.code


def test_leases_and_decisions_are_parts_of_their_own(centre: Centre, laptop: Laptop, tmp_path: Path) -> None:
    centre.settle()
    found = roles_of(centre)
    assert found[f"leases/{laptop.id.hex()}.cbor"] == "leases"
    assert found["devices/03.cbor"] == "targets"
    assert fetch(client(centre, tmp_path, centre.repository.folder), f"leases/{laptop.id.hex()}.cbor")


def test_a_part_that_did_not_change_keeps_its_version(centre: Centre, laptop: Laptop) -> None:
    centre.settle()
    before = centre.repository.listing().roles
    put(centre, "prices/fees.json", b"{}")
    centre.settle()
    after = centre.repository.listing().roles
    assert after["leases"] == before["leases"]
    assert after["targets"][0] > before["targets"][0]


def test_what_a_keeper_must_sign_waits_and_then_is_published(centre: Centre, tmp_path: Path) -> None:
    delegate(centre, "forms", "moi", MOI)
    put(centre, FORM, b"{}")
    centre.settle()
    assert FORM not in roles_of(centre)
    assert {name: [(c.name, c.what) for c in found] for name, found in signing.waiting(centre).items()} == {
        "forms-moi": [(FORM, "new")]
    }
    done = signed(centre, "forms-moi", MOI)
    assert done["changed"] == [FORM] and done["version"] == 1
    assert roles_of(centre)[FORM] == "forms-moi"
    assert signing.waiting(centre) == {}
    assert fetch(client(centre, tmp_path, centre.repository.folder), FORM) == b"{}"
    put(centre, FORM, b'{"a": 1}')
    centre.settle()
    assert fetch(client(centre, tmp_path, centre.repository.folder), FORM) == b"{}", "published as it was signed"
    assert [(c.name, c.what, c.size) for c in signing.waiting(centre)["forms-moi"]] == [(FORM, "changed", 8)]
    signed(centre, "forms-moi", MOI)
    centre.storage.write(lambda tx: announce.withdraw(tx, [FORM], centre.clock.wall_ms()))
    assert [c.what for c in signing.waiting(centre)["forms-moi"]] == ["gone"]
    assert signed(centre, "forms-moi", MOI)["changed"] == [FORM]
    assert FORM not in roles_of(centre)


def test_only_the_keepers_key_signs_and_only_what_waits_now(centre: Centre) -> None:
    delegate(centre, "forms", "moi", MOI)
    put(centre, FORM, b"{}")
    prepared = signing.prepare(centre, "forms-moi")
    assert refused(lambda: signing.sign(prepared, SigningKey.generate())) == "HB-182"
    document = json.loads(prepared)
    forger = SigningKey.generate()
    forged = signing.sign(json.dumps({**document, "public": bytes(forger.verify_key).hex()}).encode(), forger)
    assert refused(lambda: signing.accept(centre, forged)) == "HB-182"
    good = signing.sign(prepared, MOI)
    put(centre, FORM, b'{"other": 1}')
    assert refused(lambda: signing.accept(centre, good)) == "HB-183"
    again = signing.sign(signing.prepare(centre, "forms-moi"), MOI)
    signing.accept(centre, again)
    assert refused(lambda: signing.accept(centre, again)) == "HB-183", "the same version twice"
    assert refused(lambda: signing.accept(centre, b"[")) == "HB-183"
    assert refused(lambda: signing.accept(centre, prepared)) == "HB-183"
    assert refused(lambda: signing.prepare(centre, "forms-none")) == "HB-180"
    assert refused(lambda: signing.prepare(centre, "leases")) == "HB-184"


@pytest.mark.parametrize("harm", ["data", "signed", "changes", "delegations"])
def test_a_prepared_file_that_shows_something_else_is_not_signed(centre: Centre, harm: str) -> None:
    delegate(centre, "forms", "moi", MOI)
    put(centre, FORM, b"{}")
    document = json.loads(signing.prepare(centre, "forms-moi"))
    if harm == "data":
        document["changes"][0]["data"] = "eA=="
    elif harm == "delegations":
        document["signed"]["delegations"] = {"keys": {}, "roles": []}
    else:
        document[harm] = 5
    assert refused(lambda: signing.sign(json.dumps(document).encode(), MOI)) == "HB-183"


def test_a_signature_over_what_the_role_does_not_cover_is_refused(centre: Centre) -> None:
    delegate(centre, "forms", "moi", MOI)
    put(centre, FORM, b"{}")
    document = json.loads(signing.prepare(centre, "forms-moi"))
    listed = document["signed"]["targets"]
    listed["trust/issuers-0306.cbor"] = listed[FORM]
    forged = signing.sign(json.dumps(document).encode(), MOI)
    assert refused(lambda: signing.accept(centre, forged)) == "HB-182"


def test_a_new_key_ends_what_the_old_one_signed(centre: Centre, tmp_path: Path) -> None:
    delegate(centre, "forms", "moi", MOI)
    put(centre, FORM, b"{}")
    signed(centre, "forms-moi", MOI)
    stolen = SigningKey(b"n" * 32)
    centre.storage.write(lambda tx: signers.rotate(tx, centre.folder, "forms-moi", bytes(stolen.verify_key), NOW))
    centre.settle()
    assert refused(lambda: signed(centre, "forms-moi", MOI)) == "HB-182"
    signed(centre, "forms-moi", stolen)
    assert fetch(client(centre, tmp_path, centre.repository.folder), FORM) == b"{}"


def test_a_key_of_the_hub_is_changed_and_its_part_signed_anew(centre: Centre, laptop: Laptop, tmp_path: Path) -> None:
    centre.settle()
    before = centre.repository.listing().roles["leases"][0]
    old = centre.storage.read(lambda tx: signers.one(tx, "leases"))["public"]
    new = centre.storage.write(lambda tx: signers.rotate(tx, centre.folder, "leases", None, NOW))["public"]
    assert new != old
    assert centre.settle() == []
    assert centre.repository.listing().roles["leases"][0] > before
    assert fetch(client(centre, tmp_path, centre.repository.folder), f"leases/{laptop.id.hex()}.cbor")
    delegate(centre, "forms", "moi", MOI)
    assert (
        refused(lambda: centre.storage.write(lambda tx: signers.rotate(tx, centre.folder, "forms-moi", None, NOW)))
        == "HB-184"
    )


def test_an_ended_delegation_goes_back_to_the_top(centre: Centre, tmp_path: Path) -> None:
    delegate(centre, "forms", "moi", MOI)
    put(centre, FORM, b"{}")
    signed(centre, "forms-moi", MOI)
    before = client(centre, tmp_path, centre.repository.folder)
    assert fetch(before, FORM)
    centre.storage.write(lambda tx: signers.remove(tx, "forms-moi", NOW))
    centre.settle()
    assert roles_of(centre)[FORM] == "targets"
    assert fetch(client(centre, tmp_path, centre.repository.folder), FORM) == b"{}"
    assert refused(lambda: centre.storage.write(lambda tx: signers.remove(tx, "leases", NOW))) == "HB-181"
    assert refused(lambda: centre.storage.write(lambda tx: signers.remove(tx, "forms-moi", NOW))) == "HB-180"


@pytest.mark.parametrize(
    ("kind", "subject", "holder", "public"),
    [
        ("leases", "x1", "a", None), ("keys", "moi", "a", None), ("forms", "../x", "a", None), ("forms", "", "a", None),
        ("province", "99", "a", None), ("province", "0306", "a", None), ("forms", "moi", "", b"k" * 32),
        ("forms", "moi", "a", b"short"),
    ],
)  # fmt: skip
def test_roles_that_are_none_are_refused(
    centre: Centre, kind: str, subject: str, holder: str, public: bytes | None
) -> None:
    add = lambda: centre.storage.write(lambda tx: signers.add(tx, centre.folder, kind, subject, holder, public, NOW))  # noqa: E731
    assert refused(add) == "HB-181"


def test_a_role_stands_once(centre: Centre) -> None:
    delegate(centre, "issuer", "moeys", MOI)
    assert refused(lambda: delegate(centre, "issuer", "moeys", MOI)) == "HB-181"


def test_paths_are_matched_part_by_part() -> None:
    role = Delegate("issuer-moi", ("trust/issuers-moi-*.cbor", "forms/moi/*"), bytes(32))
    assert role.covers("trust/issuers-moi-2027.cbor") and role.covers("forms/moi/a.json")
    assert (
        not role.covers("forms/moi/a/b.json")
        and not role.covers("forms/moi")
        and not role.covers("trust/issuers-x.cbor")
    )


# --- a province signs the certificates of its own districts


def test_the_hub_signs_with_the_key_of_the_province_when_it_holds_it(centre: Centre) -> None:
    delegate(centre, "province", "03")
    laptop = join(centre, Laptop())
    row = centre.storage.read(lambda tx: signers.one(tx, "province-03"))
    certificate = centre.storage.read(lambda tx: tx.query("SELECT certificate FROM device"))[0]["certificate"]
    assert devices.read_certificate(certificate, row["public"]).device_id == laptop.id
    assert devices.certifier(certificate, [bytes(centre.keys.pack.verify_key)]) is None
    centre.settle()
    assert roles_of(centre)["devices/03.cbor"] == "province-03"


def test_a_laptop_waits_for_the_signature_of_its_province(centre: Centre, clock: SetClock) -> None:
    province = SigningKey(b"p" * 32)
    delegate(centre, "province", "03", province, "សាលាខេត្តកំពង់ចាម")
    laptop, ticket = Laptop(), slot(centre)
    request = laptop.request(ticket)
    assert ask(centre, request).status == 202
    assert ask(centre, request).status == 202
    assert ask(centre, Laptop().request(ticket)).status == 409
    centre.ingest.take(laptop.batch(2))
    assert [c.what for c in signing.waiting(centre)["province-03"] if c.what == "laptop"] == ["laptop"]
    document = json.loads(signing.prepare(centre, "province-03"))
    assert document["laptops"][0]["words"] == devices.words(request)
    clock.advance(DAY_MS)
    file = signing.sign(json.dumps(document).encode(), province)
    assert signing.accept(centre, file)["enrolled"] == [laptop.id.hex()]
    certificate = bytes.fromhex(json.loads(file)["certificates"][0])
    public = bytes(province.verify_key)
    assert centre.storage.write(lambda tx: enrolment.admit_signed(tx, certificate, public, NOW)) == laptop.id.hex()
    answer = ask(centre, request)
    assert answer.status == 200 and answer.certificate
    assert devices.read_certificate(answer.certificate, bytes(province.verify_key)).number == 1
    assert {row["label"] for row in centre.storage.read(lambda tx: tx.query("SELECT label FROM op"))} == {"accepted"}
    assert [c.name for c in signing.waiting(centre)["province-03"]] == ["devices/03.cbor"], (
        "the list itself changed now"
    )
    second = signed(centre, "province-03", province)
    assert second["changed"] == ["devices/03.cbor"] and second["enrolled"] == []


def test_a_laptop_of_a_province_whose_role_has_ended_waits_for_no_signature(centre: Centre) -> None:
    delegate(centre, "province", "03", SigningKey(b"p" * 32))
    assert ask(centre, Laptop().request(slot(centre))).status == 202
    assert "laptop" in [change.what for change in signing.waiting(centre)["province-03"]]
    centre.storage.write(lambda tx: signers.remove(tx, "province-03", NOW))
    assert "province-03" not in signing.waiting(centre)
    assert len(centre.storage.read(enrolment.pending)) == 1


def test_a_certificate_that_the_province_did_not_sign_enrols_nobody(centre: Centre) -> None:
    province = SigningKey(b"p" * 32)
    delegate(centre, "province", "03", province)
    laptop = Laptop()
    ask(centre, laptop.request(slot(centre)))
    payload = centre.storage.read(enrolment.pending)[0]["payload"]
    other = devices.sign_certificate(payload, SigningKey.generate())
    nobody = Laptop()
    ask(centre, nobody.request(slot(centre, {**_office("0401")}), "0401"))
    wrong = devices.sign_certificate(
        devices.certificate_payload(
            devices.Certificate(
                device_id=laptop.id, sign_public=bytes(laptop.sign.verify_key), seal_public=bytes(32),
                office_public=bytes(32), office="0306", number=1, valid_from_ms=NOW,
            )
        ),
        province,
    )  # fmt: skip
    for data in (other, wrong, b"x"):
        admit = lambda data=data: centre.storage.write(  # noqa: E731
            lambda tx: enrolment.admit_signed(tx, data, bytes(province.verify_key), NOW)
        )
        assert refused(admit) == "HB-182"


def test_what_keepers_signed_survives_a_restart(centre: Centre, tmp_path: Path) -> None:
    delegate(centre, "forms", "moi", MOI)
    put(centre, FORM, b"{}")
    signed(centre, "forms-moi", MOI)
    again = open_(centre.folder, centre.clock)
    try:
        assert again.settle() == []
        assert roles_of(again)[FORM] == "forms-moi"
    finally:
        again.close()


def _office(code: str) -> dict[str, object]:
    return {"code": code, "name": {"km": "ក", "en": "A"}, "province": {"km": "ខ", "en": "B"}}


def test_a_key_that_is_gone_or_cannot_be_made_is_told(centre: Centre, tmp_path: Path) -> None:
    from sync.errors import Known

    row = centre.storage.read(lambda tx: signers.one(tx, "leases"))
    place = centre.folder / "keys" / f"role-leases-{row['public'].hex()[:16]}.key"
    place.unlink()
    with pytest.raises(Known, match="HB-104"):
        centre.publish()
    with pytest.raises(Known, match="HB-106"):
        signers.new_key(tmp_path / "no" / "folder" / "key")
