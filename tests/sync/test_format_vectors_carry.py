"""The specifications of what travels without a line: their examples are what the program reads and writes."""

from __future__ import annotations

import re
from pathlib import Path

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from sync import heartbeat, lan, piecenote, qrframes
from sync.notes import NoteKey
from sync.piecenote import Held
from sync.volume import Volume

FORMATS = Path(__file__).parents[2] / "docs" / "formats"


def blocks(name: str) -> dict[str, str]:
    """The named blocks of a specification."""
    text = (FORMATS / f"{name}.md").read_text("utf-8")
    return {key: value.strip() for key, value in re.findall(r"```(?:hex|text) (\S+)\n(.*?)```", text, re.DOTALL)}


def test_the_status_text_of_the_specification() -> None:
    v = blocks("sms-heartbeat")
    key = SigningKey(b"\x0e" * 32)
    assert bytes.fromhex(v["heartbeat-key"]) == bytes(key.verify_key)
    found = heartbeat.parse(v["heartbeat"])
    assert found.holds(bytes(key.verify_key)) and len(v["heartbeat"]) == heartbeat.LENGTH
    assert (found.seq, found.pending, found.head) == (214, 12, bytes(range(16)))
    assert heartbeat.encode(found.signed, key.sign(b"sala/heartbeat/v1\0" + found.signed).signature) == v["heartbeat"]


def test_the_frames_of_the_specification() -> None:
    v = blocks("qr-frames")
    data = bytes.fromhex(v["qr-file"].replace("\n", ""))
    assert qrframes.collect(v["qr-frames"].split("\n")) == data
    with Volume(data) as found:
        assert found.whole and [body for _, body in found.of("enrol")] == [b"request"]


def test_the_sealed_file_of_the_specification() -> None:
    with Volume(bytes.fromhex(blocks("courier")["sealed"].replace("\n", "")), [PrivateKey(b"\x0f" * 32)]) as found:
        assert found.sealed and found.whole and [body for _, body in found.of("enrol")] == [b"request"]


def test_the_word_about_pieces_of_the_specification() -> None:
    note, key = blocks("courier")["pieces"] + "\n", SigningKey(b"\x0a" * 32)
    log, held = NoteKey("hub", bytes(key.verify_key)), Held(1, 1_795_000_000_000, [b"\1" * 32, b"\2" * 32])
    assert piecenote.read(note, log) == held
    assert piecenote.say(held, log, key) == note


def test_the_invitation_of_the_specification() -> None:
    read = lan.read_invitation(blocks("lan")["invitation"])
    assert (read.secret, read.addresses, read.not_after_ms) == (
        b"\x0c" * 16,
        ("192.168.1.7:50412",),
        1_795_000_600_000,
    )
    assert read.text() == blocks("lan")["invitation"]
