"""Is this machine fit: probes that are asked all at once, and the report of what they found."""
