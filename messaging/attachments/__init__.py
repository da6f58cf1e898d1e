"""Pictures and files: fetched from carriers, put into drafts, kept, shown, lent to carriers."""
