"""Is this machine fit for runs: the probes put together, and the look before a run."""
