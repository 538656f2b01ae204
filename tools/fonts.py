"""Fonts: the UI family "Sala Khmer" made of Noto Sans Khmer, and Khmer OS Muol Light and Siemreap for documents.

Noto's own line box cuts Khmer subscripts off, so the metrics are set to 1.12 and 0.76 em and the family is renamed
(OFL 1.1 without a reserved name allows it). The Khmer OS fonts (LGPL) are used as Debian ships them, byte for byte.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FONTS = ROOT / "assets" / "fonts"
FAMILY = "Sala Khmer"
STYLES = {"Regular": 400, "Bold": 700}
UI_FONTS = [FONTS / f"SalaKhmer-{style}.ttf" for style in STYLES]
ASCENT, DESCENT = 1.12, 0.76  # em; holds the tallest and the deepest Khmer stack at 11 pt
MUST_HOLD = "Aaz09@é–“”…កអហ្៛០៩᧠\u200b"

DEBIAN_PACKAGE = "fonts-khmeros"
INSTALLED = Path("/usr/share/fonts/truetype/khmeros")
DOCUMENT_DIGESTS = {  # of Debian 5.0-9: pictures of documents belong to one version of a font
    "KhmerOSmuollight.ttf": "27eb88f844f7829c3a8b4b8b03ac3087e8e31833c747a22da084bde859864f50",
    "KhmerOSsiemreap.ttf": "07f9ee9f596b7e297221cb134b20ec4e9f1e961a1a0f573ce418f0039cf5fdc6",
}
DOCUMENT_FONTS = [FONTS / name for name in DOCUMENT_DIGESTS]


def variable_font() -> Path:
    """Noto Sans Khmer as the registry package carries it: one variable font, Khmer and Latin."""
    import fontpkg_noto_sans_khmer  # type: ignore[import-untyped]

    return next((Path(fontpkg_noto_sans_khmer.ROOT) / "files").glob("*.ttf"))


def _set_metrics(font: Any) -> None:
    """All three pairs alike, so that Windows, macOS and Linux agree."""
    em = font["head"].unitsPerEm
    up, down = round(ASCENT * em), round(DESCENT * em)
    font["hhea"].ascent, font["hhea"].descent, font["hhea"].lineGap = up, -down, 0
    os2 = font["OS/2"]
    os2.sTypoAscender, os2.sTypoDescender, os2.sTypoLineGap = up, -down, 0
    os2.usWinAscent, os2.usWinDescent = up, down
    os2.fsSelection |= 1 << 7  # USE_TYPO_METRICS


def _rename(font: Any, style: str) -> None:
    postscript = f"{FAMILY.replace(' ', '')}-{style}"
    names = {1: FAMILY, 2: style, 3: f"{postscript};{ASCENT}/{DESCENT}", 4: f"{FAMILY} {style}", 6: postscript}
    table = font["name"]
    for number in (16, 17, 21, 22, 25):
        table.removeNames(nameID=number)
    for number, value in names.items():
        table.removeNames(nameID=number)
        table.setName(value, number, 3, 1, 0x409)
        table.setName(value, number, 1, 0, 0)


def build_ui() -> None:
    """Write the Regular and the Bold of the UI family."""
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    for target, (style, weight) in zip(UI_FONTS, STYLES.items(), strict=True):
        font = instantiateVariableFont(TTFont(variable_font(), recalcTimestamp=False), {"wght": weight, "wdth": 100})
        missing = [letter for letter in MUST_HOLD if ord(letter) not in font.getBestCmap()]
        if missing:
            raise SystemExit(f"the font package lacks letters that Sala shows: {missing}")
        del font["STAT"]
        os2 = font["OS/2"]
        os2.usWeightClass = weight
        os2.fsSelection = os2.fsSelection & ~0b1100001 | (0b1000000 if weight == 400 else 0b100000)
        font["head"].macStyle = int(weight == 700)
        _set_metrics(font)
        _rename(font, style)
        fresh = target.with_suffix(f".{os.getpid()}")
        font.save(fresh)
        fresh.replace(target)


def _take_from(folder: Path) -> bool:
    """Copy the document fonts out of ``folder`` when all of them are there, byte for byte the expected ones."""
    found = {name: folder / name for name in DOCUMENT_DIGESTS}
    for name, path in found.items():
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != DOCUMENT_DIGESTS[name]:
            return False
    for name, path in found.items():
        if path == FONTS / name:  # put there by hand
            continue
        fresh = FONTS / f"{name}.{os.getpid()}"
        shutil.copyfile(path, fresh)
        fresh.replace(FONTS / name)
    return True


def _download(folder: Path) -> None:
    """Unpack the Debian package into ``folder``; needs apt, not root."""
    command = ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=", DEBIAN_PACKAGE]
    if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode and os.geteuid() == 0:
        subprocess.run(
            ["apt-get", "update", "-q"], capture_output=True, check=True
        )  # a new machine has no package lists
        subprocess.run(command, cwd=folder, capture_output=True, check=True)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True)


def fetch_document() -> None:
    """Bring Khmer OS Muol Light and Siemreap from the system's font folder or from the Debian package."""
    if _take_from(FONTS) or _take_from(INSTALLED):
        return
    if shutil.which("apt-get"):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            _download(folder)
            if _take_from(folder / INSTALLED.relative_to("/")):
                return
    raise SystemExit(
        f"put the fonts {', '.join(DOCUMENT_DIGESTS)} (Debian package {DEBIAN_PACKAGE} 5.0-9) into {FONTS}"
    )
