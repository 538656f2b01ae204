"""The window's side of the agency's desk. The only folder of this module that knows Qt."""

from __future__ import annotations

from modules.agency.view.page import AgencyPage

__all__ = ["AgencyPage"]
