"""A newer program: only the release key's, only newer, in pieces that survive anything, and nothing of the profile is touched."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from sync import publications, updates
from sync.clock import SetClock
from sync.errors import Known, Refused
from sync.keys import Unlocked
from sync.refreshing import Folder
from sync.store import Connection
from sync.updates import Release
from tests.faults import children
from tests.sync.conftest import NOW

KEY, OTHER = SigningKey(b"r" * 32), SigningKey(b"o" * 32)
PLATFORM = updates.here()
ROOT = Path(__file__).parents[2]


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.code


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A packaged folder with a program that says who it is."""
    folder = tmp_path / "source" / "sala"
    (folder / "_internal").mkdir(parents=True)
    start = folder / "sala"
    start.write_text("#!/bin/sh\necho 9.9.9 $@\n", "ascii")
    start.chmod(0o755)
    (folder / "_internal" / "big").write_bytes(os.urandom(updates.PIECE + 5))
    (folder / "_internal" / "ទិន្នន័យ.txt").write_text("ក", "utf-8")
    return folder


@pytest.fixture
def built(program: Path, tmp_path: Path) -> Path:
    updates.build(program, "9.9.9", PLATFORM, KEY, tmp_path / "built", NOW)
    return tmp_path / "built"


@pytest.fixture
def laptop(new_laptop: Callable[..., Unlocked]) -> Unlocked:
    """A laptop whose office pack named the release key."""
    made = new_laptop(1)
    facts = f'{{"code": "0306", "release": "{bytes(KEY.verify_key).hex()}"}}'
    made.store.write(lambda conn: conn.execute("UPDATE office SET facts = ?", (facts,)))
    return made


def publish(built: Path, tmp_path: Path) -> Path:
    """The pieces where a folder of publications has them."""
    release = updates.read((built / "index.cbor").read_bytes(), bytes(KEY.verify_key))
    folder = tmp_path / "published"
    for number in range(len(release.pieces)):
        place = folder / release.piece_name(number)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((built / f"part-{number:03}").read_bytes())
    return folder


def offer(laptop: Unlocked, built: Path, name: str = "app/9.9.9/x/index.cbor") -> Release | None:
    data = (built / "index.cbor").read_bytes()
    laptop.store.write(lambda conn: publications.keep(conn, name, data, 1, NOW))
    return laptop.store.read(updates.offered)


def offered(laptop: Unlocked, built: Path) -> Release:
    found = offer(laptop, built)
    assert found is not None
    return found


def test_the_same_folder_gives_the_same_bytes(program: Path, built: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    updates.build(program, "9.9.9", PLATFORM, KEY, again, NOW)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in built.iterdir()
    }
    assert len(list(built.glob("part-*"))) == 2


