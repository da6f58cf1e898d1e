"""Processes killed under load, and ledgers compared afterwards: what the callers were told, what
the carrier's far end noted, what the database holds. `make faults` runs the long forms; the short
ones are tests."""
