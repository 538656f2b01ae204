"""A relay keeps of the centre's publications only what the centre signed: a bit that flipped on the way is fetched again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nacl.signing import SigningKey
from tuf.api.metadata import Metadata, Role, Root

from sync import lockfile
from sync.cbor import Malformed
from sync.errors import Known
from sync.hub import exports, mirrored, parts
from sync.hub.centre import Centre
from sync.hub.keys import load_roots
from sync.hub.mirrored import TIMESTAMP, Published
from sync.transport import Answer
from tests.hub.test_hub_publish import put


class Way:
    """Publications out of a folder, over a line that flips one bit of the path ``hurt``."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.hurt = folder, ""

    def call(self, method: str, path: str, *, limit: int) -> Answer:
        place = self.folder / path.removeprefix("/v1/tuf/")
        if not place.exists():
            return Answer(404, b"")
        data = bytearray(place.read_bytes())
        if self.hurt and self.hurt in path:
            data[len(data) // 2] ^= 4
        return Answer(200, bytes(data[:limit]))


@pytest.fixture
def way(centre: Centre, tmp_path: Path) -> Way:
    put(centre, "forms/x.json", b"{}")
    centre.settle()
    exports.publications(centre, tmp_path / "published")
    return Way(tmp_path / "published")


def names(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("hurt", ["1.root.json", "timestamp.json", ".snapshot.json", ".targets.json", "x.json"])
def test_what_is_hurt_on_the_line_is_not_kept_and_comes_whole_the_next_time(
    way: Way, tmp_path: Path, hurt: str
) -> None:
    kept = Published(tmp_path / "relay")
    way.hurt = hurt
    with pytest.raises(Malformed):
        kept.refresh(way)  # type: ignore[arg-type]  # its one call is all that is needed
    assert kept.read(TIMESTAMP) is None, "nothing half is shown"
    way.hurt = ""
    assert kept.refresh(way) > 0  # type: ignore[arg-type]
    assert kept.refresh(way) == 0  # type: ignore[arg-type]
    assert names(tmp_path / "relay") == names(way.folder)
    for name in names(way.folder):
        assert (tmp_path / "relay" / name).read_bytes() == (way.folder / name).read_bytes()


def test_what_lies_here_hurt_is_fetched_again_with_the_next_publications(
    way: Way, centre: Centre, tmp_path: Path
) -> None:
    kept = Published(tmp_path / "relay")
    kept.refresh(way)  # type: ignore[arg-type]
    put(centre, "forms/x.json", b"{1}")
    centre.settle()
    exports.publications(centre, way.folder)
    newest = max(name for name in names(way.folder) if name.endswith(".targets.json"))
    (tmp_path / "relay" / newest).write_bytes(b"{")
    assert kept.refresh(way) > 0  # type: ignore[arg-type]
    assert (tmp_path / "relay" / newest).read_bytes() == (way.folder / newest).read_bytes()


def follow(kept: Published, way: Way, centre: Centre, *contents: bytes) -> None:
    """Publish each of ``contents`` in turn; the relay fetches every set."""
    for content in contents:
        put(centre, "forms/x.json", content)
        centre.settle()
        exports.publications(centre, way.folder)
        kept.refresh(way)  # type: ignore[arg-type]


def test_old_sets_are_let_go_of_but_the_last_ones_and_every_root_stay(
    way: Way, centre: Centre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrored, "_KEPT_SETS", 2)
    kept = Published(tmp_path / "relay")
    follow(kept, way, centre, b"{1}", b"{2}")
    before = {name: kept.read(name).read_bytes() for name in names(tmp_path / "relay")}  # type: ignore[union-attr]
    follow(kept, way, centre, b"{3}")
    after = names(tmp_path / "relay")
    contents = sorted((tmp_path / "relay" / name).read_bytes() for name in after if name.endswith(".x.json"))
    assert contents == [b"{2}", b"{3}"], "whoever began with the set before finishes with it"
    assert sum(name.endswith(".snapshot.json") for name in after) == 2
    assert "metadata/1.root.json" in after and len(after) <= len(before)
    follow(kept, way, centre, b"{4}", b"{2}")
    assert sorted((tmp_path / "relay" / name).read_bytes() for name in names(tmp_path / "relay") if name.endswith(".x.json")) == [
        b"{2}", b"{4}",
    ]  # fmt: skip
    assert kept.refresh(way) == 0  # type: ignore[arg-type]


def test_what_a_broken_try_left_and_what_an_older_program_kept_goes_too(
    way: Way, centre: Centre, tmp_path: Path
) -> None:
    kept = Published(tmp_path / "relay")
    follow(kept, way, centre, b"{1}")
    plain = {"0.snapshot.json": b"[]", "-1.snapshot.json": b"{", "9.old.json": b"{}", "9999.snapshot.json": b"{}"}
    for name, data in plain.items():
        (tmp_path / "relay" / "metadata" / name).write_bytes(data)
    odd = b'{"signed": {"meta": {"x.json": 5, "y.json": {"version": "no"}}}}'
    (tmp_path / "relay" / "metadata" / "1.snapshot.json").write_bytes(odd)
    stray = tmp_path / "relay" / "targets" / "forms" / ("0" * 64 + ".x.json")
    stray.write_bytes(b"{}")
    follow(kept, way, centre, b"{2}")
    left = names(tmp_path / "relay")
    assert not stray.exists() and not {f"metadata/{name}" for name in plain if name[0] != "0"} & set(left)
    assert sorted((tmp_path / "relay" / name).read_bytes() for name in left if name.endswith(".x.json")) == [
        b"{1}",
        b"{2}",
    ]
    assert kept.refresh(way) == 0  # type: ignore[arg-type]


def test_whoever_changes_the_set_waits_and_not_for_ever(way: Way, tmp_path: Path) -> None:
    kept = Published(tmp_path / "relay")
    with kept.turn():
        waiting = ThreadPoolExecutor(1)
        started = waiting.submit(kept.refresh, way)  # type: ignore[arg-type]
        assert not started.done()
        with pytest.raises(Known) as refused, lockfile.turn(tmp_path / "published.lock", 0):
            pass
        assert refused.value.code == "SY-352"
    assert started.result(10) > 0
    waiting.shutdown()


@pytest.mark.parametrize(
    "name", ["metadata/1.root.json", "metadata/9.targets.json", TIMESTAMP, "metadata/3.province.json"]
)
def test_a_stick_cannot_plant_what_nobody_signed(way: Way, tmp_path: Path, name: str) -> None:
    kept = Published(tmp_path / "relay")
    kept.refresh(way)  # type: ignore[arg-type]
    before = names(tmp_path / "relay")
    for data in (b"", b"{", b"[" * 5_000, b'{"signed": {}, "signatures": []}'):
        with pytest.raises(Malformed):
            kept.put(name, data)
    with pytest.raises(Malformed):
        kept.put("targets/forms/" + "0" * 64 + ".x.json", b"{}")
    assert names(tmp_path / "relay") == before


def test_a_version_is_not_taken_for_another(way: Way, tmp_path: Path) -> None:
    kept = Published(tmp_path / "relay")
    kept.refresh(way)  # type: ignore[arg-type]
    newest = max(name for name in names(way.folder) if name.endswith(".snapshot.json"))
    with pytest.raises(Malformed, match="version"):
        kept.put("metadata/999.snapshot.json", (way.folder / newest).read_bytes())


def test_a_centre_without_publications_or_with_half_of_them_shows_nothing(way: Way, tmp_path: Path) -> None:
    kept = Published(tmp_path / "relay")
    assert kept.refresh(Way(tmp_path / "nowhere")) == 0  # type: ignore[arg-type]
    target = next(way.folder.rglob("*.x.json"))
    data = target.read_bytes()
    target.unlink()
    with pytest.raises(Known) as refused:
        kept.refresh(way)  # type: ignore[arg-type]
    assert (refused.value.code, kept.read(TIMESTAMP)) == ("SY-341", None)
    target.write_bytes(data)
    assert kept.refresh(way) > 0  # type: ignore[arg-type]


def test_strange_names_and_roles_that_nobody_names_are_not_kept(
    way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Published(tmp_path / "relay")
    for name in ("metadata/../x.json", "keys/a.json", "metadata"):
        with pytest.raises(Known):
            kept.put(name, b"{}")
    snapshot = next(way.folder.rglob("*.snapshot.json"))
    with pytest.raises(Malformed, match="nobody"):
        kept.put(f"metadata/{snapshot.name}", snapshot.read_bytes())
    monkeypatch.setattr(mirrored, "_MOST_ROOTS", 2)
    assert kept.refresh(way) > 0  # type: ignore[arg-type]


def test_the_next_root_is_kept_only_when_the_one_before_signed_it(way: Way, centre: Centre, tmp_path: Path) -> None:
    kept = Published(tmp_path / "relay")
    kept.refresh(way)  # type: ignore[arg-type]
    files = [centre.folder / "offline" / f"root-{number}.key" for number in (1, 2, 3)]
    centre.repository.renew_root(load_roots(files[1:]))
    exports.publications(centre, way.folder)
    second = (way.folder / "metadata" / "2.root.json").read_bytes()
    forged: Metadata[Root] = Metadata.from_bytes(second)
    stranger = parts.signer(SigningKey(b"r" * 32))
    forged.signed.add_key(stranger.public_key, "root")
    forged.signed.roles["root"] = Role([stranger.public_key.keyid], 1)
    forged.sign(stranger)
    with pytest.raises(Malformed, match="signature"):
        kept.put("metadata/2.root.json", forged.to_bytes())
    assert kept.read("metadata/2.root.json") is None
    assert kept.refresh(way) == 1  # type: ignore[arg-type]
    assert (tmp_path / "relay" / "metadata" / "2.root.json").read_bytes() == second