def test_it_is_offered_fetched_unpacked_and_started(laptop: Unlocked, built: Path, tmp_path: Path) -> None:
    release = offered(laptop, built)
    assert (release.version, updates.missing(laptop.home, release)) == ("9.9.9", release.size)
    served = publish(built, tmp_path)
    steps: list[tuple[str, int, int]] = []
    assert updates.fetch(laptop.home, Folder(served), release, progress=lambda *step: steps.append(step))
    assert steps == [("update", 0, 2), ("update", 1, 2)] and updates.missing(laptop.home, release) == 0
    here = tmp_path / "opt" / "sala"
    here.mkdir(parents=True)
    (here / "sala").write_text("#!/bin/sh\necho old\n", "ascii")
    assert updates.successor(here / "sala") is None
    target = updates.install(laptop.home, release, here)
    assert target == here.with_name("sala-9.9.9") and (target / "_internal" / "ទិន្នន័យ.txt").read_text("utf-8") == "ក"
    found = updates.successor(here / "sala")
    assert found == target / "sala"
    said = subprocess.run([str(found), "now"], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "9.9.9 now"
    assert updates.install(laptop.home, release, here) == target, "again changes nothing"
    assert updates.successor(here / "sala", version="9.9.9") is None, "the newer one does not hand over to itself"


def test_only_the_release_key_signs_programs(laptop: Unlocked, program: Path, tmp_path: Path) -> None:
    forged = tmp_path / "forged"
    updates.build(program, "9.9.9", PLATFORM, OTHER, forged, NOW)
    assert offer(laptop, forged) is None
    assert laptop.store.read(updates.refused) == ["app/9.9.9/x/index.cbor"]
    laptop.store.write(lambda conn: conn.execute('UPDATE office SET facts = \'{"release": "zz"}\''))
    assert laptop.store.read(updates.offered) is None, "a pack without a release key: nothing is offered"


@pytest.mark.parametrize("harm", ["truncated", "altered", "empty"])
def test_a_damaged_index_is_none(laptop: Unlocked, built: Path, harm: str) -> None:
    data = (built / "index.cbor").read_bytes()
    bad = {"truncated": data[:-5], "altered": data[:60] + bytes([data[60] ^ 1]) + data[61:], "empty": b""}[harm]
    (built / "index.cbor").write_bytes(bad)
    assert offer(laptop, built) is None


def test_an_older_or_another_platforms_program_is_not_offered(laptop: Unlocked, program: Path, tmp_path: Path) -> None:
    for version, platform in (("0.0.9", PLATFORM), ("0.1.0", PLATFORM), ("9.9.9", "other-cpu")):
        place = tmp_path / f"{version}-{platform}"
        updates.build(program, version, platform, KEY, place, NOW)
        assert offer(laptop, place, f"app/{version}/{platform}/index.cbor") is None
    assert laptop.store.read(updates.refused) == []


def test_a_downgrade_is_refused_at_every_door(laptop: Unlocked, built: Path, tmp_path: Path) -> None:
    release = offered(laptop, built)
    updates.fetch(laptop.home, Folder(publish(built, tmp_path)), release)
    here = tmp_path / "sala"
    here.mkdir()
    (here / "sala").write_bytes(b"x")
    assert refused(lambda: updates.install(laptop.home, release, here, version="9.9.9")) == "SY-466"
    assert refused(lambda: updates.install(laptop.home, release, here, version="10.0")) == "SY-466"
    assert not here.with_name("sala.next").exists()
    updates.install(laptop.home, release, here)
    assert updates.successor(here / "sala", version="10.0.0") is None
    for text in ("{", '{"version": "../../etc"}', '{"version": 5}', '{"version": "9.9.8"}', "[]"):
        here.with_name("sala.next").write_text(text, "ascii")
        assert updates.successor(here / "sala") is None


def test_pieces_are_verified_and_fetched_once(laptop: Unlocked, built: Path, tmp_path: Path) -> None:
    release, served = offered(laptop, built), publish(built, tmp_path)
    second = served / release.piece_name(1)
    good = second.read_bytes()
    for bad in (b"", good[:-1], good + b"x", bytes(len(good))):
        second.write_bytes(bad)
        assert refused(lambda: updates.fetch(laptop.home, Folder(served), release)) == "SY-467"
    assert updates.missing(laptop.home, release) == len(good), "the first one is kept"
    second.unlink()
    assert refused(lambda: updates.fetch(laptop.home, Folder(served), release)) == "SY-467"
    assert refused(lambda: updates.install(laptop.home, release, tmp_path / "sala")) == "SY-467"
    (served / release.piece_name(0)).unlink()
    second.write_bytes(good)
    assert not updates.fetch(laptop.home, Folder(served), release, cancel=lambda: True)
    assert updates.fetch(laptop.home, Folder(served), release)
    place = next((laptop.home / updates.FOLDER).iterdir()) / "000"
    place.write_bytes(b"rotten")
    assert refused(lambda: updates.install(laptop.home, release, tmp_path / "sala")) == "SY-467"


@pytest.mark.parametrize("name", ["../outside", "/abs", "a/../../b", "c:evil", "back\\slash"])
def test_an_archive_that_points_elsewhere_is_refused(
    laptop: Unlocked, program: Path, tmp_path: Path, name: str
) -> None:
    """Even when the release key signed it."""
    archive = tmp_path / "evil.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(name, b"x")
    with pytest.raises(Refused, match="SY-467"):
        updates._unpack(archive, tmp_path / "target")
    assert not (tmp_path / "outside").exists()
    archive.write_bytes(b"no zip")
    with pytest.raises(Refused, match="SY-467"):
        updates._unpack(archive, tmp_path / "target")


def test_what_cannot_be_a_release_is_not_built(program: Path, tmp_path: Path) -> None:
    for version, platform in (("1", "linux-x"), ("one.two", "linux-x"), ("1.0", "LINUX!"), ("1.0; rm", "linux-x")):
        assert refused(lambda v=version, p=platform: updates.build(program, v, p, KEY, tmp_path / "o", NOW)) == "SY-465"
    (program / "link").symlink_to("/etc/passwd")
    assert refused(lambda: updates.build(program, "1.0", "linux-x", KEY, tmp_path / "o", NOW)) == "SY-465"


def test_a_place_that_cannot_be_written_is_told(laptop: Unlocked, built: Path, tmp_path: Path) -> None:
    release = offered(laptop, built)
    updates.fetch(laptop.home, Folder(publish(built, tmp_path)), release)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Known, match="SY-371"):
        updates.install(laptop.home, release, tmp_path / "file" / "sala")


