"""The command line as IT staff use it: one JSON document, known exit codes, the same functions as the console."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sync import pack
from sync.clock import SystemClock
from sync.hub import centre as centres
from sync.hub import cli
from tests.hub import tables
from tests.hub.conftest import sala_hub
from tests.hub.laptop import Laptop, join


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A hub with one enrolled laptop that has sent three records."""
    hub = centres.create(tables.lay(tmp_path / "hub"), SystemClock(), name="hub", log_name="hub")
    laptop = join(hub, Laptop())
    hub.ingest.take(laptop.batch(3))
    hub.close()
    return tmp_path / "hub"


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """In this process: the JSON document and the exit code."""
    assert cli.main([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_from_nothing_to_a_pack(tmp_path: Path) -> None:
    """In processes of their own, as they are really called."""
    made = sala_hub(tmp_path / "hub", "init", "--name", "មជ្ឈមណ្ឌល")
    assert Path(made["roots"]).is_dir() and len(made["words"].split()) == 6
    out = tmp_path / "0306.pack"
    shown = sala_hub(
        tmp_path / "hub", "enrol", "0306", "--out", str(out), "--url", "http://10.0.0.1:8420", "--name-km", "សាលាសាកល្បង"
    )
    found = pack.parse(out.read_bytes(), [bytes.fromhex(made["pack_key"])])
    assert (shown["office"], found.office["name"]["km"], found.number) == ("0306", "សាលាសាកល្បង", 1)
    refused = sala_hub(tmp_path / "hub", "init", ok=False)
    assert refused["error"]["code"] == "HB-103"


def test_reports(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (device,) = run(capsys, "--data", str(folder), "report", "devices")
    (batch,) = run(capsys, "--data", str(folder), "report", "batches")
    assert (device["office"], device["head_seq"], batch["n"], batch["new_ops"]) == ("0306", 3, 3, 3)
    assert run(capsys, "--data", str(folder), "report", "gaps") == []


def test_a_gap_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub = centres.open_(folder, SystemClock())
    laptop = join(hub, Laptop())
    laptop.batch(2)
    hub.ingest.take(laptop.batch(1))
    hub.close()
    (gap,) = run(capsys, "report", "gaps", "--data", str(folder))
    assert (gap["first_missing"], gap["last_missing"], gap["number"]) == (1, 2, 2)


def test_revoke(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (device,) = run(capsys, "--data", str(folder), "report", "devices")
    assert run(capsys, "--data", str(folder), "revoke", device["device"])["cutoff_seq"] == 3
    for wrong in ("zz", "00" * 16):
        assert run(capsys, "--data", str(folder), "revoke", wrong, code=1)["error"]["code"] == "HB-120"


def test_publish_and_withdraw(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "fees.json"
    file.write_text("{}", "utf-8")
    changed = run(capsys, "publish", str(file), "--under", "prices", "--data", str(folder))["changed"]
    assert "prices/fees.json" in changed
    assert (
        run(capsys, "publish", str(file), "--under", "keys", "--data", str(folder), code=1)["error"]["code"] == "HB-130"
    )
    assert run(capsys, "publish", str(file), "--under", "prices", "--withdraw", "--data", str(folder)) == {
        "changed": ["prices/fees.json"]
    }
    exported = run(capsys, "export", str(tmp_path / "out"), "--publications", "--data", str(folder))
    assert exported["files"] >= 4 and (tmp_path / "out" / "metadata" / "timestamp.json").exists()


def test_rebuild_and_verify(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "--data", str(folder), "rebuild")
    assert all(outcome["same"] for outcome in found.values())
    assert run(capsys, "--data", str(folder), "rebuild", "links")["links"]["same"]
    assert run(capsys, "--data", str(folder), "rebuild", "nothing", code=1)["error"]["code"] == "HB-151"
    assert run(capsys, "--data", str(folder), "verify-log") == {"ok": True, "faults": []}
    hub = centres.open_(folder, SystemClock())
    hub.storage.write(lambda tx: tx.execute("UPDATE leaf SET hash = zeroblob(32)"))
    hub.storage.write(lambda tx: tx.execute("UPDATE p_links_link SET title = 'forged'"))
    hub.close()
    assert not run(capsys, "--data", str(folder), "verify-log", code=1)["ok"]


def test_a_second_site_is_copied_confirmed_and_only_grows(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = centres.open_(folder, SystemClock())
    hub.ingest.take_chunk(b"piece", __import__("hashlib").sha256(b"piece").digest(), hub.put_chunk)
    hub.close()
    site = tmp_path / "second"
    first = run(capsys, "--data", str(folder), "export", str(site))
    assert (first["batches"], first["chunks"], first["confirmed"]) == (first["batches_in_all"], 1, False)
    damaged = next((site / "batches").rglob("*.batch"))
    damaged.write_bytes(b"rot")
    second = run(capsys, "--data", str(folder), "export", str(site), "--confirm")
    assert (second["batches"], second["batches_in_all"]) == (1, first["batches_in_all"])
    assert (second["chunks"], second["confirmed"]) == (0, True)
    assert run(capsys, "--data", str(folder), "export", str(site))["batches"] == 0
    states = {path.stem for path in (site / "state").iterdir()}
    assert states == {"click", "look"}, "everything else is made from batches; nobody's log-in travels"
    hub = centres.open_(folder, SystemClock())
    device = hub.storage.read(lambda tx: tx.query("SELECT device FROM device"))[0]["device"]
    assert hub.storage.read(lambda tx: centres.stable(tx, device)) == 3
    hub.close()
    assert (
        run(capsys, "--data", str(folder), "export", str(site), "--publications", "--confirm", code=2)["error"]["code"]
        == "usage"
    )
    (tmp_path / "file").write_text("")
    for more in ([], ["--publications"]):
        told = run(capsys, "--data", str(folder), "export", str(tmp_path / "file" / "x"), *more, code=1)
        assert told["error"]["code"] == "HB-106"


def test_import_from_a_stick(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from hashlib import sha256

    from sync import volume

    data = Laptop().batch(2)
    volume.write(tmp_path / "usb", "x", [volume.Object("batch", sha256(data).hexdigest(), data)])
    taken = run(capsys, "--data", str(folder), "import", str(tmp_path / "usb"))
    assert (taken["new_ops"], len(taken["back"])) == (2, 1)


def test_the_root_is_renewed_by_two_keys(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(folder / "offline" / f"root-{n}.key") for n in (1, 3)]
    assert run(capsys, "renew-root", *files, "--data", str(folder)) == {"root_version": 2}
    assert run(capsys, "renew-root", files[0], "--data", str(folder), code=1)["error"]["code"] == "HB-133"


def test_a_new_epoch(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = run(capsys, "--data", str(folder), "new-epoch")
    assert began["epoch"] > 1_700_000_000 and began["entries"] > 1  # the second at which it began
    assert run(capsys, "--data", str(folder), "verify-log")["ok"]
    assert run(capsys, "--data", str(folder), "report", "effects") == []


def test_known_causes_wrong_usage_and_bugs(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = run(capsys, "--data", str(tmp_path), "report", "gaps", code=1)
    assert told["error"]["code"] == "HB-104" and told["error"]["next"]
    assert run(capsys, "no-such-verb", code=2)["error"]["code"] == "usage"
    assert cli.main(["no-such-verb"]) == 2
    assert cli.main(["--data", str(tmp_path), "--language", "en", "report", "gaps"]) == 1
    assert "HB-104" in capsys.readouterr().err
    assert cli.main(["--help"]) == 0
    monkeypatch.setattr("sync.hub.desk.Desk.centre", lambda _: 1 / 0)
    with caplog.at_level("CRITICAL"):
        capsys.readouterr()
        assert run(capsys, "report", "gaps", code=3) == {"error": {"code": "bug"}}
        assert cli.main(["report", "gaps"]) == 3


def test_words_without_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--data", str(folder), "report", "devices"]) == 0
    assert "office: 0306" in capsys.readouterr().out
    assert cli.main(["--data", str(folder), "verify-log"]) == 0
    assert capsys.readouterr().out.splitlines() == ["ok: True", "faults: []"]


def test_a_taken_port_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(capsys, "--data", str(folder), "serve", "--port", str(port), code=1)["error"]["code"] == "HB-105"
    assert run(capsys, "--data", str(folder), "serve", "--port", "99999", code=1)["error"]["code"] == "HB-105"
