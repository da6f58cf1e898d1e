"""Pictures and files: fetched from carriers, added to drafts, stored, shown, lent to carriers."""
