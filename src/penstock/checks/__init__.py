"""Static and runtime checks, acceptance commands, and what they found."""
