"""Taking what the centre has published anew: verified by TUF, read strictly, kept in the database.

python-tuf checks signatures, versions and hashes; where the bytes come from (line, folder, stick) is a :class:`Source`. The
trusted metadata stands in the database, so an older copy of a folder or a stick rolls nothing back. What is signed and yet not
of its form is told and not kept: what was here before goes on.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from nacl.exceptions import CryptoError
from nacl.public import SealedBox

from sync import certifiers, couriers, delegations, inbox, leases, pins, withdrawal, witnesses
from sync.cbor import Malformed
from sync.errors import Known
from sync.limits import MAX_PUBLICATION, MAX_SEQ
from sync.marks import HUB_TIME, floor, set_mark
from sync.publications import CHECKED, keep
from sync.wire import read_grants, read_notices

if TYPE_CHECKING:
    from tuf.api.metadata import TargetFile
    from tuf.ngclient import Updater

    from sync.clock import Clock
    from sync.delegations import Read
    from sync.keys import Unlocked
    from sync.store import Connection

log = logging.getLogger(__name__)

_TOP: Final = ("timestamp", "snapshot", "targets")
_PRIVATE: Final = ("leases/", "inbox/")  # one target a device: others' are left alone
_DEVICES: Final = "devices/"  # who was withdrawn, a province each
_PROGRAMS: Final = "app/"  # of programs only the index is taken; the pieces come when somebody wants them
_INDEX: Final = "/index.cbor"
_NOT_OURS: Final = "SY-344"
_OWN: Final[dict[str, Callable[[bytes], object]]] = {  # what replication itself reads later
    certifiers.TARGET: certifiers.read,
    couriers.TARGET: couriers.read,
    pins.NAME: pins.read,
    witnesses.TARGET: witnesses.read,
}


class Source(Protocol):
    """Where published bytes come from."""

    def read(self, path: str) -> Iterator[bytes]:
        """The bytes of ``metadata/…`` or ``targets/…``. FileNotFoundError when it has none."""
        ...


class Folder:
    """A folder with ``metadata/`` and ``targets/``."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> Iterator[bytes]:
        with (self._root / path).open("rb") as file:
            while piece := file.read(1 << 16):
                yield piece


@dataclass(slots=True)
class Refreshed:
    """What one look for publications brought. ``code`` says why nothing newer was taken, "" when all is current."""

    taken: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # target or role name → code
    left: list[str] = field(default_factory=list)  # too large for now
    code: str = ""


def refresh(
    unlocked: Unlocked, source: Source, *, progress: Callable[[str, int, int], None] | None = None,
    cancel: Callable[[], bool] = lambda: False, largest: int = MAX_PUBLICATION,
) -> Refreshed:  # fmt: skip
    """Take from ``source`` what is newer than what is here. Never raises for bad, old or missing publications.

    What is larger than ``largest`` bytes is left for a later call and counted in ``left``.

    Codes: SY-341 nothing published there, SY-342 metadata expired, SY-343 metadata refused (forged or rolled back).
    A line that breaks raises what the source raises.
    """
    from tuf.api import exceptions

    clock, report = unlocked.store.clock, Refreshed()
    known = unlocked.store.read(_known)
    if known is None:
        return Refreshed(code="SY-341")
    with tempfile.TemporaryDirectory(prefix="sala-") as folder:
        _lay_out(Path(folder), known.metadata)
        fetcher = _fetcher(source)
        try:
            updater = _updater(Path(folder), known, fetcher, clock)
            updater.refresh()
            targets, delegated = _targets(updater, Path(folder), known)
        except exceptions.ExpiredMetadataError:
            report.code = "SY-342"
            return report
        except exceptions.DownloadError:
            report.code = "SY-341"
            return report
        except exceptions.BadVersionNumberError:  # an older stick or a mirror that lags
            report.code = "SY-341"
            return report
        except exceptions.RepositoryError as error:
            log.warning("publications refused: %s", type(error).__name__)
            report.code = "SY-343"
            return report
        report.refused |= delegated.refused
        versions = {role: _version(Path(folder), role) for role in _TOP}
        versions |= {role: read.version for role, read in delegated.read.items()}
        if max(versions.values()) > MAX_SEQ:  # no database holds it, and nothing newer could ever follow
            report.code = "SY-343"
            return report
        wanted = _wanted(targets, known, unlocked.device.device_id)
        for done, (name, target) in enumerate(wanted):
            if cancel():
                return report
            if target.length > largest:
                report.left.append(name)
                continue
            if progress:
                progress("publications", done, len(wanted))
            signer = delegated.sources[name] if delegated.targets.get(name) is target else "targets"
            _take(unlocked, updater, Path(folder), name, target, (signer, versions[signer]), report)
        whole = _whole(delegated, report)
        unlocked.store.write(lambda conn: _trust(conn, Path(folder), whole, clock.wall_ms()))
    return report


