"""The module contract: the only names a feature module may rely on. Qt-free, typed, data first.

A module is a manifest (``module.toml``), record kinds, commands, triggers, settings and an optional page named by a string.
``activate(api)`` of the manifest's entry returns a :class:`Module`. Rules: ids are never reused; tables are ``<id>_…``,
kinds ``<id>.<noun>``, commands ``<id>.<verb>``; every text has ``km`` and ``en``; modules meet only by ``Api.call`` and triggers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from i18n.catalog import Text
from i18n.errors import Known, Refused, SalaError
from sync.clock import Clock
from sync.office import Centre
from sync.officer import Officer

__all__ = [
    "CONTRACT",
    "Api",
    "Changed",
    "Clock",
    "Command",
    "Draft",
    "Drafts",
    "Files",
    "Json",
    "Keys",
    "Kind",
    "Known",
    "Lease",
    "Leases",
    "Manifest",
    "Module",
    "OfficeOp",
    "Officer",
    "Permission",
    "Refused",
    "Row",
    "SalaError",
    "Setting",
    "StoreApi",
    "Text",
    "Trigger",
]

CONTRACT = (1, 1)  # major: breaks modules; minor: only adds

Json = Mapping[str, Any]
Row = dict[str, Any]
Direction = Literal["up", "down", "both"]
Permission = Literal[
    "records.read",
    "records.write",
    "records.approve",
    "keys.sign",
    "files.export",
    "net.sync",
    "settings.office",
    "officers",
    "agency.open",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What ``module.toml`` says: read and checked without running any module code."""

    id: str  # "forms": [a-z][a-z0-9_]{2,31}; table prefix; never reused
    version: str
    contract: tuple[int, int]
    title: Text
    summary: Text
    icon: str  # name of an SVG in assets/icons, without suffix
    entry: str  # "modules.forms.core:activate"
    view: str | None = None  # "modules.forms.view:FormsPage"; imported only when first shown
    view_needs: frozenset[Permission] = frozenset()  # the page stands in the rail of officers who have all of these
    cli: str | None = None  # "modules.forms.cli:commands"; imported only by the command line
    projections: tuple[str, ...] = ()  # "modules.links.hub:Projection"; imported only by the hub
    publications: tuple[
        tuple[str, str], ...
    ] = ()  # ("forms/", "forms.definition"): beginning of a name, kind that takes it
    permissions: frozenset[Permission] = frozenset()
    hosts: tuple[str, ...] = ()
    order: int = 100  # place in the navigation rail
    retention: Mapping[str, int | None] = field(default_factory=dict)  # kind → days in the op log; None: for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeOp:
    """One op of another laptop of this office, verified, its body open. :attr:`Kind.merge` makes something of it.

    ``merge`` returns the record that it belongs to here, or None when it must wait for another op that has not come yet; it
    may be called again for the same op, and for ops in any order. Refused: this op cannot be taken (the others go on).
    """

    op: str  # hash, hex
    op_id: str  # UUIDv7, hex: the same on every laptop
    kind: str
    form: str
    def_hash: str  # hex, may be empty
    refs: Sequence[str]  # op hashes, hex
    officer: str
    officer_name: str  # "" when the other laptop has not said it yet
    wall_ms: int
    laptop: int  # number of the other laptop within the office
    body: Json


