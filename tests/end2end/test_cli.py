"""``sala-cli`` and ``sala-hub`` as scripts call them: real processes, one JSON document each, the exit codes that are promised."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.day import samples
from desktop.day.centre import ADMIN, HubProcess, free_port
from tests.faults import children
from tests.faults.worker import answers

ROOT = Path(__file__).parents[2]
PASSPHRASE = samples.PASSPHRASE
pytestmark = pytest.mark.slow


def execute(main: str, arguments: list[str], environment: dict[str, str], folder: Path) -> tuple[int, str, str]:
    """As :func:`children.call`, by the interpreter's own command line."""
    done = subprocess.run(
        [sys.executable, "-m", main.partition(":")[0], *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
        timeout=100, stdin=subprocess.DEVNULL, env={**os.environ, **environment}, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


class Cli:
    """One laptop's command line."""

    def __init__(self, home: Path, roots: Path) -> None:
        self.home, self.roots, self.said = home, roots, ""
        self.secret = home.with_name(f"{home.name}-passphrase")
        self.secret.write_text(PASSPHRASE + "\n", "utf-8")

    def __call__(
        self, *words: object, code: int = 0, officer: str = "Chan Sokha", secret: Path | None = None, cold: bool = False
    ) -> Any:
        """The one JSON document that a verb prints; ``code`` is the exit code that it must end with.

        ``cold`` starts the interpreter anew; else the process begins with the program loaded, which saves seconds.
        """
        arguments = ["--home", str(self.home), "--json", "--officer", officer, *map(str, words)]
        environment = {
            "PYTHONUTF8": "1", "SALA_ROOTS": str(self.roots), "QT_QPA_PLATFORM": "offscreen", "SALA_BALLAST_MIB": "0",
            "SALA_PASSPHRASE_FILE": str(secret or self.secret),
        }  # fmt: skip
        run = execute if cold else children.call
        ended, out, self.said = run("desktop.cli:main", arguments, environment, self.secret.parent)
        assert ended == code, (words, ended, out[-2000:], self.said[-2000:])
        assert "Traceback" not in self.said, self.said
        return json.loads(out)

    def refused(self, *words: object, code: int = 1, **options: Any) -> str:
        """The code of a refusal, whose document has exactly the four words that are promised."""
        error = self(*words, code=code, **options)["error"]
        assert set(error) == {"code", "message", "kept", "next"} and all(error.values()), error
        return str(error["code"])


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with HubProcess(tmp_path_factory.mktemp("centre") / "hub") as made:
        made.serve(free_port())
        yield made


@pytest.fixture
def new_laptop(hub: HubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Cli]:
    """``new_laptop(name, role=…)``: a set-up laptop whose passphrases cost no seconds."""
    monkeypatch.setenv("SALA_ROOTS", str(hub.roots))

    def make(name: str = "home", role: str = "receiving") -> Cli:
        from sync import enrol, keys
        from sync.clock import SystemClock

        pack = tmp_path / f"{name}.pack"
        hub.call("enrol", "0306", "--out", str(pack), "--url", hub.url)
        enrol.setup(
            tmp_path / name, pack, officer_name="ចាន់ សុខា", officer_latin="Chan Sokha", role=role, passphrase=PASSPHRASE,
            clock=SystemClock(), cost=keys.CHEAP,
        ).lock()  # fmt: skip
        return Cli(tmp_path / name, hub.roots)

    return make


@pytest.fixture
def cli(new_laptop: Callable[..., Cli]) -> Cli:
    return new_laptop()


def as_file(place: Path, value: Any) -> Path:
    place.write_text(json.dumps(value, ensure_ascii=False), "utf-8")
    return place


def fill(cli: Cli, folder: Path, form: str = "birth-extract-copy", *options: str) -> Any:
    return cli(
        "forms",
        "fill",
        form,
        "--answers",
        as_file(folder / f"{form}.json", answers(form, folder)),
        *(options or ("--finish",)),
    )


# --- a laptop from nothing


def test_setup_status_and_selftest(hub: HubProcess, tmp_path: Path) -> None:
    """With the real cost of a passphrase, as on an officer's laptop."""
    cli = Cli(tmp_path / "home", hub.roots)
    pack = tmp_path / "0306.pack"
    hub.call("enrol", "0306", "--out", str(pack), "--url", hub.url)
    assert cli.refused("status", cold=True) == "SY-109"
    setup = ("setup", "--pack", pack, "--officer", "ចាន់ សុខា", "--latin", "Chan Sokha")
    damaged = tmp_path / "damaged.pack"
    damaged.write_bytes(pack.read_bytes()[:-9])
    assert cli.refused("setup", "--pack", damaged, "--officer", "ចាន់ សុខា") == "SY-331"
    made = cli(*setup, cold=True)
    assert made["office"] == "0306" and len(made["device"]) == 32
    assert cli.refused(*setup) == "SY-333"
    shown = cli("status", cold=True)
    assert (shown["office"], shown["device"], shown["officer"], shown["waiting"]) == (
        "0306",
        made["device"],
        "ចាន់ សុខា",
        0,
    )
    assert set(shown["modules"]) == {"forms", "certificates", "links", "messages", "flows", "agency"}
    report = cli("selftest", cold=True)
    assert report["ok"] and report["checks"]


def test_exit_codes_and_refusals(cli: Cli, tmp_path: Path) -> None:
    for words in (
        ("nope",),
        ("forms", "show"),
        ("forms", "list", "--state", "lost"),
        ("sync",),
        ("run", "links.list", "["),
    ):
        assert cli.refused(*words, code=2) == "CL-005", words
    assert cli.refused("run", "nothing.here") == "MD-011"
    assert cli.refused("run", "links.create", '{"adress": "x"}') == "MD-012"
    assert cli.refused("status", officer="Nobody") == "SY-112"
    wrong = tmp_path / "wrong"
    wrong.write_text("ឃ្លាសម្ងាត់ ខុស ១២៣", "utf-8")
    assert cli.refused("status", secret=wrong) == "SY-114"
    assert cli.refused("status", secret=tmp_path / "none") == "CL-001"
    for language, letter in (("km", "\u1780"), ("en", "a")):
        message = cli("--language", language, "run", "nothing.here", code=1)["error"]["message"]
        assert any(letter <= sign <= ("\u17ff" if language == "km" else "z") for sign in message)
    assert cli("run", "links.list")["total"] == 0


# --- the five tools


def test_forms(cli: Cli, tmp_path: Path) -> None:
    assert cli("forms", "services", "កាត់សក់")["services"]
    assert cli("forms", "definition", "barber-licence")["def_hash"]
    draft = fill(cli, tmp_path, "barber-licence", "--service=barber-shop-2-4")["draft"]
    assert [row["draft"] for row in cli("forms", "drafts")["drafts"]] == [draft]
    assert cli("forms", "check", draft)["ready"]
    made = cli("forms", "finish", draft)
    assert (made["id"], made["fee"], made["receipt"][-7:]) == (draft, 20_000, "-000001")
    half = as_file(tmp_path / "half.json", {"copies": 2})
    assert cli.refused("forms", "fill", "birth-extract-copy", "--answers", half, "--finish") == "FM-013"
    assert "applicant" in cli.said  # every problem is named on the error stream
    other = cli("forms", "fill", "birth-extract-copy", "--answers", half)["draft"]
    assert cli("forms", "check", other, code=1)["ready"] is False
    cli("forms", "discard", other)
    listed = cli("forms", "list", "--filter", "ស្រីមុំ")
    assert [row["id"] for row in listed["rows"]] == [made["id"]]
    assert cli("forms", "show", made["id"])["receipt"] == made["receipt"]
    cli("forms", "correct", made["id"], "--changes", as_file(tmp_path / "c.json", {"chairs": "៤"}), "--reason", "រាប់ខុស")
    cli("forms", "receipt", made["id"], tmp_path / "r.pdf")
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
    for kind in ("csv", "jsonl"):
        assert cli("forms", "export", "barber-licence", "--format", kind, tmp_path / f"t.{kind}")["rows"] == 1
    assert cli("forms", "case", made["receipt"])["id"] == made["id"]
    assert cli.refused("forms", "show", "00" * 16).startswith("FM-")
    cli("forms", "withdraw", made["id"], "--reason", "ស្នើសុំដោយម្ចាស់")
    assert cli("forms", "list", "--state", "withdrawn")["total"] == 1


def test_certificates(cli: Cli, tmp_path: Path) -> None:
    data = as_file(tmp_path / "data.json", samples.ATTESTATION)
    made = cli("certificates", "issue", "attestation", "--data", data, "--out", tmp_path / "out")
    pdf = made["print"]["path"]
    assert cli("certificates", "check", pdf)["overall"] == "valid"
    assert cli("certificates", "check", made["text"])["overall"] == "valid"
    assert cli("certificates", "check", made["text"][:-2] + "AA", code=1)["overall"] == "altered"
    assert cli("certificates", "check", tmp_path / "out")["rows"][0]["overall"] == "valid"
    cli("certificates", "suspend", made["id"], "--reason", "request")
    assert cli("certificates", "check", made["text"], code=1)["overall"] == "suspended"
    cli("certificates", "reinstate", made["id"], "--reason", "ended")
    cli("certificates", "revoke", made["number"], "--reason", "error")
    assert cli("certificates", "check", made["text"], code=1)["overall"] == "revoked"
    assert cli("certificates", "register", "--status", "revoked")["total"] == 1
    assert cli.refused("certificates", "issue", "pilot-licence", "--data", data) == "CT-101"
    assert cli.refused("certificates", "issue", "attestation", "--data", as_file(tmp_path / "l.json", [1])) == "CL-002"


def test_links(cli: Cli, tmp_path: Path) -> None:
    made = cli("links", "create", samples.NOTICE_LINK, "--title", "សេចក្តីជូនដំណឹង")
    assert cli("links", "check", "https://moi.gov.kh/")["ok"]
    assert [one["code"] for one in cli("links", "check", "http://moi.gov.kh/", code=1)["problems"]] == ["LN-102"]
    assert cli.refused("links", "create", "https://bit.ly/3abcd").startswith("LN-")
    assert cli("links", "list")["total"] == 1
    cli("links", "disable", made["code"])
    assert cli("links", "show", made["code"])["state"] == "disabled"
    cli("links", "enable", made["code"])
    assert Path(cli("links", "qr", made["code"], tmp_path / "q.png")["path"]).read_bytes().startswith(b"\x89PNG")
    assert cli("links", "sheet", made["code"], tmp_path / "l.pdf")["pages"] == 1


def test_messages_need_a_second_officer(cli: Cli, tmp_path: Path) -> None:
    assert cli("messages", "segments", "សួស្ដី")["segments"] == 1
    people = samples.recipients(tmp_path / "people.csv")
    assert cli("messages", "check", samples.NOTICE, "--recipients", people)["good"] == 20
    bad = tmp_path / "bad.csv"
    bad.write_text("ឈ្មោះ,ទូរស័ព្ទ\nសុខ,12\n", "utf-8")
    assert cli("messages", "check", samples.NOTICE, "--recipients", bad, code=1)["bad"] == 1
    made = cli("messages", "draft", "--title", "ជូនដំណឹង", "--template", samples.NOTICE, "--recipients", people)
    assert cli.refused("messages", "approve", made["id"]) in ("MD-010", "MS-008", "MS-009", "MS-010")
    assert cli.refused("messages", "handover", made["id"]).startswith("MS-")
    secret = tmp_path / "chief"
    secret.write_text(samples.CHIEF_PASSPHRASE, "utf-8")
    chief = cli("officers", "add", "លឹម ដារ៉ា", "--latin", "Lim Dara", "--role", "chief", "--new-passphrase-file", secret)
    assert {one["id"] for one in cli("officers", "list")} >= {chief["id"]}
    cli("messages", "approve", made["id"], officer="Lim Dara", secret=secret)
    cli("messages", "handover", made["id"])
    assert cli("messages", "show", made["id"])["state"] == "released"
    assert len(cli("messages", "rows", made["id"])["rows"]) == 20
    assert cli("messages", "list", "--state", "released")["rows"]
    cli("messages", "opt-out", "012 345 678", "--reason", "សុំមិនទទួល")


def test_flows(new_laptop: Callable[..., Cli], tmp_path: Path) -> None:
    cli = new_laptop(role="chief")
    assert [flow["id"] for flow in cli("flows", "list")["flows"]] == ["barber-licence"]
    cli("flows", "enable", "barber-licence")
    made = fill(cli, tmp_path, "barber-licence")
    runs = cli("flows", "runs")
    assert [(run["state"], run["label"]) for run in runs["rows"]] == [("done", made["receipt"])]
    assert len(cli("flows", "show", runs["rows"][0]["id"])["steps"]) == 3
    assert cli("flows", "dry-run", "barber-licence", "--on", made["receipt"])["steps"]
    assert cli("flows", "run", "barber-licence", "--on", made["receipt"])["already"]
    assert cli("certificates", "register")["total"] == cli("links", "list")["total"] == 1
    assert cli.refused("flows", "resume", runs["rows"][0]["id"]) == "FL-018"
    assert cli.refused("flows", "import", as_file(tmp_path / "f.json", {"sala_flow": 2})) == "FL-003"
    cli("flows", "disable", "barber-licence")


# --- line, stick, centre


def test_sync_by_line_and_stick(cli: Cli, hub: HubProcess, tmp_path: Path) -> None:
    made = fill(cli, tmp_path)
    assert cli("sync", "status")["waiting"] == 1
    first = cli("sync", "--once")
    assert (first["enrolled"], first["batches_received"], first["waiting"], first["problems"]) == (True, 1, 0, [])
    assert cli("forms", "show", made["id"])["sync"] == "received"
    fill(cli, tmp_path)
    stick = tmp_path / "stick"
    stick.mkdir()
    assert cli("sync", "export", stick)["batches"] == 1
    assert cli("sync", "status")["sending"] == 1
    taken = hub.call("import", str(stick))
    assert taken["new_ops"] >= 1 and hub.call("import", str(stick))["new_ops"] == 0
    assert cli("sync", "import", stick)["receipts"] == 1
    assert cli("sync", "status")["received"] == 2
    assert cli.refused("sync", "import", as_file(tmp_path / "no.salabatch", {})) == "SY-372"
    device = cli("status")["device"]
    batches = [row for row in hub.call("report", "batches") if row["device"] == device]
    assert len(batches) == 2
    assert device in {row["device"] for row in hub.call("report", "devices")}
    assert hub.call("report", "gaps") == []
    assert isinstance(hub.call("report", "effects"), list)
    assert hub.call("verify-log") == {"ok": True, "faults": []}
    assert all(found["same"] for found in hub.call("rebuild").values())
    news = tmp_path / "news.json"
    news.write_text("{}")
    assert hub.call("publish", str(news), "--under", "prices")["changed"] == ["prices/news.json"]
    assert cli("sync", "--once")["publications"] == ["prices/news.json"]
    assert hub.call("export", str(tmp_path / "second-site"), "--confirm")["confirmed"]
    cli("sync", "--once")
    assert cli("sync", "status")["stable"] == 2
    hub.call("revoke", device)
    fill(cli, tmp_path)
    assert (
        cli.refused("sync", "--once") == "SY-407"
    )  # all of it was sent; the laptop is withdrawn and lets go of its keys
    hub.call("table", "export", "records", str(tmp_path / "records.csv"))
    assert (tmp_path / "records.csv").read_text("utf-8-sig").count("q:revoked") >= 1
    assert ADMIN in {row["name"] for row in hub.call("admin", "list")}


def test_without_a_centre(hub: HubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sync import enrol, keys
    from sync.clock import SystemClock

    monkeypatch.setenv("SALA_ROOTS", str(hub.roots))
    pack = tmp_path / "0307.pack"
    hub.call("enrol", "0307", "--out", str(pack), "--url", "http://127.0.0.1:9")
    setup = {"officer_name": "ចាន់ សុខា", "officer_latin": "Chan Sokha", "passphrase": PASSPHRASE, "clock": SystemClock()}
    enrol.setup(tmp_path / "home", pack, cost=keys.CHEAP, **setup).lock()  # type: ignore[arg-type]
    cli = Cli(tmp_path / "home", hub.roots)
    fill(cli, tmp_path)
    assert cli.refused("sync", "--once") == "SY-350"
    assert cli("sync", "status")["waiting"] == 1


def test_the_centres_own_refusals(hub: HubProcess, tmp_path: Path) -> None:
    def sala_hub(*words: object, code: int) -> Any:
        arguments = ["--data", str(hub.folder), "--json", *map(str, words)]
        ended, out, said = children.call("sync.hub.cli:main", arguments, {"PYTHONUTF8": "1"}, tmp_path)
        assert ended == code, out + said
        return json.loads(out)

    assert sala_hub("init", code=1)["error"]["code"] == "HB-103"
    assert sala_hub("revoke", "zz", code=1)["error"]["code"] == "HB-120"
    assert sala_hub("rebuild", "nothing", code=1)["error"]["code"] == "HB-151"
    assert (
        sala_hub("enrol", "0306", "--out", tmp_path / "p", "--url", "moi.gov.kh", code=1)["error"]["code"] == "HB-122"
    )
    assert sala_hub("report", "everything", code=2)["error"]["message"]


# --- care


def test_the_diagnostics_bundle_names_nobody(cli: Cli, tmp_path: Path) -> None:
    made = fill(cli, tmp_path, "barber-licence")
    bundle = Path(cli("doctor", "--bundle", tmp_path / "report.zip")["bundle"])
    with zipfile.ZipFile(bundle) as packed:
        names = packed.namelist()
        words = "\n".join(packed.read(name).decode("utf-8", "replace") for name in names)
    assert {"machine.json", "selftest.json", "profile.json"} <= set(names)
    person = answers("barber-licence", tmp_path)
    told = [
        "ចាន់ សុខា", "Chan Sokha", "Sokha", person["applicant"]["km"], person["applicant"]["latin"], "LIM SREYMOM", "012345678", "12 345 678",
        "+85512345678", "០១២", person["shop_name"], "1990-05-17", made["receipt"], made["id"], str(cli.home),
        str(tmp_path), os.uname().nodename, PASSPHRASE, "ស្រីមុំ",
    ]  # fmt: skip
    assert [word for word in told if word in words] == []
    assert cli.refused("doctor", "--bundle", tmp_path / "no" / "such" / "folder.zip") == "UI-004"


def test_backup_restore_and_audit(cli: Cli, hub: HubProcess, tmp_path: Path) -> None:
    made = fill(cli, tmp_path)
    assert cli("audit", "verify")["ok"]
    copy = tmp_path / "office.salabackup"
    cli("backup", copy)
    elsewhere = Cli(tmp_path / "elsewhere", hub.roots)
    elsewhere("restore", copy)
    assert [row["receipt"] for row in elsewhere("forms", "list")["rows"]] == [made["receipt"]]
    assert elsewhere("audit", "verify")["ok"]
    assert elsewhere.refused("restore", copy)
    cut = tmp_path / "cut.salabackup"
    cut.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    assert Cli(tmp_path / "third", hub.roots).refused("restore", cut)
