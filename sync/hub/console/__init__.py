"""The hub's console in a browser: server-made pages in Khmer and English, usable by keyboard, over projections and reports only.

``routes.py`` is its face; each other file is one page or one thing that pages share. Nothing here keeps a table of its own.
"""
