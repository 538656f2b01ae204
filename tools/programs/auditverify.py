"""auditverify: is this exported audit log whole? One file, Python's own library and PyNaCl: an inspector can read all of it.

    auditverify EXPORT.jsonl [--seen NOTE.txt] [--key VKEY] [--json] [--language km|en]

EXPORT is what ``sala-cli audit export`` wrote on the laptop. NOTE is the centre's last cosignature for that laptop, fetched from
the centre and not from the laptop (``sala-hub audit note DEVICE``); KEY is the centre's key as the centre shows it (``sala-hub
audit key``). Without KEY the program still checks the file in itself; the key that stands in it proves nothing.

Exit codes: 0 whole and cosigned · 1 tampered with · 2 not readable or wrong usage · 3 whole in itself, nothing of the centre to
hold it against. The format stands in docs/formats/audit.md.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

ROW = b"SALA-AUDIT-1"
EXPORT = b"sala/audit-export/v1\0"
ORIGIN = "sala.audit"
COSIGNATURE = b"\x04"
MOST = 1 << 30  # bytes of an export
WORDS = {
    "whole": ("កំណត់ហេតុនៅគ្រប់ ហើយត្រូវនឹងហត្ថលេខារបស់មជ្ឈមណ្ឌល។", "The log is whole and is the one that the centre cosigned."),
    "alone": (
        "កំណត់ហេតុត្រឹមត្រូវក្នុងខ្លួនវា ប៉ុន្តែមិនទាន់មានហត្ថលេខារបស់មជ្ឈមណ្ឌលដើម្បីផ្ទៀងផ្ទាត់ទេ។",
        "The log holds in itself, but there is no cosignature of the centre to hold it against.",
    ),
    "deleted": ("ជួរទី {row} ត្រូវបានលុប។", "Row {row} was deleted."),
    "edited": ("ជួរទី {row} ត្រូវបានកែ។", "Row {row} was edited."),
    "reordered": ("ជួរទី {row} និងទី {other} ត្រូវបានប្ដូរកន្លែងគ្នា។", "Rows {row} and {other} changed places."),
    "truncated": (
        "ជួរចុងក្រោយត្រូវបានកាត់ចោល ចាប់ពីទី {row} ដល់ទី {other}។",
        "The end was cut off: rows {row} to {other} are missing.",
    ),
    "rolled_back": (
        "មូលដ្ឋានទិន្នន័យនេះជាច្បាប់ចាស់៖ មានត្រឹមជួរទី {row} ខណៈមជ្ឈមណ្ឌលបានឃើញដល់ទី {other}។",
        "This database was rolled back: it ends at row {row}, and the centre has seen {other}.",
    ),
    "rewritten": (
        "ជួររវាងទី {row} និងទី {other} ត្រូវបានសរសេរឡើងវិញ៖ មិនមែនជាអ្វីដែលមជ្ឈមណ្ឌលបានចុះហត្ថលេខាទេ។",
        "Rows between {row} and {other} were rewritten: they are not what the centre cosigned.",
    ),
    "changed": ("ឯកសារនេះត្រូវបានកែក្រោយពីនាំចេញ។", "This file was changed after it was exported."),
    "key": (
        "កំណត់ហេតុត្រឹមត្រូវក្នុងខ្លួនវា។ ប៉ុន្តែហត្ថលេខារបស់មជ្ឈមណ្ឌលត្រូវបានផ្ទៀងផ្ទាត់តែដោយសោដែលស្ថិតក្នុងឯកសារខ្លួនឯង ដែលអ្នកណាក៏អាចដាក់បាន៖ "
        "សូមសួរមជ្ឈមណ្ឌលនូវសោពិត។",
        "The log holds in itself. But the cosignatures were checked only with a key out of the file itself, which anybody could have "
        "put there: ask the centre for its key.",
    ),
    "unreadable": ("អានឯកសារនេះមិនបាន៖ {why}", "This file cannot be read: {why}"),
}


class Unreadable(Exception):
    """Not an export, or a note that is none."""


@dataclass
class Finding:
    """One thing that is wrong. ``row`` and ``other``: where."""

    what: str
    row: int = 0
    other: int = 0


@dataclass
class Report:
    """What came out."""

    device: str = ""
    office: str = ""
    rows: int = 0  # in the file
    root: str = ""
    cosigned_size: int = 0  # the largest size that the centre cosigned
    cosigned_s: int = 0  # when, POSIX seconds
    key_from_file: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def code(self) -> int:
        return 1 if self.findings else 0 if self.cosigned_size and not self.key_from_file else 3


@dataclass
class Mark:
    """One checkpoint: ``seconds`` when the centre cosigned it, 0 when it did not."""

    size: int
    root: bytes
    seconds: int


# --- the tree


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


class Tree:
    """An RFC 6962 tree that grows; ``peaks``: its complete subtrees, largest first."""

    def __init__(self, size: int = 0, peaks: list[bytes] | None = None) -> None:
        heights = [height for height in range(size.bit_length() - 1, -1, -1) if size >> height & 1]
        if len(heights) != len(peaks or []):
            raise Unreadable("peaks")
        self.peaks = list(zip(heights, peaks or [], strict=True))

    def add(self, row: bytes) -> None:
        height, hashed = 0, sha256(b"\0" + row).digest()
        while self.peaks and self.peaks[-1][0] == height:
            hashed = node(self.peaks.pop()[1], hashed)
            height += 1
        self.peaks.append((height, hashed))

    def root(self) -> bytes:
        standing = [peak for _, peak in reversed(self.peaks)]
        if not standing:
            return sha256(b"").digest()
        root = standing[0]
        for peak in standing[1:]:
            root = node(peak, root)
        return root


def row_hash(seq: int, before: bytes, event: str) -> bytes:
    return sha256(ROW + seq.to_bytes(8, "big") + before + event.encode()).digest()


# --- notes


@dataclass
class Key:
    """The centre's key: ``<name>+<key id>+<base64 of 04 and the Ed25519 key>`` (a C2SP verifier key)."""

    name: str
    public: bytes

    @classmethod
    def read(cls, text: str) -> Key:
        name, _, rest = text.strip().partition("+")
        key_id, _, value = rest.partition("+")
        data = unbase64(value)
        found = cls(name, data[1:])
        if data[:1] != COSIGNATURE or len(data) != 33 or key_id != found.id().hex():
            raise Unreadable("key")
        return found

    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + COSIGNATURE + self.public).digest()[:4]


def unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Unreadable("base64") from None


def read_note(note: str, device: str, key: Key) -> Mark:
    """The checkpoint of a cosigned note about ``device``. Unreadable unless ``key`` cosigned it."""
    text, gap, lines = note.rpartition("\n\n")
    text += "\n"
    parts = text.split("\n")
    if not gap or len(parts) != 4 or parts[0] != f"{ORIGIN}/{device}" or not parts[1].isdecimal():
        raise Unreadable("note")
    for line in lines.split("\n"):
        name, _, value = line.removeprefix("\u2014 ").partition(" ")
        if name != key.name:
            continue
        data = unbase64(value)
        seconds = int.from_bytes(data[4:12], "big")
        message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
        if len(data) == 76 and data[:4] == key.id() and holds(key.public, message, data[12:]):
            return Mark(int(parts[1]), unbase64(parts[2]), seconds)
    raise Unreadable("cosignature")


def holds(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        VerifyKey(public).verify(message, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


# --- the check


@dataclass
class Export:
    """What a file says, nothing of it checked."""

    head: dict[str, Any]
    rows: list[dict[str, Any]]
    marks: list[dict[str, Any]]
    sound: bool  # nobody touched the file after it was written


def read_export(path: Path) -> Export:
    try:
        if path.stat().st_size > MOST:
            raise Unreadable("size")
        text = path.read_bytes().decode("utf-8")
        lines = [
            f"{line}\n" for line in text.removesuffix("\n").split("\n")
        ]  # other signs that end lines stand in events
        values = [json.loads(line) for line in lines]
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from error
    if not values or not isinstance(values[0], dict) or values[0].get("sala") != "audit/1":
        raise Unreadable("format")
    head = values[0]
    rows = [value for value in values[1:] if "seq" in value]
    marks = [value["mark"] for value in values[1:] if "mark" in value]
    end = values[-1] if "end" in values[-1] else {}
    digest = sha256("".join(lines[:-1]).encode()).digest()
    sound = (
        end.get("sha256") == digest.hex()
        and sha256(bytes.fromhex(head["device_key"])).digest()[:16].hex() == head["device"]
        and holds(bytes.fromhex(head["device_key"]), EXPORT + digest, bytes.fromhex(end["signature"]))
    )
    return Export(head, rows, marks, sound)


def verify(export: Export, key: Key | None, seen: str | None) -> Report:
    """Everything that can be told of one export."""
    head = export.head
    report = Report(device=head["device"], office=head["office"], rows=len(export.rows))
    if key is None and head.get("centre_key"):
        key, report.key_from_file = Key.read(head["centre_key"]), True
    marks = [Mark(one["size"], bytes.fromhex(one["root"]), 0) for one in export.marks]
    cosigned = _cosigned(export, key)
    newest = read_note(seen, note_device(seen), key) if seen and key else None
    if newest and note_device(str(seen)) != head["device"]:  # under a former id another copy of it goes on
        raise Unreadable(f"the cosignature is not about the device {head['device']}")
    anchors = sorted([*marks, *cosigned, *([newest] if newest else [])], key=lambda mark: (mark.size, -mark.seconds))
    if head["from"] and not any(mark.size == head["from"] and mark.seconds for mark in anchors):
        report.findings.append(Finding("deleted", 1))  # rows may be purged only below a cosigned size
        return report
    _walk(export, anchors, report)
    if not export.sound and not report.findings:
        report.findings.append(Finding("changed"))
    best = max([*cosigned, *([newest] if newest else [])], key=lambda mark: (mark.size, mark.seconds), default=None)
    if best is not None:
        report.cosigned_size, report.cosigned_s = best.size, best.seconds
    return report


def _cosigned(export: Export, key: Key | None) -> list[Mark]:
    """The checkpoints in the file that the centre cosigned; a note that does not hold makes the file a changed one."""
    found = []
    for one in export.marks:
        if not one.get("note") or key is None:
            continue
        try:
            device = note_device(one["note"])
            mark = read_note(one["note"], device, key)
        except Unreadable:
            export.sound = False
            continue
        if device in export.head["devices"]:
            found.append(mark)
    return found


def note_device(note: str) -> str:
    return note.partition("\n")[0].rpartition("/")[2]


def _walk(export: Export, anchors: list[Mark], report: Report) -> None:
    """Row by row: the chain, the tree, and every checkpoint on the way."""
    head = export.head
    seq, before = head["from"], bytes.fromhex(head["head"])
    tree = Tree(seq, [bytes.fromhex(peak) for peak in head["peaks"]])
    if any(mark.size == seq and mark.root != tree.root() for mark in anchors):
        report.findings.append(Finding("rewritten", 1, seq))
        return
    sound_until = seq
    for place, row in enumerate(export.rows):
        seq += 1
        finding = _odd(export.rows, place, seq, before)
        if finding:
            report.findings.append(finding)
            return
        before = bytes.fromhex(row["hash"])
        tree.add(before)
        for mark in anchors:
            if mark.size == seq:
                if mark.root != tree.root():
                    report.findings.append(Finding("rewritten", sound_until + 1, seq))
                    return
                sound_until = seq
    report.root = tree.root().hex()
    last = max((mark.size for mark in anchors), default=0)
    own = max([head["size"], *(one["size"] for one in export.marks)])
    if seq < own:
        report.findings.append(Finding("truncated", seq + 1, own))
    elif seq < last:
        report.findings.append(Finding("rolled_back", seq, last))
    elif seq == head["size"] and report.root != head["root"]:
        report.findings.append(Finding("rewritten", sound_until + 1, seq))


def _odd(rows: list[dict[str, Any]], place: int, seq: int, before: bytes) -> Finding | None:
    """What is wrong with the row that stands at ``place`` and should be number ``seq``; None when it holds."""
    row = rows[place]
    stated = bytes.fromhex(row["hash"])
    if row["seq"] == seq and row_hash(seq, before, row["event"]) == stated:
        return None
    for other, found in enumerate(rows[place + 1 :], place + 1):
        number = seq + other - place
        swapped = row["seq"] != seq and found["seq"] == seq and row["seq"] == number  # whole rows
        if swapped or row_hash(seq, before, found["event"]) == stated:  # or what they say
            return Finding("reordered", seq, number)
        if row_hash(seq, before, found["event"]) == bytes.fromhex(
            found["hash"]
        ):  # rows whose numbers were put right again
            return Finding("reordered", seq, number)
    if row["seq"] > seq:
        return Finding("deleted", seq)
    if place + 1 < len(rows):
        following = rows[place + 1]
        if row_hash(seq + 2, stated, following["event"]) == bytes.fromhex(following["hash"]):
            return Finding("deleted", seq)  # from here on every row holds one number further on: the gap was closed up
    return Finding("edited", seq)


# --- words


def say(what: str, language: str, **values: Any) -> str:
    return WORDS[what][language == "en"].format(**values)


def lines(report: Report, language: str) -> list[str]:
    said = [say(one.what, language, row=one.row, other=one.other) for one in report.findings]
    own = "key" if report.key_from_file else "whole"
    return said or [say(own if report.cosigned_size else "alone", language)]


def main(arguments: list[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    parser = argparse.ArgumentParser(prog="auditverify", description="Is this exported audit log whole?")
    parser.add_argument("export", type=Path)
    parser.add_argument(
        "--seen", type=Path, help="the centre's last cosignature for this laptop, fetched from the centre"
    )
    parser.add_argument("--key", help="the centre's key, as the centre shows it")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON document")
    parser.add_argument("--language", choices=("km", "en"), default="km")
    chosen = parser.parse_args(arguments)
    try:
        export = read_export(chosen.export)
        seen = chosen.seen.read_text("utf-8") if chosen.seen else None
        report = verify(export, Key.read(chosen.key) if chosen.key else None, seen)
    except (Unreadable, OSError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        why = str(error) or type(error).__name__
        print(json.dumps({"ok": False, "error": why}) if chosen.json else say("unreadable", chosen.language, why=why))
        return 2
    said = lines(report, chosen.language)
    document = {"ok": not report.findings, "code": report.code, "words": said, **asdict(report)}
    print(json.dumps(document, ensure_ascii=False) if chosen.json else "\n".join(said))
    return report.code


if __name__ == "__main__":
    sys.exit(main())
