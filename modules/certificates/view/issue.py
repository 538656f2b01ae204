"""Issue: choose a template, fill it from a finished form or by typing, see the sheet, issue, print."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.kit.desk import Desk
from desktop.kit.layout import column
from desktop.kit.timers import single_shot
from i18n.catalog import tr
from i18n.errors import SalaError
from modules.certificates.view.done import Done
from modules.certificates.view.editor import Editor
from modules.certificates.view.gallery import Gallery
from modules.certificates.view.outputs import SHEET_WIDTH
from modules.certificates.view.pile import Pile

PREVIEW_MS = 350
KEEP_MS = 800


class IssuePane(QWidget):
    """Gallery, editor, done. ``registered(id)``: show this certificate in the register."""

    registered = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._templates: dict[str, Mapping[str, Any]] = {}
        self._template = ""
        self._draft: str | None = None
        self._replaces: str | None = None
        self._number = ""  # of the certificate that is being replaced
        self._turn = 0
        self.gallery = Gallery()
        self.editor = Editor(desk)
        self.done = Done(desk)
        self.stack = Pile()
        for part in (self.gallery, self.editor, self.done):
            self.stack.addWidget(part)
        self.setLayout(column(self.stack))
        self._soon = single_shot(self, PREVIEW_MS, self._preview)
        self._keep = single_shot(self, KEEP_MS, self.keep_now)
        self.gallery.chosen.connect(self._choose)
        self.editor.edited.connect(self._edited)
        self.editor.from_form.connect(self._from_form)
        self.editor.back.clicked.connect(self.begin)
        self.editor.go.clicked.connect(self.primary)
        self.editor.sure.connect(lambda: self._issue(sure=True))
        self.done.another.connect(self.begin)
        self.done.registered.connect(self.registered)

    # Ways in

    def read(self) -> None:
        """Read the templates once; the gallery shows them."""
        if not self._templates:
            self._desk.run("certificates.templates", then=self._take_templates)
        elif self.stack.currentWidget() is self.gallery:
            self.gallery.begin()

    def begin(self) -> None:
        """Back to the templates; what was typed stays as a draft."""
        self.keep_now()
        self._forget()
        self.stack.setCurrentWidget(self.gallery)
        self.read()

    def begin_from(self, source: str) -> None:
        """Fill from the finished form ``source``: the template is the one that fits its kind."""

        def opened(case: Mapping[str, Any]) -> None:
            fitting = [id for id, template in self._templates.items() if case["form"] in template["forms"]]
            if fitting:
                self._open(fitting[0], {})
                self._from_form(source)

        self._with_templates(lambda: self._desk.run("forms.show", then=opened, id=source))

    def begin_replacing(self, id: str) -> None:
        """A successor of certificate ``id``, starting from its data."""

        def opened(shown: Mapping[str, Any]) -> None:
            self._open(shown["template"], shown["data"])
            self._replaces, self._number = shown["id"], shown["number"]
            self.editor.show_replacing(self._number)

        self._with_templates(lambda: self._desk.run("certificates.show", then=opened, id=id))

    def open_draft(self, draft: Mapping[str, Any]) -> None:
        """Continue what was begun."""

        def opened() -> None:
            self._open(draft["template"], draft["data"])
            self._draft, self._replaces = draft["draft"], draft.get("replaces")
            self.editor.source = draft.get("source")
            if self._replaces:
                self.editor.show_replacing("")

        self._with_templates(opened)

    def _with_templates(self, then: Any) -> None:
        def arrived(found: Mapping[str, Any]) -> None:
            self._take_templates(found)
            then()

        if self._templates:
            then()
        else:
            self._desk.run("certificates.templates", then=arrived)

    def _take_templates(self, found: Mapping[str, Any]) -> None:
        listed: Sequence[Mapping[str, Any]] = found["templates"]
        self._templates = {template["id"]: template for template in listed}
        self.gallery.show_templates(listed)

    def _choose(self, template: str) -> None:
        self._open(template, {})

    def _open(self, template: str, data: Mapping[str, Any]) -> None:
        self._forget()
        self._template = template
        self.editor.show_template(self._templates[template], data)
        self.stack.setCurrentWidget(self.editor)
        self.editor.fieldset.begin()
        self._preview()

    def _forget(self) -> None:
        self._turn += 1
        self._soon.stop()
        self._keep.stop()
        self._template, self._draft, self._replaces, self._number = "", None, None, ""

    # While it is typed

    def _edited(self) -> None:
        self._desk.idle_touch()
        self._soon.start()
        self._keep.start()

    def keep_now(self) -> None:
        """Make what was typed durable; at once when it is."""
        self._keep.stop()
        data = self.editor.fieldset.data() if self._template else {}
        if self.stack.currentWidget() is not self.editor or not data:
            return
        given = {"draft": self._draft, "source": self.editor.source, "replaces": self._replaces}
        given = {name: value for name, value in given.items() if value}
        self._draft = self._desk.run_now("certificates.keep_draft", template=self._template, data=data, **given)[
            "draft"
        ]

    def _preview(self) -> None:
        self._ask_preview(self._show_preview)

    def _ask_preview(self, then: Any, **instead: Any) -> None:
        self._soon.stop()
        self._turn += 1
        turn = self._turn

        def arrived(preview: Mapping[str, Any]) -> None:
            if turn == self._turn:
                then(preview)

        given = instead or {"data": self.editor.fieldset.data()}
        self._desk.run("certificates.preview", then=arrived, template=self._template, width=SHEET_WIDTH, **given)

    def _show_preview(self, preview: Mapping[str, Any]) -> None:
        if preview["png"]:
            self.editor.preview.show_image(b64decode(preview["png"]))

    def _from_form(self, source: str) -> None:
        def filled(preview: Mapping[str, Any]) -> None:
            self.editor.source = source
            self.editor.fieldset.fill(preview["data"])
            self._show_preview(preview)
            self.editor.fieldset.show_problems(preview["problems"])
            self._keep.start()

        self._ask_preview(filled, source=source)

    # Issuing

    def primary(self) -> None:
        """Issue what the editor shows."""
        if self.stack.currentWidget() is self.editor:
            self.keep_now()
            self._ask_preview(self._checked)

    def _checked(self, preview: Mapping[str, Any]) -> None:
        self._show_preview(preview)
        fine = self.editor.fieldset.show_problems(preview["problems"])
        if other := preview["problems"].get("sheet"):
            self.editor.say(other)
        elif fine:
            self._issue()

    def _issue(self, *, sure: bool = False) -> None:
        self.editor.go.setEnabled(False)
        data: dict[str, Any] = {"data": self.editor.fieldset.data(), "clock_confirmed": sure}
        if self._replaces:
            self._desk.run("certificates.replace", then=self._issued, failed=self._refused, id=self._replaces, **data)
        else:
            if self.editor.source:
                data["source"] = self.editor.source
            self._desk.run(
                "certificates.issue", then=self._issued, failed=self._refused, template=self._template, **data
            )

    def _issued(self, made: Mapping[str, Any]) -> None:
        self.editor.go.setEnabled(True)
        if self._draft:
            self._desk.run_now("certificates.drop_draft", draft=self._draft)
        headline = self._templates[self._template]
        name = str(self.editor.fieldset.data().get("name_km", ""))
        self._forget()
        self.done.show_made(made, headline["title"], name)
        self.stack.setCurrentWidget(self.done)
        self._desk.show_note(tr("Certificate {number} is issued and waits to be sent", number=made["number"]))

    def _refused(self, error: SalaError) -> None:
        self.editor.go.setEnabled(True)
        if error.code == "CT-120":
            self.editor.ask_clock(error)
        else:
            self._desk.show_error(error)
