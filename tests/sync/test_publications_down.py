"""Publications: only what the centre has signed, never an older state, and an expired word blocks nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nacl.public import PublicKey, SealedBox
from securesystemslib.signer import CryptoSigner

from sync import cbor, inbox, keys, leases, marks, publications, refreshing, wire, withdrawal
from sync.clock import SetClock
from sync.errors import Known
from sync.keys import Unlocked
from sync.refreshing import Folder
from sync.wire import LeaseGrant, Notice
from tests.sync.conftest import NOW, PASSPHRASE, Centre
from tests.sync.tuf_repo import Repo

DAY = 86_400_000


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "published", NOW).publish(trust__issuers=b"issuers 1")


@pytest.fixture
def laptop(new_laptop: Callable[..., Unlocked], repo: Repo) -> Unlocked:
    return new_laptop(1, tuf_root=repo.root())


def refresh(laptop: Unlocked, repo: Repo) -> refreshing.Refreshed:
    return refreshing.refresh(laptop, Folder(repo.folder))


def get(laptop: Unlocked, name: str) -> bytes | None:
    return laptop.store.read(lambda conn: publications.get(conn, name))


def test_what_is_published_arrives_once(laptop: Unlocked, repo: Repo) -> None:
    assert refresh(laptop, repo).taken == ["trust/issuers"]
    assert get(laptop, "trust/issuers") == b"issuers 1"
    assert refresh(laptop, repo).taken == []
    repo.publish(trust__issuers=b"issuers 2", forms__a=b"form")
    seen: list[tuple[str, int, int]] = []
    found = refreshing.refresh(laptop, Folder(repo.folder), progress=lambda *step: seen.append(step))
    assert found.taken == ["forms/a", "trust/issuers"]
    assert seen == [("publications", 0, 2), ("publications", 1, 2)]
    assert get(laptop, "trust/issuers") == b"issuers 2"


def test_a_stopped_refresh_is_taken_up_again(laptop: Unlocked, repo: Repo) -> None:
    repo.publish(forms__a=b"a", forms__b=b"b")
    answers = iter([False, True])
    assert len(refreshing.refresh(laptop, Folder(repo.folder), cancel=lambda: next(answers)).taken) == 1
    assert len(refresh(laptop, repo).taken) == 2


def test_what_is_large_waits_for_a_later_look(laptop: Unlocked, repo: Repo) -> None:
    repo.publish(forms__a=b"a", ref__map=b"m" * 5_000)
    first = refreshing.refresh(laptop, Folder(repo.folder), largest=1_000)
    assert (first.taken, first.left, first.code) == (["forms/a", "trust/issuers"], ["ref/map"], "")
    later = refresh(laptop, repo)
    assert (later.taken, later.left) == (["ref/map"], [])


def test_an_older_copy_rolls_nothing_back(laptop: Unlocked, repo: Repo, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(repo.folder, old)
    repo.publish(trust__issuers=b"issuers 2")
    refresh(laptop, repo)
    found = refreshing.refresh(laptop, Folder(old))
    assert (found.taken, found.code) == ([], "SY-341")
    assert get(laptop, "trust/issuers") == b"issuers 2"


def test_a_forger_is_refused(laptop: Unlocked, repo: Repo, tmp_path: Path) -> None:
    forger = Repo(tmp_path / "forged", NOW, version=5, root_version=1)
    forger._write("metadata/1.root.json", repo.root())
    forger.publish(trust__issuers=b"forged")
    assert refresh(laptop, forger).code == "SY-343"
    assert get(laptop, "trust/issuers") is None


def test_a_changed_target_is_refused_and_the_others_arrive(laptop: Unlocked, repo: Repo) -> None:
    repo.publish(forms__a=b"form a", forms__b=b"form b", forms__c=b"form c")
    repo.place("forms/a").write_bytes(b"form X")
    repo.place("forms/b").unlink()
    found = refresh(laptop, repo)
    assert found.refused == {"forms/a": "SY-343", "forms/b": "SY-341"}
    assert sorted(found.taken) == ["forms/c", "trust/issuers"]
    repo.place("forms/a").write_bytes(b"form a")
    assert refresh(laptop, repo).taken == ["forms/a"]


def test_expired_metadata_takes_nothing_and_keeps_everything(laptop: Unlocked, repo: Repo, clock: SetClock) -> None:
    refresh(laptop, repo)
    repo.publish(trust__issuers=b"issuers 2")
    clock.advance(8 * DAY)
    assert refresh(laptop, repo).code == "SY-342"
    assert get(laptop, "trust/issuers") == b"issuers 1"
    fresh = laptop.store.read(lambda conn: publications.freshness(conn, clock.wall_ms()))
    assert (fresh.checked_ms, fresh.expired) == (NOW, True)
    repo.now_ms = clock.wall_ms()
    repo.publish(trust__issuers=b"issuers 3")
    assert refresh(laptop, repo).taken == ["trust/issuers"]
    assert not laptop.store.read(lambda conn: publications.freshness(conn, clock.wall_ms())).expired


def test_setting_the_clock_back_revives_nothing(laptop: Unlocked, repo: Repo, clock: SetClock) -> None:
    laptop.store.write(lambda conn: marks.raise_floor(conn, marks.HUB_TIME, NOW + 8 * DAY))
    assert refresh(laptop, repo).code == "SY-342"
    assert laptop.store.read(lambda conn: publications.freshness(conn, NOW)).expired


def test_keys_rotate_through_the_root(laptop: Unlocked, repo: Repo) -> None:
    refresh(laptop, repo)
    repo.rotate_root(root=CryptoSigner.generate_ed25519(), timestamp=CryptoSigner.generate_ed25519())
    repo.rotate_root(root=CryptoSigner.generate_ed25519())
    repo.publish(trust__issuers=b"issuers 2")
    assert refresh(laptop, repo).taken == ["trust/issuers"]
    roots = laptop.store.read(
        lambda conn: conn.execute("SELECT role FROM trust WHERE role LIKE 'root/%' ORDER BY role").fetchall()
    )
    assert [row["role"] for row in roots] == ["root/1", "root/2", "root/3"]
    repo.signers["timestamp"] = CryptoSigner.generate_ed25519()
    repo.publish(trust__issuers=b"signed by a key that is not in the root")
    assert refresh(laptop, repo).code == "SY-343"


def test_nothing_there_is_no_fault(
    laptop: Unlocked, tmp_path: Path, new_laptop: Callable[..., Unlocked], repo: Repo
) -> None:
    assert refreshing.refresh(laptop, Folder(tmp_path / "nowhere")).code == "SY-341"
    assert refreshing.refresh(new_laptop(2), Folder(repo.folder)).code == "SY-341"  # a pack without a root
    assert not laptop.store.read(lambda conn: publications.freshness(conn, 0)).checked_ms


def test_a_line_that_breaks_is_told(laptop: Unlocked) -> None:
    class Broken:
        def read(self, path: str) -> Iterator[bytes]:
            raise Known("SY-350")
            yield b""

    with pytest.raises(Known, match="SY-350"):
        refreshing.refresh(laptop, Broken())


def test_other_devices_leases_and_programs_stay_away(laptop: Unlocked, repo: Repo) -> None:
    own = f"leases/{laptop.device.device_id.hex()}.cbor"
    repo.publish(
        **{
            "leases__0000.cbor": b"x",
            "inbox__0000.cbor": b"x",
            "app__1.0": b"x",
            own.replace("/", "__"): wire.encode_grants([]),
        }
    )
    assert refresh(laptop, repo).taken == [own, "trust/issuers"]


def test_leases_come_by_a_delegated_role(laptop: Unlocked, repo: Repo, clock: SetClock) -> None:
    own = f"leases/{laptop.device.device_id.hex()}.cbor"
    grant = LeaseGrant(b"l" * 16, "link-codes", {"key": b"\1\2", "from": 500}, 100, NOW + 90 * DAY)
    repo.delegated = {own: wire.encode_grants([grant]), "trust/issuers": b"not its own"}
    repo.publish()
    assert refresh(laptop, repo).taken == [own, "trust/issuers"]
    assert get(laptop, "trust/issuers") == b"issuers 1"
    found = laptop.store.read(lambda conn: leases.active(conn, "link-codes", clock.wall_ms()))
    assert found[-1].content == {"key": "0102", "from": 500}
    repo.publish(forms__a=b"form")
    path = repo.folder / "metadata" / f"{repo.version}.leases.json"
    path.write_bytes(path.read_bytes().replace(b'"length":', b'"length":1'))
    forged = refresh(laptop, repo)
    assert (forged.code, forged.refused, forged.taken) == ("", {"leases": "SY-343"}, ["forms/a"])


def test_decisions_arrive_sealed_and_in_order(laptop: Unlocked, repo: Repo, centre: Centre) -> None:
    own = f"inbox/{laptop.device.device_id.hex()}.cbor"
    notices = [
        Notice(7, b"o" * 32, "sync.review", {"state": "accepted"}),
        Notice(9, bytes(32), "sync.review", {"state": "sent back"}),
    ]
    sealed = SealedBox(PublicKey(bytes(laptop.device.seal.public_key))).encrypt(wire.encode_notices(notices))
    repo.publish(**{own.replace("/", "__"): sealed})
    refresh(laptop, repo)
    waiting = laptop.store.read(inbox.waiting)
    assert [(item["seq"], item["body"]["state"], item["record"]) for item in waiting] == [
        (7, "accepted", None),
        (9, "sent back", None),
    ]
    laptop.store.write(lambda conn: inbox.applied(conn, 7, NOW))
    assert [item["seq"] for item in laptop.store.read(inbox.waiting)] == [9]
    assert laptop.store.write(lambda conn: inbox.receive(conn, notices, NOW)) == 0
    repo.publish(**{own.replace("/", "__"): SealedBox(centre.agency.public_key).encrypt(b"for somebody else")})
    assert refresh(laptop, repo).refused == {own: "SY-344"}


def test_wrong_leases_are_told_and_block_nothing(laptop: Unlocked, repo: Repo) -> None:
    own = f"leases/{laptop.device.device_id.hex()}.cbor"
    repo.publish(**{own.replace("/", "__"): b"\xff"})
    found = refresh(laptop, repo)
    assert found.refused == {own: "SY-310"}
    assert "trust/issuers" in found.taken


class Counting(Folder):
    """A folder that remembers what was asked of it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []

    def read(self, path: str) -> Iterator[bytes]:
        self.asked.append(path)
        return super().read(path)


