"""Shared widgets. Knows Qt and i18n; knows no module and no store (types only)."""
