"""The program tests itself: loads every shipped library, opens every resource and uses each once.

Run by ``sala-cli selftest`` on the packaged program where no Python is installed; a build that left something out shows here
and not in front of an officer. The hub's libraries are tested by ``sala-hub selftest``.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from i18n.catalog import LANGUAGES
from sync.selfcheck import Check, require
from sync.selfcheck import run as run_checks

if TYPE_CHECKING:
    from modules.session import Session

ROOT = Path(__file__).parents[1]
SAMPLE = "ព្រះរាជាណាចក្រកម្ពុជា ជាតិ សាសនា ព្រះមហាក្សត្រ"
PLUGINS = ("platforms/*offscreen*", "imageformats/*svg*", "imageformats/*jpeg*", "iconengines/*svg*")
LINUX_PLUGINS = ("platforms/*xcb*", "platforms/*wayland*", "platforminputcontexts/*ibus*", "printsupport/*cups*")


def run() -> dict[str, Any]:
    """``{"ok", "checks": {name: "ok" | reason}}``; never raises. Any thread of a program with an open window may call it.

    A window that is open is its own proof, and would be disturbed: its checks are made only where there is none.
    """
    return run_checks(CHECKS if _window_is_open() else CHECKS + WINDOW_CHECKS)


def _window_is_open() -> bool:
    widgets = sys.modules.get("PySide6.QtWidgets")
    return widgets is not None and widgets.QApplication.instance() is not None


def keys_and_seals() -> None:
    from nacl import pwhash, secret
    from nacl.public import PrivateKey, SealedBox
    from nacl.signing import SigningKey

    key = SigningKey.generate()
    key.verify_key.verify(key.sign(b"sala"))
    box = PrivateKey.generate()
    require(SealedBox(box).decrypt(SealedBox(box.public_key).encrypt(b"sala")) == b"sala", "sealed box")
    derived = pwhash.argon2id.kdf(32, b"sala", bytes(16), opslimit=1, memlimit=8_192)
    require(secret.Aead(derived).decrypt(secret.Aead(derived).encrypt(b"sala")) == b"sala", "authenticated encryption")


def signatures_of_publications() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from tuf import ngclient

    key = Ed25519PrivateKey.generate()
    key.public_key().verify(key.sign(b"sala"), b"sala")
    require(ngclient.Updater, "no client of publications")


def encrypted_store() -> None:
    from sync.clock import SystemClock
    from sync.store import DATABASE, Store

    with tempfile.TemporaryDirectory() as folder:
        store = Store.create(Path(folder), bytes(range(32)), clock=SystemClock())
        try:
            store.write(lambda connection: connection.execute("CREATE TABLE t (v TEXT) STRICT"))
            store.write(lambda connection: connection.execute("INSERT INTO t VALUES (?)", (SAMPLE,)))
            found = store.read(lambda connection: connection.execute("SELECT v FROM t").fetchone()["v"])
        finally:
            store.close()
        require(found == SAMPLE, "round trip")
        require(not (Path(folder) / DATABASE).read_bytes().startswith(b"SQLite format 3"), "the file is not encrypted")


def practice_office() -> None:
    """A profile from an office pack with every module active: all migrations, all catalogues of data."""
    from modules import manifest

    with _session() as session:
        require(not session.broken, f"modules that do not start: {session.broken}")
        require({found.id for found in manifest.installed()} == set(session.modules), "modules missing")
        require(session.commands.run("forms.services", query="")["services"], "no services in the catalogue")


@contextmanager
def _session() -> Iterator[Session]:
    from nacl.public import PrivateKey
    from nacl.signing import SigningKey

    from modules.session import Session
    from sync import ballast, devices, enrol, keys, pack
    from sync.clock import SystemClock
    from sync.notes import NoteKey

    signer, seal = SigningKey.generate(), bytes(PrivateKey.generate().public_key)
    name = {"km": "សាលាសាកល្បង", "en": "Self-test hall"}
    made = pack.OfficePack(
        office={"code": "0306", "name": name, "province": name}, slot=bytes(16), number=1, code="0", code_not_after_ms=0, hub_urls=(),
        log=NoteKey("selftest", bytes(signer.verify_key)), agency_seal=seal, recovery_seal=seal, tuf_root=b"",
    )  # fmt: skip
    kept_aside = os.environ.get(ballast.VARIABLE)
    os.environ[ballast.VARIABLE] = "0"
    with tempfile.TemporaryDirectory() as folder:
        try:
            file = Path(folder) / "practice.pack"
            file.write_bytes(pack.build(made, signer))
            unlocked = enrol.setup(
                Path(folder) / "home", file, officer_name="សុខ សុភា", passphrase=SAMPLE, clock=SystemClock(), cost=keys.CHEAP,
                words=devices.words(bytes(signer.verify_key)),
            )  # fmt: skip
            session = Session.open(unlocked)
            try:
                yield session
            finally:
                session.close()
        finally:
            if kept_aside is None:
                del os.environ[ballast.VARIABLE]
            else:
                os.environ[ballast.VARIABLE] = kept_aside


def formats() -> None:
    import cbor2
    import defusedxml.ElementTree
    import fastjsonschema
    import rfc8785
    import zstandard

    data = cbor2.dumps({1: SAMPLE}, canonical=True)
    require(zstandard.ZstdDecompressor().decompress(zstandard.ZstdCompressor().compress(data)) == data, "zstd")
    require(json.loads(rfc8785.dumps({"b": 1, "a": SAMPLE})) == {"a": SAMPLE, "b": 1}, "canonical JSON")
    fastjsonschema.compile({"type": "object", "required": ["a"]})({"a": 1})
    require(defusedxml.ElementTree.fromstring("<a>x</a>").text == "x", "XML")


def khmer_text() -> None:
    from i18n import normalise, segment

    require(normalise.fold("ស្រ្តី") == normalise.fold("ស្ត្រី"), "normalise")
    words = ["ក្រុមប្រឹក្សា", "ភិបាល", "ស្រុក", "មុខកំពូល", "ខេត្តកណ្តាល"]
    require(segment.segments("".join(words)) == words, f"words: {segment.segments(''.join(words))}")
    require("".join(segment.line_pieces(SAMPLE)) == SAMPLE, "lines")


def numbers_and_names() -> None:
    import idna
    from publicsuffixlist import PublicSuffixList

    from i18n import phones

    require(phones.national(phones.parse_phone("០១២ ៣៤៥ ៦៧៨")) == "012 345 678", "telephone number")
    require(PublicSuffixList().privatesuffix("www.interior.gov.kh") == "interior.gov.kh", "public suffixes")
    require(idna.encode("ខ្មែរ.com"), "host name in Khmer")


def words() -> None:
    from i18n import catalog, errors

    require(len(catalog._translations("km")._catalog) > 200, "no Khmer catalogue")  # type: ignore[attr-defined]
    require(len(errors.catalogue()) > 100, "error words")


def places() -> None:
    from i18n import gazetteer

    require(gazetteer.unit("12").km, "Phnom Penh")
    require(gazetteer.search("កំពង់សៀម"), "search")


def assets() -> None:
    """Every file of ``assets`` can be read as what it is."""
    import tomllib

    found = sorted(path for path in (ROOT / "assets").rglob("*") if path.is_file())
    folders = {path.parent.name for path in found}
    require(folders >= {"fonts", "forms", "icons", "services", "certificates"}, f"folders missing, found {folders}")
    for path in found:
        if path.suffix == ".json":
            json.loads(path.read_text("utf-8"))
        elif path.suffix == ".toml":
            tomllib.loads(path.read_text("utf-8"))


def pictures() -> None:
    from PIL import Image

    for kind in ("PNG", "JPEG", "TIFF"):
        file = io.BytesIO()
        Image.new("RGB", (20, 10), "white").save(file, kind)
        with Image.open(io.BytesIO(file.getvalue())) as picture:
            picture.load()
            require(picture.size == (20, 10), kind)


def codes() -> None:
    import zxingcpp
    from PIL import Image

    code: Any = zxingcpp.create_barcode("SALA", zxingcpp.BarcodeFormat.QRCode).to_image(scale=4)
    height, width = code.shape
    picture = Image.frombytes("L", (width, height), bytes(code))
    require(any(found.text == "SALA" for found in zxingcpp.read_barcodes(picture)), "QR code")


def paper() -> None:
    import pypdfium2
    from reportlab.pdfgen.canvas import Canvas

    from i18n import pdf

    pdf.register_fonts()
    file = io.BytesIO()
    canvas = Canvas(file)
    pdf.draw(canvas, 72, 700, SAMPLE, "Siemreap", 12)
    canvas.save()
    document = pypdfium2.PdfDocument(file.getvalue())
    try:
        text = document[0].get_textpage().get_text_bounded()
        require("".join(SAMPLE.split()) == "".join(text.split()), f"text of the PDF: {text!r}")
        require(document[0].render(scale=0.2).to_pil().getextrema() != ((255, 255),) * 3, "an empty page")
    finally:
        document.close()


def pages_and_verbs() -> None:
    """What the manifests name can be imported."""
    from modules import manifest
    from modules.session import load

    for found in manifest.installed():
        for name in (found.entry, found.view, *found.projections):
            if name:
                load(name)
        if found.cli:
            load(found.cli)()


def line() -> None:
    """A request over the loopback with the client that reaches the centre, and the system's certificate store."""
    import ssl
    from http.server import BaseHTTPRequestHandler, HTTPServer

    import httpx
    import truststore

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        with httpx.Client(trust_env=False, timeout=10) as client:
            status = client.get(f"http://127.0.0.1:{server.server_port}").status_code
        answering.join()
    require(status == 204, f"status {status}")