@dataclass(frozen=True, slots=True)
class Review:
    """The centre's word about one op of this office."""

    op: str  # hex
    record: str
    decision: str  # accepted, sent_back, send_again, or one that this program does not know
    reason: str
    wall_ms: int  # when it arrived here


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One record kind that the outbox may carry or a publication may bring."""

    name: str  # "forms.submission"
    version: int
    title: Text
    direction: Direction = "up"
    sealed: bool = False  # body readable by the agency and by recovery only
    validate: Callable[[Json], None] = lambda _body: None  # raises Refused; runs before the op is appended
    # Down: takes one verified publication {"name", "data": bytes} that the manifest leads to this kind, inside one write;
    # Refused leaves what was there before.
    apply: Callable[[Json], None] | None = None
    review: Callable[[Review], None] | None = None  # the centre decided about an op of this kind; inside one write
    merge: Callable[[OfficeOp], str | None] | None = (
        None  # sideways: an op of another laptop of this office, inside one write
    )
    conflict: Literal["keep_both", "server_wins", "ask"] = "keep_both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One verb, four faces: page and palette, command line, flow, test."""

    id: str  # "forms.finish"
    title: Text
    run: Callable[..., Any]  # keyword arguments only; no Qt; returns JSON-able data
    writes: bool = False  # True: runs on the writer thread inside one transaction; False: on a reader
    params: Json = field(
        default_factory=lambda: {"type": "object", "additionalProperties": False}
    )  # JSON Schema of the keywords
    needs: frozenset[Permission] = frozenset({"records.read"})
    shortcut: str | None = None  # shown in F1 and the palette; bound by the shell when the command takes no parameters
    palette: bool = False  # offered in the palette: takes no parameters, or opens a page
    page: str | None = None  # palette entry that opens this module's page with this target instead of running anything
    undo: Callable[..., Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Something a flow can wait for. ``sample`` documents the payload and feeds the dry run."""

    id: str  # "forms.finished"
    title: Text
    sample: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One typed setting with its default; ``scope`` says whose it is."""

    id: str  # "messages.price_per_segment"
    title: Text
    kind: Literal["text", "integer", "boolean", "choice"]
    default: Any
    scope: Literal["machine", "office", "officer"] = "office"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """What one committed command changed; sent to every subscriber after commit."""

    kinds: frozenset[str]
    ids: frozenset[str]
    origin: str  # the command's id, or "sync"


@dataclass(frozen=True, slots=True)
class Lease:
    """A disjoint allotment of numbers or codes to this device (SYNC §12). ``content`` belongs to the module."""

    id: str
    resource: str  # "link-codes", "certificate-numbers", "receipt-numbers"
    content: Json
    used: int
    size: int
    not_after_ms: int


@dataclass(frozen=True, slots=True)
class Draft:
    """Unfinished work of one officer; durable, sealed to that officer, not an op."""

    id: str
    subject: str  # what it is about: "forms/barber-licence"; lets a page find its own
    title: str
    body: Json
    updated_ms: int


class StoreApi(Protocol):
    """The module's view of the database. SQL reaches only tables whose names start with ``<module id>_``."""

    def query(self, sql: str, *args: object) -> list[Row]: ...
    def execute(self, sql: str, *args: object) -> int:
        """Run one writing statement; returns the number of rows. Only inside a writing command."""
        ...

    def append(
        self,
        kind: str,
        record: str,
        body: Json,
        *,
        form: str = "",
        def_hash: bytes | None = None,
        refs: Sequence[str] = (),
        attach: Sequence[str] = (),
    ) -> str:
        """Append the op of ``kind`` about ``record`` to the outbox and to the audit log; returns the op hash (hex).

        ``refs`` are op hashes that this op amends, ``attach`` blob ids from :class:`Files`.
        """
        ...

    def touch(self, kind: str, record: str) -> None:
        """Report a change that has no op (a local state), so that pages refresh after commit."""
        ...

    def index(self, record: str, kind: str, title: str, text: str) -> None:
        """Make ``record`` findable by ``text`` (Khmer, Latin, digits) in the palette and in lists; replaces its older entry."""
        ...

    def search(self, text: str, kinds: Sequence[str] = (), limit: int = 50) -> list[Row]:
        """Newest first: ``{"record", "kind", "title"}``."""
        ...

    def sync_states(self, records: Sequence[str]) -> dict[str, str]:
        """Of each record the least advanced state of its ops: waiting | sending | received | stable."""
        ...

    def history(self, record: str) -> list[Row]:
        """Oldest first: ``{"op", "kind", "officer", "wall_ms", "state", "received_ms", "clock"}``; ``clock`` "" or why the laptop's
        time was doubted: behind | off | jumped."""
        ...


class Drafts(Protocol):
    def save(self, id: str, subject: str, title: str, body: Json) -> None:
        """Durable when it returns. Any thread; not an op."""
        ...

    def get(self, id: str) -> Draft | None: ...
    def list(self, prefix: str = "") -> list[Draft]:
        """This officer's drafts whose subject starts with ``prefix``, newest first."""
        ...

    def discard(self, id: str) -> None:
        """Into the 30-day bin."""
        ...

    def restore(self, id: str) -> None:
        """Out of the bin again; nothing happens when it does not lie there."""
        ...


class Files(Protocol):
    """Attachments: encrypted, content-addressed (SYNC §6.5)."""

    def add(self, source: Path, media_type: str) -> str:
        """Store a file's bytes; returns the blob id (hex). Refuses over the size limit before reading."""
        ...

    def add_bytes(self, data: bytes, media_type: str) -> str: ...
    def read(self, blob: str) -> bytes: ...


class Keys(Protocol):
    """Signing without ever seeing a private key. Needs ``keys.sign``."""

    def office_public(self) -> bytes: ...
    def office_sign(self, message: bytes) -> bytes:
        """Ed25519 signature by this device's issuing key of the office."""
        ...

    def officer_sign(self, message: bytes) -> bytes: ...
    def officer_public(self, officer: str) -> bytes: ...


class Leases(Protocol):
    def active(self, resource: str) -> list[Lease]:
        """Leases of ``resource`` that are neither used up nor expired, oldest first."""
        ...

    def take(self, resource: str) -> tuple[Lease, int]:
        """The next number (0 ≤ n < size) of the oldest active lease, burnt in this transaction.

        ``Refused("SY-301")`` when none is left.
        """
        ...


class SettingsApi(Protocol):
    def get(self, id: str) -> Any: ...
    def set(self, id: str, value: Any) -> None: ...


class Api(Protocol):
    """Given to ``activate()``: everything a module can reach."""

    store: StoreApi
    drafts: Drafts
    files: Files
    keys: Keys
    leases: Leases
    settings: SettingsApi
    clock: Clock
    office: Json  # {"code": "0306", "name": {"km", "en"}, "province": {"km", "en"}, …}: the office pack's office

    def officer(self) -> Officer: ...
    def officers(self) -> Sequence[Officer]: ...
    def random(self, n: int) -> bytes: ...
    def new_id(self) -> str:
        """A UUIDv7 in hex: sorts by time."""
        ...

    def audit(self, what: str, record: str) -> None:
        """Note in the tamper-evident log that the officer did ``what`` (one word) with ``record``: ids only, never personal
        data. Ops are noted by themselves; this is for reading and for giving out. Only inside a writing command."""
        ...

    def emit(self, trigger: str, payload: Json) -> None:
        """Tell flows, after commit. Lost when the transaction is."""
        ...

    def call(self, command: str, /, **params: object) -> Any:
        """Run another module's command; inside a writing command it joins the same transaction."""
        ...

    def commands(self) -> Sequence[Command]: ...
    def triggers(self) -> Sequence[Trigger]: ...
    def publication(self, name: str) -> bytes | None:
        """The newest verified publication target of that name (``trust/issuers-0306.cbor``), or None."""
        ...

    def centre(self) -> Centre | None:
        """What is pinned of the centre: whose certificates and receipts to believe. None before setup. Since 1.1."""
        ...


@runtime_checkable
class Module(Protocol):
    """What ``activate(api)`` returns."""

    kinds: Sequence[Kind]
    commands: Sequence[Command]
    triggers: Sequence[Trigger]
    settings: Sequence[Setting]
    migrations: Any  # callable(sqlite_utils.Migrations) that registers this module's migrations

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Activated:
    """A :class:`Module` that is what it declares and holds nothing open."""

    commands: Sequence[Command]
    migrations: Any
    kinds: Sequence[Kind] = ()
    triggers: Sequence[Trigger] = ()
    settings: Sequence[Setting] = ()

    def close(self) -> None:
        """Nothing is open."""
