"""Asking a laptop for a whole batch once more: the question, the asking, what goes down, and what is put back when it comes."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync import cbor
from sync.errors import Known, Refused
from sync.hub import askagain, decisions, enrolment, moving, watch
from sync.hub.centre import Centre
from sync.hub.objects import Folder
from sync.ids import uuid7
from sync.ops import OpFields
from tests.hub.conftest import sala_hub
from tests.hub.console_hub import ADMIN, Browser, let_in, words
from tests.hub.laptop import OFFICER, Laptop, join


@pytest.fixture
def admin(centre: Centre, client: httpx.Client) -> Browser:
    let_in(centre)
    browser = Browser(client)
    browser.log_in()
    browser.client.cookies.set("sala-language", "en")
    return browser


def with_files(laptop: Laptop) -> bytes:
    """An op with two attachments."""
    laptop.now += 1
    return OpFields(
        op_id=uuid7(laptop.now), kind="links.created", form="links", def_hash=b"", wall_ms=laptop.now, mono_ms=1, boot_id=bytes(8),
        hub_floor_ms=0, officer=OFFICER, body={"code": "A"}, attach=(bytes(32), b"\x01" * 32),
    ).encode()  # fmt: skip


def newest(centre: Centre) -> int:
    rows = centre.storage.read(lambda tx: tx.query("SELECT max(idx) AS idx FROM batch WHERE via <> 'hub'"))
    return int(rows[0]["idx"])


def asked(centre: Centre) -> list[dict[str, Any]]:
    return centre.storage.read(lambda tx: tx.query("SELECT op, decision, reason, admin FROM decision ORDER BY idx"))


def told(centre: Centre, laptop: Laptop) -> list[list[bytes]]:
    """The ops of each notice to this laptop."""
    rows = centre.storage.read(lambda tx: tx.query("SELECT device, op, body FROM notice ORDER BY seq"))
    assert {bytes(row["device"]) for row in rows} == {laptop.id}
    return [[bytes(row["op"]), *cbor.decode(row["body"]).get("more", [])] for row in rows]


def test_a_batch_is_asked_for_after_a_question(admin: Browser, centre: Centre) -> None:
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(made=[laptop.op(), with_files(laptop), laptop.op(), with_files(laptop)]))
    idx = newest(centre)
    assert f"/console/batch/{idx}/again" in admin.get(f"/console/batch/{idx}").text
    question = words(admin.get(f"/console/batch/{idx}/again"))
    assert "The attachments of 2 records come with it." in question and asked(centre) == []
    assert "HB-142" in admin.post(f"/console/batch/{idx}/again", reason="  ").text and asked(centre) == []
    assert admin.post(f"/console/batch/{idx}/again", reason="ស្កេនមិនពេញ").status_code == 303
    found = asked(centre)
    assert [(row["decision"], row["reason"], row["admin"]) for row in found] == [("send_again", "ស្កេនមិនពេញ", ADMIN)] * 2
    assert told(centre, laptop) == [[bytes(row["op"]) for row in found]]
    page = words(admin.get(f"/console/batch/{idx}"))
    assert "ស្កេនមិនពេញ" in page and ADMIN in page
    said = centre.storage.read(lambda tx: watch.listing(tx, what="act", subject=f"/console/batch/{idx}/again"))
    assert said[0]["event"]["asked"] == {"reason": "ស្កេនមិនពេញ"}
    assert "asked for again" in words(admin.get("/console/audit"))


def test_any_number_of_attachments_is_asked_for_a_hundred_in_one_notice(admin: Browser, centre: Centre) -> None:
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(made=[with_files(laptop) for _ in range(250)]))
    idx = newest(centre)
    assert "The attachments of 250 records come with it." in words(admin.get(f"/console/batch/{idx}/again"))
    assert admin.post(f"/console/batch/{idx}/again", reason="ស្កេនមិនពេញ").status_code == 303
    pages = told(centre, laptop)
    assert [len(page) for page in pages] == [100, 100, 50]
    made = [
        bytes(row["hash"])
        for row in centre.storage.read(
            lambda tx: tx.query(
                "SELECT hash FROM op WHERE kind <> 'sync.decision' AND batch = :b ORDER BY seq", {"b": idx}
            )
        )
    ]
    assert [op for page in pages for op in page] == made == [bytes(row["op"]) for row in asked(centre)]


def test_without_attachments_one_record_brings_the_batch(centre: Centre) -> None:
    laptop = join(centre, Laptop())
    centre.ingest.take(laptop.batch(5))
    found = centre.storage.write(lambda tx: askagain.ask(tx, newest(centre), "បាត់", ADMIN, 5))
    assert (len(found.ops), found.attached, found.gone) == (1, 0, False)


def test_nobody_is_asked_who_cannot_answer(admin: Browser, centre: Centre) -> None:
    centre.ingest.take(Laptop().batch(1))  # not enrolled
    stranger = newest(centre)
    gone = join(centre, Laptop())
    centre.ingest.take(gone.batch(1))
    revoked = newest(centre)
    centre.storage.write(lambda tx: enrolment.revoke(tx, gone.id, 5))
    own = centre.storage.read(lambda tx: tx.query("SELECT min(idx) AS idx FROM batch WHERE via = 'hub'"))[0]["idx"]
    for idx in (stranger, revoked, own, 10**9):
        assert f"/console/batch/{idx}/again" not in admin.get(f"/console/batch/{idx}").text
        assert "HB-267" in admin.get(f"/console/batch/{idx}/again").text
        assert "HB-267" in admin.post(f"/console/batch/{idx}/again", reason="x").text
    assert asked(centre) == []


def test_a_viewer_asks_nobody(centre: Centre, client: httpx.Client) -> None:
    let_in(centre, "ដារា", "viewer")
    viewer = Browser(client)
    viewer.log_in("ដារា")
    centre.ingest.take(join(centre, Laptop()).batch(1))
    idx = newest(centre)
    assert f"/console/batch/{idx}/again" not in viewer.get(f"/console/batch/{idx}").text
    assert viewer.get(f"/console/batch/{idx}/again").status_code == 403
    assert viewer.post(f"/console/batch/{idx}/again", reason="x").status_code == 403
    assert asked(centre) == []


def test_what_the_storage_lost_is_asked_for_and_put_back(admin: Browser, centre: Centre, tmp_path: Path) -> None:
    place = Folder(tmp_path / "elsewhere")
    centre.storage.objects = place
    object.__setattr__(centre.places, "batches", place)
    laptop = join(centre, Laptop())
    data = laptop.batch(2)
    centre.ingest.take(data)
    idx, name = newest(centre), sha256(data).digest()
    (file,) = (tmp_path / "elsewhere").rglob(name.hex())
    for damage in (file.unlink, lambda: file.write_bytes(b"altered")):
        damage()
        with pytest.raises(Known):
            place.get(name)
        page = words(admin.get(f"/console/batch/{idx}"))
        assert "The storage has lost the bytes of this batch" in page and f"/console/batch/{idx}/again" in page
        assert "are put back when it comes" in words(admin.get(f"/console/batch/{idx}/again"))
        assert admin.post(f"/console/batch/{idx}/again", reason="បាត់ពីកន្លែងផ្ទុក").status_code == 303
        again = admin.client.put(f"/v1/batches/{name.hex()}", content=data)
        assert again.status_code == 200 and place.get(name) == data
        assert moving.check(centre).faults == []
    assert not moving.put_back(centre, bytes(32), b"a stranger's")


def test_a_verb_asks_too(centre: Centre) -> None:
    centre.ingest.take(join(centre, Laptop()).batch(1))
    idx = newest(centre)
    found = sala_hub(centre.folder, "ask-again", str(idx), "--reason", "បាត់", "--admin", ADMIN)
    assert found == {"batch": idx, "records": 1, "attached": 0, "gone": False}
    assert [row["decision"] for row in asked(centre)] == ["send_again"]
    failed = sala_hub(centre.folder, "ask-again", "999999", "--reason", "បាត់", "--admin", ADMIN, ok=False)
    assert failed["error"]["code"] == "HB-267"


def test_a_reason_is_never_cut(centre: Centre) -> None:
    centre.ingest.take(join(centre, Laptop()).batch(1))
    with pytest.raises(Refused) as refused:
        centre.storage.write(lambda tx: askagain.ask(tx, newest(centre), "ក" * (decisions.MOST_REASON + 1), ADMIN, 5))
    assert refused.value.code == "HB-266"
