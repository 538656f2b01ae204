"""A profile that one officer has opened: its store, its keys, and locking it again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from nacl.signing import SigningKey

from i18n.errors import SalaError
from sync import audit, cutting, identity
from sync.blobs import Blobs
from sync.errors import Known
from sync.identity import Identity
from sync.officer import Officer
from sync.store import Connection, Store
from sync.wipe import wipe


@dataclass(slots=True)
class Secrets:
    """Every private key of an unlocked profile."""

    device: Identity
    office_key: SigningKey
    officer_key: SigningKey
    draft_key: bytes
    database_key: bytes
    former: list[tuple[Identity, SigningKey]] = field(default_factory=list)  # keys that this laptop had before

    def wipe(self) -> None:
        """End every key in memory; objects that hold one sign and open nothing any more."""
        wipe(self.draft_key, self.database_key)
        for device, office_key in [(self.device, self.office_key), *self.former]:
            wipe(device.blob_secret, device.commit_secret, bytes(device.seal))
            wipe(device.sign._seed, device.sign._signing_key, office_key._seed, office_key._signing_key)
        wipe(self.officer_key._seed, self.officer_key._signing_key)


class Unlocked:
    """A profile that one officer has opened. After :meth:`lock` everything secret raises Known SY-110."""

    def __init__(self, home: Path, store: Store, officer: Officer, secrets: Secrets) -> None:
        self.home, self.store, self.officer = home, store, officer
        self.blobs = Blobs(store, home / "blobs", secrets.device.blob_secret)
        self._secrets: Secrets | None = secrets

    @property
    def device(self) -> Identity:
        """This laptop's keys."""
        return self._open().device

    @property
    def office_key(self) -> SigningKey:
        """This laptop's key for issuing in the name of the office."""
        return self._open().office_key

    @property
    def officer_key(self) -> SigningKey:
        """The officer's own signing key."""
        return self._open().officer_key

    @property
    def draft_key(self) -> bytes:
        """Opens this officer's drafts."""
        return self._open().draft_key

    @property
    def database_key(self) -> bytes:
        """Opens the database and its backups."""
        return self._open().database_key

    def officers(self) -> list[Officer]:
        """Everybody who works in this office now."""
        return self.store.read(identity.officers)

    def officer_public(self, officer: str) -> bytes:
        """The public signing key of an officer, also of one who has left."""
        return self.store.read(lambda conn: identity.officer_public(conn, officer))

    def current(self, conn: Connection) -> Identity:
        """This laptop's keys as they stand in the database: another window may have replaced them (:mod:`sync.rekey`)."""
        secrets = self._open()
        row = conn.execute("SELECT device_id FROM identity WHERE retired_ms IS NULL").fetchone()
        if row["device_id"] != secrets.device.device_id:
            secrets.former.append((secrets.device, secrets.office_key))
            secrets.device, secrets.office_key = identity.device_of(conn)
            self.blobs.renew(secrets.device.blob_secret)
        return secrets.device

    def replace_device(self) -> Identity:
        """New keys for this laptop after a copy of it was found at work; the old identity is named as predecessor."""
        clock = self.store.clock

        def work(conn: Connection) -> Identity:
            made, _ = identity.new_device(conn, clock.wall_ms())
            audit.append(conn, clock, {"what": "device replaced", "device": made.device_id.hex()})
            return self.current(conn)

        try:
            return self.store.write(work)
        except BaseException:
            self.store.read(self.current)  # nothing of it stands: the old keys are in force
            raise

    def took_key(self, database_key: bytes) -> None:
        """The database was encrypted anew."""
        secrets = self._open()
        wipe(secrets.database_key)
        secrets.database_key = database_key

    def lock(self) -> None:
        """Sign what was done, close the store and let go of every key. A second call does nothing."""
        if self._secrets is not None and not self.store.read_only:
            self._sign_head()
        self.store.close()
        self.blobs.forget()
        if self._secrets is not None:
            self._secrets.wipe()
        self._secrets = None

    def _sign_head(self) -> None:
        with suppress(SalaError):  # a full disk must not keep a profile open; the next cut signs too
            self.store.write(lambda conn: cutting.sign_head(conn, self))

    def _open(self) -> Secrets:
        if self._secrets is None:
            raise Known("SY-110")
        return self._secrets
