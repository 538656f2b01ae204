"""The program tests itself: loads every shipped library, opens every resource and uses each once.

Run by ``sala-cli selftest`` on the packaged program where no Python is installed; a build that left something out shows here
and not in front of an officer.
"""

from __future__ import annotations

import io
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

SAMPLE = "ព្រះរាជាណាចក្រកម្ពុជា ជាតិ សាសនា ព្រះមហាក្សត្រ"


def run() -> dict[str, Any]:
    """``{"ok", "checks": {name: "ok" | reason}}``; never raises."""
    checks: dict[str, str] = {}
    for check in CHECKS:
        try:
            check()
            checks[check.__name__] = "ok"
        except Exception as error:  # the report is the product of a self-test, whatever is broken
            checks[check.__name__] = (
                f"{type(error).__name__}: {error} @ {traceback.format_exc().strip().splitlines()[-3].strip()}"
            )
    return {"ok": all(result == "ok" for result in checks.values()), "checks": checks}


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise RuntimeError(what)


def crypto() -> None:
    from nacl.public import PrivateKey, SealedBox
    from nacl.signing import SigningKey

    key = SigningKey.generate()
    key.verify_key.verify(key.sign(b"sala"))
    box = PrivateKey.generate()
    _require(SealedBox(box).decrypt(SealedBox(box.public_key).encrypt(b"sala")) == b"sala", "sealed box")


def encrypted_store() -> None:
    from sync.clock import SystemClock
    from sync.store import Store

    with tempfile.TemporaryDirectory() as folder:
        store = Store.create(Path(folder), bytes(range(32)), clock=SystemClock())
        try:
            store.write(lambda connection: connection.execute("CREATE TABLE t (v TEXT) STRICT"))
            store.write(lambda connection: connection.execute("INSERT INTO t VALUES (?)", (SAMPLE,)))
            _require(
                store.read(lambda connection: connection.execute("SELECT v FROM t").fetchone()["v"]) == SAMPLE,
                "round trip",
            )
        finally:
            store.close()


def compression_and_cbor() -> None:
    import cbor2
    import zstandard

    data = cbor2.dumps({1: SAMPLE}, canonical=True)
    _require(zstandard.ZstdDecompressor().decompress(zstandard.ZstdCompressor().compress(data)) == data, "zstd")


def khmer_text() -> None:
    from i18n import normalise, segment

    _require(normalise.fold("ស្រ្តី") == normalise.fold("ស្ត្រី"), "normalise")
    _require("".join(segment.segments(SAMPLE)) == SAMPLE, "segment")


def catalogue() -> None:
    from i18n import catalog, errors

    _require(catalog.tr_in("km", "Home") != "Home", "no Khmer catalogue")
    _require(len(errors.catalogue()) > 20, "error catalogue")


def gazetteer() -> None:
    from i18n import gazetteer as places

    _require(places.unit("12").km != "", "Phnom Penh")


def qr_codes() -> None:
    import zxingcpp
    from PIL import Image

    code = zxingcpp.create_barcode("SALA", zxingcpp.BarcodeFormat.QRCode)
    picture = (
        Image.fromarray(code.to_image(scale=4))
        if hasattr(code.to_image(scale=4), "__array_interface__")
        else code.to_image(scale=4)
    )
    _require(any(found.text == "SALA" for found in zxingcpp.read_barcodes(picture)), "QR round trip")


def khmer_pdf() -> None:
    import pypdfium2
    from reportlab.pdfgen.canvas import Canvas

    from i18n import pdf

    pdf.register_fonts()
    paper = io.BytesIO()
    canvas = Canvas(paper)
    pdf.draw(canvas, 72, 700, SAMPLE, "Siemreap", 12)
    canvas.save()
    page = pypdfium2.PdfDocument(paper.getvalue())[0]
    text = page.get_textpage().get_text_bounded()
    _require("".join(SAMPLE.split()) == "".join(text.split()), f"text of the PDF: {text!r}")


def services_and_forms() -> None:
    from modules import manifest
    from modules.session import load

    for found in manifest.installed():
        load(found.entry)


def publications_client() -> None:
    import tuf.ngclient  # noqa: F401


def transport_client() -> None:
    import httpx
    import truststore  # noqa: F401

    httpx.Client().close()


def window() -> None:
    """Every page class loads, fonts and icons are there, and a Khmer label paints ink."""
    import os

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication, QLabel

    from modules import manifest
    from modules.session import load

    application = QApplication.instance() or QApplication([])
    from desktop.kit import theme

    theme.load_fonts()
    for found in manifest.installed():
        if found.view:
            load(found.view)
    label = QLabel(SAMPLE)
    picture = label.grab().toImage()
    _require(picture.width() > 50 and application is not None, "no picture")


CHECKS: tuple[Callable[[], None], ...] = (
    crypto,
    encrypted_store,
    compression_and_cbor,
    khmer_text,
    catalogue,
    gazetteer,
    qr_codes,
    khmer_pdf,
    services_and_forms,
    publications_client,
    transport_client,
    window,
)
