"""The house of many processes on one machine, from the files in deploy/: `make cluster`."""
