"""The day's work, in order; each part returns what it can show. Every part runs commands that a click runs too."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from desktop.day import samples, verdicts
from desktop.day.centre import HubProcess
from modules import replicate
from modules.session import Session
from sync import enrol, keys, outbox
from sync.clock import SystemClock
from sync.officer import Officer
from sync.store import Connection

FLOW = "barber-licence"
CHEAP = keys.CHEAP  # a demonstration guards invented people: its passphrases cost no seconds


class Hall:
    """One laptop of an office, unlocked for its receiving officer."""

    def __init__(self, folder: Path, session: Session) -> None:
        self.folder = folder
        self.session = session

    @classmethod
    def set_up(cls, folder: Path, pack: Path, *, roots: Path, officer: tuple[str, str] = samples.OFFICER) -> Hall:
        """What the wizard does, without the wizard."""
        os.environ["SALA_ROOTS"] = str(roots)
        name, latin = officer
        unlocked = enrol.setup(
            folder / "home",
            pack,
            officer_name=name,
            officer_latin=latin,
            passphrase=samples.PASSPHRASE,
            clock=SystemClock(),
            cost=CHEAP,
        )
        return cls(folder, Session.open(unlocked))

    def run(self, command: str, /, **params: Any) -> Any:
        return self.session.commands.run(command, **params)

    def ops(self) -> int:
        """How many ops this laptop has made."""
        return self.session.store.read(lambda connection: _count(connection))


def _count(connection: Connection) -> int:
    return int(connection.execute("SELECT count(*) AS n FROM op").fetchone()["n"])


def second_officer(hall: Hall) -> str:
    """The chief gets a key and a passphrase of their own; returns their id."""
    name, latin = samples.CHIEF
    return keys.add_officer(
        hall.session.unlocked, Officer("", name, latin, "chief"), samples.CHIEF_PASSPHRASE, cost=CHEAP
    ).id


@contextmanager
def unlocked_by_chief(hall: Hall, chief: str) -> Iterator[Session]:
    """The chief works at the same laptop for a moment, with their own key."""
    opened = Session.open(keys.unlock(hall.session.unlocked.home, chief, samples.CHIEF_PASSPHRASE, SystemClock()))
    try:
        yield opened
    finally:
        opened.close()


def flow_first(hall: Hall, chief: str) -> None:
    """The chief switches the shipped flow on before the first licence is finished."""
    with unlocked_by_chief(hall, chief) as session:
        for flow in session.commands.run("flows.list")["flows"]:
            if flow["id"] == FLOW and not flow["enabled"]:
                session.commands.run("flows.enable", flow=FLOW)


def forms(hall: Hall, *, first: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Three submissions with their receipts; ``first`` is one that was taken in the window already."""
    taken = [first] if first else []
    for form, answers in (
        ("barber-licence", samples.BARBER),
        ("birth-extract-copy", samples.BIRTH),
        ("copy-legalisation", samples.COPY),
    ):
        if first and form == "barber-licence":
            continue
        complete = dict(answers)
        if field := samples.PICTURES.get(form):
            complete[field] = [str(samples.scan(hall.folder / f"{form}.png", "អត្តសញ្ញាណប័ណ្ណ"))]
        taken.append(hall.run("forms.fill", form=form, answers=complete, finish=True))
    for number, submission in enumerate(taken):
        hall.run("forms.receipt", id=submission["id"], out=str(hall.folder / f"receipt-{number + 1}.pdf"))
    return taken


def certificates(hall: Hall, strange: str) -> dict[str, Any]:
    """The licence that the flow issued, printed; and one more, for the six verdicts."""
    issued = hall.run("certificates.register")["rows"]
    licence = next(row for row in issued if row["template"] == "barber-licence")
    printed = hall.run("certificates.pdf", id=licence["id"], out=str(hall.folder / "licence.pdf"))
    other = hall.run("certificates.issue", template="attestation", data=samples.ATTESTATION)
    pdf = Path(hall.run("certificates.pdf", id=other["id"], out=str(hall.folder / "attestation.pdf"))["path"])
    checked = verdicts.all_six(
        hall.session,
        other,
        pdf,
        strange=strange,
        yearly=hall.run("certificates.show", id=licence["id"])["text"],
        passphrase=samples.PASSPHRASE,
        folder=hall.folder,
    )
    yearly = hall.run("certificates.show", id=licence["id"])["text"]
    sources = {
        "valid": yearly, "altered": verdicts.altered(yearly), "unknown_issuer": strange, "revoked": other["text"],
        "not_checked": verdicts.VERIFY_ADDRESS,
    }  # fmt: skip
    issued_in_all = hall.run("certificates.register")["total"]
    return {"issued": issued_in_all, "printed": printed["path"], "verdicts": checked, "sources": sources}


