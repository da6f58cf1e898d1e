"""Tell when an inbox is open: by weekly hours in its own time zone, closed days and holidays."""
