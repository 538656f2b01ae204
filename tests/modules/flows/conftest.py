"""A finished barber-licence application, and small flows for trying the engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modules.session import Session

PERSON: dict[str, Any] = {
    "applicant": {"km": "លឹម ស្រីមុំ", "latin": "Lim Sreymom"}, "sex": "female", "dob": "17/05/1990", "id_card": "012345678",
    "phone": "012 345 678", "address": {"code": "03060101", "house": "១២"}, "shop_name": "ហាងស្រីមុំ", "shop_name_latin": "Sreymom",
    "shop_address": {"code": "03060101", "house": ""}, "chairs": 3, "workers": 4, "opens_on": "10/12/2026", "services": ["cut"],
    "sign": False,
}  # fmt: skip


@pytest.fixture
def scan(tmp_path: Path) -> str:
    from PIL import Image

    path = tmp_path / "id.png"
    Image.new("RGB", (32, 32), (200, 30, 30)).save(path)
    return str(path)


@pytest.fixture
def answers(scan: str) -> dict[str, Any]:
    """What the form asks, as the command line would give it."""
    return {**PERSON, "id_scan": [scan]}


@pytest.fixture
def chief(open_office: Callable[..., Session]) -> Session:
    """The chief of the hall, who may switch flows on and do everything that their steps do."""
    return open_office(role="chief")


@pytest.fixture
def run(chief: Session) -> Callable[..., Any]:
    return chief.commands.run


@pytest.fixture
def apply(run: Callable[..., Any], answers: dict[str, Any]) -> Callable[..., str]:
    """``apply(**changes)``: finish one application; its id."""
    return lambda **changes: str(
        run("forms.fill", form="barber-licence", answers={**answers, **changes}, finish=True)["id"]
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """``write(**changes)``: a flow file that drafts a message for every link that is made."""

    def make(**changes: Any) -> str:
        words = {"km": "សាក", "en": "Trial"}
        flow = {
            "sala_flow": 1, "id": "trial", "version": 1, "title": words, "summary": words, "when": {"trigger": "links.created"},
            "steps": [{
                "id": "note", "title": words, "do": "messages.draft_from_flow",
                "with": {"template": "{{event.short}}", "fields": {"a": "b"}, "phone": "012345678", "source": "{{run.id}}"},
            }],
        }  # fmt: skip
        path = tmp_path / "flow.json"
        path.write_text(json.dumps({**flow, **changes}, ensure_ascii=False), "utf-8")
        return str(path)

    return make
