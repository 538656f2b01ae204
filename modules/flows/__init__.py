"""Flows: when something happened, then do these commands, exactly once. A flow is data. Others emit triggers and know no flow."""
