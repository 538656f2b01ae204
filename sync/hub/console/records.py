"""One record: what an op says, who made it, where it hangs, and what the centre decided about it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from i18n.catalog import Text
from sync import batch as formats
from sync import clockwatch
from sync.errors import SalaError
from sync.hub import branches, decisions, finder, forks, formlabels, labels, marks, raws, transfers
from sync.hub.centre import Centre
from sync.hub.console import content
from sync.hub.console.doors import Form
from sync.hub.console.login import Visit
from sync.hub.console.missing import missing
from sync.hub.console.pages import centre_of, day_ms, language, page
from sync.hub.storage import Row, Tx
from sync.limits import DAY_MS
from sync.ops import Op, SealedRef, author_holds

ROWS: Final = 60  # of one stretch
FILTERS: Final = ("text", "kind", "form", "office", "officer", "label", "since", "until")
LABELS: Final = (labels.ACCEPTED, labels.PENDING, labels.FORK, labels.REVOKED, labels.OFFICER, labels.SCHEMA)
_NOBODY: Final = bytes(16)  # the centre itself
_HASH: Final = re.compile(r"[0-9a-fA-F]{8,64}")
_OWN: Final = {
    "sync.officer": {"km": "មន្ត្រីនៃកុំព្យូទ័រ", "en": "Officer of a laptop"},
    "sync.audit_checkpoint": {"km": "ចំណុចពិនិត្យកំណត់ហេតុ", "en": "Checkpoint of the audit log"},
    "sync.rekey": {"km": "សោថ្មីនៃកុំព្យូទ័រ", "en": "New key of a laptop"},
    "sync.transfer": {"km": "ការផ្ទេរមន្ត្រី", "en": "Transfer of an officer"},
    "sync.moved": {"km": "ការផ្ទេរមន្ត្រី", "en": "Transfer of an officer"},
    "sync.review": {"km": "ការពិនិត្យរបស់ស្ថាប័ន", "en": "Review by an agency"},
    "sync.decision": {"km": "សេចក្ដីសម្រេចរបស់មជ្ឈមណ្ឌល", "en": "Decision of the centre"},
    "sync.effect": {"km": "ការប្រគល់ចេញក្រៅ", "en": "Hand-over for dispatch"},
    "sync.kinds": {"km": "ប្រភេទដែលមជ្ឈមណ្ឌលស្គាល់", "en": "Kinds that the centre knows"},
    "sync.origin": {"km": "ការចាប់ផ្ដើមនៃមជ្ឈមណ្ឌល", "en": "Beginning of the centre"},
    "sync.epoch": {"km": "ជំនាន់ថ្មីនៃកំណត់ហេតុ", "en": "New epoch of the log"},
    "sync.office": {"km": "ការិយាល័យ", "en": "Office"},
    "sync.slot": {"km": "កញ្ចប់ការិយាល័យ", "en": "Office pack"},
    "sync.slot_tried": {"km": "លេខកូដចុះឈ្មោះខុស", "en": "Wrong enrolment code"},
    "sync.enrolled": {"km": "ការចុះឈ្មោះកុំព្យូទ័រ", "en": "Enrolment of a laptop"},
    "sync.revoked": {"km": "ការដកសិទ្ធិកុំព្យូទ័រ", "en": "Revocation of a laptop"},
    "sync.lease": {"km": "ប្លុកលេខ", "en": "Block of numbers"},
    "sync.published": {"km": "ការផ្សព្វផ្សាយ", "en": "Publication"},
    "sync.relay": {"km": "ស្ថានីយបញ្ជូនត", "en": "Relay of a province"},
    "sync.withdrawn": {"km": "ការដកសិទ្ធិដែលបានអនុវត្ត", "en": "Withdrawal that a laptop obeyed"},
    "sync.evidence": {"km": "បង្កាន់ដៃពីជំនាន់មុន", "en": "Receipts of an earlier epoch"},
    "sync.hub": {"km": "ការចាប់ផ្ដើមនៃមជ្ឈមណ្ឌល", "en": "Beginning of the centre"},
    "sync.root": {"km": "ឫសនៃការផ្សព្វផ្សាយ", "en": "Root of the publications"},
    "sync.desk": {"km": "តុរបស់ស្ថាប័ន", "en": "Desk of an agency"},
    "sync.watch": {"km": "ចំណុចពិនិត្យនៃការមើល", "en": "Checkpoint of who looked"},
    "sync.role": {"km": "អ្នកចុះហត្ថលេខា", "en": "Signer of publications"},
}


def kind_title(centre: Centre, kind: str) -> Text:
    """What a kind is called, from its module's manifest; an unknown kind is called by its name."""
    for manifest in centre.manifests:
        for found in manifest.get("kind", ()):
            if found["name"] == kind:
                title: Text = found["title"]
                return title
    return _OWN.get(kind, {"km": kind, "en": kind})


