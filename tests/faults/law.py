"""What must hold after any number of power cuts, once laptop and hub are healed: nothing lost, nothing doubled, all sound."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modules.session import Session
from sync import care, outbox
from sync.clock import SystemClock
from sync.hub import acts, courier, keys, reports
from sync.hub import centre as centres


@dataclass
class Acknowledged:
    """What the laptop said was done before it died."""

    submissions: dict[str, dict[str, Any]] = field(default_factory=dict)  # id → what finishing answered
    drafts: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    sticks: list[Path] = field(default_factory=list)


def broken(session: Session, hub: Path, said: Acknowledged) -> list[str]:
    """Every law that does not hold, in a short phrase; empty when all do. Nobody else has the hub open."""
    _caught_up(hub)
    with closing(sqlite3.connect(hub / "hub.db")) as centre:
        return [
            *_ops(session, centre, said),
            *_forms(session, centre, said),
            *_flows(session),
            *_numbers(session, centre, said),
            *_receipts(session, centre),
            *_own(session, hub, centre),
            *_chunks(session, centre, hub),
            *(f"laptop: {problem}" for problem in care.problems(session.unlocked)),
            *(f"hub: {row[0]}" for row in centre.execute("PRAGMA integrity_check") if row[0] != "ok"),
            *_verified(hub, said),
        ]


def _caught_up(hub: Path) -> None:
    """A hub may end before it has made records of what it took: its next start does."""
    centre = centres.open_(hub, SystemClock())
    try:
        centre.project()
    finally:
        centre.close()


def _rows(session: Session, sql: str) -> list[dict[str, Any]]:
    return session.store.read(lambda conn: [dict(row) for row in conn.execute(sql).fetchall()])


def _ops(session: Session, centre: sqlite3.Connection, said: Acknowledged) -> Iterable[str]:
    """The chain of the laptop is the chain at the hub, op by op."""
    device = session.unlocked.device.device_id
    here = [
        (row["seq"], row["hash"], row["op_id"])
        for row in _rows(session, "SELECT seq, hash, op_id FROM op ORDER BY seq")
    ]
    there = centre.execute("SELECT seq, hash, op_id FROM op WHERE device = ? ORDER BY seq, id", (device,)).fetchall()
    if here != there:
        yield f"{len(here)} ops here, {len(there)} there, {len({h for _, h, _ in here} & {h for _, h, _ in there})} in both"
    yield from _doubles("op", [op_id.hex() for _, _, op_id in there])
    strange = centre.execute("SELECT label, count(*) FROM op WHERE label <> 'accepted' GROUP BY label").fetchall()
    if strange:
        yield f"ops that are not accepted: {strange}"
    places = centre.execute("SELECT count(*), count(DISTINCT op) FROM accepted").fetchone()
    named = {row[0] for row in centre.execute("SELECT o.hash FROM accepted AS a JOIN op AS o ON o.id = a.op")}
    if places != (len(there), len(there)) or named != {digest for _, digest, _ in there}:
        yield f"places in the order of acceptance: {places} for {len(there)} ops"
    yield from _missing(
        "acknowledged op", {made["op"] for made in said.submissions.values()}, {h.hex() for _, h, _ in there}
    )


def _forms(session: Session, centre: sqlite3.Connection, said: Acknowledged) -> Iterable[str]:
    """Every finish that was acknowledged is one record, one op and one row at the hub; a draft is a draft or a record."""
    rows = _rows(session, "SELECT id, op, receipt FROM forms_submission")
    known = {row["id"]: row for row in rows}
    for id, made in said.submissions.items():
        if known.get(id, {}).get("receipt") != made["receipt"] or known[id]["op"] != made["op"]:
            yield f"submission {id} was acknowledged as {made['receipt']} and is {known.get(id)}"
    ops = _rows(session, "SELECT record FROM op WHERE kind = 'forms.submission'")
    yield from _doubles("submission op", [row["record"] for row in ops])
    if {row["record"] for row in ops} != set(known):
        yield f"{len(ops)} submission ops, {len(known)} submissions"
    there = [row[0] for row in centre.execute("SELECT op FROM p_forms_submission")]
    if sorted(there) != sorted(row["op"] for row in rows):
        yield f"{len(rows)} submissions here, {len(there)} at the hub"
    drafts = {row["draft"] for row in session.commands.run("forms.drafts")["drafts"]}
    yield from _missing("draft", said.drafts, drafts | set(known))
    if both := drafts & set(known):
        yield f"both draft and submission: {sorted(both)}"


def _flows(session: Session) -> Iterable[str]:
    """Of every finished barber licence came exactly one certificate, link and message, by exactly one run."""
    rows = _rows(
        session,
        """SELECT s.id, e.events, r.runs, r.done, c.certificates, l.links, m.messages FROM forms_submission AS s
           LEFT JOIN (SELECT subject, count(*) AS events FROM flows_event GROUP BY subject) AS e ON e.subject = s.id
           LEFT JOIN (SELECT e.subject, count(*) AS runs, sum(r.state = 'done') AS done FROM flows_run AS r
                      JOIN flows_event AS e ON e.id = r.event GROUP BY e.subject) AS r ON r.subject = s.id
           LEFT JOIN (SELECT source, count(*) AS certificates FROM certificates_issued GROUP BY source) AS c ON c.source = s.id
           LEFT JOIN (SELECT c.source, count(*) AS links FROM links_link AS l JOIN certificates_issued AS c
                      ON l.target LIKE '%/' || c.number GROUP BY c.source) AS l ON l.source = s.id
           LEFT JOIN (SELECT e.subject, count(*) AS messages FROM messages_campaign AS m JOIN flows_run AS r ON r.id = m.source
                      JOIN flows_event AS e ON e.id = r.event GROUP BY e.subject) AS m ON m.subject = s.id
           WHERE s.form = 'barber-licence'""",
    )
    effects = ("events", "runs", "done", "certificates", "links", "messages")
    for row in rows:
        if any(row[effect] != 1 for effect in effects):
            yield f"barber licence {row['id']}: {[row[effect] for effect in effects]} of {effects}"
    totals = _rows(
        session,
        """SELECT (SELECT count(*) FROM certificates_issued) AS certificates, (SELECT count(*) FROM messages_campaign) AS messages,
                  (SELECT count(*) FROM op WHERE kind = 'certificates.issued') AS ops,
                  (SELECT count(*) FROM platform_trigger WHERE delivered_ms IS NULL) AS waiting""",
    )[0]
    if totals != {"certificates": len(rows), "messages": len(rows), "ops": len(rows), "waiting": 0}:
        yield f"{len(rows)} barber licences, but {totals}"


def _numbers(session: Session, centre: sqlite3.Connection, said: Acknowledged) -> Iterable[str]:
    """No number was given twice, here or there, and no lease gave more numbers than it marks as used."""
    receipts = [row["receipt"] for row in _rows(session, "SELECT receipt FROM forms_submission")]
    numbers = [row["number"] for row in _rows(session, "SELECT number FROM certificates_issued")]
    codes = [row["code"] for row in _rows(session, "SELECT code FROM links_link")]
    yield from _doubles("receipt number", receipts)
    yield from _doubles("certificate number", numbers)
    yield from _doubles("link code", codes)
    used = {
        row["resource"]: row["n"]
        for row in _rows(session, "SELECT resource, sum(used) AS n FROM lease GROUP BY resource")
    }
    for resource, given in (("receipt-numbers", receipts), ("certificate-numbers", numbers), ("link-codes", codes)):
        if used[resource] != len(given):
            yield f"{used[resource]} {resource} marked as used, {len(given)} given"
    yield from _missing("link", said.links, set(codes))
    there = {row[0] for row in centre.execute("SELECT code FROM p_links_link")}
    if there != set(codes):
        yield f"{len(codes)} links here, {len(there)} at the hub"
    issued = [row[0] for row in centre.execute("SELECT number FROM p_certificates_issued")]
    if sorted(issued) != sorted(numbers):
        yield f"{len(numbers)} certificates here, {len(issued)} at the hub"
    for table, count in (("p_links_conflict", "count(*)"), ("p_certificates_issued", "sum(conflict <> '')")):
        if centre.execute(f"SELECT {count} FROM {table}").fetchone()[0]:
            yield f"conflicts in {table}"


def _receipts(session: Session, centre: sqlite3.Connection) -> Iterable[str]:
    """Every batch is receipted, the hub has exactly these, and nothing waits or is stuck."""
    summary = session.store.read(outbox.summary)
    if summary.waiting or summary.sending or summary.stuck:
        yield f"waiting {summary.waiting}, sending {summary.sending}, stuck {summary.stuck}"
    here = {
        row["hash"] for row in _rows(session, "SELECT b.hash FROM batch AS b JOIN receipt AS r ON r.batch = b.hash")
    }
    device = session.unlocked.device.device_id
    came = [
        row[0] for row in centre.execute("SELECT hash FROM batch WHERE device = ? AND via <> ?", (device, acts.VIA))
    ]
    there = set(came)
    if here != there:
        yield f"{len(here)} batches receipted here, {len(there)} there, {len(here & there)} in both"
    yield from _doubles("batch", [digest.hex() for digest in came])
    open_ = _rows(session, "SELECT count(*) AS n FROM batch WHERE state NOT IN ('receipted', 'recut')")[0]["n"]
    if open_:
        yield f"{open_} batches without a receipt"
    refused = centre.execute("SELECT reason FROM refused").fetchall()
    if refused:
        yield f"the hub refused {refused[:3]}"


def _own(session: Session, hub: Path, centre: sqlite3.Connection) -> Iterable[str]:
    """What is not of the laptop is the hub's own: signed by its device, a chain without a gap, and nothing left to sign."""
    own = acts.device_id(keys.load(hub))
    strangers = centre.execute(
        "SELECT count(*) FROM batch WHERE NOT (device = ? AND via <> ?) AND NOT (device = ? AND via = ?)",
        (session.unlocked.device.device_id, acts.VIA, own, acts.VIA),
    ).fetchone()[0]
    if strangers:
        yield f"{strangers} batches at the hub of neither the laptop nor the hub"
    seqs = [row[0] for row in centre.execute("SELECT seq FROM op WHERE device = ? ORDER BY seq", (own,))]
    signed = centre.execute("SELECT coalesce(sum(n), 0) FROM batch WHERE device = ?", (own,)).fetchone()[0]
    if seqs != list(range(1, signed + 1)):
        yield f"the hub's own chain: {len(seqs)} ops of {signed} signed"
    if left := centre.execute("SELECT count(*) FROM act").fetchone()[0]:
        yield f"{left} acts of the hub are not signed"


