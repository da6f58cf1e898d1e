"""The conversation's pages and deeds, and the door for carriers."""
