"""Writing the results of runs back into the plans that they came from."""