def window() -> None:
    """Fonts, look and every icon; a Khmer label paints ink."""
    application = _application()
    from PySide6.QtWidgets import QLabel

    from desktop.app import prepare
    from desktop.kit import icons, theme

    prepare(application)
    require(theme.load_fonts(), "no fonts")
    for path in (ROOT / "assets" / "icons").glob("*.svg"):
        require(not icons.pixmap(path.stem).isNull(), path.name)
    label = QLabel(SAMPLE)
    picture = label.grab().toImage()
    colours = {picture.pixel(x, y) for x in range(0, picture.width(), 2) for y in range(0, picture.height(), 2)}
    require(picture.width() > 50 and len(colours) > 2, "no ink")


def printing() -> None:
    """The printing library writes a page; printers of the system are asked for, there may be none."""
    application = _application()
    from PySide6.QtGui import QPainter
    from PySide6.QtPrintSupport import QPrinter, QPrinterInfo

    QPrinterInfo.availablePrinterNames()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.pdf"
        printer = QPrinter()
        printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        printer.setOutputFileName(str(file))
        painter = QPainter(printer)
        painter.drawText(100, 100, SAMPLE)
        painter.end()
        require(file.stat().st_size > 1_000 and application is not None, "nothing was printed")


def second_start() -> None:
    """The local socket by which a second start finds the first window."""
    _application()
    from PySide6.QtNetwork import QLocalServer, QLocalSocket

    name = f"sala-selftest-{os.getpid()}"
    server, socket = QLocalServer(), QLocalSocket()
    require(server.listen(name), server.errorString())
    socket.connectToServer(name)
    require(socket.waitForConnected(2_000), socket.errorString())
    server.close()


