"""Bad input from outside, through the commands that a click runs: refused in words of both languages, and nothing is changed by it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from modules.contract import SalaError
from modules.session import Session
from sync import enrol, keys, slots
from sync.clock import SystemClock
from tests.conftest import PASSPHRASE
from tests.faults.conftest import said
from tests.faults.worker import ANSWERS

NAMES = {"officer_name": "ចាន់ សុខា", "officer_latin": "Chan Sokha"}
CSV = "ឈ្មោះ,ទូរស័ព្ទ\nលឹម ស្រីមុំ,012345678\nសុខ បុប្ផា,០៩៧​៥៥៥​១២៣៤\n"
NOTED = ("audit", "audit_peak", "sqlite_sequence")  # a refusal may be written down


def state(session: Session) -> dict[str, str]:
    """Every table of the profile, as a hash of its rows."""

    def work(conn: Any) -> dict[str, str]:
        names = [row["name"] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
        tables = [name for name in names if name not in NOTED and not name.startswith("search_text")]
        return {
            name: sha256(
                repr(sorted(repr(tuple(row)) for row in conn.execute(f"SELECT * FROM {name}"))).encode()
            ).hexdigest()
            for name in tables
        }

    return session.store.read(work)


@contextmanager
def nothing_changes(session: Session) -> Iterator[None]:
    before = state(session)
    yield
    after = state(session)
    assert {name for name in before if before[name] != after.get(name)} == set()


def refusal(work: Callable[[], Any]) -> str:
    with pytest.raises(SalaError) as refused:
        work()
    return said(refused.value)


# --- packs


@pytest.fixture
def packs(office_pack: Path, centre_folder: Path, tmp_path: Path) -> dict[str, Path]:
    """A pack of a stranger, a damaged one, one that is cut off, one of another office of this centre."""
    from sync import pack
    from sync.hub import centre
    from sync.hub.cli import office_facts

    hub = centre.open_(centre_folder, SystemClock())
    try:
        other = hub.enrol(office_facts("0307"), ["http://127.0.0.1:9"])
    finally:
        hub.close()
    data = office_pack.read_bytes()
    found = pack.parse(data, pack.roots() or [bytes(hub.keys.pack.verify_key)])
    made = {
        "stranger": pack.build(found, SigningKey.generate()), "damaged": data[:200] + bytes([data[200] ^ 4]) + data[201:],
        "cut off": data[:-40], "another office": other, "no pack": b"PK\x03\x04 something else",
    }  # fmt: skip
    for name, content in made.items():
        (tmp_path / f"{name}.pack").write_bytes(content)
    return {name: tmp_path / f"{name}.pack" for name in made}


@pytest.mark.parametrize(
    ("name", "code"), [("stranger", "SY-330"), ("damaged", "SY-331"), ("cut off", "SY-331"), ("no pack", "SY-331")]
)
def test_a_wrong_pack_makes_no_profile(
    packs: dict[str, Path], name: str, code: str, tmp_path: Path, centre_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALA_ROOTS", str(centre_folder / "roots"))
    home = tmp_path / "new"
    clock = SystemClock()
    assert (
        refusal(lambda: enrol.setup(home, packs[name], passphrase=PASSPHRASE, clock=clock, cost=keys.CHEAP, **NAMES))
        == code
    )
    assert not slots.exist(home)


@pytest.mark.parametrize(
    ("name", "code"), [("another office", "SY-332"), ("stranger", "SY-330"), ("damaged", "SY-331")]
)
def test_a_pack_for_somebody_else_changes_nothing_here(
    packs: dict[str, Path], name: str, code: str, session: Session
) -> None:
    session.commands.run("forms.fill", form="birth-extract-copy", answers=ANSWERS["birth-extract-copy"], finish=True)
    with nothing_changes(session):
        assert refusal(lambda: enrol.renew(session.unlocked, packs[name])) == code
    home = session.unlocked.home
    session.close()
    setup = {"passphrase": PASSPHRASE, "clock": SystemClock(), "cost": keys.CHEAP, **NAMES}
    assert refusal(lambda: enrol.setup(home, packs[name], **setup)) == code  # type: ignore[arg-type]
    again = Session.open(keys.unlock(home, "Chan Sokha", PASSPHRASE, SystemClock()))
    try:
        assert again.commands.run("forms.list")["total"] == 1
    finally:
        again.close()


# --- definitions


def test_a_tampered_form_is_refused_and_the_work_begun_under_it_stays(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modules.forms import library

    run = session.commands.run
    begun = run("forms.fill", form="birth-extract-copy", answers=ANSWERS["birth-extract-copy"])["draft"]
    answers = run("forms.draft", draft=begun)["answers"]
    folder = tmp_path / "assets"
    for name in ("forms", "services"):
        shutil.copytree(library.ASSETS / name, folder / name)
    form = folder / "forms/birth-extract-copy-1.json"
    form.write_text(form.read_text("utf-8").replace('"required": true', '"required": false', 1), "utf-8")
    whole = session.modules["forms"]
    monkeypatch.setattr(library.Library.__init__, "__defaults__", (folder, *library.Library.__init__.__defaults__[1:]))
    home = session.unlocked.home
    session.close()
    tampered = Session.open(keys.unlock(home, "Chan Sokha", PASSPHRASE, SystemClock()))
    try:
        assert tampered.modules["forms"] is not whole
        with nothing_changes(tampered):
            for work in (
                lambda: tampered.commands.run("forms.start", form="birth-extract-copy"),
                lambda: tampered.commands.run("forms.finish", draft=begun),
            ):
                assert refusal(work) == "FM-001"
        other = tampered.commands.run("forms.start", form="copy-legalisation")["draft"]  # the other forms go on
        assert other
    finally:
        tampered.close()
    monkeypatch.undo()
    mended = Session.open(keys.unlock(home, "Chan Sokha", PASSPHRASE, SystemClock()))
    try:
        assert mended.commands.run("forms.draft", draft=begun)["answers"] == answers
        assert mended.commands.run("forms.finish", draft=begun)["receipt"] == "0306-01-000001"
    finally:
        mended.close()


# --- lists of recipients


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("name,phone\ncafé,012345678\n".encode("cp1252"), "MS-021"),
        (CSV.encode("utf-16-le")[:-1], "MS-021"),
        (b"name,phone\n\xb4\xc1\xce\xd2,012345678\n", "MS-021"),  # an old Khmer font, no Unicode
        (
            CSV.encode().decode("cp1252", "replace").replace("\ufffd", "").encode(),
            "MS-022",
        ),  # read wrongly once, saved again
    ],
)
def test_a_list_in_a_wrong_encoding_leaves_the_message_as_it_was(
    session: Session, tmp_path: Path, content: bytes, code: str
) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(CSV.encode("utf-8-sig"))
    bad.write_bytes(content)
    run = session.commands.run
    made = run("messages.draft", title="ជូនដំណឹង", template="ជម្រាបជូន {{ឈ្មោះ}}", recipients=str(good))
    with nothing_changes(session):
        assert refusal(lambda: run("messages.draft", id=made["id"], recipients=str(bad))) == code
        assert refusal(lambda: run("messages.draft", title="ថ្មី", template="ជម្រាបជូន", recipients=str(bad))) == code
    assert run("messages.show", id=made["id"])["good"] == 2


# --- digits


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("chairs", "\u200b១\u200b២\u200b", 12),
        ("workers", " ៤ ", 4),
        ("phone", "០១២\u200b៣៤៥\u200b៦៧៨", "+85512345678"),
        ("id_card", "០១២\u200b៣៤៥ ៦៧៨", "012345678"),
        ("dob", "១៧/\u200b០៥/១៩៩០", "1990-05-17"),
    ],
)
def test_khmer_digits_and_zwsp_are_the_number_that_was_meant(
    session: Session, field: str, typed: str, kept: Any
) -> None:
    run = session.commands.run
    draft = run("forms.start", form="barber-licence")["draft"]
    run("forms.set_answer", draft=draft, field=field, value=typed)
    assert run("forms.draft", draft=draft)["answers"][field] == kept


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("chairs", "១២ក", "TX-001"),
        ("chairs", "\u200b", ""),
        ("phone", "០១២\u200b៣", "TX-020"),
        ("dob", "៣១/០២/២០២៤", "TX-011"),
    ],
)
def test_what_is_no_number_is_kept_as_typed_and_named(session: Session, field: str, typed: str, code: str) -> None:
    run = session.commands.run
    answers = {**ANSWERS["barber-licence"], "id_scan": []}
    draft = run("forms.fill", form="barber-licence", answers=answers)["draft"]
    run("forms.set_answer", draft=draft, field=field, value=typed)
    problems = {one["field"]: one for one in run("forms.check", draft=draft)["problems"]}
    assert field in problems and code in (problems[field]["code"], "")
    assert all(problems[field]["words"][language] for language in ("km", "en"))
    with nothing_changes(session):
        assert refusal(lambda: run("forms.finish", draft=draft)) == "FM-013"


# --- too much


def test_fifty_megabytes_are_refused_before_they_are_read(session: Session, tmp_path: Path) -> None:
    from modules.flows import definition

    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(50_000_000)
    place = str(large)
    run = session.commands.run
    draft = run("forms.start", form="copy-legalisation")["draft"]
    campaign = run("messages.draft", title="ជូនដំណឹង", template="ជម្រាបជូន")["id"]
    with nothing_changes(session):
        for code, work in (
            ("FM-020", lambda: run("forms.attach", draft=draft, field="original_scan", path=place)),
            ("MS-026", lambda: run("messages.draft", id=campaign, recipients=place)),
            ("CT-202", lambda: run("certificates.check", source=place)),
            ("FL-002", lambda: definition.read_file(large)),
            ("SY-331", lambda: enrol.renew(session.unlocked, large)),
            ("SY-140", lambda: session.unlocked.blobs.add(large, "image/png")),
        ):
            assert refusal(work) == code
    assert run("forms.draft", draft=draft)["answers"].get("original_scan") in (None, [])


def test_an_inflating_code_is_stopped_and_called_altered(session: Session) -> None:
    import time
    import zlib

    from modules.certificates import verdict
    from sync import base45

    bomb = "KH1:" + base45.encode(zlib.compress(bytes(2_700_000), 9))
    began = time.perf_counter()
    report = session.commands.run("certificates.check", source=bomb)
    assert time.perf_counter() - began < 2
    assert (report["overall"], report["code"]) == ("altered", verdict.BOMB)
    assert report["title"]["km"] and report["title"]["en"] and report["advice"]["km"] and report["advice"]["en"]
    checks = session.store.read(
        lambda conn: conn.execute("SELECT count(*) AS n FROM certificates_check").fetchone()["n"]
    )
    assert checks == 1  # the check itself is written down; what the code said is not


# --- a newer Sala was here


def test_a_newer_database_is_left_alone_and_opens_for_export(session: Session, tmp_path: Path) -> None:
    from sync import schema

    run = session.commands.run
    run("forms.fill", form="birth-extract-copy", answers=ANSWERS["birth-extract-copy"], finish=True)
    session.store.write(lambda conn: conn.execute(f"PRAGMA user_version={schema.VERSION + 1}"))
    home = session.unlocked.home
    session.close()
    before = sha256((home / "office.db").read_bytes()).hexdigest()
    assert refusal(lambda: keys.unlock(home, "Chan Sokha", PASSPHRASE, SystemClock())) == "SY-103"
    assert sha256((home / "office.db").read_bytes()).hexdigest() == before
    exporting = keys.unlock(home, "Chan Sokha", PASSPHRASE, SystemClock(), read_only=True)
    try:
        rows = exporting.store.read(lambda conn: conn.execute("SELECT receipt FROM forms_submission").fetchall())
        assert [row["receipt"] for row in rows] == ["0306-01-000001"]
    finally:
        exporting.lock()
