"""The office pack: one signed file that makes a bare laptop device number *n* of one office, without any network.

A pack is a COSE_Sign1 by the centre's pack key. Which pack keys a laptop believes stands in its roots folder (one
``*.pub`` file a key: 64 hex digits, ``#`` starts a comment). A pack of any other signer is refused unless the person
passes the six groups of digits that the signer's key has, as read to them over the phone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from nacl.signing import SigningKey

from sync import cbor, cose
from sync.batch import device_id
from sync.cbor import Malformed
from sync.devices import same_words, words
from sync.errors import Refused
from sync.limits import MAX_NAME, MAX_PACK
from sync.notes import NoteKey, is_name
from sync.sealing import can_seal
from sync.wire import LeaseGrant, read_grant

CONTENT_TYPE: Final = "application/sala-office-pack+cbor"
AAD: Final = b"sala/pack/v1"
ROOTS_VARIABLE: Final = "SALA_ROOTS"
_OFFICE: Final = re.compile(r"[0-9]{2,8}")
_PRINTED: Final = re.compile(r"[!-~]+")  # ASCII without blanks
_MOST_URLS: Final = 16
_LONGEST: Final = 1_000  # characters of one word about the office, or of an address
_ROOTS = Path(__file__).parents[1] / "assets" / "trust" / "roots"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficePack:
    """What the centre gives one laptop."""

    office: Mapping[str, Any]  # {"code": "0306", "name": {"km", "en"}, "province": {"km", "en"}, …}
    slot: bytes  # 16 bytes: the place that this laptop takes at the hub
    number: int  # device number within the office
    code: str  # one-time enrolment code
    code_not_after_ms: int
    hub_urls: tuple[str, ...]
    log: NoteKey  # the hub's log key
    agency_seal: bytes  # X25519: sealed bodies are for this key
    recovery_seal: bytes  # X25519: second recipient, and a slot in the laptop's database
    tuf_root: bytes  # TUF root metadata that publications start from
    publications: Mapping[str, bytes] = field(default_factory=dict)  # initial targets by name
    leases: Sequence[LeaseGrant] = ()
    officers: Sequence[Mapping[str, str]] = ()  # expected officers: {"name", "latin", "role"}
    made_ms: int = 0
    signer: bytes = b""  # public pack key; set by :func:`parse`


def roots() -> list[bytes]:
    """The public keys that this machine believes: folder ``SALA_ROOTS``, else the program's own."""
    folder = Path(os.environ.get(ROOTS_VARIABLE) or _ROOTS)
    keys = []
    for path in sorted(folder.glob("*.pub")):
        text = "".join(line.partition("#")[0].strip() for line in path.read_text("ascii").splitlines())
        key = bytes.fromhex(text)
        if len(key) != 32:
            raise ValueError(f"{path.name} holds no 32-byte key")
        keys.append(key)
    return keys


def build(pack: OfficePack, key: SigningKey) -> bytes:
    """The pack's bytes, signed by the centre's pack key."""
    fields = {
        "v": 1,
        "office": dict(pack.office),
        "slot": pack.slot,
        "number": pack.number,
        "code": pack.code,
        "code_not_after_ms": pack.code_not_after_ms,
        "hub_urls": list(pack.hub_urls),
        "log_name": pack.log.name,
        "log_key": pack.log.public,
        "agency_seal": pack.agency_seal,
        "recovery_seal": pack.recovery_seal,
        "tuf_root": pack.tuf_root,
        "publications": dict(pack.publications),
        "leases": [lease.values() for lease in pack.leases],
        "officers": [dict(officer) for officer in pack.officers],
        "made_ms": pack.made_ms,
        "signer": bytes(key.verify_key),
    }
    signer = device_id(bytes(key.verify_key))
    data = cose.sign(key, cbor.encode(fields), content_type=CONTENT_TYPE, key_id=signer, aad=AAD)
    if len(data) > MAX_PACK:
        raise Malformed("pack: too big")
    return data


