"""Khmer and English: catalogues, errors in words, and all that treats Khmer text. Knows no Qt and nothing above it."""
