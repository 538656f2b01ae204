"""The hub's console in a browser: server-made pages in Khmer and English, usable by keyboard, over projections and reports only."""

from sync.hub.console.routes import routes

__all__ = ["routes"]