def parse(data: bytes, pinned: Sequence[bytes], spoken: str | None = None) -> OfficePack:
    """The pack of ``data``. Refused: SY-331 damaged or altered; SY-330 signer neither ``pinned`` nor ``spoken`` for."""
    try:
        fields, pack = _read(data)
    except Malformed as error:
        raise Refused("SY-331", reason=error.reason) from None
    shown = words(pack.signer)
    if pack.signer not in pinned and not (spoken and same_words(shown, spoken)):
        raise Refused("SY-330", words=shown, office=fields["office"]["code"])
    return pack


def read_file(path: Path, pinned: Sequence[bytes], spoken: str | None = None) -> OfficePack:
    """:func:`parse` of a file; a file over 4 MiB is refused before it is read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PACK + 1)
    except OSError as error:
        raise Refused("SY-331", reason=f"file: {error.strerror}") from None
    return parse(data, pinned, spoken)


def _read(data: bytes) -> tuple[dict[str, Any], OfficePack]:
    signed = cose.parse(data, CONTENT_TYPE, MAX_PACK)
    fields = cbor.decode(signed.payload)
    match fields:
        case {
            "v": 1,
            "office": {"code": str(), "name": {"km": str(), "en": str()}, "province": {"km": str(), "en": str()}},
            "slot": bytes(slot), "number": int(number), "code": str(code), "code_not_after_ms": int(not_after),
            "hub_urls": list(urls), "log_name": str(log_name), "log_key": bytes(log_key),
            "agency_seal": bytes(agency), "recovery_seal": bytes(recovery), "tuf_root": bytes(root),
            "publications": dict(publications), "leases": list(leases), "officers": list(officers),
            "made_ms": int(made), "signer": bytes(signer), **others,
        } if not others:  # fmt: skip
            pass
        case _:
            raise Malformed("pack: fields")
    if len(slot) != 16 or {len(log_key), len(agency), len(recovery), len(signer)} != {32} or number < 1:
        raise Malformed("pack: sizes")
    if not all(map(cbor.is_count, (number, not_after, made))) or not code.isascii() or len(code) > MAX_NAME:
        raise Malformed("pack: fields")
    if not is_name(log_name) or not (can_seal(agency) and can_seal(recovery)):
        raise Malformed("pack: keys")
    if not _OFFICE.fullmatch(fields["office"]["code"]) or not _are_words(fields["office"]):
        raise Malformed("pack: office")
    if len(urls) > _MOST_URLS or not all(map(_is_url, urls)) or not all(map(_is_officer, officers)):
        raise Malformed("pack: lists")
    if not all(isinstance(name, str) and isinstance(value, bytes) for name, value in publications.items()):
        raise Malformed("pack: publications")
    cose.verify(signed, signer, AAD)
    return fields, OfficePack(
        office=fields["office"], slot=slot, number=number, code=code, code_not_after_ms=not_after,
        hub_urls=tuple(urls), log=NoteKey(log_name, log_key), agency_seal=agency, recovery_seal=recovery,
        tuf_root=root, publications=publications, leases=[read_grant(lease) for lease in leases], officers=officers,
        made_ms=made, signer=signer,
    )  # fmt: skip


def _are_words(said: Mapping[Any, Any]) -> bool:
    """Whether what is said of an office is text by name, once or twice over: it is kept as JSON and shown."""
    return all(
        isinstance(name, str)
        and ((isinstance(word, str) and len(word) <= _LONGEST) or (isinstance(word, dict) and _are_words(word)))
        for name, word in said.items()
    )


def _is_officer(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(word, str) for word in (*value, *value.values()))


def _is_url(value: object) -> bool:
    """Whether the hub can be called at ``value``."""
    if not isinstance(value, str) or len(value) > _LONGEST or not _PRINTED.fullmatch(value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
