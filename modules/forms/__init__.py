"""Forms: signed definitions, capture without loss, numbered receipts, submissions that are corrected and never edited.

The face is ``core.activate``; one file holds one idea. Definitions and the service catalogue are data in ``assets/``.
"""
