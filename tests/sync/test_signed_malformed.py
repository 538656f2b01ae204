"""What the centre has signed and yet is not of its form: told in words, and nothing on the laptop has changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.signing import SigningKey
from securesystemslib.signer import CryptoSigner

from sync import (
    cbor,
    certifiers,
    colleagues,
    cose,
    couriers,
    delegations,
    enrol,
    keys,
    leases,
    pack,
    pins,
    publications,
    refreshing,
    updates,
    wire,
    witnesses,
)
from sync.batch import device_id
from sync.clock import SetClock
from sync.errors import Refused, SalaError
from sync.keys import Unlocked
from sync.refreshing import Folder
from sync.store import Connection
from sync.wire import LeaseGrant, Notice
from tests.fuzz.mutation import misshapen
from tests.fuzz.parsers import _pins
from tests.sync.conftest import NOW, OFFICE, PASSPHRASE, Centre
from tests.sync.samples import everything
from tests.sync.tuf_repo import Repo

CENTRE = Centre()
RELEASE = SigningKey(b"\x21" * 32)
WITNESS = SigningKey(b"\x22" * 32)
BOX = bytes(PrivateKey(b"\x23" * 32).public_key)
EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
FEW = settings(EXAMPLES, max_examples=12)
WORDS = (
    "",
    "-1",
    "0",
    "01",
    "1e3",
    "9" * 16,
    "9" * 20,
    "9" * 4_400,
    "១",
    "x",
    "x" * 200,
    "hub/0",
    "hub/" + "9" * 40,
    "=",
    "AAAA",
)


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("roots")
    (folder / "test.pub").write_text(bytes(CENTRE.pack_key.verify_key).hex())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALA_ROOTS", str(folder))
        yield folder


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return Repo(tmp_path_factory.mktemp("published"), NOW).publish(trust__issuers=b"issuers")


@pytest.fixture(scope="module")
def laptop(roots: Path, repo: Repo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unlocked]:
    """One laptop for all: what is refused leaves it as it was, and what is taken is as good as anything."""
    place = tmp_path_factory.mktemp("laptop")
    file = place / "office.salapack"
    facts = {**OFFICE, "release": bytes(RELEASE.verify_key).hex()}
    file.write_bytes(pack.build(CENTRE.pack(tuf_root=repo.root(), office=facts), CENTRE.pack_key))
    made = enrol.setup(
        place / "home", file, officer_name="សុខ ដារ៉ា", passphrase=PASSPHRASE, clock=SetClock(NOW), cost=keys.CHEAP
    )
    yield made
    made.lock()


def looked_at(laptop: Unlocked) -> None:
    """What a person or a run looks at afterwards."""

    def read(conn: Connection) -> None:
        leases.active(conn, "link-codes", NOW)
        leases.running_out(conn, NOW)
        publications.freshness(conn, NOW)
        colleagues.present(conn)
        couriers.hops(conn)
        witnesses.known(conn)
        pins.known(conn, NOW)
        updates.offered(conn)
        updates.refused(conn)
        enrol.certificate(conn)
        enrol.request(conn)

    laptop.store.read(read)


# --- the office pack

FACTS = {**OFFICE, "release": bytes(RELEASE.verify_key).hex()}
FIELDS: dict[str, Any] = cbor.decode(
    cose.parse(pack.build(CENTRE.pack(code="", office=FACTS), CENTRE.pack_key), pack.CONTENT_TYPE, 1 << 20).payload
)


def signed_pack(payload: bytes) -> bytes:
    key_id = device_id(bytes(CENTRE.pack_key.verify_key))
    return cose.sign(CENTRE.pack_key, payload, content_type=pack.CONTENT_TYPE, key_id=key_id, aad=pack.AAD)


ODD_NUMBERS: tuple[Any, ...] = ([1], -1, 1 << 53, 1 << 63, (1 << 64) - 1, "1", b"1", None, True, 0.5, {"n": 1})


@pytest.mark.parametrize("wrong", ODD_NUMBERS)
@pytest.mark.parametrize("field", ["number", "made_ms", "code_not_after_ms", "first", "size", "not_after_ms"])
def test_a_number_that_is_none_makes_no_pack(laptop: Unlocked, tmp_path: Path, field: str, wrong: Any) -> None:
    lease = {"id": bytes(16), "resource": "link-codes", "content": {"first": 1}, "size": 10, "not_after_ms": NOW}
    if field in FIELDS:
        changed = {**FIELDS, field: wrong}
    elif field == "first" and wrong in ("1", b"1"):
        return  # a word or a key: the module that takes the numbers judges it
    else:
        changed = {**lease, **({"content": {"first": wrong}} if field == "first" else {field: wrong})}
        changed = {**FIELDS, "leases": [list(changed.values())]}
    file = tmp_path / "office.salapack"
    file.write_bytes(signed_pack(cbor.encode(changed)))
    before = laptop.store.read(everything)
    with pytest.raises(Refused, match="SY-331"):
        enrol.renew(laptop, file)
    assert laptop.store.read(everything) == before
    with pytest.raises(Refused, match="SY-331"):
        enrol.setup(tmp_path / "home", file, officer_name="x", passphrase=PASSPHRASE, clock=SetClock(NOW))
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"office": {**OFFICE, "code": "03-06"}}, {"office": {**OFFICE, "release": b"key"}}, {"office": {**OFFICE, "more": {"a": [1]}}},
        {"hub_urls": ["ftp://hub"]}, {"hub_urls": ["http://[::1"]}, {"hub_urls": ["http://hub:0"]}, {"hub_urls": ["http://h\u17d2b"]},
        {"hub_urls": ["http://a b"]}, {"hub_urls": ["http://hub:99999"]}, {"hub_urls": ["http://hub"] * 17}, {"log_name": "a b"},
        {"log_name": ""}, {"agency_seal": bytes(32)}, {"recovery_seal": bytes(32)}, {"code": "ក"}, {"code": "0" * 200},
        {"officers": [{"name": 1}]}, {"publications": {"devices/03.cbor": b"\xa0"}}, {"publications": {"ref/couriers.cbor": b"x"}},
    ],
)  # fmt: skip
def test_facts_that_nothing_could_be_done_with_make_no_pack(laptop: Unlocked, tmp_path: Path, wrong: Any) -> None:
    file = tmp_path / "office.salapack"
    file.write_bytes(signed_pack(cbor.encode({**FIELDS, **wrong})))
    before = laptop.store.read(everything)
    with pytest.raises(Refused, match="SY-331"):
        enrol.renew(laptop, file)
    assert laptop.store.read(everything) == before


def test_a_signed_pack_of_any_form_is_taken_whole_or_refused(laptop: Unlocked, repo: Repo, tmp_path: Path) -> None:
    file, sound = tmp_path / "office.salapack", cbor.encode({**FIELDS, "tuf_root": repo.root()})

    def renew(payload: bytes) -> None:
        file.write_bytes(signed_pack(payload))
        enrol.renew(laptop, file)

    @EXAMPLES
    @given(misshapen(sound))
    def check(payload: bytes) -> None:
        before = laptop.store.read(everything)
        try:
            renew(payload)
        except SalaError:
            assert laptop.store.read(everything) == before
        else:
            looked_at(laptop)
            renew(sound)

    check()


# --- publications


def release(payload: bytes) -> bytes:
    signer = device_id(bytes(RELEASE.verify_key))
    return cose.sign(RELEASE, payload, content_type=updates.CONTENT_TYPE, key_id=signer, aad=updates.AAD)


def published(laptop: Unlocked) -> dict[str, tuple[bytes, Callable[[bytes], bytes]]]:
    """Of each target that replication reads: what is in it, and how that is packed."""
    own, seal = laptop.device.device_id.hex(), SealedBox(PublicKey(bytes(laptop.device.seal.public_key)))
    grants = [
        LeaseGrant(b"l" * 16, "link-codes", {"key": b"k" * 32, "from": 1, "to": 100, "prefix": "b"}, 100, NOW * 2)
    ]
    notices = [Notice(7, b"o" * 32, "sync.review", {"decision": "accept", "reason": "ល្អ"})]
    revoked = {"revocations": 1, "devices": [], "revoked": [[b"d" * 16, 3, NOW]]}
    piece = [1000, bytes(32)]
    index = {1: 1, 2: "9.9.9", 3: updates.here(), 4: NOW, 5: 1000, 6: bytes(32), 7: [piece]}
    return {
        f"leases/{own}.cbor": (wire.encode_grants(grants), bytes),
        f"inbox/{own}.cbor": (wire.encode_notices(notices), seal.encrypt),
        "devices/03.cbor": (cbor.encode(revoked), bytes),
        couriers.TARGET: (couriers.encode([("hub", BOX)]), bytes),
        certifiers.TARGET: (certifiers.encode([("03", bytes(WITNESS.verify_key))]), bytes),
        witnesses.TARGET: (cbor.encode([["pursat", "15", bytes(WITNESS.verify_key)]]), bytes),
        pins.NAME: (_pins(), bytes),
        f"app/9.9.9/{updates.here()}/index.cbor": (cbor.encode(index), release),
    }


def test_a_signed_publication_of_any_form_is_taken_or_told(laptop: Unlocked, repo: Repo) -> None:
    sound = published(laptop)
    repo.targets |= {name: wrap(payload) for name, (payload, wrap) in sound.items()}
    repo.publish()
    assert set(refreshing.refresh(laptop, Folder(repo.folder)).taken) >= set(sound)
    assert [hop for hop, _ in laptop.store.read(couriers.hops)] == ["hub"]
    offered = laptop.store.read(updates.offered)
    assert offered is not None and offered.version == "9.9.9"

    @EXAMPLES
    @given(st.data())
    def check(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(sound)))
        payload, wrap = sound[name]
        try:
            repo.publish(**{name.replace("/", "__"): wrap(data.draw(misshapen(payload)))})
            before = laptop.store.read(everything)
            found = refreshing.refresh(laptop, Folder(repo.folder))
            after = laptop.store.read(everything)
            looked_at(laptop)
        finally:
            repo.publish(**{name.replace("/", "__"): wrap(payload)})
            refreshing.refresh(laptop, Folder(repo.folder))
        assert (found.code, set(found.refused) <= {name}, set(found.refused.values()) <= {"SY-310"}) == ("", True, True)
        if found.refused:
            assert {table for table in after if after[table] != before[table]} <= {"trust", "mark"}

    check()


def test_metadata_whose_number_no_database_holds_is_refused(laptop: Unlocked, repo: Repo, tmp_path: Path) -> None:
    refreshing.refresh(laptop, Folder(repo.folder))
    later = Repo(tmp_path / "later", NOW, version=1 << 60, root_version=repo.root_version, signers=repo.signers)
    later._write("metadata/1.root.json", repo.root())
    later.publish(trust__issuers=b"other")
    before = laptop.store.read(everything)
    assert refreshing.refresh(laptop, Folder(later.folder)).code == "SY-343"
    assert laptop.store.read(everything) == before


def test_a_role_is_named_by_a_word_and_holds_keys_of_our_kind(laptop: Unlocked) -> None:
    from securesystemslib.signer import SSlibKey
    from tuf.api.metadata import DelegatedRole, Delegations, Key, Snapshot, Targets

    good, other = CryptoSigner.generate_ed25519().public_key, CryptoSigner.generate_rsa().public_key
    broken = [SSlibKey(text * 32, "ed25519", "ed25519", {"public": text}) for text in ("zz", "00")]
    said: dict[str, Key] = {key.keyid: key for key in (good, other, *broken)}
    role = DelegatedRole("province-03", [*said, "f" * 64], 1, terminating=False, paths=["devices/*"])
    top = json.dumps({"signed": Targets(delegations=Delegations(said, {"province-03": role})).to_dict()}).encode()

    def named(conn: Connection) -> list[bytes]:
        kept = publications.naming(conn)
        conn.execute("UPDATE trust SET bytes = ? WHERE role = 'targets'", (top,))
        found = publications.keys_of(conn, "province-03")
        conn.execute("UPDATE trust SET bytes = ? WHERE role = 'targets'", (kept,))
        return found

    assert laptop.store.write(named) == [bytes.fromhex(good.keyval["public"])]
    strange = DelegatedRole("x/" * 200, [good.keyid], 1, terminating=False, paths=["devices/*"])
    listed = Targets(delegations=Delegations({good.keyid: good}, {strange.name: strange}))
    assert delegations.load(None, listed, Snapshot(), {}, "03").refused == {strange.name[:60]: "SY-343"}  # type: ignore[arg-type]
