"""The views of a conversation, of the lists and of the start page."""