def _whole(delegated: delegations.Delegated, report: Refreshed) -> list[Read]:
    """The roles from which everything was taken."""
    missed = {delegated.sources.get(name) for name, code in report.refused.items() if code in ("SY-341", "SY-343")}
    missed |= {delegated.sources.get(name) for name in report.left}
    return [read for role, read in delegated.read.items() if role not in missed]


@dataclass(frozen=True, slots=True)
class _Known:
    root: bytes
    metadata: dict[str, bytes]  # role, or "root/<version>" → bytes
    hashes: dict[str, bytes]  # publication → SHA-256
    roles: dict[str, Read]
    province: str
    hub_ms: int


def _known(conn: Connection) -> _Known | None:
    office = conn.execute("SELECT tuf_root, code FROM office").fetchone()
    if office is None or not office["tuf_root"]:
        return None
    metadata = {row["role"]: row["bytes"] for row in conn.execute("SELECT role, bytes FROM trust").fetchall()}
    hashes = {row["name"]: row["sha256"] for row in conn.execute("SELECT name, sha256 FROM publication").fetchall()}
    return _Known(
        office["tuf_root"], metadata, hashes, delegations.known(conn), office["code"][:2], floor(conn, HUB_TIME)
    )


def _lay_out(folder: Path, metadata: dict[str, bytes]) -> None:
    """Put the trusted metadata where python-tuf looks. Delegated roles are always fetched and verified anew."""
    (folder / "root_history").mkdir()
    for role, data in metadata.items():
        kind, _, version = role.partition("/")
        place = folder / "root_history" / f"{version}.root.json" if kind == "root" else folder / f"{role}.json"
        place.write_bytes(data)


def _updater(folder: Path, known: _Known, fetcher: Any, clock: Clock) -> Updater:
    from tuf.ngclient import Updater, UpdaterConfig

    updater = Updater(
        str(folder), "metadata", str(folder / "downloads"), "targets", fetcher,
        UpdaterConfig(prefix_targets_with_hash=True), bootstrap=known.root,
    )  # fmt: skip
    now = max(clock.wall_ms(), known.hub_ms)  # a clock that was set back revives nothing
    updater._trusted_set.reference_time = datetime.fromtimestamp(now / 1000, UTC)
    return updater


def _fetcher(source: Source) -> Any:
    from tuf.api.exceptions import DownloadHTTPError
    from tuf.ngclient import FetcherInterface

    class Fetcher(FetcherInterface):
        def _fetch(self, url: str) -> Iterator[bytes]:
            try:
                yield from source.read(url)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise DownloadHTTPError(url, 404) from error

    return Fetcher()


def _targets(updater: Updater, folder: Path, known: _Known) -> tuple[dict[str, TargetFile], delegations.Delegated]:
    """Every target of the top role and of the roles it delegates to; the top role wins, a bad role is left out."""
    from tuf.api.metadata import Metadata, Snapshot, Targets

    top: Targets = Metadata[Targets].from_file(str(folder / "targets.json")).signed
    snapshot: Snapshot = Metadata[Snapshot].from_file(str(folder / "snapshot.json")).signed
    found = delegations.load(updater, top, snapshot, known.roles, known.province)
    return {**found.targets, **top.targets}, found


