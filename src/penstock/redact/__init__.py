"""Taking secrets out of text before it is stored or shown: known values, and what looks like one."""
