"""One module per command of aim."""