def _chunks(session: Session, centre: sqlite3.Connection, hub: Path) -> Iterable[str]:
    """Every piece of every attachment of a finished form lies at the hub."""
    there = {row[0] for row in centre.execute("SELECT hash FROM chunk")}
    attached = _rows(session, "SELECT c.hash FROM chunk AS c JOIN attached AS a ON a.blob = c.blob")
    manifests = _rows(session, "SELECT blob AS hash FROM attached")
    lost = {row["hash"] for row in attached + manifests} - there
    if lost:
        yield f"{len(lost)} pieces of attachments are not at the hub"
    files = {path.name for path in (hub / "chunks").rglob("*") if path.is_file()}
    yield from _missing("chunk file", {name.hex() for name in there}, files)


def _verified(hub: Path, said: Acknowledged) -> Iterable[str]:
    """The hub's own checks; and what came by stick is known already."""
    centre = centres.open_(hub, SystemClock())
    try:
        for fault in centre.storage.read(centre.log.verify):
            yield f"log of the hub: {fault}"
        for name, outcome in centre.rebuild().items():
            if not outcome.same or outcome.stopped or outcome.failure:
                yield f"projection {name} is not what a rebuild gives: {outcome}"
        for gap in centre.storage.read(reports.gaps):
            yield f"gap at the hub: {gap}"
        for stick in said.sticks:
            if any(stick.glob("*.salabatch")):  # else the power went before a file was whole
                taken = courier.take(centre, stick)
                if taken.new_ops or taken.problems or taken.damaged:
                    yield f"stick {stick.name}: {taken}"
    finally:
        centre.close()


def _doubles(what: str, values: list[str]) -> list[str]:
    return [f"{what} {value} stands {n} times" for value, n in Counter(values).items() if n > 1]


def _missing(what: str, wanted: set[str], found: set[str]) -> list[str]:
    return [f"{what} {value} is lost" for value in sorted(wanted - found)]