def test_a_delegated_role_is_read_once_a_version(laptop: Unlocked, repo: Repo) -> None:
    own = f"leases/{laptop.device.device_id.hex()}.cbor"
    repo.delegated = {own: wire.encode_grants([])}
    repo.publish()
    refresh(laptop, repo)
    again = Counting(repo.folder)
    assert refreshing.refresh(laptop, again).code == ""
    assert not [path for path in again.asked if "leases" in path]
    grant = LeaseGrant(b"l" * 16, "link-codes", {"from": 1}, 100, NOW + 90 * DAY)
    repo.delegated = {own: wire.encode_grants([grant])}
    repo.publish()
    later = Counting(repo.folder)
    assert refreshing.refresh(laptop, later).taken == [own]
    assert [path for path in later.asked if "leases.json" in path] == [f"metadata/{repo.version}.leases.json"]


def test_a_role_whose_target_was_damaged_is_read_again(laptop: Unlocked, repo: Repo) -> None:
    own = f"leases/{laptop.device.device_id.hex()}.cbor"
    repo.delegated = {own: wire.encode_grants([])}
    repo.publish()
    repo.place(own, repo.delegated[own]).write_bytes(b"X")
    assert refresh(laptop, repo).refused == {own: "SY-343"}
    repo.place(own, repo.delegated[own]).write_bytes(repo.delegated[own])
    assert refresh(laptop, repo).taken == [own]


