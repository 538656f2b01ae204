"""Checking certificates: from text, and from a picture as a webcam gives it; beside one bare Ed25519 verification."""

from __future__ import annotations

import statistics
from pathlib import Path

from nacl.signing import SigningKey

from tests.bench.office import unlocked
from tests.bench.rows import Row, timed


def rows(folder: Path) -> list[Row]:
    from desktop.day import samples
    from desktop.day.verdicts import picture_of

    with unlocked(folder) as session:
        run = session.commands.run
        issued = run("certificates.issue", template="attestation", data=samples.ATTESTATION)
        pdf = Path(run("certificates.pdf", id=issued["id"], out=str(folder / "c.pdf"))["path"])
        picture = picture_of(pdf, folder / "c.png")
        run("certificates.check", source=issued["text"])
        text = statistics.median(timed(lambda: run("certificates.check", source=issued["text"]), 100))
        image = statistics.median(timed(lambda: run("certificates.check", source=str(picture)), 20))
        whole = statistics.median(timed(lambda: run("certificates.check", source=str(pdf)), 10))
    key = SigningKey.generate()
    signed = key.sign(b"x" * 200)
    bare = statistics.median(timed(lambda: key.verify_key.verify(signed), 200))
    return [
        Row("certificate check after decoding the QR", text, "ms", 1, beside=f"one Ed25519 verification {bare:.2f} ms"),
        Row("picture (A4 at 150 dpi) to verdict", image, "ms", 100),
        Row("PDF to verdict", whole, "ms", 300),
    ]