def officers(stored: str | None) -> dict[str, str]:
    """Officer id → name, as the laptop said at its enrolment."""
    return {one["id"]: one["name"] for one in json.loads(stored or "[]")}


def summary(centre: Centre, op: Op, label: str, names: dict[str, str]) -> dict[str, Any]:
    """One line about an op."""
    fields = op.fields
    return {
        "seq": op.seq, "kind": fields.kind, "title": kind_title(centre, fields.kind), "form": fields.form, "wall_ms": fields.wall_ms,
        "hash": op.hash.hex(), "label": label, "sealed": isinstance(fields.body, SealedRef),
        "officer": "–" if fields.officer == _NOBODY else names.get(fields.officer.hex(), fields.officer.hex()[:8]),
    }  # fmt: skip


def listing(request: Request, visit: Visit) -> Response:
    """Records by filters, a stretch at a time while one scrolls."""
    centre, query = centre_of(request), request.query_params
    typed = {name: query.get(name, "")[:120].strip() for name in FILTERS}
    wanted, problem = _wanted(typed)
    marks.quickly(centre.storage)
    after = _key(query.get("after", ""))

    def read(tx: Tx) -> dict[str, Any]:
        near = finder.by_hash(tx, typed["text"].lower()) if _HASH.fullmatch(typed["text"]) else []
        found = finder.Found(near, None) if near else finder.find(tx, wanted, after=after, limit=ROWS)
        whole = after is None
        return {
            "found": found, "count": (finder.Count(len(near), "exact") if near else finder.count(tx, wanted)) if whole else None,
            "behind": marks.behind(tx), "kinds": finder.kinds(tx) if whole else [], "forms": finder.forms(tx) if whole else [],
            "own_titles": formlabels.titles(tx) if whole else {},
            "offices": tx.query("SELECT code, name_km, name_en FROM office ORDER BY code") if whole else [],
            "people": _people(tx, typed["office"], language(request)) if whole else [],
        }  # fmt: skip

    values = centre.storage.read(read)
    rows = [
        {
            **row, "title": kind_title(centre, row["kind"]),
            "who": officers(row["officers"]).get(bytes(row["officer"]).hex(), ""),
        }
        for row in values["found"].rows
    ]  # fmt: skip
    following = values["found"].after
    more = (
        urlencode({**{k: v for k, v in typed.items() if v}, "after": f"{following[0]}-{following[1]}"})
        if following
        else ""
    )
    titles = {kind: kind_title(centre, kind) for kind in values["kinds"]}
    own = values.pop("own_titles")
    form_titles = {form: _form_title(centre, form, own) for form in values["forms"] if form != finder.OWN_FORM}
    given = {
        **values, "rows": rows, "more": more, "typed": typed, "titles": titles, "form_titles": form_titles, "labels": LABELS,
        "problem": problem, "empty": wanted.plain,
    }  # fmt: skip
    return page(request, "records.html", given, visit=visit)


