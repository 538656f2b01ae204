"""Two laptops of one office meet on the local network: one waits with an invitation, the other visits. Same files as on a stick.

Each sends what the other lacks as a small courier file and takes the other's; they go round until neither has more. Whoever
waits listens only while its page is open, only on the local network, and gives a stranger nothing but a challenge.
"""

from __future__ import annotations

import hmac
import http.client
import ipaddress
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nacl import utils

from sync import colleagues, courier, cutting, foreign_files, giving, lan, volume
from sync.cbor import Malformed
from sync.colleagues import Colleague
from sync.errors import Known, Refused
from sync.lan import Answer, Invitation
from sync.limits import MAX_LAN, MAX_TARGET
from sync.version import VERSION
from sync.volume import Object

if TYPE_CHECKING:
    from sync.exchange import Progress
    from sync.keys import Unlocked
    from sync.store import Connection
    from sync.taking import Taken

_ROOM: Final = MAX_LAN // 2  # bytes of objects in one message: what one object of more size would need is left
_ROUNDS: Final = 500
_TIMEOUT_S: Final = 20


@dataclass(slots=True)
class Met:
    """What a meeting brought."""

    number: int = 0  # of the other laptop
    paired: bool = False  # for the first time
    given: int = 0  # objects given
    taken: int = 0  # ops that were not here
    receipts: int = 0
    rounds: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)


# --- what is given


def gift(unlocked: Unlocked, colleague: Colleague) -> tuple[bytes, int, bool]:
    """A courier file with what ``colleague`` lacks, as much as one message holds: bytes, objects, whether there is more."""
    own = list(giving.introduction(unlocked))
    size, taken, more = sum(len(one.data) for one in own), own, False
    for one in _whole(giving.to(unlocked, colleague)):
        wanted = sum(len(part.data) for part in one)
        if len(taken) > len(own) and size + wanted > _ROOM:
            more = True
            break
        if size + wanted > MAX_LAN - (1 << 20):
            raise Known("SY-459")
        taken = [*taken, *one]
        size += wanted
    return volume.pack(taken), len(taken) - len(own), more


def _whole(objects: Iterator[Object]) -> Iterator[list[Object]]:
    """A batch and its bodies are never parted."""
    held: list[Object] = []
    for one in objects:
        if held and one.type != "bodies":
            yield held
            held = []
        held.append(one)
    if held:
        yield held


def _cut(unlocked: Unlocked) -> None:
    """What was just done goes along too."""
    while cutting.cut(unlocked, VERSION, target=MAX_TARGET) is not None:
        pass


# --- who waits


class Host:
    """The waiting side: answers requests. ``heard`` is told of every meeting."""

    def __init__(self, unlocked: Unlocked, heard: Callable[[Met], None] = lambda _met: None) -> None:
        self._unlocked, self._heard = unlocked, heard
        self._secret = utils.random(16)
        self._until_ms = unlocked.store.clock.wall_ms() + lan.LIVES_MS
        self._challenges: list[bytes] = []

    def invitation(self, addresses: tuple[str, ...]) -> Invitation:
        """What the screen shows. Refused SY-442 when the centre has not enrolled this laptop."""
        certificate = self._unlocked.store.read(colleagues.own_certificate)
        return Invitation(certificate, self._secret, addresses, self._until_ms)

    def challenge(self) -> bytes:
        """Something that can be answered once; the oldest of many open ones is forgotten."""
        self._challenges = [*self._challenges[-31:], utils.random(32)]
        return self._challenges[-1]

    def answer(self, data: bytes) -> bytes:
        """The sealed answer to a sealed request. Whatever is wrong with it is a SalaError, and the speaker hears nothing."""
        unlocked = self._unlocked
        device = unlocked.device
        request = lan.open_request(data, device)
        if request.challenge not in self._challenges:
            raise Malformed("lan: challenge")
        self._challenges.remove(request.challenge)
        speaker = unlocked.store.read(lambda conn: colleagues.check(conn, request.certificate))
        if not request.holds(speaker, device.device_id):
            raise Malformed("lan: signature")
        known = {one.device for one in unlocked.store.read(colleagues.present)}
        if speaker.device_id not in known and not self._proven(request):
            raise Refused("SY-457")
        clock = unlocked.store.clock
        colleague = unlocked.store.write(lambda conn: colleagues.pair(conn, clock, request.certificate))
        _cut(unlocked)
        report = courier.import_bytes(unlocked, request.body, "LAN")
        body, given, more = gift(unlocked, colleague)
        self._heard(_met(report, colleague, given, paired=speaker.device_id not in known))
        return lan.seal_answer(device, speaker, request.challenge, Answer(body, more))

    def _proven(self, request: lan.Request) -> bool:
        if self._unlocked.store.clock.wall_ms() > self._until_ms:
            return False
        return hmac.compare_digest(request.proof, lan.proof(self._secret, request.challenge, request.certificate))


