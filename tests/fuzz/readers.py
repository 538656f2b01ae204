"""The readers of the modules, of the centre and of the ways without a network; and what looks like a reader and is none."""

from __future__ import annotations

import json
import re
import zipfile
from functools import cache
from io import BytesIO
from typing import Any, Final

import cbor2
from nacl.public import PrivateKey, SealedBox
from nacl.signing import SigningKey

from modules.certificates import claims, kh1, sources, statuslist, templates, trustlist
from modules.flows import definition as flows
from modules.forms import definition as forms
from modules.forms import numbering
from modules.forms.interchange import counting, formsg, taking
from modules.forms.interchange.xform.reading import read_xform
from modules.forms.interchange.xml import read_xml
from modules.forms.model.reading import read_form
from modules.forms.model.writing import canonical
from modules.forms.xpath import compile as expressions
from modules.forms.xpath import files, regex
from modules.links import hosts, rules
from modules.messages import recipients, segments, template
from sync import (
    batch,
    cbor,
    cose,
    devices,
    foreign_files,
    lan,
    notes,
    piecenote,
    pruning,
    relayed,
    reset,
    sealedfeed,
    transfers,
    updates,
    witnesses,
)
from sync.hub import epochs, evidence, parts, relays, signing
from sync.identity import Identity
from tests.fuzz.parsers import (
    BOX,
    KEY,
    LOG,
    NOW,
    PARSERS,
    PUBLIC,
    ROOT,
    Parser,
    _batches,
    _certificate,
    _receipt,
    _text,
)

OWN: Final = Identity(batch.device_id(PUBLIC), KEY, BOX, bytes(32), bytes(32))


def _shipped(pattern: str) -> list[bytes]:
    found = sorted(ROOT.glob(pattern))[:3]
    assert found, pattern
    return [path.read_bytes() for path in found]


_SHEET: Final = b"<worksheet><sheetData>" + b'<row r="1"><c r="A1"><v>1</v></c></row>' * 9 + b"</sheetData></worksheet>"


