"""Runs a flow's steps one after the other, each with a journal entry, all inside the transaction of the caller.

The interpreter is the same for a run, for a rehearsal (whose transaction is taken back) and for a description (which
calls nothing, because its case is made up). A step that is refused undoes itself and stops the run; what earlier steps
did stays, and the run can be continued.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from modules.contract import Command, Json, Refused, SalaError
from modules.flows.conditions import judge
from modules.flows.definition import Flow, Step
from modules.flows.references import fill
from sync.failpoint import failpoint

Mode = Literal["run", "rehearsal", "description"]
Entry = dict[str, Any]  # one step of the journal: step, do, state, why, with, result, says, error
DONE: Final = "done"
SKIPPED: Final = "skipped"
STOPPED: Final = "stopped"
UNTRIED: Final = "untried"  # not in a run: what cannot be taken back, and everything that is only described

_LASTING: Final = frozenset({"files.export", "net.sync"})  # effects outside the database, which no rollback reaches


class Interpreter:
    """``call`` runs a command and ``command`` describes it; ``now_ms`` stamps the journal."""

    def __init__(
        self,
        call: Callable[..., Any],
        command: Callable[[str], Command],
        mode: Mode = "run",
        now_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        self._call = call
        self._command = command
        self._mode = mode
        self._now_ms = now_ms

    def go(self, flow: Flow, scope: Mapping[str, Any], journal: list[Entry]) -> str:
        """Run the steps that ``journal`` does not hold yet and append an entry for each. The state of the run."""
        known = {**scope, **{entry["step"]: entry["result"] for entry in journal if entry["state"] == DONE}}
        for step in flow.steps[len(journal) :]:
            entry = self._step(step, known)
            entry["wall_ms"] = self._now_ms()
            journal.append(entry)
            if entry["state"] == STOPPED:
                return STOPPED
            if entry["state"] == DONE:
                known[step.id] = entry["result"]
                entry["says"] = self._said(step, known)
            failpoint("flows")
        return DONE

    def _step(self, step: Step, scope: Mapping[str, Any]) -> Entry:
        entry = _blank(step)
        verdict = judge(step.condition, scope)
        entry["why"] = verdict.tests
        if not verdict.holds:
            return entry
        try:
            entry["with"] = fill(step.params, scope, _open if self._mode == "description" else None)
            lasting = self._mode == "rehearsal" and self._command(step.do).needs & _LASTING
            if lasting or self._mode == "description":
                return {**entry, "state": UNTRIED}
            entry["result"] = plain(self._call(step.do, **entry["with"]))
            entry["state"] = DONE
        except SalaError as error:  # the command took its own changes back; a bug takes back the whole run
            entry["state"], entry["error"] = STOPPED, [error.code, plain(error.values)]
        return entry

    def _said(self, step: Step, scope: Mapping[str, Any]) -> Json | None:
        if step.says is None:
            return None
        try:
            return {language: str(fill(words, scope)) for language, words in step.says.items()}
        except Refused:
            return None  # words that ask for what the result lacks must not undo the work


def _open(path: str) -> str:
    """What a description shows for a value that only a real run would know."""
    return f"‹{path}›"


def stopped(step: Step, code: str, values: Mapping[str, Any]) -> Entry:
    """The entry of a step that was never begun, with the refusal that holds it."""
    return {**_blank(step), "state": STOPPED, "error": [code, dict(values)]}


def _blank(step: Step) -> Entry:
    return {
        "step": step.id, "do": step.do, "state": SKIPPED, "why": [], "with": {}, "result": None, "says": None, "error": None,
    }  # fmt: skip


def plain(value: Any) -> Any:
    """What of a result the journal keeps: JSON; bytes as their length, anything else as its text."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
