"""The window's side of forms: catalogue, list, case and capture. The only folder of this module that knows Qt."""

from __future__ import annotations

from modules.forms.view.page import FormsPage

__all__ = ["FormsPage"]
