"""What leaves the centre as data for other programs: files (CSV, XLSX, Parquet), an OData feed, signed webhooks.

Only what the hub can read leaves: sealed answers are opened at the agency's own desk.
"""