@pytest.mark.parametrize("point", ["update:piece:1", "update:piece:2", "update:unpacked:1"])
def test_killed_anywhere_it_is_taken_up_again(laptop: Unlocked, built: Path, tmp_path: Path, point: str) -> None:
    release, served = offered(laptop, built), publish(built, tmp_path)
    here = tmp_path / "opt" / "sala"
    here.mkdir(parents=True)
    (here / "sala").write_bytes(b"x")
    script = (
        "from pathlib import Path; from sync import updates; from sync.refreshing import Folder\n"
        f"index = Path({str(built / 'index.cbor')!r}).read_bytes(); one = updates.read(index, {bytes(KEY.verify_key)!r})\n"
        f"home = Path({str(laptop.home)!r}); updates.fetch(home, Folder(Path({str(served)!r})), one)\n"
        f"updates.install(home, one, Path({str(here)!r}))"
    )
    done = children.script(script, SALA_FAILPOINT=point)
    assert done.returncode == -9, "the point was reached"
    assert updates.successor(here / "sala") is None, "half an update is none"
    updates.fetch(laptop.home, Folder(served), release)
    updates.install(laptop.home, release, here)
    assert updates.successor(here / "sala") is not None


def test_s22_what_waits_is_the_same_bytes_before_and_after(
    laptop: Unlocked, built: Path, tmp_path: Path, clock: SetClock
) -> None:
    from sync import cutting, drafts, ops
    from sync.version import VERSION

    unlocked = laptop

    def work(conn: Connection) -> None:
        for n in range(300):
            ops.append(
                conn, unlocked, clock, kind="links.created", record=f"{n:032x}", form="links", def_hash=None,
                body={"n": n, "text": os.urandom(200).hex()}, sealed=False,
            )  # fmt: skip
        for n in range(20):
            drafts.save(conn, unlocked.officer.id, unlocked.draft_key, f"{n:032x}", "forms/x", "t", {"n": n}, NOW)

    laptop.store.write(work)
    while cutting.cut(laptop, VERSION, target=8_192) is not None:
        pass

    def outbox() -> tuple[str, int, int]:
        def read(conn: Connection) -> tuple[str, int, int]:
            batches = [row["bytes"] for row in conn.execute("SELECT bytes FROM batch ORDER BY first_seq")]
            made = [row["bytes"] for row in conn.execute("SELECT bytes FROM op ORDER BY seq")]
            kept = [row["body"] for row in conn.execute("SELECT body FROM draft ORDER BY id")]
            return sha256(b"".join([*batches, *made, *kept])).hexdigest(), len(batches), len(kept)

        return laptop.store.read(read)

    before = outbox()
    assert before[1] > 1 and before[2] == 20
    release = offered(laptop, built)
    updates.fetch(laptop.home, Folder(publish(built, tmp_path)), release)
    updates.install(laptop.home, release, tmp_path / "sala")
    assert outbox() == before


