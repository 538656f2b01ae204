"""A release from the machine of the release key through the hub to a laptop: offered, fetched from a folder, installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync import enrol, keys, pack, refreshing, updates
from sync.clock import SystemClock
from sync.refreshing import Folder
from tests.conftest import PASSPHRASE
from tests.hub.conftest import sala_hub


def test_a_release_goes_from_its_key_to_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, program = tmp_path / "hub", tmp_path / "build" / "sala"
    sala_hub(hub, "init")
    program.mkdir(parents=True)
    (program / "sala").write_text("#!/bin/sh\necho 7.0.0\n", "ascii")
    (program / "sala").chmod(0o755)
    key = hub / "offline" / "release.key"
    assert not (hub / "keys" / "release.key").exists(), "the hub never holds it"
    build = (
        "app",
        "build",
        str(program),
        "--version",
        "7.0.0",
        "--platform",
        updates.here(),
        "--out",
        str(tmp_path / "out"),
    )
    made = sala_hub(tmp_path / "nowhere", *build, "--key", str(key))
    assert made["pieces"] == 1
    assert sala_hub(hub, "app", "publish", str(tmp_path / "out"))["changed"] == 2
    stranger = sala_hub(tmp_path / "nowhere", "new-key", str(tmp_path / "stranger.key"))
    sala_hub(tmp_path / "nowhere", *build[:-1], str(tmp_path / "forged"), "--key", stranger["file"])
    assert sala_hub(hub, "app", "publish", str(tmp_path / "forged"), ok=False)["error"]["code"] == "SY-465"

    sala_hub(hub, "enrol", "0306", "--out", str(tmp_path / "p.pack"))
    sala_hub(hub, "export", str(tmp_path / "stick"), "--publications")
    monkeypatch.setenv("SALA_ROOTS", str(hub / "roots"))
    assert len(pack.read_file(tmp_path / "p.pack", pack.roots()).office["release"]) == 64
    laptop = enrol.setup(
        tmp_path / "home",
        tmp_path / "p.pack",
        officer_name="ក ខ",
        passphrase=PASSPHRASE,
        clock=SystemClock(),
        cost=keys.CHEAP,
    )
    try:
        taken = refreshing.refresh(laptop, Folder(tmp_path / "stick"))
        assert f"app/7.0.0/{updates.here()}/index.cbor" in taken.taken
        assert not [name for name in taken.taken if "part-" in name], "pieces come when somebody wants them"
        release = laptop.store.read(updates.offered)
        assert release is not None
        updates.fetch(laptop.home, Folder(tmp_path / "stick"), release)
        here = tmp_path / "opt" / "sala"
        here.mkdir(parents=True)
        assert updates.install(laptop.home, release, here).name == "sala-7.0.0"
    finally:
        laptop.lock()
