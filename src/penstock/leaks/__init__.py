"""Rules for secrets and a matcher that finds them in bytes; pure, and without any other room."""
