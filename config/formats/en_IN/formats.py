"""Write times in the administration with a clock of twelve hours and the day first."""

TIME_FORMAT = "g:i A"
DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, g:i A"