def _wanted(typed: dict[str, str]) -> tuple[finder.Wanted, bool]:
    """What the filters say; True when one of them is no date or no officer."""
    office = "".join(c for c in typed["office"].partition(" ")[0] if c.isdecimal())
    try:
        officer, wrong = bytes.fromhex(typed["officer"]), False
    except ValueError:
        officer, wrong = b"", True
    since, until = day_ms(typed["since"]), day_ms(typed["until"])
    wrong = wrong or (bool(typed["since"]) and not since) or (bool(typed["until"]) and not until)
    wanted = finder.Wanted(
        kind=typed["kind"], form=typed["form"], office="".join(str(int(c)) for c in office), officer=officer,
        label=typed["label"] if typed["label"] in LABELS else "", since_ms=since, until_ms=until + DAY_MS if until else 0,
        text=typed["text"],
    )  # fmt: skip
    return wanted, wrong


def _key(text: str) -> tuple[int, int] | None:
    batch, _, place = text.partition("-")
    good = all(part.isascii() and part.isdecimal() and len(part) < 16 for part in (batch, place))
    return (int(batch), int(place)) if good else None


def _people(tx: Tx, office: str, lang: str) -> list[tuple[str, str]]:
    """The officers of an office, for the filter; of all offices they would be thousands."""
    code = office.partition(" ")[0]
    if not code:
        return []
    found = {}
    for row in tx.query("SELECT officers FROM device WHERE office = :o ORDER BY number", {"o": code}):
        for one in json.loads(row["officers"]):
            found[one["id"]] = one["name"] if lang == "km" else one.get("latin") or one["name"]
    return sorted(found.items(), key=lambda item: str(item[1]))


def _form_title(centre: Centre, form: str, titles: Mapping[str, Text]) -> Text:
    """A module is called by its own name, a form by its title; one that nobody knows by its id."""
    for manifest in centre.manifests:
        if manifest["module"]["id"] == form:
            title: Text = manifest["module"]["title"]
            return title
    return titles.get(form) or {"km": form, "en": form}


def one(request: Request, visit: Visit) -> Response:
    """The page of one record."""
    return _one(request, visit, None)


def decide(request: Request, visit: Visit, form: Form) -> Response:
    """Accept, send back or release a record."""
    centre, digest = centre_of(request), _digest(request)
    decision, reason = form.get("decision", 20), form.get("reason", decisions.MOST_REASON + 1)
    if digest is None or decision not in decisions.DECISIONS:
        return missing(request, visit)
    now, seen = centre.clock.wall_ms(), form.number("seen")
    try:
        centre.storage.write(lambda tx: decisions.decide(tx, digest, decision, reason, visit.admin, now, seen=seen))
    except SalaError as error:
        return _one(request, visit, error, 422, typed={decision: reason})
    centre.wake()
    return RedirectResponse(request.url.path, 303)


def _one(
    request: Request, visit: Visit, error: SalaError | None, status: int = 200, *, typed: Mapping[str, str] | None = None
) -> Response:  # fmt: skip
    centre, digest = centre_of(request), _digest(request)
    found = centre.storage.read(lambda tx: _read(tx, digest)) if digest else None
    if found is None or digest is None:
        return missing(request, visit)
    op = next(op for op in formats.parse(found["row"]["raw"]).ops if op.hash == digest)
    form, kind = found["form_words"], op.fields.kind
    body: list[content.Line] | None = None
    technical: list[content.Line] = []
    if not isinstance(op.fields.body, SealedRef):
        words = content.Labels(form.fields if form else {}, content.of_module(centre, kind))
        body, technical = content.parted(op.fields.body, words)
    values = {
        **found, **summary(centre, op, found["row"]["label"], found["names"]), "seq": found["row"]["seq"], "kind": kind,
        "fields": op.fields, "body": body, "technical": technical, "typed": typed or {},
        "form_title": form.title if form else _form_title(centre, op.fields.form, {}),
        "refs": [ref.hex() for ref in op.fields.refs], "attach": [blob.hex() for blob in op.fields.attach], "error": error,
        "clock": clockwatch.suspicious(op.fields.wall_ms, op.fields.hub_floor_ms, found["row"]["received_ms"]),
        "releasable": found["row"]["label"] in branches.RELEASABLE, "own": kind.startswith("sync."),
        "again": bool(found["row"]["office"]) and found["row"]["revoked_ms"] is None,
    }  # fmt: skip
    return page(request, "record.html", values, visit=visit, status=status)


