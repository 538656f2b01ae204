"""The encrypted store and replication: ops, batches, receipts, publications. Knows no Qt and no module."""