def plugins_of_qt() -> None:
    """Qt goes on without a plugin that it cannot load: here that is a failure. Packaged, every plugin must load."""
    _application()
    from PySide6.QtCore import QLibraryInfo, QPluginLoader

    folder = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
    packaged = getattr(sys, "frozen", False)
    wanted = (*PLUGINS, *(LINUX_PLUGINS if packaged and sys.platform == "linux" else ()))
    missing = [pattern for pattern in wanted if not [*folder.glob(pattern)]]
    require(not missing, f"missing: {missing}")
    chosen = [path for path in folder.rglob("*.*") if path.suffix in {".so", ".dll"}] if packaged else [
        path for pattern in PLUGINS for path in folder.glob(pattern)
    ]  # fmt: skip
    faults = [loader.errorString() for loader in map(QPluginLoader, map(str, chosen)) if not loader.load()]
    require(not faults, "; ".join(faults))


def libraries() -> None:
    """Packaged on Linux: every compiled file of the folder loads, with all that it links to."""
    if not getattr(sys, "frozen", False) or sys.platform != "linux":
        return
    import ctypes

    faults = []
    for path in sorted(ROOT.rglob("*.so*")):
        if path.is_file() and not path.is_symlink():
            try:
                ctypes.CDLL(str(path), mode=os.RTLD_LAZY)
            except OSError as error:
                faults.append(f"{path.name}: {error}")
    require(not faults, "; ".join(faults))


def papers_beside() -> None:
    """Packaged: the licences and the manual are in the folder."""
    if getattr(sys, "frozen", False):
        for name in ("LICENSE", "THIRD-PARTY.md", "LGPL-3.0.txt"):
            require((ROOT / "licences" / name).stat().st_size, name)
        for language in LANGUAGES:
            require((ROOT / "manual" / f"it.{language}.md").stat().st_size, language)


def _application() -> Any:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    return QApplication.instance() or QApplication(["sala"])  # the check before made it


CHECKS: tuple[Check, ...] = (
    keys_and_seals, signatures_of_publications, encrypted_store, formats, khmer_text, numbers_and_names, words, places, assets,
    pictures, codes, paper, pages_and_verbs, practice_office, line, libraries, papers_beside,
)  # fmt: skip
WINDOW_CHECKS: tuple[Check, ...] = (window, printing, second_start, plugins_of_qt)
