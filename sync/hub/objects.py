"""Bytes under their hash: raw batches and pieces of attachments in files, or in any S3-compatible object storage.

A hash names its bytes, so nothing is ever overwritten, copies and caches are free, and whatever comes back is checked before it is
used. ``put`` returns when the bytes are durable: no receipt goes out for bytes that are not.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit

from sync.errors import Known, Refused
from sync.hub import chunks
from sync.limits import MAX_BATCH

if TYPE_CHECKING:
    from minio import Minio

T = TypeVar("T")

SETTING: Final = "objects"  # of hub.json: https://host/bucket; the keys lie in keys/objects.key or in the environment
KEY_FILE: Final = "objects.key"  # two lines: access key, secret key
LARGEST: Final = MAX_BATCH  # bytes of one object: a batch; a chunk is smaller
TIMEOUT_S: Final = 20
_CONNECTIONS: Final = 48  # at once: as many as requests that the hub works on


class Objects(Protocol):
    """A place of content-addressed bytes."""

    def put(self, digest: bytes, data: bytes) -> None:
        """Keep ``data``, whose SHA-256 is ``digest``; durable when it returns. Known HB-102 no room, HB-166 unreachable."""
        ...

    def get(self, digest: bytes) -> bytes:
        """The bytes of that hash, checked. Known HB-166 unreachable, HB-167 not there or damaged."""
        ...

    def exists(self, digest: bytes) -> bool: ...
    def list(self) -> Iterator[bytes]:
        """Every hash that is there."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """Files below ``root``/chunks."""

    root: Path

    def put(self, digest: bytes, data: bytes) -> None:
        chunks.put(self.root, digest, data)

    def get(self, digest: bytes) -> bytes:
        try:
            return _checked(digest, chunks.path(self.root, digest).read_bytes())
        except FileNotFoundError:
            raise Known("HB-167", hash=digest.hex()) from None

    def exists(self, digest: bytes) -> bool:
        return chunks.path(self.root, digest).exists()

    def list(self) -> Iterator[bytes]:
        for path in sorted((self.root / chunks.FOLDER).glob("??/*")):
            if digest := _digest(path.name):
                yield digest


@dataclass(frozen=True)
class Bucket:
    """Objects of one bucket below ``prefix``."""

    address: Address
    prefix: str
    keys: Callable[[], tuple[str, str] | None]

    def put(self, digest: bytes, data: bytes) -> None:
        self._ask(
            lambda client: client.put_object(self.address.bucket, self._name(digest), io.BytesIO(data), len(data))
        )

    def get(self, digest: bytes) -> bytes:
        return _checked(digest, self._ask(lambda client: self._read(client, digest), digest))

    def exists(self, digest: bytes) -> bool:
        try:
            self._ask(lambda client: client.stat_object(self.address.bucket, self._name(digest)), digest)
        except Known as error:
            if error.code == "HB-167":
                return False
            raise
        return True

    def list(self) -> Iterator[bytes]:
        bucket, prefix = self.address.bucket, f"{self.prefix}/"
        found = self._ask(
            lambda client: [item.object_name or "" for item in client.list_objects(bucket, prefix, recursive=True)]
        )
        for name in found:
            if digest := _digest(name.rpartition("/")[2]):
                yield digest

    # --- things under names of their own: a second site

    def put_named(self, name: str, data: bytes) -> None:
        """Keep ``data`` under ``name``; durable when it returns."""
        place = f"{self.prefix}/{name}"
        self._ask(lambda client: client.put_object(self.address.bucket, place, io.BytesIO(data), len(data)))

    def get_named(self, name: str, limit: int) -> bytes | None:
        """The bytes under ``name``; None when there are none, or more than ``limit``."""

        def read(client: Minio) -> bytes:
            answer = client.get_object(self.address.bucket, f"{self.prefix}/{name}")
            try:
                return bytes(answer.read(limit + 1))
            finally:
                answer.close()
                answer.release_conn()

        try:
            data = self._ask(read)
        except Known as error:
            if error.code == "HB-167":
                return None
            raise
        return data if len(data) <= limit else None

    def named(self, under: str) -> Iterator[str]:
        """The names below ``under``."""
        bucket, prefix = self.address.bucket, f"{self.prefix}/{under}/"
        found = self._ask(
            lambda client: [item.object_name or "" for item in client.list_objects(bucket, prefix, recursive=True)]
        )
        yield from (name.removeprefix(f"{self.prefix}/") for name in sorted(found))

    # --- inside

    def _name(self, digest: bytes) -> str:
        name = digest.hex()
        return f"{self.prefix}/{name[:2]}/{name}"

    def _read(self, client: Minio, digest: bytes) -> bytes:
        answer = client.get_object(self.address.bucket, self._name(digest))
        try:
            return bytes(answer.read(LARGEST + 1))
        finally:
            answer.close()
            answer.release_conn()

    @cached_property
    def _client(self) -> Minio:
        import certifi
        import urllib3
        from minio import Minio
        from minio.credentials.providers import ChainedProvider, EnvAWSProvider, EnvMinioProvider

        pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(TIMEOUT_S), maxsize=_CONNECTIONS, cert_reqs="CERT_REQUIRED",
            ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
            retries=urllib3.Retry(2, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
        )  # fmt: skip
        held = self.keys()
        given: dict[str, Any] = (
            {"access_key": held[0], "secret_key": held[1]}
            if held
            else {"credentials": ChainedProvider([EnvAWSProvider(), EnvMinioProvider()])}
        )
        return Minio(
            self.address.host, secure=self.address.secure, region=self.address.region, http_client=pool, **given
        )

    def _ask(self, question: Callable[[Minio], T], digest: bytes = b"") -> T:
        from minio.error import MinioException, S3Error
        from urllib3.exceptions import HTTPError

        try:
            return question(self._client)
        except S3Error as error:
            if error.code in ("NoSuchKey", "NoSuchObject"):
                raise Known("HB-167", hash=digest.hex()) from error
            if error.code in ("XMinioStorageFull", "QuotaExceeded"):
                raise Known("HB-102") from error
            raise Known("HB-166", host=self.address.host, reason=str(error.code)) from error
        except (MinioException, HTTPError, OSError, ValueError) as error:
            raise Known("HB-166", host=self.address.host, reason=type(error).__name__) from error


@dataclass(frozen=True, slots=True)
class Address:
    """Where a bucket is."""

    host: str  # with its port
    bucket: str
    secure: bool
    region: str


def address(url: str) -> Address:
    """The bucket of ``https://host[:port]/bucket[?region=name]``. Refused HB-168 when it is none."""
    try:
        parts = urlsplit(url)
        bucket = parts.path.strip("/")
        sound = (
            parts.scheme in ("http", "https")
            and parts.hostname
            and bucket
            and "/" not in bucket
            and "@" not in parts.netloc
        )
        query = parse_qs(parts.query, strict_parsing=bool(parts.query))
        if not sound or query.keys() - {"region"}:
            raise ValueError
        return Address(parts.netloc, bucket, parts.scheme == "https", query.get("region", ["us-east-1"])[0])
    except ValueError:
        raise Refused("HB-168", url=url.rpartition("@")[2][:200]) from None


