"""One sync run, in the order of the protocol: enrol, publications, have/want, receipts, batches, chunks, the hub's log.

Every step may be repeated and may be the last one: what was done is in the database. One stuck batch never holds up another,
and a step that fails leaves the steps after it their turn as long as the line stands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from sync import (
    carrying,
    cbor,
    checkpoints,
    delivery,
    enrol,
    foreign_files,
    forked,
    havewant,
    leases,
    line,
    notes,
    office,
    outbox,
    pieces,
    pins,
    pruning,
    refreshing,
    relayed,
    runs,
    wire,
    witnesses,
)
from sync.errors import Known, SalaError
from sync.limits import KIB, MAX_MESSAGE, MAX_PUBLICATION
from sync.lockfile import locked
from sync.marks import GOODPUT, RECEIPT_CURSOR, mark, set_mark
from sync.transport import GONE, NO_CENTRE, Cancelled, Transport
from sync.uploads import Uploads

if TYPE_CHECKING:
    from sync.keys import Unlocked
    from sync.office import Centre
    from sync.store import Connection

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # what, done, total
LOCK: Final = "sync.lock"
_RECEIPTS: Final = 200  # old receipts in one message
_SMALL: Final = 32 * KIB  # publications up to this go before the records, larger ones after them
_REFUSALS: Final = {202: "SY-473", 403: "SY-345", 404: "SY-346", 409: "SY-347", 410: "SY-348"}


@dataclass(slots=True)
class Report:
    """What one run did. ``problems``: ``{"step", "code", "values"}`` each; nothing is lost by any of them."""

    url: str = ""
    enrolled: bool = False
    rekeyed: bool = False  # a copy of this laptop was at work: it is a laptop of its own now
    cancelled: bool = False
    batches_cut: int = 0
    batches_sent: int = 0
    batches_handed: int = 0  # of those, the ones that a province's relay has signed for and not yet the centre
    batches_received: int = 0  # receipts that turned a batch green
    carried_on: int = 0  # batches of colleagues that the hub or a relay has taken from here
    batches_lost: int = 0  # the hub no longer held them; they go again
    quarantined: int = 0  # received, but waiting for a decision of an admin
    chunks_sent: int = 0
    chunks_carried: int = 0  # of those, pieces of colleagues' attachments
    chunks_lost: int = 0  # the hub no longer held them; they go again
    publications: list[str] = field(default_factory=list)
    bytes_up: int = 0
    bytes_down: int = 0
    waiting: int = 0  # ops that still are only here
    problems: list[dict[str, Any]] = field(default_factory=list)


def run(
    unlocked: Unlocked, transport: Transport | None = None, *, progress: Progress | None = None,
    cancel: Callable[[], bool] = lambda: False, asked: bool = True,
) -> Report:  # fmt: skip
    """One run over the line. ``asked`` False: it began by itself, and items in trouble wait for their next try.

    Known: SY-352 another run goes on; SY-355 or a code of :data:`sync.transport.GONE`, no hub: everything stays here.
    """
    with locked(unlocked.home / LOCK):
        return _Run(unlocked, progress or (lambda *_: None), cancel, asked).over(transport)


class _Run:
    """The state of one run."""

    def __init__(self, unlocked: Unlocked, progress: Progress, cancel: Callable[[], bool], asked: bool) -> None:
        self.unlocked, self.store, self.clock = unlocked, unlocked.store, unlocked.store.clock
        self.progress, self.cancel, self.asked = progress, cancel, asked
        self.report = Report()
        self.went_back = False  # the hub's log, as an answer in this run says
        self._large = False  # is there a publication that waits until the records are gone?

    def over(self, transport: Transport | None) -> Report:
        centre = self.store.read(office.centre)
        if centre is None:
            raise Known("SY-303")
        self.centre: Centre = centre
        settings = self.store.read(line.read)
        self.line = transport or self._transport(settings)
        self.uploads = Uploads(
            self.unlocked, self.line, centre.log, self.report, settings, asked=self.asked, progress=self.progress,
            cancel=self.cancel, problem=self._problem, lacking=partial(havewant.chunks, self),
        )  # fmt: skip
        self.line.goodput = self.store.read(lambda conn: mark(conn, GOODPUT))
        self.progress("connect", 0, 1)
        try:
            with self.line:
                self._steps()
        except Cancelled:
            self.report.cancelled = True
        except Known as error:
            self._failed(error)
            if error.code != "SY-354":
                raise
            self._problem("line", error)
        finally:
            self._finish()
        return self.report

    def _transport(self, settings: line.Settings) -> Transport:
        believed, expired = self.store.read(lambda conn: pins.known(conn, self.clock.wall_ms()))
        if expired:
            self._problem("connect", Known("SY-425"))
        return Transport(
            self.centre.urls,
            self.unlocked.device,
            cancel=self.cancel,
            settings=settings,
            log=self.centre.log,
            pins=believed,
        )

    def _steps(self) -> None:
        self.report.url = self.line.url
        self.store.write(pieces.begin_round)
        for name, step in relayed.steps(self) if self.line.relay else (
            ("enrol", self._enrol), ("leases", self._ask_leases), ("publications", self._publications),
            ("certificate", self._enrol_by_province),
            ("have", partial(havewant.batches, self)), ("receipts", self._receipts), ("evidence", self._evidence),
            ("cut", self.uploads.cut), ("batches", self.uploads.batches),
            ("forks", self._forks), ("office", self._office),
            ("publications", self._large_publications), ("chunks", self.uploads.attachments), ("log", self._log),
            ("witness", self._witness),
        ):  # fmt: skip
            if self.cancel():
                raise Cancelled
            with self._step(name):
                step()
        self.store.write(lambda conn: runs.reached(conn, self.clock.wall_ms()))

    def _office(self) -> None:
        self.report.carried_on += carrying.carry_on(
            self.unlocked, self.line, self.centre.log, cancel=self.cancel, problem=self._problem
        )
        foreign_files.complete(self.unlocked)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """A step that goes wrong is told and left; a line that breaks or a busy hub ends the run."""
        try:
            yield
        except SalaError as error:
            if error.code == "SY-354" or error.code in GONE:
                raise
            self._problem(name, error)

    def _problem(self, step: str, error: SalaError) -> None:
        log.warning("sync step %s: %s", step, error.code)
        values = {name: str(value) for name, value in error.values.items()}
        self.report.problems.append({"step": step, "code": error.code, "values": values})

    # --- steps

    def _enrol(self) -> None:
        request = self.store.read(enrol.request)
        if request is not None:
            self.progress("enrol", 0, 1)
            answer = self.line.call("POST", "/v1/enrol", request)
            self._require_centre(answer.status)
            if answer.status in _REFUSALS:
                raise Known(_REFUSALS[answer.status])
            _require(answer.status, 200, 201)
            self.store.write(lambda conn: enrol.accept(conn, self.clock, answer.body))
        if not self.line.relay:  # new keys are certified by the centre alone, over its own line or by stick
            forked.enrolled(self.unlocked, self.line)
        self.report.enrolled = self.store.read(enrol.certificate) is not None

    def _enrol_by_province(self) -> None:
        """The certificate that came before the publications which name its signer."""
        early = [problem for problem in self.report.problems if problem["code"] == "SY-472"]
        if early:
            self._enrol()
            self.report.problems = [problem for problem in self.report.problems if problem not in early]

    def _ask_leases(self) -> None:
        if not self.report.enrolled:
            return
        for resource in self.store.read(lambda conn: leases.running_out(conn, self.clock.wall_ms())):
            answer = self.line.call("POST", f"/v1/leases/{quote(resource, safe='')}", signed=True)
            self._require_centre(answer.status)
            _require(answer.status, 200, 202)

    def _publications(self, largest: int = _SMALL) -> None:
        """What the centre has published anew, as far as it does not hold up the records."""
        found = self._refresh(largest)
        if "SY-341" in found.refused.values():  # the centre published anew while we were reading: read that
            found = self._refresh(largest)
        self._large = bool(found.left)
        for name, code in found.refused.items():
            self._problem("publications", Known(code, name=name))
        if found.code not in ("", "SY-341"):
            self._problem("publications", Known(found.code))

    def _large_publications(self) -> None:
        if self._large:
            self._publications(MAX_PUBLICATION)

    def _refresh(self, largest: int) -> refreshing.Refreshed:
        found = refreshing.refresh(
            self.unlocked, self.line, progress=self.progress, cancel=self.cancel, largest=largest
        )
        self.report.publications += found.taken
        return found

    def _evidence(self) -> None:
        """A hub that was put back from an older copy is shown its own receipts for what it is sent once more."""
        texts = self.store.read(delivery.old_receipts)
        for start in range(0, len(texts), _RECEIPTS):
            answer = self.line.call("POST", "/v1/evidence", cbor.encode(texts[start : start + _RECEIPTS]))
            _require(answer.status, 200)

    def _forks(self) -> None:
        """If a copy of this laptop is at work, become a laptop of its own; then numbers for it are fetched at once."""
        if not self.report.enrolled:
            return
        behind = [problem for problem in self.report.problems if problem["code"] == "SY-321"]
        if forked.resolve(self.unlocked, self.line, behind=bool(behind)):
            self.report.rekeyed = True
            self.report.problems = [problem for problem in self.report.problems if problem not in behind]
            self._publications()
        forked.older_chains(self.unlocked, self.line, self.centre)
        pruning.ask(self.unlocked, self.line, self.centre.log)

    def _receipts(self) -> None:
        more = self.report.enrolled
        while more:
            cursor = self.store.read(lambda conn: mark(conn, RECEIPT_CURSOR))
            answer = self.line.call("GET", f"/v1/receipts?after={cursor}", signed=True, limit=16 * MAX_MESSAGE)
            _require(answer.status, 200)
            found = wire.read_receipts(answer.body)
            more = found.more and found.next > cursor

            def work(conn: Connection, found: wire.Receipts = found) -> None:
                for text in found.texts:
                    self.uploads.take(delivery.received(conn, text, self.centre.log))
                outbox.settle(conn)
                set_mark(conn, RECEIPT_CURSOR, found.next)

            self.store.write(work)

    def _log(self) -> None:
        """The newest checkpoint seen in receipts must extend the one that is known: else the hub went back."""
        new, known = self.uploads.largest, self.store.read(checkpoints.newest)
        if new is None or (known is not None and (known.epoch, known.size) >= (new.epoch, new.size)):
            return
        proof: Sequence[bytes] = ()
        if known is not None and known.epoch == new.epoch and known.size > 0:
            path = f"/v1/log/consistency?epoch={new.epoch}&old={known.size}&new={new.size}"
            answer = self.line.call("GET", path)
            _require(answer.status, 200)
            proof = notes.read_hash_lines(answer.body.decode("ascii", "replace"))
        havewant.advance(self, "log", self.uploads.largest_note, proof)

    def _witness(self) -> None:
        if self.report.enrolled:
            witnesses.ask(self.unlocked, self.line, self.centre)

    # --- before and after

    def _require_centre(self, status: int) -> None:
        if status == NO_CENTRE and self.line.relay:
            raise Known("SY-485", relay=self.line.relay)

    def _failed(self, error: Known) -> None:
        moved = self.report.batches_received + self.report.chunks_sent > 0
        self.store.write(lambda conn: runs.failed(conn, error, self.clock.wall_ms(), moved=moved))

    def _finish(self) -> None:
        self.report.bytes_up, self.report.bytes_down = self.line.bytes_up, self.line.bytes_down
        self.store.write(lambda conn: set_mark(conn, GOODPUT, self.line.goodput))
        summary = self.store.read(outbox.summary)
        self.report.waiting = summary.waiting + summary.sending
        self.progress("done", 1, 1)


def _require(status: int, *wanted: int) -> None:
    if status not in wanted:
        raise Known("SY-351", status=status)
