"""The command lines without a line: enrolled by pictures, a sealed stick, status text, two laptops, a conflict settled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.session import Session
from tests.end2end.hall import PASSPHRASE, Hall, take_case
from tests.faults import children

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    made = Hall(tmp_path)
    monkeypatch.setenv("SALA_ROOTS", str(made.roots))
    yield made
    made.close()


def profile(hall: Hall, session: Session) -> Path:
    """Close the laptop; its profile folder is left to the command line."""
    home = session.unlocked.home
    session.close()
    hall.opened.remove(session)
    return home


def cli(home: Path, *arguments: str, ok: bool = True) -> Any:
    secret = home.parent / "passphrase"
    secret.write_text(PASSPHRASE, "utf-8")
    code, out, err = children.call(
        "desktop.cli:main",
        ["--home", str(home), "--json", *arguments],
        {"SALA_PASSPHRASE_FILE": str(secret)},
        home.parent,
    )
    assert (code == 0) is ok, out + err
    return json.loads(out)


def hub(hall: Hall, *arguments: str) -> Any:
    hall.hub.close()
    try:
        code, out, err = children.hub_verb(hall.folder / "hub", *arguments)
    finally:
        from sync.hub import centre as centres

        hall.hub = centres.open_(hall.folder / "hub", hall.clock)
    assert code == 0, out + err
    return json.loads(out)


def test_a_laptop_lives_without_a_line(hall: Hall, tmp_path: Path) -> None:
    session = hall.laptop(1)
    take_case(session)
    home = profile(hall, session)
    before = cli(home, "sync", "enrolment")
    assert before["enrolled"] is False and len(before["words"].split()) == 6
    request = cli(home, "sync", "codes", "enrolment", str(tmp_path / "request.png"))
    assert request["codes"] == 1
    answer = hub(hall, "take-codes", request["picture"], "--out", str(tmp_path / "answer.png"))
    assert answer["enrolled"] == 1
    assert cli(home, "sync", "take", answer["picture"])["enrolled"] is True
    assert cli(home, "sync", "enrolment")["enrolled"] is True
    assert cli(home, "sync", "codes", "enrolment", str(tmp_path / "again.png"))["codes"] == 0

    text = cli(home, "sync", "heartbeat", "--out", str(tmp_path / "status.png"))
    told = hub(hall, "heartbeat", text["text"])
    assert (told["outstanding"], text["characters"]) == (told["seq"], 134)

    stick = tmp_path / "stick"
    assert cli(home, "sync", "export", str(stick), "--seal", "nobody", ok=False)["error"]["code"] == "SY-450"
    codes = cli(home, "sync", "codes", "outbox", str(tmp_path / "outbox.gif"))
    assert hub(hall, "take-codes", codes["picture"])["new_ops"] > 0
    written = cli(home, "sync", "export", str(stick))
    assert written["batches"] > 0
    assert cli(home, "sync", "sticks")[0]["done"] is False
    assert hub(hall, "import", str(stick))["problems"] == []
    assert cli(home, "sync", "import", str(stick))["receipts"] > 0
    assert cli(home, "sync", "sticks")[0]["done"] is True
    sealed = cli(
        home, "sync", "export", str(tmp_path / "sealed"), "--seal", "centre"
    )  # it knows the key from the stick
    assert sealed["sealed_to"] == "centre"


def test_two_laptops_pair_and_settle_a_conflict(hall: Hall, tmp_path: Path) -> None:
    one, other = hall.enrolled(1, 2)
    receipt = take_case(one)["receipt"]
    homes = [profile(hall, one), profile(hall, other)]
    certificates = [cli(home, "sync", "office", "certificate")["certificate"] for home in homes]
    assert cli(homes[0], "sync", "office", "pair", certificates[1])["number"] == 2
    assert cli(homes[1], "sync", "office", "pair", certificates[0])["number"] == 1
    assert cli(homes[0], "sync", "office", "pair", certificates[0], ok=False)["error"]["code"] == "SY-445"

    def tell(giver: Path, taker: Path, name: str) -> Any:
        cli(giver, "sync", "export", str(tmp_path / name))
        return cli(taker, "sync", "import", str(tmp_path / name))

    assert tell(homes[0], homes[1], "a")["office_ops"] > 0
    for home, phone in zip(homes, ("011222333", "099888777"), strict=True):
        case = cli(home, "run", "forms.case_by_receipt", json.dumps({"text": receipt}))
        change = {"id": case["id"], "changes": {"phone": phone}, "reason": "កែ"}
        cli(home, "run", "forms.correct", json.dumps(change))
    tell(homes[0], homes[1], "b")
    tell(homes[1], homes[0], "c")
    (case,) = cli(homes[0], "sync", "conflicts")["cases"]
    (field,) = case["fields"]
    mine = next(value["op"] for value in field["values"] if value["value"] == "+85511222333")
    settled = cli(homes[0], "sync", "conflicts", case["id"], "--pick", f"phone={mine}", "--reason", "បានសួរ")
    assert settled["left"] == 0
    tell(homes[0], homes[1], "d")
    assert cli(homes[1], "sync", "conflicts")["cases"] == []
    assert cli(homes[1], "sync", "office", "list")[0]["number"] == 1
    cli(homes[1], "sync", "office", "part", cli(homes[1], "sync", "office", "list")[0]["device"])
    assert cli(homes[1], "sync", "office", "list") == []
