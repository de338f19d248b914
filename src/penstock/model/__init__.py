"""The nouns of penstock, their states, and decoding with error paths."""