def _met(report: Taken, colleague: Colleague, given: int, *, paired: bool) -> Met:
    return Met(
        number=colleague.number, paired=paired, given=given, taken=report.office_ops,
        receipts=report.receipts + report.office_receipts, rounds=1, problems=report.problems,
    )  # fmt: skip


# --- who visits


def visit(
    unlocked: Unlocked, invitation: str, *, progress: Progress | None = None, cancel: Callable[[], bool] = lambda: False
) -> Met:
    """Exchange with the laptop that shows ``invitation``.

    Refused: SY-457 no invitation or too old, SY-443 … SY-446 a laptop that may be no colleague, SY-442 not enrolled.
    Known: SY-456 it does not answer, SY-352 a run goes on, SY-459 a piece is too large for the network.
    """
    read = lan.read_invitation(invitation)
    clock, store, tell = unlocked.store.clock, unlocked.store, progress or (lambda *_: None)

    def begin(conn: Connection) -> tuple[Colleague, bool]:
        there = colleagues.check(conn, read.certificate)
        new = there.device_id not in {one.device for one in colleagues.present(conn)}
        if new and clock.wall_ms() > read.not_after_ms:
            raise Refused("SY-457")
        return colleagues.pair(conn, clock, read.certificate), new

    certificate = store.read(colleagues.own_certificate)
    colleague, new = store.write(begin)
    _cut(unlocked)
    met = Met(number=colleague.number, paired=new)
    line, said = _Line(read.addresses), dict[bytes, int]()
    lacking: list[bytes] = []
    while met.rounds < _ROUNDS and not cancel():
        tell("office", met.rounds, 0)
        body, given, more = gift(unlocked, colleague)
        challenge = line.challenge()
        proof = lan.proof(read.secret, challenge, certificate)
        sealed = lan.seal_request(unlocked.device, certificate, colleague.certificate, challenge, proof, body)
        try:
            answer = lan.open_answer(line.meet(sealed), unlocked.device, colleague.certificate, challenge)
        except Malformed as error:
            raise Known("SY-456", address=line.address) from error
        report = courier.import_bytes(unlocked, answer.body, "LAN")
        met.rounds += 1
        met.given += given
        met.taken += report.office_ops
        met.receipts += report.receipts + report.office_receipts
        met.problems += report.problems
        before, lacking = lacking, store.read(foreign_files.lacking)
        said, heard = store.read(lambda conn: giving.said(conn, colleague.device)), said
        done = not more and not answer.more
        news = report.office_ops + report.office_files + (lacking != before)
        if met.rounds > 1 and not news and (done or said == heard):
            break  # nothing new on either side
    tell("done", 1, 1)
    return met


class _Line:
    """Plain HTTP to the first address that answers: everything in it is sealed and signed."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self._addresses, self.address = addresses, ""

    def challenge(self) -> bytes:
        for address in [self.address] if self.address else self._addresses:
            try:
                found = self._call(address, "GET", lan.CHALLENGE, None, 64)
            except (OSError, http.client.HTTPException, ValueError):
                continue
            if len(found) == 32:
                self.address = address
                return found
        raise Known("SY-456", address=", ".join(self._addresses))

    def meet(self, sealed: bytes) -> bytes:
        try:
            return self._call(self.address, "POST", lan.MEET, sealed, MAX_LAN)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Known("SY-456", address=self.address) from error

    def _call(self, address: str, method: str, path: str, body: bytes | None, limit: int) -> bytes:
        host, _, port = address.rpartition(":")
        if not local(host):
            raise ValueError("not on the local network")
        line = http.client.HTTPConnection(host, int(port), timeout=_TIMEOUT_S)
        try:
            line.request(method, path, body)
            answer = line.getresponse()
            found = answer.read(limit + 1)
            if answer.status != 200 or len(found) > limit:
                raise ValueError("no answer")
            return found
        finally:
            line.close()


def local(host: str) -> bool:
    """Whether ``host`` is an address of a private network or of this machine; names are not looked up."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return address.is_private or address.is_link_local or address.is_loopback


def own_addresses() -> list[str]:
    """The addresses of this machine on private networks, the likeliest first; nothing is sent to find out."""
    found: list[str] = []
    for target in ("10.255.255.255", "192.168.255.255", "172.31.255.255"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            try:
                line.connect((target, 9))  # a datagram socket sends nothing by this: it only chooses a way
                found.append(line.getsockname()[0])
            except OSError:
                continue
    usable = [one for one in dict.fromkeys(found) if local(one) and not ipaddress.ip_address(one).is_loopback]
    return [one for one in usable if one != "0.0.0.0"]
