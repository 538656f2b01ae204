"""Revoke, suspend, reinstate, replace, list; and the centre's table of the same."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from i18n.errors import Refused
from modules.certificates import statuslist, trustlist
from modules.certificates.hub import Projection

KEY = SigningKey(b"\x03" * 32)


# --- on the laptop


def test_states_follow_their_rules(siem: Any) -> None:
    id = siem.issue()["id"]
    with pytest.raises(Refused, match="CT-141"):
        siem.run("reinstate", id=id, reason="mistake")
    with pytest.raises(Refused, match="CT-142"):
        siem.run("suspend", id=id, reason=" x ")
    assert siem.run("suspend", id=id, reason="breach")["status"] == "suspended"
    with pytest.raises(Refused, match="CT-141"):
        siem.run("suspend", id=id, reason="breach")
    assert siem.run("reinstate", id=id, reason="ended")["status"] == "valid"
    assert siem.run("revoke", id=id, reason="fraud")["status"] == "revoked"
    for verb in ("revoke", "suspend", "reinstate"):
        with pytest.raises(Refused, match="CT-141"):
            siem.run(verb, id=id, reason="again")
    with pytest.raises(Refused, match="CT-140"):
        siem.run("revoke", id="nobody", reason="error")


def test_words_of_reasons(siem: Any) -> None:
    id = siem.issue()["id"]
    siem.run("suspend", id=id, reason="breach")
    assert siem.run("show", id=id)["reason_words"]["en"] == "Conditions were not kept"
    siem.run("reinstate", id=id, reason="បានកែតម្រូវរួច")
    assert siem.run("show", id=id)["reason_words"] == {"km": "បានកែតម្រូវរួច", "en": "បានកែតម្រូវរួច"}


def test_replacing_is_one_deed(siem: Any, barber: dict[str, Any]) -> None:
    old = siem.issue()
    new = siem.run("replace", id=old["number"], data=barber | {"chairs": "4"})
    assert new["number"] == "0306-7-000039"
    assert siem.run("check", source=old["text"])["overall"] == "revoked"
    assert siem.run("check", source=new["text"])["overall"] == "valid"
    shown = siem.run("show", id=new["id"])
    assert shown["replaces"] == old["id"] and siem.run("show", id=old["id"])["reason"] == "replaced"
    with pytest.raises(Refused, match="CT-112"):
        siem.run("replace", id=new["id"], data=barber | {"chairs": "40"})
    assert siem.run("check", source=new["text"])["overall"] == "valid"  # both or neither


def test_lists_filter_and_page(siem: Any, attestation: dict[str, Any], as_json: Callable[[Any], Any]) -> None:
    made = [siem.issue() for _ in range(4)] + [
        siem.run("issue", template="attestation", data=attestation, valid_until="2026-11-22")
    ]
    siem.run("revoke", id=made[0]["id"], reason="error")
    siem.run("suspend", id=made[1]["id"], reason="breach")
    siem.clock.advance(2 * 86_400_000)
    listed = as_json(siem.run("register", limit=2))
    assert listed["total"] == 5 and [row["number"] for row in listed["rows"]] == ["0306-7-000042", "0306-7-000041"]
    assert siem.run("register", limit=2, offset=4)["rows"][0]["number"] == "0306-7-000038"
    by_state = {
        state: siem.run("register", status=state)["total"] for state in ("valid", "suspended", "revoked", "expired")
    }
    assert by_state == {"valid": 2, "suspended": 1, "revoked": 1, "expired": 1}
    assert siem.run("register", template="attestation")["total"] == 1
    assert siem.run("register", filter="chandara", status="valid")["total"] == 0


def test_week_on_home(siem: Any) -> None:
    siem.issue()
    siem.clock.advance(2 * 86_400_000)
    siem.issue()
    assert siem.run("today")["week"] == [0, 0, 0, 0, 1, 0, 1]


def test_roles(siem: Any) -> None:
    commands = {command.id: command for command in siem.session.commands.list()}
    for verb in ("issue", "revoke", "suspend", "reinstate", "replace"):
        assert "keys.sign" in commands[f"certificates.{verb}"].needs
    assert commands["certificates.check"].needs == {"records.read"}
    assert commands["certificates.open_check"].shortcut == "F9"


# --- at the centre


class Tx:
    """Tables in memory with the projection's own SQL."""

    def __init__(self) -> None:
        self.base = sqlite3.connect(":memory:")
        self.base.row_factory = sqlite3.Row
        for statement in Projection().tables():
            self.base.execute(statement)

    def execute(self, sql: str, values: Mapping[str, Any] | None = None) -> int:
        return self.base.execute(sql, values or {}).rowcount

    def query(self, sql: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        return [dict(row) for row in self.base.execute(sql, values or {})]

    def intent(self, *_: Any) -> None:
        raise AssertionError("certificates have no outside effect")


_numbers = itertools.count()


def op(kind: str, body: dict[str, Any], office: str = "0306", device: str = "d1", index: int | None = None) -> Any:
    number = next(_numbers)
    return SimpleNamespace(
        index=number if index is None else index,
        device=device,
        office=office,
        hash=f"{number:064x}",
        kind=f"certificates.{kind}",
        body=body,
        wall_ms=0,
    )


def issue_body(n: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "v": 1, "cti": bytes([n]) * 10, "template": "barber-licence/1", "number": f"0306-7-{n:06}", "issuer": "0306",
        "hash": bytes(32), "index": n, "issued_s": 5, "expires_s": None, **changes,
    }  # fmt: skip


def status_body(status: str, n: int = 1, **changes: Any) -> dict[str, Any]:
    body = {
        "v": 1,
        "cti": bytes([n]) * 10,
        "number": "x",
        "issuer": "0306",
        "index": n,
        "status": status,
        "reason": "error",
        "at_s": 7,
    }
    return {**body, **changes}


def run(*ops: Any) -> Tx:
    tx = Tx()
    for each in ops:
        Projection().apply(tx, each, 1_000)
    return tx


def state(tx: Tx) -> list[str]:
    return [row["status"] for row in tx.query("SELECT status FROM p_certificates_issued ORDER BY cti")]


def published(tx: Tx) -> dict[int, str]:
    office = {
        "code": "0306",
        "name": {"km": "ក", "en": "a"},
        "keys": [{"public": bytes(32), "from_ms": 0, "withdrawn_ms": None}],
    }
    targets = Projection().publications(tx, [office], 9_000, lambda m: KEY.sign(m).signature, bytes(KEY.verify_key))
    assert targets.keys() == {"trust/issuers-0306.cbor", "status/0306.cwt"}
    assert trustlist.read(targets["trust/issuers-0306.cbor"], "0306").made_s == 9
    read = statuslist.read(targets["status/0306.cwt"], "0306")
    return {index: given for index in range(50) if (given := read.state(index)) != "valid" and given is not None}


words = st.lists(st.sampled_from(["valid", "suspended", "revoked"]), max_size=6)


@given(words, st.randoms())
@settings(max_examples=60)
def test_revoke_wins_in_any_order(said: list[str], chance: Any) -> None:
    ops = [op("issued", issue_body(), index=0)] + [
        op("status", status_body(word), device=f"d{n}", index=n + 1) for n, word in enumerate(said)
    ]
    wanted = "revoked" if "revoked" in said else said[-1] if said else "valid"
    tx = run(*ops)
    assert state(tx) == [wanted]
    assert published(tx) == ({} if wanted == "valid" else {1: wanted})
    chance.shuffle(ops)
    assert state(run(*ops)) == [wanted]  # the log's order is the op's index, not the order of arrival


def test_a_new_certificate_gives_the_list_a_new_date() -> None:
    """The centre keeps the bytes of a target whose content stays: a list older than a certificate would say nothing of it."""
    before = run(op("issued", issue_body()))
    after = run(op("issued", issue_body()), op("issued", issue_body(2, issued_s=7_200)))
    office = {"code": "0306", "name": {"km": "ក", "en": "a"}, "keys": []}

    def basis(tx: Tx) -> bytes:
        made = Projection().publications(tx, [office], 0, lambda m: KEY.sign(m).signature, bytes(KEY.verify_key))
        return made["status/0306.cwt"]

    assert basis(before) == basis(before) != basis(after)


def test_only_the_issuing_office_speaks() -> None:
    tx = run(
        op("issued", issue_body()),
        op("status", status_body("revoked"), office="2102"),
        op("status", status_body("revoked", issuer="2102"), office="2102"),
        op("issued", issue_body(2), office="2102"),
    )
    assert state(tx) == ["valid"] and published(tx) == {}


def test_a_revocation_that_arrives_first_is_published() -> None:
    tx = run(op("status", status_body("revoked")))
    assert published(tx) == {1: "revoked"}


def test_twins_are_marked() -> None:
    tx = run(
        op("issued", issue_body(1)),
        op("issued", issue_body(2, number="0306-7-000001")),
        op("issued", issue_body(3, index=1)),
        op("issued", issue_body(1)),
    )
    rows = tx.query("SELECT conflict FROM p_certificates_issued ORDER BY cti")
    assert [row["conflict"] for row in rows] == ["", "number", "number"]


@pytest.mark.parametrize(
    "body", [{}, {"cti": "text"}, issue_body(index=-1), issue_body(index=1 << 30), issue_body(cti=b""), None]
)
def test_odd_bodies_change_nothing(body: dict[str, Any] | None) -> None:
    tx = run(op("issued", body))  # type: ignore[arg-type]
    assert state(tx) == []
    run(op("status", body))  # type: ignore[arg-type]


def test_console_query_runs() -> None:
    tx = run(op("issued", issue_body(expires_s=50)), op("status", status_body("suspended")))
    console = Projection().console()
    rows = tx.query(console["query"])
    assert (
        set(rows[0]) == {column["key"] for column in [*console["columns"], *console["exported"]]}
        and rows[0]["state"] == "suspended"
    )


def test_the_hub_loads_it_without_the_core() -> None:
    import subprocess
    import sys

    code = (
        "import sys; import modules.certificates.hub as h; h.Projection();"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('PySide6', 'reportlab', 'PIL', 'pypdfium2', 'zxingcpp')];"
        "assert not bad, bad; assert 'modules.certificates.core' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
