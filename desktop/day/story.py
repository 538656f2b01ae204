"""The day in its order, with what each part showed, judged at the end by the figures that must hold."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from desktop.day import samples, work
from desktop.day.centre import HubProcess, free_port
from desktop.day.verdicts import EXPECTED
from desktop.day.work import Hall
from modules.session import Session

SECOND = "0306-2"  # the pack of the office's second laptop


class Story:
    """One day at office 0306, with a neighbour office whose certificate this laptop does not know yet."""

    def __init__(self, out: Path, folder: Path, *, pictures: bool) -> None:
        self.out = out
        self.folder = folder
        self.pictures = pictures
        self.hub = HubProcess(folder / "hub")
        self.facts: dict[str, Any] = {}
        self._began = time.monotonic()
        self._opened: list[Session] = []

    def play(self) -> dict[str, Any]:
        """Run everything; the summary."""
        from desktop.day.stage import Stage

        self.hub.__enter__()
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        for pack in ("0306", "0307", SECOND):
            self.hub.call("enrol", pack[:4], "--out", str(self.folder / f"{pack}.pack"), "--url", url)
        strange = self._strange_certificate()
        stage = Stage(self.out, self.folder / "home", self.hub.roots, pictures=self.pictures)
        self.stage = stage
        hall = Hall(self.out, stage.first_run(self.folder / "0306.pack"))
        chief = work.second_officer(hall)
        work.flow_first(hall, chief)
        first = stage.first_form(samples.BARBER, samples.scan(self.out / "id.png", "អត្តសញ្ញាណប័ណ្ណ"))
        submissions = work.forms(hall, first=first)
        self.facts["certificates"] = work.certificates(hall, strange)
        self.facts["links"] = work.links(hall)
        self.facts["messages"] = work.messages(hall, chief)
        self.facts["flows"] = work.flows(hall)
        stage.verdicts(self.facts["certificates"].pop("sources"))
        stage.noon()
        stick = work.by_stick(hall)
        self.facts["sync"] = work.line_returns(hall, self.hub, port)
        self.facts["usb"] = self.hub.call("import", stick["folder"])
        self.facts["hub"] = work.at_the_centre(hall, self.hub, self.facts["links"]["code"])
        stage.evening(self.hub)
        self.facts["submissions"] = len(submissions)
        summary = self._summary(hall)
        if self.pictures:
            summary["pictures"] = self._seldom(hall, chief)
        return summary

    def _seldom(self, hall: Hall, chief: str) -> list[str]:
        """What does not happen every day, for the manual; every picture of the day."""
        from desktop.day import seldom

        pack = self.folder / f"{SECOND}.pack"
        other = Hall.set_up(self.folder / "second", pack, roots=self.hub.roots, officer=samples.COLLEAGUE)
        self._opened.append(other.session)
        seldom.two_laptops(self.stage, hall, other)
        seldom.forgotten(self.stage, chief, self.hub.folder / "offline" / "recovery.key")
        return [str(path) for path in self.stage.saved]

    def stay_open(self) -> None:
        """Leave the window to the person who watches."""
        self.stage.stay_open(self.hub)

    def close(self) -> None:
        self.stage.close()
        for session in self._opened:
            session.close()
        self.hub.stop()

    def _strange_certificate(self) -> str:
        """A neighbour district issues a certificate before any line was ever there: nobody else can know its key."""
        neighbour = Hall.set_up(self.folder / "neighbour", self.folder / "0307.pack", roots=self.hub.roots)
        try:
            issued = neighbour.run("certificates.issue", template="attestation", data=samples.ATTESTATION)
            return str(issued["text"])
        finally:
            neighbour.session.close()

    def _summary(self, hall: Hall) -> dict[str, Any]:
        facts = self.facts
        verdicts = facts["certificates"]["verdicts"]
        summary = {
            "submissions": facts["submissions"],
            "certificates_issued": facts["certificates"]["issued"],
            "verdicts": {case: found["got"] for case, found in verdicts.items()},
            "links": facts["links"]["total"],
            "messages": facts["messages"]["recipients"],
            "flow_runs": facts["flows"]["done"],
            "batches_acknowledged": facts["sync"]["first"]["batches_received"]
            + facts["sync"]["second"]["batches_received"],
            "receipts_verified": facts["sync"]["receipts"],
            "usb_reimport_new": facts["usb"]["new_ops"],
            "lost": hall.ops() - facts["hub"]["ops"],
            "redirect": facts["hub"]["redirect"],
            "dispatch_waiting": facts["hub"]["dispatch"],
            "seconds": round(time.monotonic() - self._began, 1),
            "pictures": [str(path) for path in self.stage.saved],
            "details": facts,
        }
        summary["ok"] = (
            summary["submissions"] >= 3
            and summary["certificates_issued"] >= 1
            and summary["verdicts"] == EXPECTED
            and summary["links"] >= 1
            and summary["messages"] >= 20
            and summary["flow_runs"] >= 1
            and summary["batches_acknowledged"] >= 1
            and summary["receipts_verified"] >= 1
            and summary["usb_reimport_new"] == 0
            and facts["usb"]["again"] >= 1
            and summary["lost"] == 0
            and summary["redirect"]["status"] == 302
            and summary["dispatch_waiting"] >= 1
        )
        return summary
