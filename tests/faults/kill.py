"""``python -m tests.faults.kill``: laptop and hub work, one of them dies in every iteration, and at the end the law is checked.

The laptop finishes forms (a flow issues the certificate, makes the link and drafts the message), makes links, leaves drafts,
cuts and sends batches, takes receipts, exports to sticks. The same seed makes the same plan for every iteration; where a
random delay hits depends on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults import law
from tests.faults.children import OFFICER, PASSPHRASE, Hub, Laptop

LAPTOP_POINTS: Final = {  # where the laptop may die, and at which passing at the latest
    "store": 50, "audit": 16, "blob": 3, "flows": 6, "cut:before-insert": 2, "cut:before-commit": 2, "send:before-put": 2,
    "send:after-put": 2, "receive:receipt": 2, "have:before-commit": 2, "courier:written": 1, "courier:renamed": 1,
}  # fmt: skip
HUB_POINTS: Final = {"hub:received": 2, "hub:stored": 2, "hub:before-commit": 16, "hub:after-commit": 16}
FORMS: Final = ("barber-licence", "barber-licence", "birth-extract-copy", "copy-legalisation")
LONGEST_S: Final = 30.0  # an order that takes longer hangs, which is a fault
HEALING_ROUNDS: Final = 5  # after the last power cut everything must be through in so many runs


@dataclass
class Figures:
    """What a run did. ``broken``: the laws that did not hold."""

    seed: int
    iterations: int = 0
    kills: Counter[str] = field(default_factory=Counter)  # victim and place → how often
    refused: Counter[str] = field(default_factory=Counter)  # action and code → how often
    problems: Counter[str] = field(default_factory=Counter)  # step and code of sync runs → how often
    acknowledged: Counter[str] = field(default_factory=Counter)
    receipts: int = 0
    lost_at_hub: int = 0  # batches with a receipt that the hub said it lacks
    healing_rounds: int = 0
    ops: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    broken: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.broken and not self.lost_at_hub

    def document(self) -> dict[str, Any]:
        counted = {
            name: dict(sorted(value.items())) if isinstance(value, Counter) else value
            for name, value in vars(self).items()
        }
        return {"ok": self.ok, **counted}


class Run:
    """One hub and one laptop in ``folder``, and a plan drawn from ``seed``."""

    def __init__(self, folder: Path, seed: int, *, hub: Path | None = None) -> None:
        self.folder, self.seed, self.random = folder, seed, random.Random(seed)
        self.figures, self.said = Figures(seed), law.Acknowledged()
        self.hub_folder, self.home = hub or folder / "hub", folder / "home"
        self.laptop: Laptop | None = None
        self.open_drafts: list[str] = []
        self.port = _free_port()
        self._prepare()
        self.hub = Hub(self.hub_folder, self.port)

    def go(self, iterations: int, *, say: bool = False) -> Figures:
        """Kill ``iterations`` times, heal, check."""
        began = time.monotonic()
        for number in range(iterations):
            started, self.random = time.monotonic(), random.Random(f"{self.seed} {number}")
            self.one()
            self.figures.slowest_s = max(self.figures.slowest_s, time.monotonic() - started)
            if say and (number + 1) % 25 == 0:
                print(
                    f"{number + 1}: {time.monotonic() - began:.0f} s, {dict(self.figures.acknowledged)}",
                    file=sys.stderr,
                    flush=True,
                )
        self.figures.iterations = iterations
        self.heal()
        self.figures.seconds = round(time.monotonic() - began, 1)
        self.figures.slowest_s = round(self.figures.slowest_s, 2)
        return self.figures

    def close(self) -> None:
        for child in (self.laptop, self.hub):
            if child is not None and child.alive:
                child.kill()

    # --- one iteration

    def one(self) -> None:
        """Choose who dies where, let them work, kill, note what was acknowledged."""
        victim = self.random.choices(("laptop", "hub", "both"), (5, 4, 1))[0]
        ours = self._place(LAPTOP_POINTS) if victim != "hub" else None
        theirs = self._place(HUB_POINTS) if victim != "laptop" else None
        if theirs or not self.hub.alive:
            self._restart_hub(theirs)
        early = ours if self.random.random() < 0.15 else None  # it may die while it opens the profile
        if self.laptop is None or not self.laptop.alive:
            self.laptop = Laptop(self.home, self.hub_folder / "roots", early)
        self.laptop.order(self._actions(ours, theirs), ours)
        working = True
        if victim != "laptop" and theirs is None:
            working = self._listen(self._delay())
            self._kill_hub(None)
        until_dead = victim == "hub" or ours is not None
        if working and self._listen(LONGEST_S if until_dead else self._delay()) and until_dead:
            raise AssertionError("the laptop hangs")
        if victim != "hub":
            self._kill_laptop(ours)
        if theirs is not None:
            self._kill_hub(theirs)

    def _delay(self) -> float:
        """Seconds; a whole order takes about as long."""
        return self.random.uniform(0.0, 0.9)

    def _place(self, points: dict[str, int]) -> str | None:
        """A point and at which passing, or None: after a random delay."""
        if self.random.random() < 0.35:
            return None
        name = self.random.choice([*points, *["store"] * 3] if points is LAPTOP_POINTS else list(points))
        return f"{name}:{self.random.randint(1, points[name])}"

    def _actions(self, ours: str | None, theirs: str | None) -> list[list[Any]]:
        some = self.random
        actions: list[list[Any]] = [["finish", some.choice(FORMS)] for _ in range(some.randint(1, 2))]
        if some.random() < 0.3:
            actions.append(["link"])
        if some.random() < 0.2:
            actions.append(["draft", some.choice(FORMS)])
        if self.open_drafts and some.random() < 0.5:
            actions.append(["finish_draft", self.open_drafts[-1]])
        some.shuffle(actions)
        if some.random() < 0.6 or theirs:
            actions.insert(some.randint(0, len(actions)), ["sync"])
        if (ours or "").startswith("courier") or some.random() < 0.04:
            place = self.folder / f"stick-{len(self.said.sticks)}"
            self.said.sticks.append(place)
            actions.append(["stick", str(place)])
        return [*actions, ["sync"]]

    def _listen(self, seconds: float) -> bool:
        """Note what the laptop says until the time is over; False when it rests or died."""
        assert self.laptop is not None
        resting = False
        for answer in self.laptop.answers(time.monotonic() + seconds):
            resting = "rests" in answer
            self._note(answer)
        return self.laptop.alive and not resting

    def _kill_laptop(self, failpoint: str | None) -> None:
        assert self.laptop is not None
        died = not self.laptop.alive
        self.laptop.process.kill()
        self.laptop.process.join(30)
        for answer in self.laptop.last_words():
            self._note(answer)
        if self.laptop.process.exitcode != -9:
            self.figures.broken.append(f"the laptop ended with {self.laptop.process.exitcode}")
        self._count("laptop", failpoint, died)
        self.laptop = None

    def _kill_hub(self, failpoint: str | None) -> None:
        died = not self.hub.alive
        self.hub.kill()
        if self.hub.process.exitcode != -9:
            self.figures.broken.append(f"the hub ended with {self.hub.process.exitcode}")
        self._count("hub", failpoint, died)

    def _restart_hub(self, failpoint: str | None) -> None:
        if self.hub.alive:
            self.hub.kill()
        self.hub = Hub(self.hub_folder, self.port, failpoint)
        if not self.hub.ready() and failpoint is None:
            raise AssertionError(f"the hub does not start: {self.hub.log.read_text('utf-8')[-2000:]}")

    def _count(self, victim: str, failpoint: str | None, died: bool) -> None:
        place = (failpoint.rpartition(":")[0] if died else "at rest") if failpoint else "any moment"
        self.figures.kills[f"{victim} {place}"] += 1

    def _note(self, answer: dict[str, Any]) -> None:
        if "rests" in answer:
            return
        action = answer["action"]
        if "bug" in answer:
            self.figures.broken.append(f"{action}: {answer['bug']}")
        elif "refused" in answer:
            self.figures.refused[f"{action} {answer['refused']}"] += 1
            if answer["refused"] == "FM-010":  # it was finished, and the power went before that was said
                self.open_drafts.remove(*answer["of"])
        else:
            self.figures.acknowledged[action] += 1
            self._remember(action, answer["did"])

    def _remember(self, action: str, did: dict[str, Any]) -> None:
        if action in ("finish", "finish_draft"):
            self.said.submissions[did["id"]] = did
            self.open_drafts = [draft for draft in self.open_drafts if draft != did["id"]]
        elif action == "draft":
            self.said.drafts.add(did["draft"])
            self.open_drafts.append(did["draft"])
        elif action == "link":
            self.said.links.add(did["code"])
        elif action == "sync":
            self.figures.receipts += did["batches_received"]
            self.figures.lost_at_hub += did["batches_lost"]
            for problem in did["problems"]:
                self.figures.problems[f"{problem['step']} {problem['code']}"] += 1

    # --- before and after

    def _prepare(self) -> None:
        """A hub, an office pack, a laptop whose chief has switched the shipped flow on."""
        from modules.session import Session
        from sync import enrol, keys
        from sync.clock import SystemClock
        from sync.hub import centre as centres
        from sync.hub.offices import office_facts

        centre = centres.create(self.hub_folder, SystemClock(), name="មជ្ឈមណ្ឌលសាកល្បង", log_name="hub")
        try:
            pack = self.folder / "0306.pack"
            pack.write_bytes(centre.enrol(office_facts("0306"), [f"http://127.0.0.1:{self.port}"]))
        finally:
            centre.close()
        os.environ["SALA_ROOTS"] = str(self.hub_folder / "roots")
        session = Session.open(
            enrol.setup(
                self.home, pack, officer_name=OFFICER[0], officer_latin=OFFICER[1], role="chief", passphrase=PASSPHRASE,
                clock=SystemClock(), cost=keys.CHEAP,
            )
        )  # fmt: skip
        session.commands.run("flows.enable", flow="barber-licence")
        session.close()

    def heal(self) -> None:
        """Start both once more, sync until nothing waits, and check the law."""
        from tests.faults.worker import Worker

        if self.laptop is not None and self.laptop.alive:
            self._kill_laptop(None)
        self._restart_hub(None)
        worker = Worker(self.home)
        try:
            for number in range(1, HEALING_ROUNDS + 1):
                answer = worker.do(["sync"])
                self._note(answer)
                self.figures.healing_rounds = number
                if "did" in answer and not answer["did"]["waiting"] and not answer["did"]["problems"]:
                    break
            self.hub.process.terminate()
            if self.hub.end(30) is None:
                self.figures.broken.append("the hub does not end")
            self.figures.ops = worker.session.store.read(
                lambda c: int(c.execute("SELECT count(*) AS n FROM op").fetchone()["n"])
            )
            self.figures.broken += law.broken(worker.session, self.hub_folder, self.said)
            if "Traceback" in (log := self.hub.log.read_text("utf-8")):
                self.figures.broken.append(f"serve.log: {log[log.index('Traceback') :][:3000]}")
        finally:
            worker.session.close()


def _free_port() -> int:
    from desktop.day.centre import free_port

    return free_port()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kill")
    parser.add_argument("--iterations", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print exactly one JSON document")
    parser.add_argument("--keep", type=Path, help="work in this empty folder and leave it")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sala-kill-") as temporary:
        folder: Path = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        run = Run(folder, chosen.seed)
        try:
            figures = run.go(chosen.iterations, say=True)
        finally:
            run.close()
    print(json.dumps(figures.document(), ensure_ascii=False, indent=None if chosen.json else 1))
    return 0 if figures.ok else 1


if __name__ == "__main__":
    sys.exit(main())
