"""A day's chain through the packaged command lines, each step in a process of its own: hub, office pack, laptop, form, link,
sync, the hub's report, backup and restore. The window's day (``sala --day``) does more; this proves the other two programs.
"""

from __future__ import annotations

import json
import socket
import subprocess
from typing import Any

from desktop.day import samples
from tools.emptyroot import EmptyRoot

OFFICE = "0306"


def play(root: EmptyRoot) -> dict[str, Any]:
    """``{"ok", …what came out}``; ``RuntimeError`` with a program's last words when one of them fails."""
    place = f"{root.tmp}/chain"
    root.outside(place).mkdir()
    hub, laptop = ("sala-hub", "--data", f"{place}/hub", "--json"), ("sala-cli", "--home", f"{place}/home", "--json")
    root.outside(f"{place}/passphrase").write_text(samples.PASSPHRASE, "utf-8")
    root.outside(f"{place}/answers.json").write_text(json.dumps(samples.BIRTH), "utf-8")
    secrets = {"SALA_PASSPHRASE_FILE": f"{place}/passphrase", "SALA_ROOTS": f"{place}/hub/roots"}

    root.json(*hub, "init")
    port = _free_port()
    root.json(*hub, "enrol", OFFICE, "--out", f"{place}/laptop.pack", "--url", f"http://127.0.0.1:{port}")
    serving = root.start(*hub, "serve", "--port", str(port))
    try:
        _wait(serving)
        name, latin = samples.OFFICER
        setup = ("setup", "--pack", f"{place}/laptop.pack", "--officer", name, "--latin", latin, "--role", "chief")
        office = _done(root.json(*laptop, *setup, **secrets))["office"]
        fill = ("forms", "fill", "birth-extract-copy", "--answers", f"{place}/answers.json", "--finish")
        form = _done(root.json(*laptop, *fill, **secrets))
        link = _done(root.json(*laptop, "links", "create", samples.NOTICE_LINK, **secrets))
        sync = _done(root.json(*laptop, "sync", "--once", **secrets))
        status = _done(root.json(*laptop, "status", **secrets))
        batches = root.json(*hub, "report", "batches")
        backup = _done(root.json(*laptop, "backup", f"{place}/office.salabackup", **secrets))
        again = ("sala-cli", "--home", f"{place}/again", "--json")
        _done(root.json(*again, "restore", f"{place}/office.salabackup", **secrets))
        restored = _done(root.json(*again, "forms", "list", **secrets))["rows"]
    finally:
        serving.kill()
        serving.communicate()
    return {
        "ok": office == OFFICE and sync["batches_received"] > 0 and status["waiting"] == 0 and len(batches) > 0 and len(restored) == 1,
        "receipt": form["receipt"],
        "link": link["short"],
        "sync": {name: sync[name] for name in ("batches_sent", "batches_received", "bytes_up", "bytes_down")},
        "received_by_hub": sum(batch["new_ops"] for batch in batches),
        "backup_bytes": backup["bytes"],
        "restored": len(restored),
    }  # fmt: skip


def _done(document: Any) -> Any:
    if "error" in document:
        raise RuntimeError(f"{document['error']['code']}: {document['error']['message']}")
    return document


def _wait(serving: subprocess.Popen[str]) -> None:
    """Until the hub prints its address; it listens from then on."""
    if serving.stdout is None or not serving.stdout.readline():
        raise RuntimeError(f"the hub did not start:\n{serving.communicate()[1][-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
