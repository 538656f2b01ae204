"""Six certificates that must each get their own verdict: valid, altered, unknown issuer, expired, revoked, not checked here."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

from modules.session import Session
from sync import keys
from sync.clock import SetClock, SystemClock

EXPECTED: Final = {
    "valid": "valid", "altered": "altered", "unknown_issuer": "unknown_issuer", "expired": "expired", "revoked": "revoked",
    "verify_gov_kh": "not_checked",
}  # fmt: skip
VERIFY_ADDRESS: Final = "https://verify.gov.kh/verify/5-UVL3fLq0aBcDeFgHiJkLmNoPqRsTuV?key=" + "d06e7da7" * 8
_FOUR_YEARS_MS: Final = 4 * 366 * 86_400_000


def picture_of(pdf: Path, out: Path) -> Path:
    """The first page as a PNG, as a phone or a scanner would give it."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        document[0].render(scale=150 / 72).to_pil().save(out)
    finally:
        document.close()
    return out


def altered(text: str) -> str:
    """The same code with one character of its middle changed."""
    place = len(text) // 2
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


def all_six(
    session: Session,
    certificate: dict[str, Any],
    pdf: Path,
    *,
    strange: str,
    yearly: str,
    passphrase: str,
    folder: Path,
) -> dict[str, dict[str, Any]]:
    """``{case: {"got", "expected", "ways"}}``. ``strange`` is a certificate of an office that this laptop does not know yet,
    ``yearly`` one that expires.

    The certificate is checked from the PDF, from a picture of it and from its text. It is revoked at the end.
    """

    def check(source: str) -> str:
        return str(session.commands.run("certificates.check", source=source)["overall"])

    picture = picture_of(pdf, folder / "certificate.png")
    ways = {"pdf": check(str(pdf)), "picture": check(str(picture)), "text": check(certificate["text"])}
    got = {
        "valid": ways["pdf"] if len(set(ways.values())) == 1 else f"ways differ: {ways}",
        "altered": check(altered(certificate["text"])),
        "unknown_issuer": check(strange),
        "expired": _in_four_years(session, yearly, passphrase, folder),
        "verify_gov_kh": check(VERIFY_ADDRESS),
    }
    session.commands.run("certificates.revoke", id=certificate["id"], reason="error")
    got["revoked"] = check(certificate["text"])
    report: dict[str, dict[str, Any]] = {
        case: {"expected": expected, "got": got[case]} for case, expected in EXPECTED.items()
    }
    report["valid"]["ways"] = ways
    return report


def _in_four_years(session: Session, text: str, passphrase: str, folder: Path) -> str:
    """The verdict on a copy of this laptop whose clock is four years ahead; the laptop itself never sees that time."""
    copy = folder / "in-four-years"
    copy.mkdir()
    session.store.backup(copy / "office.db")
    for path in session.unlocked.home.iterdir():
        if path.is_file() and not path.name.startswith(("office.db", "ballast")):
            shutil.copy(path, copy)
    clock = SetClock(SystemClock().wall_ms() + _FOUR_YEARS_MS)
    later = Session.open(keys.unlock(copy, session.officer.id, passphrase, clock))
    try:
        return str(later.commands.run("certificates.check", source=text)["overall"])
    finally:
        later.close()
        shutil.rmtree(copy)
