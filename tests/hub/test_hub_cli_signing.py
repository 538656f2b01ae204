"""Signers and offline signatures by the command line, each verb in a process of its own; the key's machine has no hub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.hub.conftest import sala_hub

FORM = {"id": "birth", "version": 1, "title": {"km": "ក", "en": "A"}, "sections": []}


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    folder = tmp_path / "hub"
    sala_hub(folder, "init")
    return folder


def test_a_form_is_prepared_signed_elsewhere_and_published(hub: Path, tmp_path: Path) -> None:
    elsewhere, key = tmp_path / "no-hub-here", tmp_path / "moi.key"
    made = sala_hub(elsewhere, "new-key", str(key))
    assert sala_hub(elsewhere, "new-key", str(key), ok=False)["error"]["code"] == "HB-106", "never over another key"
    added = sala_hub(hub, "role", "add", "forms", "moi", "--holder", "ក្រសួង", "--public", made["public"])
    assert added == {"role": "forms-moi", "key": made["public"], "at_hub": False}
    form = tmp_path / "any.json"
    form.write_text(json.dumps(FORM), "utf-8")
    assert sala_hub(hub, "publish", str(form), "--under", "forms/moi")["changed"] == []
    listed = {row["role"]: row for row in sala_hub(hub, "role", "list")}
    waits = listed["forms-moi"]["waiting"]
    assert [change["what"] for change in waits] == ["new"] and waits[0]["name"].startswith("forms/moi/birth/")
    prepared, signed = tmp_path / "to-sign", tmp_path / "signed"
    assert sala_hub(hub, "prepare", "forms-moi", "--out", str(prepared))["laptops"] == 0
    looked = sala_hub(elsewhere, "sign", str(prepared))
    assert (looked["signed"], [change["what"] for change in looked["changes"]]) == (False, ["new"])
    assert "data" not in looked["changes"][0]
    assert sala_hub(elsewhere, "sign", str(prepared), "--key", str(key), "--out", str(signed))["signed"]
    done = sala_hub(hub, "accept", str(signed))
    assert (done["role"], done["version"], len(done["changed"])) == ("forms-moi", 1, 1)
    assert sala_hub(hub, "accept", str(signed), ok=False)["error"]["code"] == "HB-183"
    assert not elsewhere.exists()


def test_keys_are_changed_and_delegations_ended(hub: Path) -> None:
    before = {row["role"]: row for row in sala_hub(hub, "role", "list")}
    assert set(before) == {"leases", "inbox"}
    assert sala_hub(hub, "role", "rotate", "leases")["key"] != before["leases"]["key"]
    assert sala_hub(hub, "role", "add", "province", "03")["at_hub"] is True
    assert sala_hub(hub, "role", "remove", "province-03")["removed"] == "province-03"
    for arguments, code in (
        (("role", "add", "province", "99"), "HB-181"),
        (("role", "add", "forms", "moi", "--public", "zz"), "HB-181"),
        (("role", "rotate", "forms-x"), "HB-180"),
        (("prepare", "leases", "--out", "x"), "HB-184"),
    ):
        assert sala_hub(hub, *arguments, ok=False)["error"]["code"] == code