def _read(tx: Tx, digest: bytes) -> dict[str, Any] | None:
    row = tx.one(
        """SELECT o.hash, o.parent, o.device, o.seq, o.label, o.batch, o.def_hash, b.received_ms, d.office, d.number, d.officers,
               d.revoked_ms, f.name_km, f.name_en
           FROM op o JOIN batch b ON b.idx = o.batch LEFT JOIN device d ON d.device = o.device LEFT JOIN office f ON f.code = d.office
           WHERE o.hash = :hash""",
        {"hash": digest},
    )
    if row is None:
        return None
    siblings = tx.query(
        "SELECT hash, label FROM op WHERE device = :device AND seq = :seq AND parent = :parent AND hash <> :hash",
        row,
    )
    return {
        "row": {**row, "raw": raws.of(tx, row["batch"])}, "siblings": siblings, "decisions": decisions.of_op(tx, digest),
        "aside": branches.is_aside(tx, digest, row["device"]), "fork": _fork(tx, row), "seen": decisions.clock(tx),
        "form_words": formlabels.of(tx, bytes(row["def_hash"])), "names": names(tx, row["device"], row["officers"]),
    }  # fmt: skip


def names(tx: Tx, device: bytes, stored: str | None) -> dict[str, str]:
    """Officer id → name: those of the laptop's enrolment, and those that it has declared since."""
    return officers(stored) | {str(body.get("officer")): str(body.get("name", "")) for body in _declared(tx, device)}


def officer_keys(tx: Tx, device: bytes, stored: str | None) -> dict[str, set[bytes]]:
    """Officer id → every key of theirs that the laptop has named, at its enrolment or since."""
    found = {one["id"]: {bytes.fromhex(one["public"])} for one in json.loads(stored or "[]")}
    for body in _declared(tx, device):
        if isinstance(public := body.get("public"), bytes):
            found.setdefault(str(body.get("officer")), set()).add(public)
    return found


def signers(parsed: formats.Batch, keys: Mapping[str, set[bytes]]) -> list[str]:
    """Ids of the officers who signed a batch, as far as their signature holds under a key of theirs."""
    return [
        one.officer.hex() for one in parsed.authors
        if any(author_holds(parsed.ops[one.index].hash, key, one.signature) for key in keys.get(one.officer.hex(), ()))
    ]  # fmt: skip


def _declared(tx: Tx, device: bytes) -> list[Mapping[str, Any]]:
    """What the laptop has said of its officers since its enrolment, oldest first."""
    rows = tx.query(
        """SELECT o.batch, o.place FROM mark m JOIN op o ON o.batch = m.batch AND o.kind = m.kind
           WHERE m.kind = 'sync.officer' AND m.device = :d AND o.label = 'accepted' ORDER BY o.id""",
        {"d": device},
    )
    bodies = [transfers.fields_of(tx, row).body for row in rows]
    return [body for body in bodies if isinstance(body, dict)]


def _fork(tx: Tx, row: Row) -> str:
    """The fork whose branch this record belongs to, for the page that shows both."""
    if row["label"] != labels.FORK:
        return ""
    roots = [fork for fork in forks.of_device(tx, row["device"]) if fork["seq"] <= row["seq"]]
    return bytes(roots[-1]["op"]).hex() if roots else ""


def _digest(request: Request) -> bytes | None:
    try:
        digest = bytes.fromhex(request.path_params["digest"])
    except ValueError:
        return None
    return digest if len(digest) == 32 else None
