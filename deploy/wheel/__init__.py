"""Holds an installed Partyline: the folders of a checkout, side by side in this one."""
