"""When an inbox is open: weekly hours in its own time zone, closed days and public holidays."""
