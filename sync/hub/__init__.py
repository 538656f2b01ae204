"""The centre: takes signed batches, keeps them for ever, answers with receipts, publishes. Everything else is a projection."""
