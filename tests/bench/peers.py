"""What carries the same records elsewhere: ODK Collect's OpenRosa posts and PouchDB's replication to CouchDB, byte by byte.

Both are real HTTP clients and servers over loopback: the servers read what they are sent, keep it and answer as Central (behind
nginx) and CouchDB do. Headers are those that the programs send; TLS is left out on every side.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import threading
import uuid
from collections.abc import Callable, Sequence
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.sax.saxutils import escape

from defusedxml import ElementTree

_SPACES = {
    "xmlns:h": "http://www.w3.org/1999/xhtml", "xmlns:jr": "http://openrosa.org/javarosa",
    "xmlns:orx": "http://openrosa.org/xforms", "xmlns:ev": "http://www.w3.org/2001/xml-events",
    "xmlns:xsd": "http://www.w3.org/2001/XMLSchema", "xmlns:odk": "http://www.opendatakit.org/xforms",
    "xmlns:entities": "http://www.opendatakit.org/xforms/entities",
}  # fmt: skip
_NGINX = {"Server": "nginx", "Connection": "keep-alive"}
_COUCH = {
    "Server": "CouchDB/3.4.2 (Erlang OTP/26)",
    "Cache-Control": "must-revalidate",
    "X-Couch-Request-ID": "a1b2c3d4e5",
}
BATCH = 100  # documents that PouchDB sends at a time


class Server:
    """One HTTP/1.1 server on loopback; ``answer(method, path, headers, body)`` gives status, headers and body."""

    def __init__(self, answer: Callable[[str, str, Any, bytes], tuple[int, dict[str, str], bytes]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def version_string(self) -> str:
                return "peer"

            def send_response(self, code: int, message: str | None = None) -> None:
                self.send_response_only(code, message)  # the answer brings its own Server and Date

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                status, headers, data = answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in {
                    "Date": self.date_time_string(),
                    **headers,
                    "Content-Length": str(len(data)),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data if self.command != "HEAD" else b"")

            do_HEAD = do_GET = do_POST = do_PUT = _any

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


# --- OpenRosa


class Central:
    """Keeps every submission by its instanceID."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.server = Server(self._answer)

    def _answer(self, method: str, _path: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        told = {
            **_NGINX, "Content-Type": "text/xml; charset=utf-8", "X-OpenRosa-Version": "1.0",
            "X-OpenRosa-Accept-Content-Length": "100000000", "Strict-Transport-Security": "max-age=63072000",
        }  # fmt: skip
        if method == "HEAD":
            return 204, told, b""
        message = BytesParser().parsebytes(f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body)
        xml = next(part.get_payload(decode=True) for part in message.walk() if part.get_filename())
        found = ElementTree.fromstring(xml)
        self.kept[found.findtext("meta/instanceID")] = xml
        words = (
            '<OpenRosaResponse xmlns="http://openrosa.org/http/response" items="0">\n'
            '    <message nature="">full submission upload was successful!</message>\n  </OpenRosaResponse>'
        )
        return 201, told, words.encode()


def collect(host: str, port: int, records: Sequence[dict[str, Any]]) -> None:
    """One POST a record over one connection, as Collect's sender does; a HEAD before the first."""
    line = http.client.HTTPConnection(host, port, timeout=600)
    path = f"/v1/key/{'a' * 64}/projects/1/submission?deviceID=collect%3A{'d' * 16}"
    common = {
        "X-OpenRosa-Version": "1.0", "Date": "Sat, 22 Aug 2026 03:02:49 GMT",
        "User-Agent": "org.odk.collect.android/v2026.2.1 Dalvik/2.1.0 (Linux; U; Android 14; SM-A155F Build/UP1A.231005.007)",
        "Host": "central.gov.kh", "Connection": "Keep-Alive",
    }  # fmt: skip
    with contextlib.closing(line):
        for number, record in enumerate(records):
            ident = str(uuid.UUID(int=number + 1, version=4))
            if number == 0:
                _ask(line, "HEAD", path, b"", common | {"Accept-Encoding": "gzip"}, 204)
            xml = _xml(record, ident)
            body = (
                f'--{ident}\r\nContent-Disposition: form-data; name="xml_submission_file"; '
                f'filename="civil_service_2026-08-22_10-02-49.xml"\r\nContent-Type: text/xml\r\n'
                f"Content-Length: {len(xml)}\r\n\r\n"
            ).encode() + xml + f"\r\n--{ident}--\r\n".encode()  # fmt: skip
            headers = common | {"Content-Type": f"multipart/form-data; boundary={ident}", "Accept-Encoding": "gzip"}
            _ask(line, "POST", path, body, headers, 201)


def _xml(record: dict[str, Any], ident: str) -> bytes:
    spaces = " ".join(f'{name}="{value}"' for name, value in _SPACES.items())
    return (
        f'<?xml version=\'1.0\' ?><data id="birth-extract-copy" version="2026080101" {spaces}>'
        "<start>2026-08-22T10:02:49.123+07:00</start><end>2026-08-22T10:06:49.456+07:00</end>"
        f"<deviceid>collect:{'d' * 16}</deviceid>{_elements(record)}"
        f"<meta><instanceID>uuid:{ident}</instanceID></meta></data>"
    ).encode()


def _elements(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{name}>{_elements(part)}</{name}>" for name, part in value.items())
    return escape(" ".join(map(str, value)) if isinstance(value, list) else str(value))


# --- CouchDB


class Couch:
    """Keeps documents by id and revision, and the checkpoints of replications."""

    def __init__(self) -> None:
        self.docs: dict[str, dict[str, Any]] = {}
        self.checkpoints: dict[str, dict[str, Any]] = {}
        self.server = Server(self._answer)

    def _answer(self, method: str, path: str, _headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        told = {**_COUCH, "Content-Type": "application/json"}
        said = json.loads(body) if body else {}
        name = path.rpartition("/")[2]
        if name == "_revs_diff":
            missing = {id: {"missing": revs} for id, revs in said.items() if id not in self.docs}
            return 200, told, _compact(missing)
        if name == "_bulk_docs":
            self.docs.update((doc["_id"], doc) for doc in said["docs"])
            return 201, told, b"[]\n"
        if method == "PUT":
            rev = f"0-{int(said.get('_rev', '0-0').partition('-')[2]) + 1}"
            self.checkpoints[name] = said
            return 201, told, _compact({"ok": True, "id": f"_local/{name}", "rev": rev})
        known = self.checkpoints.get(name)
        return (
            (200, told, _compact(known))
            if known
            else (404, told, _compact({"error": "not_found", "reason": "missing"}))
        )


def pouch(host: str, port: int, records: Sequence[dict[str, Any]], *, now_ms: int = 1_790_000_000_000) -> None:
    """One replication as PouchDB does it: ``_revs_diff``, ``_bulk_docs`` and the checkpoint at the target, 100 documents at a time."""
    line = http.client.HTTPConnection(host, port, timeout=600)
    headers = {
        "Host": "cht.gov.kh", "Content-Type": "application/json", "Accept": "application/json",
        "Cookie": f"AuthSession={'x' * 48}", "User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36",
    }  # fmt: skip
    local = "/medic/_local/" + "x" * 24
    with contextlib.closing(line):
        _ask(line, "GET", local, b"", headers, 404)
        session, checkpoint = str(uuid.UUID(int=7)), ""
        for start in range(0, len(records), BATCH):
            docs = [
                _doc(record, start + number, now_ms) for number, record in enumerate(records[start : start + BATCH])
            ]
            _ask(line, "POST", "/medic/_revs_diff", _compact({doc["_id"]: [doc["_rev"]] for doc in docs}), headers, 200)
            _ask(line, "POST", "/medic/_bulk_docs", _compact({"docs": docs, "new_edits": False}), headers, 201)
            written = {
                "_id": "_local/" + "x" * 24, "version": 1, "replicator": "pouchdb", "session_id": session,
                "last_seq": start + len(docs), "history": [{"last_seq": start + len(docs), "session_id": session}],
                **({"_rev": checkpoint} if checkpoint else {}),
            }  # fmt: skip
            checkpoint = json.loads(_ask(line, "PUT", local, _compact(written), headers, 201))["rev"]


def _doc(record: dict[str, Any], number: int, now_ms: int) -> dict[str, Any]:
    rev = hashlib.md5(_compact(record), usedforsecurity=False).hexdigest()
    return {
        "_id": str(uuid.UUID(int=number + 1, version=4)), "_rev": f"1-{rev}", "_revisions": {"start": 1, "ids": [rev]},
        "type": "data_record", "form": "birth-extract-copy", "reported_date": now_ms + number, "fields": record,
    }  # fmt: skip


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _ask(
    line: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str], wanted: int
) -> bytes:
    line.request(method, path, body or None, headers)
    answer = line.getresponse()
    data = answer.read()
    if answer.status != wanted:
        raise AssertionError(f"{method} {path}: {answer.status}")
    return data
