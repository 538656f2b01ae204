"""Flows of this laptop, the events they heard and their runs. Delivering, journaling and effects share one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from modules.contract import Api, Command, Json, Refused, Row
from modules.flows import definition, engine, words
from modules.flows.conditions import judge
from modules.flows.definition import Flow

FLOW: Final = "flows.flow"  # what pages call a flow and a run when one changed
RUN: Final = "flows.run"
DEEPEST: Final = 8  # flows that wake flows that wake flows: beyond this somebody made a circle
SAMPLE: Final = "sample"
_SUBJECT: Final = ("submission", "id", "code")
_LABEL: Final = ("receipt", "number", "title", "code")


class Rehearsed(Refused):
    """Carries what a rehearsal did out of the transaction that it takes back."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__("FL-040")
        self.result = result


class Flows:
    """What the commands run."""

    def __init__(self, api: Api) -> None:
        self._api = api

    # --- flows

    def import_(self, file: str) -> dict[str, Any]:
        """Take a flow from a file, switched off. A version that is here stays as it is; an older one is refused."""
        flow = definition.read_file(Path(file))
        self._check(flow)
        known = self._api.store.query("SELECT version, definition FROM flows_flow WHERE id = ?", flow.id)
        if known and (
            known[0]["version"] > flow.version
            or (known[0]["version"] == flow.version and known[0]["definition"] != flow.hash)
        ):
            raise Refused("FL-013", flow=flow.id, version=flow.version, known=known[0]["version"])
        if not known or known[0]["version"] < flow.version:
            self._install(flow)
        return self.show(flow.id)

    def enable(self, flow: str) -> dict[str, Any]:
        """From now on every matching event starts it; a shipped flow is installed by this."""
        found = self._flow(flow)
        self._check(found)
        if not self._api.store.query("SELECT 1 FROM flows_flow WHERE id = ?", flow):
            self._install(found)
        return self._switch(flow, on=True)

    def disable(self, flow: str) -> dict[str, Any]:
        self._flow(flow)
        return self._switch(flow, on=False)

    def configure(self, flow: str, settings: Mapping[str, str]) -> dict[str, Any]:
        """Set values that the flow leaves to the office."""
        found = self._flow(flow)
        if unknown := set(settings) - set(found.settings):
            raise Refused("FL-015", flow=flow, names=", ".join(sorted(unknown)))
        if not self._api.store.query("SELECT 1 FROM flows_flow WHERE id = ?", flow):
            self._install(found)
        merged = {**self._chosen(flow), **settings}
        self._api.store.execute(
            "UPDATE flows_flow SET settings = ? WHERE id = ?", json.dumps(merged, ensure_ascii=False), flow
        )
        self._api.store.touch(FLOW, flow)
        return self.show(flow)

    def listed(self) -> dict[str, Any]:
        """Every flow: installed ones and those that came with the program."""
        rows = {
            row["id"]: row
            for row in self._api.store.query(
                "SELECT f.*, d.text FROM flows_flow f JOIN flows_definition d ON d.hash = f.definition"
            )
        }
        known = {id: definition.parse(row["text"]) for id, row in rows.items()}
        for flow in definition.shipped():
            known.setdefault(flow.id, flow)
        return {"flows": [self._shown(flow, rows.get(id)) for id, flow in sorted(known.items())]}

    def show(self, flow: str) -> dict[str, Any]:
        rows = self._api.store.query("SELECT * FROM flows_flow WHERE id = ?", flow)
        return self._shown(self._flow(flow), rows[0] if rows else None)

    # --- events and runs

    def deliver(self, event: str, trigger: str, payload: Json, cause: str | None = None) -> dict[str, Any]:
        """Take one event and run every enabled flow that waits for it. The same event again does nothing."""
        store = self._api.store
        above = store.query("SELECT depth FROM flows_event WHERE id = ?", cause) if cause else []
        depth = above[0]["depth"] + 1 if above else 0
        row = {
            "id": event, "trigger": trigger, "payload": json.dumps(payload, ensure_ascii=False), "subject": _named(payload, _SUBJECT),
            "label": _named(payload, _LABEL), "cause": cause, "depth": depth, "wall_ms": self._api.clock.wall_ms(),
        }  # fmt: skip
        new = store.execute(
            "INSERT INTO flows_event (id, trigger, payload, subject, label, cause, depth, wall_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO NOTHING", *row.values(),
        )  # fmt: skip
        if not new:
            return {"event": event, "runs": [], "already": True}
        waiting = store.query(
            "SELECT d.text, f.settings FROM flows_flow f JOIN flows_definition d ON d.hash = f.definition "
            "WHERE f.enabled = 1 AND f.trigger = ? ORDER BY f.id",
            trigger,
        )
        runs = [
            self._start(definition.parse(found["text"]), json.loads(found["settings"]), event, payload, depth)
            for found in waiting
        ]
        return {"event": event, "runs": runs, "already": False}

    def run(self, flow: str, on: str) -> dict[str, Any]:
        """Run a flow by hand on a past event. One that ran already is not run again: its run is handed back."""
        found, event = self._flow(flow), self._event(on)
        if event["trigger"] != found.trigger:
            raise Refused("FL-017", flow=flow, trigger=event["trigger"])
        known = self._api.store.query("SELECT id FROM flows_run WHERE flow = ? AND event = ?", flow, event["id"])
        if known:
            return {**self.show_run(known[0]["id"]), "already": True}
        self._define(found)
        started = self._start(found, self._chosen(flow), event["id"], json.loads(event["payload"]), 0)
        return {**self.show_run(started), "already": False}

    def resume(self, run: str) -> dict[str, Any]:
        """Go on with a stopped run at the step that was refused."""
        row = self._run_row(run)
        if row["state"] != engine.STOPPED:
            raise Refused("FL-018", state=row["state"])
        event = self._event(row["event"])
        flow = definition.parse(row["text"])
        journal = [entry for entry in json.loads(row["journal"]) if entry["state"] != engine.STOPPED]
        scope = self._scope(flow, self._chosen(flow.id), run, event["id"], json.loads(event["payload"]))
        state = self._go(flow, scope, journal)
        self._api.store.execute(
            "UPDATE flows_run SET state = ?, journal = ?, changed_ms = ? WHERE id = ?",
            state, json.dumps(journal, ensure_ascii=False), self._api.clock.wall_ms(), run,
        )  # fmt: skip
        self._api.store.touch(RUN, run)
        return self.show_run(run)

    def dry_run(self, flow: str, on: str = SAMPLE) -> dict[str, Any]:
        """What the flow would do on a past case, done in a transaction that is always taken back.

        On the trigger's sample, which is no real case, the steps are described and nothing is called.
        """
        found = self._flow(flow)
        if on == SAMPLE:
            return self._try(found, self._sample(found), "description")
        try:
            self._api.call("flows.rehearse", flow=flow, on=on)
        except Rehearsed as rehearsed:
            return rehearsed.result
        raise RuntimeError("a rehearsal was kept")

    def rehearse(self, flow: str, on: str) -> NoReturn:
        """Do everything, then raise :class:`Rehearsed`, which takes it back."""
        raise Rehearsed(self._try(self._flow(flow), self._event(on), "rehearsal"))

    def _try(self, flow: Flow, event: Row, mode: engine.Mode) -> dict[str, Any]:
        payload = json.loads(event["payload"])
        scope = self._scope(flow, self._chosen(flow.id), "rehearsal", event["id"], payload)
        verdict = judge(flow.condition, scope)
        entries: list[engine.Entry] = []
        state = engine.SKIPPED
        if verdict.holds:
            interpreter = engine.Interpreter(self._api.call, self._command, mode, self._api.clock.wall_ms)
            state = interpreter.go(flow, scope, entries)
        return {
            "flow": flow.id, "event": event["id"], "label": event["label"], "mode": mode, "state": state, "why": verdict.tests,
            "steps": words.steps(flow, entries, self._command),
        }  # fmt: skip

    def runs(self, flow: str = "", offset: int = 0, limit: int = 100) -> dict[str, Any]:
        """``{"total", "rows"}`` of runs, newest first."""
        where, args = ("WHERE r.flow = ?", [flow]) if flow else ("", [])
        total = self._api.store.query(f"SELECT count(*) AS n FROM flows_run r {where}", *args)[0]["n"]
        rows = self._api.store.query(
            "SELECT r.id, r.flow, r.version, d.text, r.event, r.state, r.officer, r.started_ms, r.changed_ms, e.label, e.trigger "
            "FROM flows_run r JOIN flows_event e ON e.id = r.event JOIN flows_definition d ON d.hash = r.definition "
            f"{where} ORDER BY r.started_ms DESC, r.id DESC LIMIT ? OFFSET ?",
            *args, limit, offset,
        )  # fmt: skip
        return {"total": total, "rows": [words.run(row) for row in rows]}

    def show_run(self, run: str) -> dict[str, Any]:
        """One run with why each branch was taken and what each step did."""
        row = self._run_row(run)
        flow = definition.parse(row["text"])
        return {
            **words.run(row),
            "why": json.loads(row["why"]),
            "steps": words.steps(flow, json.loads(row["journal"]), self._command),
        }

    def events(self, flow: str, limit: int = 50) -> dict[str, Any]:
        """Past events that the flow could be tried on, newest first."""
        found = self._flow(flow)
        rows = self._api.store.query(
            "SELECT id, subject, label, wall_ms FROM flows_event WHERE trigger = ? ORDER BY id DESC LIMIT ?",
            found.trigger,
            limit,
        )
        return {"events": rows}

    # --- inside

    def _start(self, flow: Flow, chosen: Mapping[str, str], event: str, payload: Json, depth: int) -> str:
        """Begin a run of ``flow`` on ``event`` and take it as far as it goes; the run's id."""
        run, now = self._api.new_id(), self._api.clock.wall_ms()
        scope = self._scope(flow, chosen, run, event, payload)
        verdict = judge(flow.condition, scope)
        journal: list[engine.Entry] = []
        state = engine.SKIPPED
        if verdict.holds and depth > DEEPEST:
            state = engine.STOPPED
            journal.append(engine.stopped(flow.steps[0], "FL-019", {"flow": flow.id, "limit": DEEPEST}))
        elif verdict.holds:
            state = self._go(flow, scope, journal)
        self._api.store.execute(
            "INSERT INTO flows_run (id, flow, version, definition, event, state, why, journal, officer, started_ms, changed_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            run, flow.id, flow.version, flow.hash, event, state, json.dumps(verdict.tests, ensure_ascii=False),
            json.dumps(journal, ensure_ascii=False), self._api.officer().id, now, self._api.clock.wall_ms(),
        )  # fmt: skip
        self._api.store.touch(RUN, run)
        return run

    def _go(self, flow: Flow, scope: Json, journal: list[engine.Entry]) -> str:
        return engine.Interpreter(self._api.call, self._command, now_ms=self._api.clock.wall_ms).go(
            flow, scope, journal
        )

    def _scope(self, flow: Flow, chosen: Mapping[str, str], run: str, event: str, payload: Json) -> dict[str, Any]:
        settings = {name: setting["default"] for name, setting in flow.settings.items()} | dict(chosen)
        return {"event": payload, "settings": settings, "office": self._api.office, "run": {"id": run, "event": event}}

    def _chosen(self, flow: str) -> dict[str, str]:
        rows = self._api.store.query("SELECT settings FROM flows_flow WHERE id = ?", flow)
        chosen: dict[str, str] = json.loads(rows[0]["settings"]) if rows else {}
        return chosen

    def _flow(self, id: str) -> Flow:
        rows = self._api.store.query(
            "SELECT d.text FROM flows_flow f JOIN flows_definition d ON d.hash = f.definition WHERE f.id = ?", id
        )
        if rows:
            return definition.parse(rows[0]["text"])
        for flow in definition.shipped():
            if flow.id == id:
                return flow
        raise Refused("FL-016", flow=id[:60])

    def _event(self, on: str) -> Row:
        """The event that ``on`` names: its id, or the newest about that record or number."""
        rows = self._api.store.query(
            "SELECT * FROM flows_event WHERE id = ?1 OR subject = ?1 OR label = ?1 ORDER BY (id = ?1) DESC, id DESC LIMIT 1",
            on,
        )
        if not rows:
            raise Refused("FL-016", flow=on[:60])
        return rows[0]

    def _sample(self, flow: Flow) -> Row:
        trigger = next((one for one in self._api.triggers() if one.id == flow.trigger), None)
        if trigger is None:
            raise Refused("FL-010", trigger=flow.trigger)
        return {
            "id": SAMPLE,
            "label": _named(trigger.sample, _LABEL),
            "payload": json.dumps(dict(trigger.sample), ensure_ascii=False),
        }

    def _check(self, flow: Flow) -> None:
        definition.check_names(flow, self._command, frozenset(trigger.id for trigger in self._api.triggers()))

    def _command(self, id: str) -> Command:
        for command in self._api.commands():
            if command.id == id:
                return command
        raise Refused("MD-011", command=id)

    def _define(self, flow: Flow) -> None:
        self._api.store.execute(
            "INSERT INTO flows_definition (hash, text) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING",
            flow.hash,
            flow.text,
        )

    def _install(self, flow: Flow) -> None:
        self._define(flow)
        self._api.store.execute(
            "INSERT INTO flows_flow (id, version, trigger, definition, imported_ms, officer) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET version = excluded.version, trigger = excluded.trigger, definition = excluded.definition, "
            "enabled = 0, imported_ms = excluded.imported_ms, officer = excluded.officer",
            flow.id, flow.version, flow.trigger, flow.hash, self._api.clock.wall_ms(), self._api.officer().id,
        )  # fmt: skip
        self._api.store.touch(FLOW, flow.id)

    def _switch(self, flow: str, *, on: bool) -> dict[str, Any]:
        self._api.store.execute("UPDATE flows_flow SET enabled = ? WHERE id = ?", int(on), flow)
        self._api.store.touch(FLOW, flow)
        return self.show(flow)

    def _run_row(self, run: str) -> Row:
        rows = self._api.store.query(
            "SELECT r.*, d.text, e.label, e.trigger FROM flows_run r JOIN flows_event e ON e.id = r.event "
            "JOIN flows_definition d ON d.hash = r.definition WHERE r.id = ?",
            run,
        )
        if not rows:
            raise Refused("FL-016", flow=run[:60])
        return rows[0]

    def _shown(self, flow: Flow, row: Row | None) -> dict[str, Any]:
        triggers = {trigger.id: trigger.title for trigger in self._api.triggers()}
        last = self._api.store.query(
            "SELECT state, started_ms FROM flows_run WHERE flow = ? ORDER BY started_ms DESC LIMIT 1", flow.id
        )
        count = self._api.store.query("SELECT count(*) AS n FROM flows_run WHERE flow = ?", flow.id)[0]["n"]
        return words.flow(flow, row, triggers, self._command, count, last[0] if last else None)


def _named(payload: Json, names: tuple[str, ...]) -> str:
    """The first of ``names`` that the payload has as a text."""
    return next((str(payload[name])[:120] for name in names if isinstance(payload.get(name), str)), "")
