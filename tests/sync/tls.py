"""A certificate authority of one's own, servers with its certificates, and a real HTTP proxy: all on loopback, all real TLS."""

from __future__ import annotations

import base64
import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass
class Authority:
    """A self-made CA, or (``above``) one below another."""

    name: str = "Sala test CA"
    above: Authority | None = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.certificate = self.issue(self.name, self.key.public_key(), authority=True)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, public: Any, *, authority: bool = False, host: str = "127.0.0.1") -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = self.above if authority and self.above else self
        issuer = subject if signer is self and authority else signer.certificate.subject
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
        )
        if authority:
            usage = x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
                data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
            )  # fmt: skip
            made = made.add_extension(usage, critical=True)
        else:
            names = [x509.IPAddress(ipaddress.ip_address(host))] if host[0].isdigit() else [x509.DNSName(host)]
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
            made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        return made.sign(signer.key, hashes.SHA256())

    def server(self, folder: Path, *, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, bytes]:
        """What a server needs for TLS with a certificate of this CA; and that certificate (DER)."""
        key = ec.generate_private_key(ec.SECP256R1())
        own = self.issue(f"server {host}", key.public_key(), host=host)
        chain, above = own.public_bytes(serialization.Encoding.PEM), self
        while above.above is not None:
            chain += above.pem
            above = above.above
        place = folder / f"{own.serial_number}.pem"
        place.write_bytes(
            chain
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place)
        return context, own.public_bytes(serialization.Encoding.DER)


class TlsFront:
    """Speaks TLS to laptops and passes the bytes on to a plain server on ``port``."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._port, self._context = port, context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self._stopped = False
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._stopped = True
        self._listening.close()

    def _serve(self) -> None:
        while not self._stopped:
            with contextlib.suppress(OSError):
                raw, _ = self._listening.accept()
                threading.Thread(target=self._one, args=(raw,), daemon=True).start()

    def _one(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError), self._context.wrap_socket(raw, server_side=True) as near:
            relay(near, socket.create_connection(("127.0.0.1", self._port)))


def relay(near: socket.socket, far: socket.socket) -> None:
    """Bytes both ways until one side has ended."""

    def pass_on(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=pass_on, args=(far, near), daemon=True)
    back.start()
    pass_on(near, far)
    back.join(5)
    far.close()


class Proxy:
    """An HTTP proxy as offices have it: CONNECT for TLS, whole addresses for the rest; asks for a name when it was given one."""

    def __init__(self, user: str = "", password: str = "", answer: tuple[int, bytes] | None = None) -> None:
        self.seen: list[str] = []
        self.refused = 0
        wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def _let_in(self) -> bool:
                if wanted and self.headers.get("Proxy-Authorization") != wanted:
                    proxy.refused += 1
                    self.send_response(407)
                    self.send_header("Proxy-Authenticate", 'Basic realm="office"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return False
                proxy.seen.append(f"{self.command} {self.path}")
                return True

            def do_CONNECT(self) -> None:
                if self._let_in():
                    host, _, port = self.path.partition(":")
                    try:
                        far = socket.create_connection((host, int(port)), timeout=10)
                    except OSError:
                        self.send_error(502)
                        return
                    self.send_response(200)
                    self.end_headers()
                    relay(self.connection, far)
                    self.close_connection = True

            def _plain(self) -> None:
                import http.client

                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                if not self._let_in():
                    return
                status, data, headers = 0, b"", []
                if answer is not None:
                    status, data = answer
                else:
                    place = self.path.removeprefix("http://")
                    host, _, rest = place.partition("/")
                    far = http.client.HTTPConnection(host, timeout=10)
                    kept = {
                        name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")
                    }
                    far.request(self.command, f"/{rest}", body, kept)
                    got = far.getresponse()
                    status, data = got.status, got.read()
                    headers = [pair for pair in got.getheaders() if pair[0].lower().startswith("sala-")]
                    far.close()
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = _plain

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


Answer = Callable[[BaseHTTPRequestHandler], None]


class Portal:
    """A page that stands before every address until somebody signs in: answers whatever is asked in its own way."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self.bodies = 0  # bytes that were sent to it
        self.seen: list[str] = []
        portal = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def _any(self) -> None:
                portal.seen.append(f"{self.command} {self.path}")
                portal.bodies += len(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
                answer(self)

            do_GET = do_PUT = do_POST = _any

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def page(status: int, text: str = "<html><form>sign in</form></html>", **headers: str) -> Answer:
    """An answer of a portal."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": "text/html", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        with contextlib.suppress(OSError):
            handler.wfile.write(text.encode())

    return answer
