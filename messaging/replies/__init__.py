"""Saved replies: words that are ready to be inserted, with their placeholders and files."""