@dataclass(frozen=True, slots=True)
class Places:
    """Where a hub keeps its bytes. ``batches`` None: in the database, beside their rows."""

    batches: Objects | None
    chunks: Objects


def places(settings: Mapping[str, Any], folder: Path) -> Places:
    """The places that the settings of the hub in ``folder`` name."""
    url = settings.get(SETTING)
    if url is None:
        return Places(None, Folder(folder))
    found, keys = address(url), lambda: _keys(folder / "keys" / KEY_FILE)
    return Places(Bucket(found, "batches", keys), Bucket(found, "chunks", keys))


def second_site(url: str, folder: Path) -> Bucket:
    """The bucket at ``url`` as the second site of the hub in ``folder``. Refused HB-168 when ``url`` is none."""
    return Bucket(address(url), "site", lambda: _keys(folder / "keys" / KEY_FILE))


def _keys(file: Path) -> tuple[str, str] | None:
    try:
        lines = file.read_text("ascii").split()
    except FileNotFoundError:
        return None
    return (lines[0], lines[1]) if len(lines) == 2 else None


def _checked(digest: bytes, data: bytes) -> bytes:
    if sha256(data).digest() != digest:
        raise Known("HB-167", hash=digest.hex())
    return data


def _digest(name: str) -> bytes:
    try:
        found = bytes.fromhex(name)
    except ValueError:
        return b""
    return found if len(found) == 32 else b""