def test_a_cached_role_is_verified_against_its_present_delegator(laptop: Unlocked, repo: Repo) -> None:
    """The key was taken from the role; metadata that it signed before, of the same version, counts no longer."""
    own = f"leases/{laptop.device.device_id.hex()}.cbor"
    repo.delegated = {own: wire.encode_grants([])}
    repo.publish()
    refresh(laptop, repo)
    signed = (repo.folder / "metadata" / f"{repo.version}.leases.json").read_bytes()
    repo.signers["leases"] = CryptoSigner.generate_ed25519()
    repo.publish()
    place = repo.folder / "metadata" / f"{repo.version}.leases.json"
    fresh = place.read_bytes()
    place.write_bytes(signed)
    assert refresh(laptop, repo).refused == {"leases": "SY-343"}
    place.write_bytes(fresh)
    assert refresh(laptop, repo).refused == {}


def test_a_role_signs_only_what_was_delegated_to_it(laptop: Unlocked, repo: Repo) -> None:
    repo.delegated = {"forms/moi/x/y.json": b"a form"}
    repo.publish()
    found = refresh(laptop, repo)
    assert found.refused == {"forms/moi/x/y.json": "SY-460"}
    assert get(laptop, "forms/moi/x/y.json") is None


def test_an_expired_role_only_stops_its_own_news(laptop: Unlocked, repo: Repo, clock: SetClock) -> None:
    own = f"leases/{laptop.device.device_id.hex()}.cbor"
    repo.delegated = {own: wire.encode_grants([])}
    repo.publish()
    refresh(laptop, repo)
    clock.advance(91 * DAY)
    stale = wire.encode_grants([LeaseGrant(b"l" * 16, "link-codes", {"from": 1}, 100, NOW + 200 * DAY)])
    repo.delegated = {own: stale}
    repo.publish(forms__a=b"form")  # everything is signed for 90 days from the old day
    leases_json = (repo.folder / "metadata" / f"{repo.version}.leases.json").read_bytes()
    repo.now_ms, repo.version = clock.wall_ms(), repo.version - 1
    repo.publish()
    (repo.folder / "metadata" / f"{repo.version}.leases.json").write_bytes(leases_json)
    found = refresh(laptop, repo)
    assert (found.code, found.refused, found.taken) == ("", {"leases": "SY-342"}, ["forms/a"])
    assert get(laptop, own) == wire.encode_grants([])