def _workbook() -> bytes:
    """An archive with one sheet, as a workbook has it."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", _SHEET)
    return made.getvalue()


def _formsg() -> bytes:
    fields = [
        {
            "_id": "0" * 23 + "1",
            "fieldType": "radiobutton",
            "title": "ប្រភេទ",
            "fieldOptions": ["a", "b"],
            "othersRadioButton": True,
        },
        {
            "_id": "0" * 23 + "2",
            "fieldType": "number",
            "title": "n",
            "ValidationOptions": {"selectedValidation": "Maximum", "customVal": 3},
        },
    ]
    asked = {"field": "0" * 23 + "1", "state": "is equals to", "value": "a"}
    logics = [{"logicType": "showFields", "conditions": [asked], "show": ["0" * 23 + "2"]}]
    return json.dumps({"form": {"_id": "5" * 24, "title": "x", "form_fields": fields, "form_logics": logics}}).encode()


def _kh1() -> list[bytes]:
    vectors = (ROOT / "docs/formats/kh1-vectors.json").read_text("utf-8")

    found = re.findall(r"KH1:[0-9A-Z $%*+./:-]+", vectors)[:3]
    assert found
    return [text.encode() for text in found]


def _claims() -> bytes:
    return claims.Claims("0306", NOW // 1000, bytes(10), 5, "attestation", 1, fields={}).payload()


def _status_list() -> bytes:
    return statuslist.write("0306", {}, NOW // 1000, sign=lambda message: KEY.sign(message).signature, public=PUBLIC)


def _trust_list() -> bytes:
    return trustlist.write("0306", {"km": "សាលា", "en": "Hall"}, [trustlist.IssuerKey(PUBLIC, 1, None)], NOW // 1000)


@cache
def _picture() -> bytes:
    from io import BytesIO

    from PIL import Image

    written = BytesIO()
    Image.new("L", (40, 40), 255).save(written, "PNG")
    return written.getvalue()


def _sealed(*values: Any) -> bytes:
    return SealedBox(BOX.public_key).encrypt(cbor.encode(list(values)))


def _again(payload: bytes) -> bytes:
    return SealedBox(BOX.public_key).encrypt(payload)


def _lan_request() -> bytes:
    return cbor.encode([b"certificate", bytes(32), b"", b"body", bytes(64)])


def _lan_answer() -> bytes:
    made = lan.seal_answer(OWN, _certificate(), bytes(32), lan.Answer(b"body", False))
    return bytes(SealedBox(BOX).decrypt(made))


def _beginning() -> bytes:
    text = notes.Checkpoint("hub", 1, 2, bytes(32)).text()
    return notes.sign(f"sala.epoch/v1\nhub/2\n{text}", "hub", KEY).encode()


def _statement() -> bytes:
    said = transfers.Transfer(
        officer=bytes(16), name="សុខ", latin="Sok", from_office="0306", to_office="0102", role="chief", at_ms=NOW, by=bytes(16),
        by_name="ចាន់", made_ms=NOW,
    )  # fmt: skip
    return cbor.encode([said.encode(), bytes(64)])


def _reset() -> bytes:
    key = bytes(PrivateKey(b"\x13" * 32).public_key)
    return cbor.encode([reset.REQUEST, bytes(16), "សុខ", "Sok", key, bytes(80), b"", key, NOW])


def _page() -> bytes:
    certificate = devices.issue_certificate(_certificate(), KEY)
    return sealedfeed.Page([sealedfeed.Item(_batches()[1], certificate, _receipt(), [0])], 1, False).encode()


@cache
def _prepared() -> bytes:
    from datetime import UTC, datetime

    from tuf.api.metadata import Targets

    part = Targets(1, expires=datetime(2027, 1, 1, tzinfo=UTC))
    document = {
        "format": signing.UNSIGNED,
        "role": "forms-0306",
        "signed": part.to_dict(),
        "changes": [],
        "laptops": [],
    }
    return json.dumps(document).encode()


_DELEGATE: Final = parts.Delegate("forms-0306", ("forms/*",), PUBLIC)


@cache
def _signed_part() -> bytes:
    from datetime import UTC, datetime

    from tuf.api.metadata import Metadata, Targets

    made = Metadata(Targets(1, expires=datetime(2027, 1, 1, tzinfo=UTC)))
    made.sign(parts.signer(SigningKey(bytes(KEY))))
    return made.to_bytes()


MODULES: Final[dict[str, Parser]] = {
    "modules/certificates/kh1.py::read": Parser(
        _text(kh1.read), _kh1, refuses=(kh1.Damaged,)
    ),
    "modules/certificates/claims.py::parse": Parser(
        lambda data: claims.parse(data), lambda: [_claims()], refuses=(claims.NotUnderstood,)
    ),
    "modules/certificates/statuslist.py::read": Parser(
        lambda data: statuslist.read(data, "0306"), lambda: [_status_list()], lambda: [cbor2.loads(_status_list())[2]],
        lambda payload: cbor2.dumps([b"", {}, payload, b""], canonical=True), refuses=(statuslist.BadList,),
    ),
    "modules/certificates/trustlist.py::read": Parser(
        lambda data: trustlist.read(data, "0306"), lambda: [_trust_list()], refuses=(trustlist.BadList,)
    ),
    "modules/certificates/sources.py::open_source": Parser(
        lambda data: sources.open_source(data, lambda _: False), lambda: [_kh1()[0], _picture()]
    ),
    "modules/certificates/templates.py::read": Parser(
        templates.read, lambda: _shipped("assets/certificates/*.json")
    ),
    "modules/flows/definition.py::parse": Parser(
        _text(flows.parse), lambda: _shipped("assets/flows/*.json")
    ),
    "modules/forms/definition.py::parse": Parser(
        forms.parse, lambda: _shipped("assets/forms/*-1.json")
    ),
    "modules/messages/recipients.py::read_bytes": Parser(
        recipients.read_bytes,
        lambda: ["ឈ្មោះ,ទូរស័ព្ទ\nសុខ,012345678\n".encode(), "a;b\n1;2\n".encode("utf-16")],
    ),
    "modules/messages/template.py::parse": Parser(
        _text(template.parse), lambda: ["ជម្រាបសួរ {{name}}".encode()]
    ),
    "modules/forms/definition.py::load_json": Parser(
        lambda data: forms.load_json(data, name="x", limit=100_000), lambda: _shipped("assets/forms/*-1.json")
    ),
    "modules/forms/xpath/compile.py::compile_expression": Parser(
        _text(lambda text: expressions.compile_expression(text).reads),
        lambda: [b"/data/a[b = 'c'] | instance('x')/root/item[position() = 2]", "concat('ខ្មែរ', -1.5 * ../x) != //y".encode()],
    ),
    "modules/forms/xpath/files.py::read_answers": Parser(
        lambda data: files.read_answers(data, name="x"), lambda: [b'{"a": [{"b": 1}], "c": null}', "<data><a>សុខ</a></data>".encode()]
    ),
    "modules/forms/xpath/files.py::read_list": Parser(
        lambda data: files.read_list(data, name="x"), lambda: ["name,label\nk,ខេត្ត\n".encode()]
    ),
    "modules/forms/xpath/regex/__init__.py::fits": Parser(
        _text(lambda text: regex.fits(text, "ab12")), lambda: [rb"(?i)[a-z&&[^q]]{2,}\d+|\p{IsKhmer}(?=x)$"]
    ),
    "modules/forms/interchange/counting.py::check_workbook": Parser(counting.check_workbook, lambda: [_workbook()]),
    "modules/forms/interchange/formsg.py::read_formsg": Parser(formsg.read_formsg, lambda: [_formsg()]),
    "modules/forms/interchange/taking.py::take": Parser(
        lambda data: taking.take(data, name="x.xml"), lambda: [_formsg(), *_shipped("tests/modules/forms/interchange/samples/small.xml")]
    ),
    "modules/forms/interchange/xform/reading.py::read_xform": Parser(
        read_xform, lambda: _shipped("tests/modules/forms/interchange/samples/*.xml")
    ),
    "modules/forms/interchange/xml.py::read_xml": Parser(read_xml, lambda: _shipped("tests/modules/forms/interchange/samples/*.xml")),
    "modules/forms/model/reading.py::read_form": Parser(
        read_form, lambda: [canonical(read_xform(one)[0]) for one in _shipped("tests/modules/forms/interchange/samples/*.xml")]
    ),
    "modules/forms/numbering.py::read": Parser(_text(numbering.read), lambda: [b"0306-01-000001"]),
    "modules/links/hosts.py::read": Parser(_text(hosts.read), lambda: [b"www.gov.kh", b"[2001:db8::1]", "ខ្មែរ.com".encode()]),
    "modules/links/rules.py::check": Parser(_text(rules.check), lambda: [b"https://kampongcham.gov.kh/a?b=c#d"]),
    "modules/messages/recipients.py::decode": Parser(recipients.decode, lambda: ["ឈ្មោះ,ទូរស័ព្ទ".encode(), "a;b".encode("utf-16")]),
    "modules/messages/segments.py::split": Parser(_text(segments.split), lambda: ["ជម្រាបសួរ លោក 👍".encode()]),
}  # fmt: skip

CENTRE: Final[dict[str, Parser]] = {
    "sync/lives.py::read": Parser(_text(lambda text: epochs.read(text, LOG)), lambda: [_beginning()]),
    "sync/hub/evidence.py::read_texts": Parser(evidence.read_texts, lambda: [cbor.encode([_receipt()])]),
    "sync/hub/parts.py::read_signed": Parser(lambda data: parts.read_signed(data, _DELEGATE), lambda: [_signed_part()]),
    "sync/hub/signing.py::read": Parser(signing.read, lambda: [_prepared()]),
    "sync/lan.py::read_invitation": Parser(
        _text(lan.read_invitation), lambda: [lan.Invitation(b"c" * 200, bytes(16), ("10.0.0.2:8101",), NOW).text().encode()]
    ),
    "sync/lan.py::open_request": Parser(
        lambda data: lan.open_request(data, OWN), lambda: [_again(_lan_request())], lambda: [_lan_request()], _again
    ),
    "sync/lan.py::open_answer": Parser(
        lambda data: lan.open_answer(data, OWN, _certificate(), bytes(32)), lambda: [_again(_lan_answer())], lambda: [_lan_answer()], _again
    ),
    "sync/pruning.py::read_held": Parser(
        lambda data: pruning.read_held(data, bytes(16), PUBLIC), lambda: [pruning.say_held(bytes(16), [bytes(32)], KEY, LOG.id())]
    ),
    "sync/reset.py::read": Parser(reset.read, lambda: [_reset()]),
    "sync/sealedfeed.py::read_page": Parser(sealedfeed.read_page, lambda: [_page()]),
    "sync/transfers.py::read": Parser(transfers.read, lambda: [_statement()]),
    "sync/witnesses.py::read": Parser(witnesses.read, lambda: [cbor.encode([["hub", "03", PUBLIC]])]),
    "sync/witnesses.py::read_countersigned": Parser(
        witnesses.read_countersigned, lambda: [witnesses.Countersigned("a", "b", [bytes(32)]).encode()]
    ),
}  # fmt: skip

_HASH: Final = b"\1" * 32


def _word() -> bytes:
    return relays.encode_words([relays.Word(batch.device_id(PUBLIC), PUBLIC, b"status", "audit")])


def _release() -> bytes:
    payload = {1: 1, 2: "1.2.3", 3: "linux-x86_64", 4: NOW, 5: 10, 6: _HASH, 7: [[10, _HASH]]}
    return cbor.encode(payload)


def _release_again(payload: bytes) -> bytes:
    return cose.sign(KEY, payload, content_type=updates.CONTENT_TYPE, key_id=batch.device_id(PUBLIC), aad=updates.AAD)


def _handed() -> bytes:
    return notes.sign(relayed.handed_text("hub", _HASH, NOW), "hub", KEY).encode()


RELAYS: Final[dict[str, Parser]] = {
    "sync/foreign_files.py::read": Parser(foreign_files.read, lambda: [cbor.encode([_HASH])]),
    "sync/hub/relays.py::read_devices": Parser(relays.read_devices, lambda: [cbor.encode([bytes(16)])]),
    "sync/hub/relays.py::read_introduction": Parser(
        relays.read_introduction,
        lambda: [relays.introduce(relays.Introduction([bytes(16)], 1, NOW, ""), SigningKey(bytes(32)))],
    ),
    "sync/hub/relays.py::read_offer": Parser(relays.read_offer, lambda: [relays.Offer([_HASH], [], 1, NOW, "").encode()]),
    "sync/hub/relays.py::read_wanted": Parser(relays.read_wanted, lambda: [relays.Wanted([_HASH], [], ["x"]).encode()]),
    "sync/hub/relays.py::read_words": Parser(relays.read_words, lambda: [_word()]),
    "sync/piecenote.py::read": Parser(
        _text(lambda text: piecenote.read(text, LOG)),
        lambda: [piecenote.say(piecenote.Held(1, NOW, [_HASH]), LOG, KEY).encode()],
    ),
    "sync/relayed.py::read_answer": Parser(
        relayed.read_answer, lambda: [relayed.Answer([_HASH], [], ["r"], b"s", "a", "c", [_HASH]).encode()]
    ),
    "sync/relayed.py::read_question": Parser(relayed.read_question, lambda: [relayed.Question([_HASH], [], 1, 2).encode()]),
    "sync/relayed.py::read_handed": Parser(
        _text(lambda text: relayed.read_handed(text, LOG, _HASH)), lambda: [_handed()]
    ),
    "sync/updates.py::read": Parser(
        lambda data: updates.read(data, PUBLIC), lambda: [_release_again(_release())], lambda: [_release()], _release_again
    ),
}  # fmt: skip

EVERY: Final = {**PARSERS, **MODULES, **CENTRE, **RELAYS}

NOT_FOREIGN: Final = {
    "modules/forms/interchange/workbook.py::read_workbook": "counted by check_workbook, converted in a bounded process, read by read_xform",
    "sync/blobs.py::read": "an id of this laptop's own",
    "sync/client.py::open_client": "an address",
    "sync/refreshing.py::check": "a name; the bytes go to the readers of the formats",
    "sync/hub/ingest.py::take": "batch.parse behind it; every flipped bit: tests/hub/test_hub_ingest.py",
    "sync/hub/ingest.py::take_chunk": "only its hash is looked at",
    "sync/hub/relay.py::take": "batch.parse behind it",
    "sync/hub/relay.py::take_chunk": "only its hash is looked at",
    "sync/hub/publish.py::check": "an admin's own file, by the parsers of the modules",
    "sync/hub/publish.py::read": "a name below the published folder",
    "sync/hub/stored.py::read": "a batch that the hub verified and stored itself",
    "sync/hub/marks.py::split": "a name that is looked for or shown",
    "sync/line.py::parse_hours": "typed by a person",
    "sync/passphrase.py::check": "typed by a person",
    "sync/refreshing.py::read": "a name; the bytes are verified by python-tuf",
    "sync/slots.py::open": "typed by a person",
    "sync/transport.py::read": "a name",
    "sync/volume.py::read": "a name",
}
