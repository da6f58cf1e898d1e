"""Write times in the administration with a clock of twenty-four hours and the day first."""

TIME_FORMAT = "H:i"
DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
