"""The demo's believable past."""
