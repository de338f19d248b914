"""The penstock command line: parse, call, print."""
