"""The window's side of messages: list, and one campaign with all its steps on one page. Only this folder knows Qt."""

from __future__ import annotations

from modules.messages.view.page import MessagesPage

__all__ = ["MessagesPage"]
