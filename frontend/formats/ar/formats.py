"""Arabic: Django has no pattern for a date with its time."""

DATETIME_FORMAT = "j F Y، H:i"
