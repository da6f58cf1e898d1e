"""Kill processes under load and compare three ledgers afterwards.

The callers hold what was answered, the far end what it was sent, and the database what we stored.
`make faults` runs the long forms; the short ones are tests.
"""