def test_long_expired_is_told_apart(laptop: Unlocked, repo: Repo, clock: SetClock) -> None:
    refresh(laptop, repo)
    states = []
    for days in (0, 8, 31):
        clock.advance(days * DAY)
        fresh = laptop.store.read(lambda conn: publications.freshness(conn, clock.wall_ms()))
        states.append((fresh.expired, fresh.long_expired))
    assert states == [(False, False), (True, False), (True, True)]


def test_a_role_that_is_not_to_be_had_is_told(laptop: Unlocked, repo: Repo) -> None:
    repo.delegated = {"leases/0000.cbor": b"x"}
    repo.publish(forms__a=b"form")
    (repo.folder / "metadata" / f"{repo.version}.leases.json").unlink()
    found = refresh(laptop, repo)
    assert (found.refused, found.taken) == ({"leases": "SY-341"}, ["forms/a", "trust/issuers"])


def test_roles_of_other_provinces_and_roles_that_signed_nothing_are_not_asked_for(laptop: Unlocked, repo: Repo) -> None:
    """A laptop on a slow line reads what is about it."""
    from sync import delegations

    repo.delegated = {"devices/04.cbor": b"x"}
    repo.publish()
    top, snapshot = (
        (repo.folder / "metadata" / f"{repo.version}.{role}.json").read_bytes() for role in ("targets", "snapshot")
    )

    class Nobody:
        def _load_targets(self, role: str, parent: str) -> None:
            raise AssertionError(role)

    from tuf.api.metadata import Metadata

    said, listed = Metadata.from_bytes(top).signed, Metadata.from_bytes(snapshot).signed
    (role,) = said.delegations.roles.values()
    role.name = "province-04"
    listed.meta["province-04.json"] = listed.meta["leases.json"]
    assert delegations.load(Nobody(), said, listed, {}, "03").read == {}  # type: ignore[arg-type]
    role.name = "forms-moi"  # delegated, and nothing signed yet
    assert delegations.load(Nobody(), said, listed, {}, "03").read == {}  # type: ignore[arg-type]


def test_the_list_of_the_province_withdraws_a_laptop(laptop: Unlocked, repo: Repo) -> None:
    listed = {"revocations": 1, "devices": [], "revoked": [[laptop.device.device_id, 3, NOW]]}
    repo.publish(**{"devices__03.cbor": cbor.encode(listed)})
    refresh(laptop, repo)
    assert laptop.store.read(withdrawal.told)


def test_a_laptop_that_may_not_be_written_to_takes_nothing_and_says_so(laptop: Unlocked, repo: Repo) -> None:
    home, officer, clock = laptop.home, laptop.officer.id, laptop.store.clock
    laptop.lock()
    looking = keys.unlock(home, officer, PASSPHRASE, clock, read_only=True)
    try:
        with pytest.raises(Known, match="SY-108"):
            refresh(looking, repo)
    finally:
        looking.lock()
