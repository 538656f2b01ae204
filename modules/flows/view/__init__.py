"""The window's side of flows: what follows what, a dry run beside it, and why each run went as it did. Only this folder knows Qt."""

from __future__ import annotations

from modules.flows.view.page import FlowsPage

__all__ = ["FlowsPage"]