def test_hand_over_is_for_packaged_programs_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    updates.hand_over()
    went: list[list[str]] = []
    here = tmp_path / "sala"
    here.mkdir()
    (here / "sala").write_bytes(b"x")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(here / "sala"))
    monkeypatch.setattr(sys, "argv", ["sala", "--day"])
    monkeypatch.setattr(os, "execv", lambda _path, arguments: went.append(arguments))
    updates.hand_over()
    assert went == []
    newer = tmp_path / "sala-9.9.9"
    newer.mkdir()
    (newer / "sala").write_bytes(b"y")
    (tmp_path / "sala.next").write_text('{"version": "9.9.9"}', "ascii")
    updates.hand_over()
    assert went == [[str(newer / "sala"), "--day"]]


def test_an_archive_that_is_another_than_was_signed_is_refused(laptop: Unlocked, built: Path, tmp_path: Path) -> None:
    """Pieces that are right and a whole that is not: the index lied about the order or the sum."""
    release = offered(laptop, built)
    updates.fetch(laptop.home, Folder(publish(built, tmp_path)), release)
    lied = Release(release.version, release.platform, release.made_ms, release.size, bytes(32), release.pieces)
    assert refused(lambda: updates.install(laptop.home, lied, tmp_path / "sala")) == "SY-467"
    swollen = tmp_path / "many.zip"
    with zipfile.ZipFile(swollen, "w") as packed:
        packed.writestr("a", b"x")
    monkey = updates._MOST_FILES
    try:
        updates._MOST_FILES = 0  # type: ignore[misc]
        with pytest.raises(Refused, match="SY-467"):
            updates._unpack(swollen, tmp_path / "target")
    finally:
        updates._MOST_FILES = monkey  # type: ignore[misc]


def test_on_windows_the_successor_is_run_and_its_answer_given_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here, newer = tmp_path / "sala", tmp_path / "sala-9.9.9"
    for folder in (here, newer):
        folder.mkdir()
        (folder / "sala").write_text("#!/bin/sh\nexit 7\n", "ascii")
        (folder / "sala").chmod(0o755)
    (tmp_path / "sala.next").write_text('{"version": "9.9.9"}', "ascii")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(here / "sala"))
    monkeypatch.setattr(sys, "argv", ["sala"])
    monkeypatch.setattr(updates.sys, "platform", "win32")
    with pytest.raises(SystemExit) as ended:
        updates.hand_over()
    assert ended.value.code == 7


def test_an_index_that_counts_wrong_is_none() -> None:
    from sync import cbor, cose
    from sync.batch import device_id

    def index(**changes: object) -> bytes:
        values: dict[int, object] = {1: 1, 2: "9.9.9", 3: "x-y", 4: 1, 5: 10, 6: bytes(32), 7: [[10, bytes(32)]]}
        values |= {int(name[1:]): value for name, value in changes.items()}
        signer = device_id(bytes(KEY.verify_key))
        return cose.sign(KEY, cbor.encode(values), content_type=updates.CONTENT_TYPE, key_id=signer, aad=updates.AAD)

    assert updates.read(index(), bytes(KEY.verify_key)).size == 10
    for changes in (
        {"_5": 11}, {"_5": 0}, {"_2": "v9"}, {"_3": "X Y"}, {"_7": []}, {"_7": [[10, b"x"]]}, {"_7": [5]}, {"_7": [["a", "b"]]},
        {"_8": 1}, {"_7": [[updates.PIECE + 1, bytes(32)]], "_5": updates.PIECE + 1},
    ):  # fmt: skip
        assert refused(lambda changes=changes: updates.read(index(**changes), bytes(KEY.verify_key))) == "SY-465"
