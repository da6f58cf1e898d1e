"""Backups: the database, pictures and files in one file, and the keys, on request, in another.

See docs/decisions/0026-installing.md for what is in which, and why.
"""
