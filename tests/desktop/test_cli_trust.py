"""``sala-cli recovery``, ``officers move`` and ``arrive``, ``publications``, ``enrol-code``: the same deeds without a window."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey

from desktop import cli
from modules.session import Session
from sync import keys, shares
from sync.officer import Officer

PASSPHRASE = "ពាក្យសម្ងាត់ សាកល្បង ១២៣"
NEW = "ផ្កាឈូក ទន្លេសាប ៤៥៦"


@pytest.fixture
def run(
    open_office: Callable[..., Session],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Any]:
    """``run("officers", …)`` as the chief of the laptop; its JSON document."""
    monkeypatch.setattr(keys, "measured_cost", lambda: keys.CHEAP)
    chief = open_office("home", role="chief")
    keys.add_officer(chief.unlocked, Officer("", "ហេង ដារ៉ា", "Heng Dara", "cashier"), NEW, cost=keys.CHEAP)
    chief.close()
    (tmp_path / "old").write_text(PASSPHRASE + "\n", "utf-8")
    (tmp_path / "new").write_text(NEW + "\n", "utf-8")
    monkeypatch.setenv("SALA_PASSPHRASE_FILE", str(tmp_path / "old"))

    def call(*arguments: str, ok: bool = True, home: str = "home", officer: str = "Chan Sokha") -> Any:
        code = cli.main(["--home", str(tmp_path / home), "--json", "--officer", officer, *arguments])
        printed = capsys.readouterr().out
        assert (code == 0) is ok, printed
        return json.loads(printed)

    return call


def test_custodians_give_an_officer_a_new_passphrase(
    run: Callable[..., Any], tmp_path: Path, centre_folder: Path
) -> None:
    recovery = centre_folder / "offline" / "recovery.key"
    split = run("recovery", "split", str(recovery), "--out", str(tmp_path / "shares"), "--holder", "អ៊ុក សុផល")
    assert (split["needed"], split["of"], len(split["files"])) == (2, 3, 6)
    one, two = tmp_path / "shares" / "share-1.txt", tmp_path / "shares" / "share-3.txt"
    joined = run("recovery", "join", str(one), str(two), "--out", str(tmp_path / "again.key"))
    assert (tmp_path / "again.key").read_text("ascii").strip() == recovery.read_text("ascii").strip()
    public = PrivateKey(bytes.fromhex(recovery.read_text("ascii").strip())).public_key
    assert joined["key_id"] == shares.key_id(bytes(public)).hex()
    assert one.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")
    assert run("recovery", "join", str(one), str(one), "--out", "x", ok=False)["error"]["code"] == "SY-468"
    new = ("--new-passphrase-file", str(tmp_path / "new"))
    asked = run("recovery", "request", "Chan Sokha", "--out", str(tmp_path / "request"), *new)
    answered = run(
        "recovery", "answer", str(tmp_path / "request"), str(one), str(two), "--out", str(tmp_path / "answer")
    )
    assert answered["words"] == asked["words"] and answered["latin"] == "Chan Sokha"
    assert run("recovery", "finish", str(tmp_path / "request"), *new, ok=False)["error"]["code"] == "SY-470"
    assert run("recovery", "finish", str(tmp_path / "answer"), *new)["role"] == "chief"
    assert run("status", ok=False)["error"]["code"] == "SY-114"


def test_a_new_passphrase_by_pictures_alone(run: Callable[..., Any], tmp_path: Path, centre_folder: Path) -> None:
    from sync import qrpicture

    run("recovery", "split", str(centre_folder / "offline" / "recovery.key"), "--out", str(tmp_path / "shares"))
    hands = [str(tmp_path / "shares" / f"share-{n}.txt") for n in (2, 3)]
    new = ("--new-passphrase-file", str(tmp_path / "new"))
    asked = run("recovery", "request", "Chan Sokha", "--out", str(tmp_path / "request.png"), *new)
    assert qrpicture.texts(tmp_path / "request.png") == asked["codes"]
    answered = run("recovery", "answer", str(tmp_path / "request.png"), *hands, "--out", str(tmp_path / "answer.png"))
    assert answered["words"] == asked["words"]
    (tmp_path / "blank.png").write_bytes(b"no picture")
    assert run("recovery", "finish", str(tmp_path / "blank.png"), *new, ok=False)["error"]["code"] == "SY-453"
    wrong = run("recovery", "finish", str(tmp_path / "request.png"), *new, ok=False)
    assert wrong["error"]["code"] == "SY-470", "the request is no answer"
    assert run("recovery", "finish", str(tmp_path / "answer.png"), *new)["role"] == "chief"


def test_an_officer_moves_and_arrives(run: Callable[..., Any], tmp_path: Path) -> None:
    assert run("officers", "outstanding", "Heng Dara") == {"waiting": 0, "drafts": 0, "ready": True}
    out = tmp_path / "dara.sala-transfer"
    moved = run("officers", "move", "Heng Dara", "--to", "0307", "--role", "competent", "--out", str(out))
    assert moved["to"] == "0307" and out.exists()
    assert [one["latin"] for one in run("officers", "list")] == ["Chan Sokha"]
    arrive = ("officers", "arrive", str(out), "--new-passphrase-file", str(tmp_path / "new"))
    assert run(*arrive, ok=False)["error"]["code"] == "SY-477", "it is for 0307"


def test_a_day_is_said_as_people_write_it(run: Callable[..., Any], tmp_path: Path) -> None:
    out = str(tmp_path / "x")
    moved = run("officers", "move", "Heng Dara", "--to", "0307", "--role", "chief", "--at", "2035-01-02", "--out", out)
    assert moved["at_ms"] == 2_051_283_600_000
    assert len(run("officers", "list")) == 2, "until the day they work here"


def test_roles_limit_who_may_add_and_move_people(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALA_PASSPHRASE_FILE", str(tmp_path / "new"))
    new = ("--new-passphrase-file", str(tmp_path / "new"))
    for arguments in (
        ("officers", "add", "ក ខ", "--latin", "A B", "--role", "chief", *new),
        ("officers", "move", "Chan Sokha", "--to", "0307", "--role", "chief", "--out", str(tmp_path / "x")),
    ):
        assert run(*arguments, ok=False, officer="Heng Dara")["error"]["code"] == "MD-010"


def test_what_came_down_and_a_code(run: Callable[..., Any]) -> None:
    found = run("publications")
    assert found["state"] == "never"
    assert {"name", "title", "signer", "role", "version", "size", "received_ms", "code"} == set(
        found["publications"][0]
    )
    assert len(run("enrol-code", "AB3CD-EF4GH")["words"].split()) == 6
    assert run("enrol-code", "nope", ok=False)["error"]["code"] == "SY-475"
