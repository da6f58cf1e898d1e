"""Write times in the administration with a clock of twelve hours and the month first."""

TIME_FORMAT = "g:i A"
DATE_FORMAT = "M j, Y"
DATETIME_FORMAT = "M j, Y, g:i A"
