"""Batches in any order, any number of times, over the line, by stick or through another hub: the same state, by a state machine.

The model knows only which ops exist, who is enrolled and what has arrived; it says what every op must be called.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sync import batch as batches
from sync import volume
from sync.clock import SetClock
from sync.hub import app as face
from sync.hub import centre as centres
from sync.hub import courier
from sync.hub.enrolment import Ticket
from tests.hub import tables
from tests.hub.laptop import NOW, Laptop, ask, join, slot
from tests.simulation.wire import _ask

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
WAYS = st.sampled_from(("line", "stick", "courier"))
_TEMPLATE: dict[str, Path] = {}


class AnyOrder(RuleBasedStateMachine):
    """Three laptops: one that re-cut its ops, one whose disk was copied, one that the hub does not know yet."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(
            tempfile.mkdtemp(prefix="sala-order-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        )
        self.sticks = 0

    @initialize()
    def begin(self) -> None:
        shutil.copytree(_template(), self.folder / "hub")
        self.centre = centres.open_(self.folder / "hub", SetClock(NOW + 60_000))
        self.loop = asyncio.new_event_loop()
        self.plain, self.copied, self.stranger = join(self.centre, Laptop()), join(self.centre, Laptop()), Laptop()
        self.ticket: Ticket = slot(self.centre)
        self.enrolled = {self.plain.id, self.copied.id}
        self.known: list[bytes] = [
            *_recut(self.plain),
            *_forked(self.copied),
            *(self.stranger.batch(n) for n in (2, 1, 3)),
        ]
        self.parsed = {data: batches.parse(data) for data in self.known}
        self.arrived: set[bytes] = set()
        self.receipts: dict[bytes, str] = {}

    @rule(number=st.integers(0, 99), way=WAYS)
    def arrives(self, number: int, way: str) -> None:
        data = self.known[number % len(self.known)]
        receipt = getattr(self, f"by_{way}")(data)
        assert self.receipts.setdefault(data, receipt) == receipt, "the same batch has the same receipt for ever"
        self.arrived.add(data)

    @rule(numbers=st.lists(st.integers(0, 99), min_size=2, max_size=6))
    def a_stick_with_many_arrives(self, numbers: list[int]) -> None:
        chosen = [self.known[number % len(self.known)] for number in numbers]
        self._stick(chosen)
        self.arrived |= set(chosen)

    @rule()
    def the_stranger_is_enrolled(self) -> None:
        if self.stranger.id not in self.enrolled:
            assert ask(self.centre, self.stranger.request(self.ticket)).status == 201
            self.enrolled.add(self.stranger.id)

    @rule()
    def the_hub_is_started_again(self) -> None:
        self.centre.close()
        self.centre = centres.open_(self.folder / "hub", SetClock(NOW + 120_000))

    # --- the ways

    def by_line(self, data: bytes) -> str:
        path = f"/v1/batches/{sha256(data).hexdigest()}".encode()
        headers = [(b"content-length", str(len(data)).encode())]
        answer: httpx.Response = self.loop.run_until_complete(
            _ask(face.create(self.centre), ("hub", "PUT", path, b"", headers, data))
        )
        assert answer.status_code == (200 if data in self.arrived else 201)
        return answer.text

    def by_courier(self, data: bytes) -> str:
        """As a hub hands on what another hub or a stick brought it."""
        return self.centre.ingest.take(data, via="courier").receipt

    def by_stick(self, data: bytes) -> str:
        return self._stick([data])[data]

    def _stick(self, chosen: list[bytes]) -> dict[bytes, str]:
        self.sticks += 1
        place = self.folder / f"stick-{self.sticks}"
        volume.write(place, "sala", [volume.Object("batch", sha256(data).hexdigest(), data) for data in chosen])
        taken = courier.take(self.centre, place)
        assert not taken.problems and taken.batches == len(set(chosen) - self.arrived)
        rows = self._rows("SELECT b.raw, l.receipt FROM batch b JOIN leaf l ON l.batch = b.idx")
        return {bytes(row["raw"]): row["receipt"] for row in rows}

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        return self.centre.storage.read(lambda tx: tx.query(sql))

    # --- the law

    @invariant()
    def every_op_is_what_the_tree_makes_of_it(self) -> None:
        if not hasattr(self, "parsed"):
            return
        here = {
            op.hash: (op.parent, batch.device_id)
            for data, batch in self.parsed.items()
            if data in self.arrived
            for op in batch.ops
        }
        ours = {self.plain.id, self.copied.id, self.stranger.id}
        labels = {
            row["hash"]: row["label"]
            for row in self._rows("SELECT hash, label, device FROM op")
            if row["device"] in ours
        }
        assert labels.keys() == here.keys()
        roots = {batch.prev for batch in self.parsed.values()} - {
            op.hash for batch in self.parsed.values() for op in batch.ops
        }
        for op, (parent, device) in here.items():
            above = "accepted" if parent in roots else labels.get(parent, "missing")
            siblings = [other for other, (its, _) in here.items() if its == parent and other != op]
            taken = any(labels[other] == "accepted" for other in siblings)
            if device not in self.enrolled or above in ("missing", "pending"):
                wanted = "pending"
            else:
                wanted = "q:fork" if above == "q:fork" or (taken and labels[op] != "accepted") else "accepted"
            assert labels[op] == wanted, (labels[op], wanted, above)
            assert not (labels[op] == "accepted" and taken), "two children of one op are accepted"
        leaves = self._rows("SELECT b.hash FROM leaf l JOIN batch b ON b.idx = l.batch WHERE b.via <> 'hub'")
        assert sorted(row["hash"] for row in leaves) == sorted(sha256(data).digest() for data in self.arrived)

    def teardown(self) -> None:
        try:
            if hasattr(self, "parsed"):
                self._finish()
        finally:
            if hasattr(self, "centre"):
                self.centre.close()
                self.loop.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _finish(self) -> None:
        """In the end everything has arrived, and everybody is known."""
        self.the_stranger_is_enrolled()
        self._stick(self.known)
        self.arrived |= set(self.known)
        self.every_op_is_what_the_tree_makes_of_it()
        assert self.centre.storage.read(self.centre.log.verify) == []


def _template() -> Path:
    """A fresh hub, made once."""
    if "hub" not in _TEMPLATE:
        place = Path(tempfile.mkdtemp(prefix="sala-order-")) / "hub"
        atexit.register(shutil.rmtree, place.parent, ignore_errors=True)
        centres.create(tables.lay(place), SetClock(NOW), name="មជ្ឈមណ្ឌល", log_name="hub").close()
        _TEMPLATE["hub"] = place
    return _TEMPLATE["hub"]


def _recut(laptop: Laptop) -> list[bytes]:
    """Six ops in batches of two, and the same ops again as one batch and as single ones."""
    first, head = laptop.seq, laptop.head
    made = [laptop.op() for _ in range(6)]
    found = [laptop.batch(made=made[start : start + 2]) for start in (0, 2, 4)]
    for cuts in ([made], [[one] for one in made]):
        again = Laptop(laptop.sign, laptop.seal, laptop.issue, first, head)
        found += [again.batch(made=ops) for ops in cuts]
    return found


def _forked(laptop: Laptop) -> list[bytes]:
    """Two ops, then three branches: of the laptop, of its copy, of the copy's copy."""
    found = [laptop.batch(2)]
    copy = laptop.clone()
    found += [laptop.batch(2), laptop.batch(1)]
    found.append(copy.batch(1))
    second = copy.clone()
    return [*found, copy.batch(2), second.batch(1)]


AnyOrder.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)


class TestAnyOrder(AnyOrder.TestCase):  # type: ignore[misc, valid-type]
    """Any order, any number of times, any path → the same state."""