def links(hall: Hall) -> dict[str, Any]:
    """A link for the notice board, its QR sheet, and three addresses that must be refused with reasons."""
    made = hall.run("links.create", url=samples.NOTICE_LINK, title="សេចក្តីជូនដំណឹង អាជ្ញាប័ណ្ណហាងកាត់សក់")
    hall.run("links.sheet", codes=[made["code"]], out=str(hall.folder / "links.pdf"))
    refused = {
        url: [reason["code"] for reason in hall.run("links.check", url=url)["problems"]]
        for url in ("http://moi.gov.kh/", "https://verify.gov.kh.evil.com/verify/1", "https://bit.ly/3abcd")
    }
    return {"code": made["code"], "refused": refused, "total": hall.run("links.list")["total"]}


def messages(hall: Hall, chief: str) -> dict[str, Any]:
    """A notice to twenty people, approved by the chief with their own key, handed over."""
    csv = samples.recipients(hall.folder / "recipients.csv")
    campaign = hall.run("messages.draft", title="ជូនដំណឹងអំពីអាជ្ញាប័ណ្ណ", template=samples.NOTICE, recipients=str(csv))
    with unlocked_by_chief(hall, chief) as session:
        session.commands.run("messages.approve", id=campaign["id"])
    hall.run("messages.handover", id=campaign["id"])
    shown = hall.run("messages.show", id=campaign["id"])
    return {
        "id": campaign["id"],
        "recipients": shown["count"],
        "segments": shown["segments"],
        "state": shown["state"],
    }


def flows(hall: Hall) -> dict[str, Any]:
    """What the flow did by itself when the licence was finished."""
    found = hall.run("flows.runs")
    return {"runs": found["total"], "done": sum(run["state"] == "done" for run in found["rows"])}


def by_stick(hall: Hall) -> dict[str, Any]:
    """Copy what waits onto a stick *before* the line returns; the stick reaches the centre later."""
    stick = hall.folder / "stick"
    stick.mkdir(exist_ok=True)
    return {"folder": str(stick), "handed": replicate.export(hall.session, stick)}


def line_returns(hall: Hall, hub: HubProcess, port: int) -> dict[str, Any]:
    """The hub can be reached again: one run sends, receives and verifies; a second brings what the centre made of it."""
    hub.serve(port)
    report = replicate.once(hall.session)
    until(lambda: not hub.call("report", "gaps"), 20)
    again = replicate.once(hall.session)
    summary = hall.session.store.read(outbox.summary)
    receipts = hall.session.store.read(lambda c: int(c.execute("SELECT count(*) AS n FROM receipt").fetchone()["n"]))
    return {"first": report, "second": again, "waiting": summary.waiting, "receipts": receipts}


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for another process; TimeoutError says what never came."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s")
        time.sleep(0.1)


def at_the_centre(hall: Hall, hub: HubProcess, code: str) -> dict[str, Any]:
    """What the centre holds of this laptop, and where a visitor of the link is sent."""
    import httpx

    device = hall.session.unlocked.device.device_id.hex()
    answer = httpx.get(f"{hub.url}/{code.upper()}", follow_redirects=False)
    batches = [row for row in hub.call("report", "batches") if row["device"] == device]
    return {
        "ops": sum(row["new_ops"] for row in batches),
        "batches": len(batches),
        "gaps": len(hub.call("report", "gaps")),
        "redirect": {"status": answer.status_code, "location": answer.headers.get("location", "")},
        "dispatch": len(hub.call("report", "effects")),
        "log": hub.call("verify-log"),
    }
