"""The window's side of links: make one in a line, see its QR, print labels. The only folder of this module that knows Qt."""

from __future__ import annotations

from modules.links.view.page import LinksPage

__all__ = ["LinksPage"]
