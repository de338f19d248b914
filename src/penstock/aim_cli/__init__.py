"""The aim command line: the tool side of penstock."""
