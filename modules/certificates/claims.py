"""What a KH1 credential says: issuer, times, identity, place in the status list, template and fields.

The claims are a CBOR map after RFC 8392 (CWT). Field numbers of a person are those of claim 169, so that a name is
number 4 (Khmer) and 19 (Latin) in every template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sync.cbor import Malformed, decode, encode

ISS: Final = 1
EXP: Final = 4
NBF: Final = 5
IAT: Final = 6
CTI: Final = 7
STATUS: Final = 65535
CREDENTIAL: Final = 70001  # the certificate itself: {0: "template/version", n: field}

# Numbers that mean the same in every template (claim 169)
NUMBER: Final = 1
NAME_KM: Final = 4
BIRTH: Final = 8  # YYYYMMDD
SEX: Final = 9  # 1 male, 2 female, 3 other
NAME_LATIN: Final = 19
PLACE: Final = 21  # gazetteer code

CTI_BYTES: Final = 10
MAX_FIELDS: Final = 32
MAX_FIELD_BYTES: Final = 512  # UTF-8 bytes of one text field
MAX_INDEX: Final = 1 << 24  # entries of the longest status list
_LATEST_S: Final = 253_402_300_799  # 9999-12-31: later times are not dates

_ISSUER = re.compile(r"[0-9]{2,8}")
_TEMPLATE = re.compile(r"([a-z][a-z0-9-]{1,40})/([1-9][0-9]{0,3})")

FieldValue = str | int


class NotUnderstood(ValueError):
    """The bytes are not claims of KH1; the message is a short reason."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The content of one credential. Times are seconds since 1970 UTC; ``expires_s`` None means: no end."""

    issuer: str  # office code
    issued_s: int
    cti: bytes  # 10 random bytes: the identity of the credential
    status_index: int
    template: str
    version: int
    expires_s: int | None = None
    not_before_s: int | None = None
    fields: Mapping[int, FieldValue] = field(default_factory=dict)

    def status_uri(self) -> str:
        return status_name(self.issuer)

    def payload(self) -> bytes:
        """The canonical bytes; NotUnderstood when they would not be read back."""
        claims: dict[int, Any] = {
            ISS: self.issuer,
            IAT: self.issued_s,
            CTI: self.cti,
            STATUS: {"status_list": {"idx": self.status_index, "uri": self.status_uri()}},
            CREDENTIAL: {0: f"{self.template}/{self.version}", **self.fields},
        }
        if self.expires_s is not None:
            claims[EXP] = self.expires_s
        if self.not_before_s is not None:
            claims[NBF] = self.not_before_s
        written = encode(claims)
        if parse(written) != self:
            raise NotUnderstood("claims do not read back")
        return written


def status_name(issuer: str) -> str:
    """The publication that says which certificates of ``issuer`` are revoked."""
    return f"status/{issuer}.cwt"


def issuer_of(payload: bytes) -> str:
    """The issuer named in a payload whose signature is not checked yet: only good for finding keys."""
    claims = _map(payload)
    return _issuer(claims.get(ISS))


def parse(payload: bytes) -> Claims:
    """Claims of a payload whose signature holds. NotUnderstood for anything that is not exactly KH1."""
    claims = _map(payload)
    if unknown := claims.keys() - {ISS, EXP, NBF, IAT, CTI, STATUS, CREDENTIAL}:
        raise NotUnderstood(f"claim {min(unknown)}")
    issuer = _issuer(claims.get(ISS))
    credential = claims.get(CREDENTIAL)
    if type(credential) is not dict:
        raise NotUnderstood("credential")
    template, version = _template(credential.get(0))
    return Claims(
        issuer=issuer,
        issued_s=_time(claims.get(IAT), "iat"),
        cti=_cti(claims.get(CTI)),
        status_index=_status(claims.get(STATUS), issuer),
        template=template,
        version=version,
        expires_s=_time(claims[EXP], "exp") if EXP in claims else None,
        not_before_s=_time(claims[NBF], "nbf") if NBF in claims else None,
        fields=_fields({number: value for number, value in credential.items() if number != 0}),
    )


def _map(payload: bytes) -> dict[int, Any]:
    try:
        claims = decode(payload)
    except Malformed as error:
        raise NotUnderstood(error.reason) from None
    if type(claims) is not dict or any(type(key) is not int for key in claims):
        raise NotUnderstood("not a map of claims")
    return claims


def _issuer(value: object) -> str:
    if type(value) is not str or not _ISSUER.fullmatch(value):
        raise NotUnderstood("iss")
    return value


def _time(value: object, name: str) -> int:
    if type(value) is not int or not 0 <= value <= _LATEST_S:
        raise NotUnderstood(name)
    return value


def _cti(value: object) -> bytes:
    if type(value) is not bytes or len(value) != CTI_BYTES:
        raise NotUnderstood("cti")
    return value


def _status(value: object, issuer: str) -> int:
    match value:
        case {"status_list": {"idx": int(index), "uri": str(uri), **more_inner}, **more} if not more_inner and not more:
            if type(index) is int and 0 <= index < MAX_INDEX and uri == status_name(issuer):
                return index
    raise NotUnderstood("status")


def _template(value: object) -> tuple[str, int]:
    found = _TEMPLATE.fullmatch(value) if type(value) is str else None
    if not found:
        raise NotUnderstood("template")
    return found[1], int(found[2])


def _fields(values: dict[Any, Any]) -> dict[int, FieldValue]:
    if len(values) > MAX_FIELDS or any(type(number) is not int for number in values):
        raise NotUnderstood("fields")
    for number, value in values.items():
        if type(value) is str:
            if len(value.encode("utf-8")) > MAX_FIELD_BYTES:
                raise NotUnderstood(f"field {number}")
        elif type(value) is not int:
            raise NotUnderstood(f"field {number}")
    return values