def _wanted(targets: dict[str, TargetFile], known: _Known, device_id: bytes) -> list[tuple[str, TargetFile]]:
    own = {f"{prefix}{device_id.hex()}.cbor" for prefix in _PRIVATE}
    return [
        (name, target)
        for name, target in sorted(targets.items())
        if (name.endswith(_INDEX) or not name.startswith(_PROGRAMS))
        and (name in own or not name.startswith(_PRIVATE))
        and target.length <= MAX_PUBLICATION
        and known.hashes.get(name, b"").hex() != target.hashes.get("sha256")
    ]


def _take(
    unlocked: Unlocked, updater: Updater, folder: Path, name: str, target: TargetFile, signer: tuple[str, int],
    report: Refreshed,
) -> None:  # fmt: skip
    from tuf.api import exceptions

    try:
        data = Path(updater.download_target(target, str(folder / "downloads" / "target"))).read_bytes()
    except exceptions.DownloadError:
        report.refused[name] = "SY-341"
        return
    except exceptions.RepositoryError:
        report.refused[name] = "SY-343"
        return

    def work(conn: Connection) -> None:
        now = unlocked.store.clock.wall_ms()
        _apply(conn, unlocked, name, data)
        role, version = signer
        keep(conn, name, data, version, now, role)

    try:
        unlocked.store.write(work)
    except Malformed as error:
        log.warning("publication %s refused: %s", name, error.reason)
        report.refused[name] = error.code
    except Known as error:
        if error.code != _NOT_OURS:
            raise
        report.refused[name] = error.code
    else:
        report.taken.append(name)


def check(name: str, data: bytes) -> None:
    """Read strictly what replication itself uses later. Malformed; what belongs to a module is the module's to judge."""
    if name in _OWN:
        _OWN[name](data)
    elif name.startswith(_DEVICES):
        withdrawal.cutoffs(data)


def _apply(conn: Connection, unlocked: Unlocked, name: str, data: bytes) -> None:
    """Leases and decisions act at once; everything else waits for whoever reads it. Known SY-310 malformed, SY-344 not for us."""
    check(name, data)
    if name.startswith("leases/"):
        for grant in read_grants(data):
            leases.install(conn, grant)
    elif name.startswith("inbox/"):
        try:
            opened = SealedBox(unlocked.device.seal).decrypt(data)
        except CryptoError:
            raise Known(_NOT_OURS, name=name) from None
        inbox.receive(conn, read_notices(opened), unlocked.store.clock.wall_ms())
    elif name.startswith(_DEVICES):
        cutoff = withdrawal.listed(data, unlocked.device.device_id)
        if cutoff is not None:
            withdrawal.heard(conn, unlocked.store.clock, cutoff)


def _version(folder: Path, role: str) -> int:
    return int(json.loads((folder / f"{role}.json").read_bytes())["signed"]["version"])


def _trust(conn: Connection, folder: Path, whole: list[Read], now_ms: int) -> None:
    """Keep the metadata that was verified: from now on nothing older is believed."""
    for read in whole:
        delegations.remember(conn, read)
    found = {f"root/{path.name.partition('.')[0]}": path for path in (folder / "root_history").glob("*.root.json")}
    found.update((role, folder / f"{role}.json") for role in _TOP)
    for role, path in found.items():
        data = path.read_bytes()
        conn.execute(
            """INSERT INTO trust (role, version, bytes) VALUES (?, ?, ?)
               ON CONFLICT (role) DO UPDATE SET version = excluded.version, bytes = excluded.bytes""",
            (role, json.loads(data)["signed"]["version"], data),
        )
    set_mark(conn, CHECKED, now_ms)
