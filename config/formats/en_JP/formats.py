"""Write times in the administration with a clock of twenty-four hours and the month first."""

TIME_FORMAT = "H:i"
DATE_FORMAT = "M j, Y"
DATETIME_FORMAT = "M j, Y, H:i"
