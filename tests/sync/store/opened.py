"""What tests of profiles do with one: open it, look into it, hear its refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sync import drafts, keys
from sync.errors import Known, Refused
from sync.keys import Unlocked
from sync.officer import Officer

PASSPHRASE = "ផ្កាឈូក ពណ៌ ស"
OTHER = "ទន្លេមេគង្គ ធំ"
CHIEF = Officer("", "សុខ វិបុល", "Sok Vibol", "chief")
DARA = Officer("", "ចាន់ ដារា", "Chan Dara", "receiving")


def unlock(profile: Unlocked, passphrase: str = PASSPHRASE, name: str = "Sok Vibol", **options: Any) -> Unlocked:
    return keys.unlock(profile.home, name, passphrase, profile.store.clock, **options)


def copied(*secrets: Any) -> tuple[bytes, ...]:
    """Secrets that outlive locking, which wipes the profile's own."""
    return tuple(bytes(bytearray(bytes(secret))) for secret in secrets)


def refusal(call: Callable[[], object]) -> tuple[str, dict[str, object]]:
    with pytest.raises((Refused, Known)) as refused:
        call()
    return refused.value.code, refused.value.values


def draft(unlocked: Unlocked, id: str = "d1") -> None:
    unlocked.store.write(
        lambda conn: drafts.save(conn, unlocked.officer.id, unlocked.draft_key, id, "forms/x", "t", {"a": "ពាក្យ"}, 5)
    )


def drafts_of(unlocked: Unlocked) -> list[Any]:
    listed = unlocked.store.read(lambda conn: drafts.list_(conn, unlocked.officer.id, unlocked.draft_key))
    return [one["body"] for one in listed]


def events(unlocked: Unlocked) -> list[str]:
    import json

    rows = unlocked.store.read(lambda conn: [row[0] for row in conn.execute("SELECT event FROM audit ORDER BY seq")])
    return [json.loads(row)["what"] for row in rows]
