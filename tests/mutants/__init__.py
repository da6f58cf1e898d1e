"""Hand-kept faults in the code that must turn a test red: `make mutants`."""
